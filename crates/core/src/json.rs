//! Strings of JSON. What is not UTF-8 is not lost: each such byte is the lone
//! surrogate that Python makes of it, `\\udc80` to `\\udcff`.

/// Gives `put` the string, quotes included.
pub fn string(text: &[u8], mut put: impl FnMut(&[u8])) {
    put(b"\"");
    for chunk in text.utf8_chunks() {
        plain(chunk.valid().as_bytes(), &mut put);
        for &byte in chunk.invalid() {
            unicode(*b"dc", byte, &mut put);
        }
    }
    put(b"\"");
}

fn plain(mut text: &[u8], put: &mut impl FnMut(&[u8])) {
    // A terminal that shows it must not be told anything.
    let is_special = |byte: &u8| matches!(byte, 0..b' ' | b'"' | b'\\' | 0x7f);
    while let Some(place) = text.iter().position(is_special) {
        put(&text[..place]);
        match text[place] {
            byte @ (b'"' | b'\\') => put(&[b'\\', byte]),
            byte => unicode(*b"00", byte, put),
        }
        text = &text[place + 1..];
    }
    put(text);
}

fn unicode(high: [u8; 2], low: u8, put: &mut impl FnMut(&[u8])) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let [a, b] = high;
    put(&[b'\\', b'u', a, b, HEX[usize::from(low >> 4)], HEX[usize::from(low & 15)]]);
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::String;
    use std::vec::Vec;

    fn written(text: &[u8]) -> String {
        let mut out = Vec::new();
        string(text, |bytes| out.extend_from_slice(bytes));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn strings() {
        assert_eq!(written(b""), r#""""#);
        assert_eq!(written(b"a\"b\\c/\n\x1b\x7f"), r#""a\"b\\c/\u000a\u001b\u007f""#);
        assert_eq!(written("\u{e4}\u{1f980}".as_bytes()), "\"\u{e4}\u{1f980}\"");
    }

    #[test]
    fn each_byte_that_is_no_text_is_a_surrogate() {
        assert_eq!(written(b"a\xff\xc3"), r#""a\udcff\udcc3""#);
        // One that was written as if it were text is three of them.
        assert_eq!(written(b"\xed\xb2\x80"), r#""\udced\udcb2\udc80""#);
    }
}
