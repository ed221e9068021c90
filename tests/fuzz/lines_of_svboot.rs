//! Any bytes as a file of somebody else's in which svboot has lines. What is put
//! in is taken out again, and the rest is what it was.

use upkeep_tools::boot::block::{Rest, Side, put, take};

const LINES: &str = "::respawn:/bin/svscan /etc/service\n";

/// What is left without them, or was there without them.
fn without(data: &[u8]) -> Vec<u8> {
    match take(data).unwrap() {
        Rest::Same => data.to_vec(),
        Rest::Text(rest) => rest,
        Rest::Nothing => Vec::new(),
    }
}

/// Puts lines in, twice and other ones, and takes them out.
pub fn lines_of_svboot(data: &[u8]) {
    for side in [Side::First, Side::Last] {
        let Ok(with) = put(Some(data), LINES, side) else {
            assert!(take(data).is_err());
            continue;
        };
        assert_eq!(put(Some(&with), LINES, side).as_ref(), Ok(&with));
        let other = put(Some(&with), "", side).unwrap();
        assert_eq!(put(Some(&other), LINES, side).as_ref(), Ok(&with));
        // They may have been there already, whatever was in them.
        let rest = without(&with);
        assert_eq!(rest, without(data));
        // Once they are out, there are none.
        assert_eq!(take(&rest), Ok(Rest::Same));
    }
}
