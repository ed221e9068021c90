//! Any bytes as a script of s6-log, a line an argument.

use upkeep_core::s6log::{Directive, Wrong, number};

/// Reads the script.
pub fn s6log_script(data: &[u8]) {
    for argument in data.split(|&b| b == b'\n') {
        let Some((&letter, rest)) = argument.split_first() else {
            assert_eq!(Directive::parse(argument), Err(Wrong::Unknown));
            continue;
        };
        let value = std::str::from_utf8(rest).ok().and_then(|text| text.parse::<u64>().ok());
        // A sign is no part of a number here.
        let value = value.filter(|_| !rest.starts_with(b"+"));
        assert_eq!(number(rest).ok(), value);
        let small = value.filter(|&value| value <= u32::MAX.into());
        let directive = Directive::parse(argument);
        let expected = match (letter, small, value) {
            (b'n', Some(small), _) => Ok(Directive::Keep(small)),
            (b's', Some(small), _) => Ok(Directive::Size(small.clamp(4096, 268_435_455))),
            (b'l', Some(small), _) => Ok(Directive::Near(small)),
            (b'r', Some(small), _) => Ok(Directive::Again(small)),
            (b'E', Some(small), _) => Ok(Directive::AlertSize(small)),
            (b'^', Some(small), _) => Ok(Directive::StatusSize(small)),
            (b'S', _, Some(value)) => Ok(Directive::Total(value)),
            (b'n' | b's' | b'l' | b'r' | b'E' | b'^' | b'S', _, _) => Err(Wrong::Unknown),
            (b'+', _, _) => Ok(Directive::Select(rest)),
            (b'-', _, _) => Ok(Directive::Deselect(rest)),
            (b'!', _, _) => Ok(Directive::Processor(rest)),
            (b'?', _, _) => Ok(Directive::Shell(rest)),
            (b'p', _, _) => Ok(Directive::Prefix(rest)),
            (b'.' | b'/', _, _) => Ok(Directive::Directory(argument)),
            (b'=', _, _) if !rest.is_empty() => Ok(Directive::Status(rest)),
            (b'f' | b't' | b'T' | b'1' | b'2', _, _) if rest.is_empty() => {
                assert!(directive.is_ok());
                directive
            }
            (b'=' | b'f' | b't' | b'T' | b'1' | b'2', _, _) => Err(Wrong::Syntax),
            _ => Err(Wrong::Unknown),
        };
        assert_eq!(directive, expected);
        let acts = b"12=./".contains(&letter);
        assert!(directive.is_err() || directive.unwrap().is_action() == acts);
    }
}
