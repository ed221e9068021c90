//! Whatever a line begins with, and whatever is said for a time: nothing panics,
//! a stamp is no longer than its line and is that of its moment, and what is
//! unclear is a part of what was said.

use upkeep_core::stamp::{Form, Kind, Reader, Writer};
use upkeep_core::tai::Tai64n;
use upkeep_core::when;

/// Half an hour more in every other half of a year.
fn zone(moment: i64) -> i32 {
    if moment.div_euclid(15_000_000) % 2 == 0 { 3600 } else { 5400 }
}

pub fn times(data: &[u8]) {
    let mut reader = Reader::new(zone, false);
    for line in data.split_inclusive(|&b| b == b'\n') {
        let stamp = reader.read(line);
        assert_eq!(stamp, Reader::new(zone, false).read(line), "the last line changed it");
        let _ = Reader::new(zone, true).read(line);
        if let Some(stamp) = stamp {
            assert!(stamp.length <= line.len());
            written_again(&line[..stamp.length], stamp.kind, stamp.moment);
        }
        said(line.strip_suffix(b"\n").unwrap_or(line));
    }
}

/// What was read, written again, is the same moment.
fn written_again(text: &[u8], kind: Kind, moment: Tai64n) {
    assert!(moment.nanos < 1_000_000_000);
    let form = match kind {
        Kind::Label => Form::Label,
        Kind::Seconds => Form::Seconds,
        Kind::Rfc => Form::Utc(9),
        Kind::Underscore => Form::Underscore,
        Kind::Tee => Form::Tee,
        Kind::Local => Form::Wide,
    };
    let mut writer = Writer::new(form);
    let again = writer.write(moment, zone);
    let read = Reader::new(zone, false).read(again).map(|stamp| stamp.moment);
    assert_eq!(read, Some(moment), "{} {}", text.escape_ascii(), again.escape_ascii());
    if matches!(kind, Kind::Label) {
        assert!(again.starts_with(text));
    }
}

fn said(text: &[u8]) {
    let now = Tai64n::from_unix(1_795_688_777, 5);
    match when::read(text, now, zone) {
        Ok(moment) => {
            assert!(moment.nanos < 1_000_000_000);
            if let Some(date) = moment.date() {
                assert_eq!(when::read(&date, now, zone), Ok(moment));
            }
            assert_eq!(when::read(&moment.label(), now, zone), Ok(moment));
        }
        Err(unclear) => {
            let (_, word) = unclear.parts();
            assert!(word.is_empty() || text.windows(word.len()).any(|part| part == word));
        }
    }
}
