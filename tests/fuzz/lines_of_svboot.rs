//! Any bytes as a file of somebody else's in which svboot has lines. What is put
//! in is taken out again, and the rest is what it was.

use upkeep_tools::boot::block::{put, take};

const LINES: &str = "::respawn:/bin/svscan /etc/service\n";

/// Puts lines in, twice and other ones, and takes them out.
pub fn lines_of_svboot(data: &[u8]) {
    let Ok(with) = put(data, LINES) else {
        assert!(take(data).is_err());
        return;
    };
    assert_eq!(put(&with, LINES).as_ref(), Ok(&with));
    let other = put(&with, "").unwrap();
    assert_eq!(put(&other, LINES).as_ref(), Ok(&with));
    let without = take(&with).unwrap().unwrap();
    match take(data).unwrap() {
        // They were there already, whatever was in them.
        Some(rest) => assert_eq!(without, rest),
        None => assert_eq!(without, data),
    }
    // Once they are out, there are none.
    assert_eq!(take(&without), Ok(None));
}
