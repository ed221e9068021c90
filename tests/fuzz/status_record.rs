//! Any bytes as a status record: what is read of them is what is written
//! again, as far as a record can say it.

use upkeep_core::status::{CLASSIC, SIZE, Status};

/// Reads `data` as a record, writes what it says, and reads that.
pub fn status_record(data: &[u8]) {
    let Some(status) = Status::decode(data) else {
        assert!(data.len() < CLASSIC);
        return;
    };
    assert!(data.len() >= CLASSIC);
    let record = status.encode();
    assert_eq!(record.len(), SIZE);
    assert_eq!(record[..16], data[..16], "stamp and process");
    let again = Status::decode(&record).expect("a record of our own");
    assert_eq!((again.since, again.pid, again.want), (status.since, status.pid, status.want));
    // Without a process nothing is paused and nothing was sent TERM.
    assert_eq!(again.paused, status.paused && status.pid != 0);
    assert_eq!(again.terminating, status.terminating && status.pid != 0);
    // A reader of the first 18 bytes, as daemontools' are, reads the same.
    let classic = Status::decode(&record[..CLASSIC]).expect("18 bytes");
    assert_eq!(classic, Status { terminating: false, ..again });
}
