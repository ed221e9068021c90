//! Strings of JSON. What is not UTF-8 is not lost: each such byte is the lone
//! surrogate that Python makes of it, `\\udc80` to `\\udcff`.

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
                    put(chunk.valid().as_bytes());
                    for &byte in chunk.invalid() {
                        unicode(*b"dc", byte, &mut put);
                    }
                }
                text = behind;
            }
            Some(byte) => {
                match byte {
                    b'"' | b'\\' => put(&[b'\\', *byte]),
                    // A terminal that shows it must not be told anything.
                    _ => unicode(*b"00", *byte, &mut put),
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
        assert_eq!(written("a\u{e4}\"b".as_bytes()), "\"a\u{e4}\\\"b\"");
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
