//! Any bytes as a script of multilog, a line an argument, the last one the
//! line that is judged.

use upkeep_core::keeping::Keeping;
use upkeep_core::pattern::matches;
use upkeep_core::script::Directive;

/// The rule of patterns, as the manual states it. It may not be quick, but it
/// must not need a stack as deep as a line is long.
fn obvious(pattern: &[u8], line: &[u8]) -> bool {
    let (mut p, mut l) = (0, 0);
    loop {
        match (pattern.get(p), pattern.get(p + 1), line.get(l)) {
            (None, _, rest) => return rest.is_none(),
            (Some(b'*'), None, _) => return true,
            (Some(b'*'), Some(next), Some(byte)) if next == byte => p += 1,
            (Some(b'*'), Some(_), Some(_)) => l += 1,
            (Some(wanted), _, Some(byte)) if wanted == byte => (p, l) = (p + 1, l + 1),
            (Some(_), _, _) => return false,
        }
    }
}

/// Reads the script and judges the line.
pub fn multilog_script(data: &[u8]) {
    let mut arguments: Vec<_> = data.split(|&b| b == b'\n').collect();
    let line = arguments.pop().unwrap_or_default();
    let mut keeping = Keeping::default();
    for (index, argument) in arguments.into_iter().enumerate() {
        let letter = argument.first().copied();
        match Directive::parse(argument, index == 0, &mut keeping) {
            Directive::Select(pattern) | Directive::Deselect(pattern) => {
                assert_eq!(pattern, &argument[1..]);
                assert_eq!(matches(pattern, line, memchr::memchr), obvious(pattern, line));
            }
            Directive::Size(size) => {
                assert!(letter == Some(b's') && (4096..=16_777_215).contains(&size));
            }
            Directive::Keep(keep) => assert!(letter == Some(b'n') && keep >= 2),
            Directive::Stamp(_) => assert_eq!(index, 0),
            Directive::Alert => assert_eq!(letter, Some(b'e')),
            Directive::Status(file) => assert_eq!((letter, file), (Some(b'='), &argument[1..])),
            Directive::Processor(command) => {
                assert_eq!((letter, command), (Some(b'!'), &argument[1..]));
            }
            Directive::Directory(path) => {
                assert!(path == argument && matches!(letter, Some(b'.' | b'/')));
            }
            Directive::Keeping | Directive::Wrong(_) | Directive::Treatment(_) => {
                // What the original would use stays its own.
                assert!(letter.is_some_and(|letter| b"RNShdwmgzkfuUlpEF1r".contains(&letter)));
            }
            Directive::Nothing => {
                assert!(!letter.is_some_and(|letter| b"+-e=sn!./".contains(&letter)));
            }
        }
    }
}
