//! Names as text. What is not UTF-8 in one is not lost: each such byte is a
//! character that nobody uses, until it is said.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Behind this come the characters for bytes, in a plane for private use.
const BYTES: u32 = 0x10_fe00;

/// The name as text.
pub(super) fn text(name: impl AsRef<OsStr>) -> String {
    let mut out = String::new();
    for chunk in name.as_ref().as_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            if byte(c).is_some() {
                // It is kept byte by byte itself, so that none is taken for another.
                out.extend(c.encode_utf8(&mut [0; 4]).bytes().filter_map(mark));
            } else {
                out.push(c);
            }
        }
        out.extend(chunk.invalid().iter().copied().filter_map(mark));
    }
    out
}

fn mark(byte: u8) -> Option<char> {
    char::from_u32(BYTES + u32::from(byte))
}

/// The byte that this character stands for.
pub(super) fn byte(c: char) -> Option<u8> {
    u8::try_from(u32::from(c).checked_sub(BYTES)?).ok().filter(|byte| !byte.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of the name again.
    fn back(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        for c in text.chars() {
            match byte(c) {
                Some(byte) => out.push(byte),
                None => out.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
        out
    }

    #[test]
    fn nothing_is_lost() {
        for name in [
            &b"web"[..],
            b"\xffa\xc3",
            "\u{e4}\u{1f980}".as_bytes(),
            "\u{10fe80}\u{10feff}\u{10fe7f}\u{10ff00}".as_bytes(),
            b"\xed\xb2\x80",
        ] {
            assert_eq!(back(&text(OsStr::from_bytes(name))), name, "{name:?}");
        }
        assert_eq!(text("a/\u{e4}"), "a/\u{e4}");
        let all: Vec<u8> = (1..=255).collect();
        assert_eq!(back(&text(OsStr::from_bytes(&all))), all);
    }
}
