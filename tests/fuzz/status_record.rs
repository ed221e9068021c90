//! Any bytes as a status record: what is read of them is what is written
//! again, as far as a record can say it.

use upkeep_core::order::Calls;
use upkeep_core::record::{self, Identity, Outcome, Own, Record, Stage};
use upkeep_core::restart::History;
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
    assert_eq!(classic, Status { terminating: false, finishing: false, ..again });
    whole(data, again);
}

/// The whole record: whatever a supervise may have to say comes back, and any
/// bytes in its place say nothing or what they are written as.
fn whole(data: &[u8], status: Status) {
    if let Some(record) = Record::decode(data) {
        assert_eq!(record.encode()[CLASSIC + 2..], data[CLASSIC + 2..record::SIZE]);
    }
    let byte = |at: usize| data[at % data.len()];
    let number = |at: usize| u64::from_le_bytes(core::array::from_fn(|n| byte(at + n)));
    let stages = [
        Stage::Down,
        Stage::Waiting,
        Stage::Up,
        Stage::Clearing,
        Stage::Finishing,
        Stage::Following,
        Stage::Preparing,
        Stage::Needing,
        Stage::There,
    ];
    let own = Own {
        boot: core::array::from_fn(|n| byte(20 + n)),
        process: Identity {
            pid: status.pid,
            started: number(36),
            unique: number(44),
            namespace: number(52),
        },
        stage: stages[usize::from(byte(60)) % stages.len()],
        exiting: byte(61) & 1 != 0,
        intent: byte(61) & 2 != 0,
        closed: byte(61) & 4 != 0,
        begun: byte(61) & 64 != 0,
        awaited: byte(61) & 8 != 0,
        told: byte(61) & 16 != 0,
        blamed: byte(61) & 32 != 0,
        plainly: false,
        followed: byte(61) & 128 != 0,
        calls: [Calls::Nobody, Calls::Idle, Calls::All][usize::from(byte(90)) % 3],
        ready: status.since,
        not_before: number(62),
        deadline: number(70),
        starts: number(78) as u32,
        every: number(79) as u32,
        last: [None, Some(Outcome::Exited(byte(86))), Some(Outcome::Killed(byte(87)))]
            [usize::from(byte(88)) % 3],
        history: History {
            failed: byte(91) & 1 != 0,
            failures: byte(92),
            deaths: u16::from(byte(93)),
            window: number(94) as u32,
            wait: number(98) as u32,
            ..History::default()
        },
    };
    let record = Record { status, own };
    let bytes = record.encode();
    assert_eq!(Record::decode(&bytes), Some(record));
    let mut torn = bytes;
    torn[usize::from(byte(89)) % record::SIZE] ^= byte(90) | 1;
    assert_eq!(Record::decode(&torn), None);
}
