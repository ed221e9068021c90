//! Making visible what a terminal would obey: control characters, what turns
//! the direction of writing, and bytes that are no text.

use upkeep_core::obeyed::is_obeyed;

/// Adds the text to `out`, as somebody may look at it.
pub(crate) fn visible(out: &mut Vec<u8>, text: &[u8]) {
    if text.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
        out.extend_from_slice(text);
        return;
    }
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            put(out, character);
        }
        for byte in chunk.invalid() {
            hex(out, b'x', (*byte).into(), 2);
        }
    }
}

fn put(out: &mut Vec<u8>, character: char) {
    match character {
        '\t' => out.push(b'\t'),
        '\0'..='\x1f' => out.extend_from_slice(&[b'^', character as u8 + b'@']),
        '\x7f' => out.extend_from_slice(b"^?"),
        _ if is_obeyed(character) => hex(out, b'u', character.into(), 4),
        _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// `\x9b` or `\u202e`.
fn hex(out: &mut Vec<u8>, letter: u8, number: u32, digits: u32) {
    out.extend_from_slice(&[b'\\', letter]);
    for place in (0..digits).rev() {
        out.push(b"0123456789abcdef"[(number >> (4 * place) & 15) as usize]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &[u8]) -> String {
        let mut out = Vec::new();
        visible(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_is_as_it_is() {
        for text in ["", "GET / 200", "a\tb", "gr\u{fc}n \u{65e5}\u{672c} \u{1f980}", "\\x1b ^["] {
            assert_eq!(shown(text.as_bytes()), text);
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_seen() {
        assert_eq!(shown(b"\x1b[31mred\0\r\x7f"), "^[[31mred^@^M^?");
        assert_eq!(shown("\u{9b}31m\u{85}".as_bytes()), "\\u009b31m\\u0085");
        assert_eq!(shown("\u{202e}\u{2066}\u{200f}".as_bytes()), "\\u202e\\u2066\\u200f");
        assert_eq!(shown(b"a\xffb\x9b\xc3"), "a\\xffb\\x9b\\xc3");
    }

    #[test]
    fn nothing_that_is_shown_is_obeyed() {
        let mut n = 1_u32;
        for _ in 0..20_000 {
            let mut text = [0; 6];
            for byte in &mut text {
                n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *byte = (n >> 24) as u8;
            }
            assert!(!shown(&text).chars().any(|c| c.is_control() && c != '\t'), "{text:?}");
        }
    }
}
