//! Strings of JSON. What is not UTF-8 is not lost: each such byte is the lone
//! surrogate that Python makes of it, `\\udc80` to `\\udcff`. What a terminal
//! would obey is escaped, so that whoever looks at it is not deceived.

use crate::obeyed::is_obeyed;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;

/// Gives `put` the string, quotes included.
pub fn string(mut text: &[u8], mut put: impl FnMut(&[u8])) {
    put(b"\"");
    loop {
        let (plain, rest) = text.split_at(plain_length(text));
        put(plain);
        match rest.first() {
            None => break,
            Some(0x80..) => {
                // A character is made of nothing else.
                let length = rest.iter().take_while(|byte| **byte >= 0x80).count();
                let (characters, behind) = rest.split_at(length);
                for chunk in characters.utf8_chunks() {
                    shown(chunk.valid(), &mut put);
                    for &byte in chunk.invalid() {
                        unicode(0xdc00 | u16::from(byte), &mut put);
                    }
                }
                text = behind;
            }
            Some(byte) => {
                match byte {
                    b'"' | b'\\' => put(&[b'\\', *byte]),
                    _ => unicode((*byte).into(), &mut put),
                }
                text = &rest[1..];
            }
        }
    }
    put(b"\"");
}

/// How many bytes there are that stand for themselves, and are of ASCII: eight
/// at once, as long as all of them are.
fn plain_length(text: &[u8]) -> usize {
    let below = |word: u64, least: u8| word.wrapping_sub(u64::from(least) * ONES) & !word;
    let mut length = 0;
    while let Some(word) = text[length..].first_chunk() {
        let word = u64::from_le_bytes(*word);
        let quote = below(word ^ (u64::from(b'"') * ONES), 1);
        let backslash = below(word ^ (u64::from(b'\\') * ONES), 1);
        let high = word.wrapping_add(ONES) | word;
        if (below(word, b' ') | quote | backslash | high) & HIGH != 0 {
            break;
        }
        length += 8;
    }
    let is_plain = |byte: &&u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    length + text[length..].iter().take_while(is_plain).count()
}

/// Characters beyond ASCII.
fn shown(text: &str, put: &mut impl FnMut(&[u8])) {
    let mut rest = text;
    while let Some((place, character)) = rest.char_indices().find(|(_, it)| is_obeyed(*it)) {
        put(&rest.as_bytes()[..place]);
        for unit in character.encode_utf16(&mut [0; 2]) {
            unicode(*unit, put);
        }
        rest = &rest[place + character.len_utf8()..];
    }
    put(rest.as_bytes());
}

fn unicode(unit: u16, put: &mut impl FnMut(&[u8])) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let [a, b, c, d] = [12, 8, 4, 0].map(|place| HEX[usize::from(unit >> place & 15)]);
    put(&[b'\\', b'u', a, b, c, d]);
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
        assert_eq!(written("a\u{e4}\"b".as_bytes()), "\"a\u{e4}\\\"b\"");
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        let text = "\u{9b}31m\u{e4}\u{202e}x\u{2069}";
        assert_eq!(written(text.as_bytes()), "\"\\u009b31m\u{e4}\\u202ex\\u2069\"");
        for character in ('\u{80}'..=char::MAX).filter(|it| it.is_control() || is_obeyed(*it)) {
            let mut text = [0; 4];
            assert!(written(character.encode_utf8(&mut text).as_bytes()).is_ascii());
        }
    }

    #[test]
    fn every_byte_in_every_place() {
        for place in 0..10 {
            for byte in 0..=u8::MAX {
                let mut text = *b"abcdefghij";
                text[place] = byte;
                let plain = matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
                let expected = if plain { text.len() } else { place };
                assert_eq!(plain_length(&text), expected, "{byte} at {place}");
            }
        }
    }

    #[test]
    fn each_byte_that_is_no_text_is_a_surrogate() {
        assert_eq!(written(b"a\xff\xc3"), r#""a\udcff\udcc3""#);
        // One that was written as if it were text is three of them.
        assert_eq!(written(b"\xed\xb2\x80"), r#""\udced\udcb2\udc80""#);
    }
}
