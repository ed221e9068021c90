//! Services as JSON.

use crate::svstat::fields::{FIELDS, Value};
use crate::svstat::gather::Seen;
use upkeep_core::json;
use upkeep_core::tai::Tai64n;

/// Changes when a reader of the last one could be misled.
pub(crate) const VERSION: u64 = 1;

/// An object that is being written.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Object<'a> {
    pub(crate) fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    fn key(&mut self, name: &str) -> &mut Vec<u8> {
        if !core::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        string(self.out, name.as_bytes());
        self.out.push(b':');
        self.out
    }

    pub(crate) fn put(&mut self, name: &str, put: &Value<'_>) {
        value(self.key(name), put);
    }

    /// All that is known of a service.
    pub(crate) fn service(&mut self, seen: &Seen) {
        for field in FIELDS {
            self.put(field.name, &(field.of)(seen));
        }
    }

    pub(crate) fn end(self) {
        self.out.push(b'}');
    }
}

fn value(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Flag(Some(flag)) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        Value::Number(Some(number)) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::Text(Some(text)) => string(out, text),
        Value::Label(Some(moment)) => string(out, &moment.label()),
        Value::Moment(moment) => match moment.and_then(Tai64n::date) {
            Some(date) => string(out, &date),
            None => out.extend_from_slice(b"null"),
        },
        Value::Flag(None) | Value::Number(None) | Value::Text(None) | Value::Label(None) => {
            out.extend_from_slice(b"null");
        }
    }
}

fn string(out: &mut Vec<u8>, text: &[u8]) {
    json::string(text, |bytes| out.extend_from_slice(bytes));
}

fn hex(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
}

/// Text as one word of a line: a blank, a control character and a backslash
/// are `\x` and two digits.
pub(crate) fn escape_blanks(out: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        if matches!(byte, 0..=b' ' | 0x7f | b'\\') {
            out.extend_from_slice(b"\\x");
            hex(out, byte);
        } else {
            out.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_no_blanks() {
        let mut out = Vec::new();
        escape_blanks(&mut out, b"a b\\x20\n\xff");
        assert_eq!(out, b"a\\x20b\\x5cx20\\x0a\xff");
    }

    #[test]
    fn members_are_parted() {
        let mut out = Vec::new();
        let mut object = Object::begin(&mut out);
        object.put("a", &Value::Flag(Some(true)));
        object.put("b", &Value::Number(None));
        object.put("c", &Value::Moment(Some(Tai64n::from_unix(0, 5))));
        object.put("d", &Value::Moment(Some(Tai64n::from_unix(i64::MAX, 5))));
        object.end();
        let expected = r#"{"a":true,"b":null,"c":"1970-01-01T00:00:00.000000005Z","d":null}"#;
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }
}
