//! Whatever is sent to the socket of a service: no message panics the machine
//! or puts off for ever what is due, and the texts stay printable and few.

use upkeep_core::notice::{Notice, Texts, read};
use upkeep_core::supervise::{Event, Machine, Plan, ReadyBy};

const SECOND: u64 = 1_000_000_000;

pub fn notices(data: &[u8]) {
    let plan = Plan {
        ready: ReadyBy::Socket,
        ready_within: SECOND,
        life_every: SECOND,
        ..Plan::default()
    };
    let mut now = 1;
    let mut machine = Machine::new(true, now);
    (machine, _) = machine.step(Event::Tick, now);
    machine.plan = plan;
    (machine, _) = machine.step(Event::Started(7), now);
    let mut texts = Texts::NONE;
    // Each byte 0xff is some time that passes.
    for message in data.split(|&b| b == 0xff) {
        now += SECOND / 4;
        for notice in read(message) {
            match notice {
                Notice::Word(word) => (machine, _) = machine.step(Event::Said(word), now),
                Notice::Main(pid) => assert_ne!(pid, 0),
                Notice::Text(line) => {
                    texts.put(line);
                    assert!(!texts.put(line), "news twice");
                }
            }
        }
        assert_eq!(machine.pid(), 7, "it ends when it is dead, and not before");
        (machine, _) = machine.step(Event::Tick, now);
        let kept = texts.bytes();
        assert!(kept.iter().all(|&b| b == b'\n' || b >= b' ' && b != 0x7f));
        assert!(kept.is_empty() || kept.ends_with(b"\n"));
        assert!(kept.split(|&b| b == b'\n').count() <= 5, "one line a name");
    }
}
