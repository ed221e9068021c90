//! Any bytes as a config of svlogd, the last line the one that is judged.

use upkeep_core::pattern::plus::matches;
use upkeep_core::svlogd::{Directive, directives};

/// The rule of patterns, without a stack as deep as a line is long.
fn obvious(pattern: &[u8], line: &[u8]) -> bool {
    let (mut p, mut l) = (0, 0);
    loop {
        match (pattern.get(p), pattern.get(p + 1), line.get(l)) {
            (None, _, rest) => return rest.is_none(),
            (Some(b'*'), None, _) => return true,
            (Some(b'*'), Some(next), Some(byte)) if next == byte => p += 1,
            (Some(b'*'), Some(_), Some(_)) => l += 1,
            (Some(b'+'), Some(next), Some(byte)) if next == byte => {
                while line.get(l) == Some(next) {
                    l += 1;
                }
                if l == line.len() {
                    return true;
                }
                p += 2;
            }
            (Some(wanted), _, Some(byte)) if wanted == byte && *wanted != b'+' => {
                (p, l) = (p + 1, l + 1);
            }
            (Some(_), _, _) => return false,
        }
    }
}

/// Reads the config and judges the line.
pub fn svlogd_config(data: &[u8]) {
    let line = data.rsplit(|&b| b == b'\n').next().unwrap_or_default();
    let ends_short =
        data.len() == 1 || data.rsplitn(2, |&b| b == b'\n').next().is_some_and(|l| l.len() == 1);
    let lines = data.split(|&b| b == b'\n').count();
    let all: Vec<_> = directives(data).collect();
    assert!(all.len() == lines || (ends_short && all.len() + 1 >= lines), "{lines}");
    for (directive, text) in all.into_iter().zip(data.split(|&b| b == b'\n')) {
        let text = &text[..text.iter().position(|&b| b == 0).unwrap_or(text.len())];
        let letter = text.first().copied();
        match directive {
            Directive::Select(pattern)
            | Directive::Deselect(pattern)
            | Directive::Show(pattern)
            | Directive::Hide(pattern) => {
                assert!(letter.is_some_and(|letter| b"+-eE".contains(&letter)));
                assert_eq!(pattern, &text[1..]);
                assert_eq!(matches(pattern, line, memchr::memchr), obvious(pattern, line));
            }
            Directive::Size(_) => assert_eq!(letter, Some(b's')),
            Directive::Keep(_) => assert_eq!(letter, Some(b'n')),
            Directive::Least(_) => assert_eq!(letter, Some(b'N')),
            Directive::Age(_) => assert_eq!(letter, Some(b't')),
            Directive::Processor(value) => {
                assert!(letter == Some(b'!') && value == &text[1..] && !value.is_empty());
            }
            Directive::Prefix(value) => {
                assert!(letter == Some(b'p') && value == &text[1..] && !value.is_empty());
            }
            Directive::Send(target) | Directive::SendOnly(target) => {
                assert!(matches!(letter, Some(b'u' | b'U')) && target.port > 0);
                let [a, b, c, d] = target.address;
                // Zeros in front are no number of their own.
                let plain = format!("{a}.{b}.{c}.{d}");
                let text = String::from_utf8_lossy(&text[1..]);
                assert!(text.contains('.') && text.len() >= plain.len());
            }
            Directive::BadAddress(value) => {
                assert!(matches!(letter, Some(b'u' | b'U')) && value == &text[1..]);
            }
            Directive::BadPort(value) => {
                assert!(matches!(letter, Some(b'u' | b'U')) && text.ends_with(value));
            }
            Directive::Nothing => {
                assert!(
                    !letter.is_some_and(|letter| b"+-eEsnNtuU".contains(&letter)) || ends_short
                );
            }
        }
    }
}
