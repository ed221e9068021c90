//! A container that was killed and is started again: what was done, given up
//! or down in its last life begins anew, as after a boot.

use crate::support::container::{Plan, both};
use crate::support::{Dir, Service};
use rustix::process::Signal;

#[test]
fn each_life_begins_anew() {
    both(|who| {
        let dir = Dir::new();
        let mut down = Service::new(&dir, "scan/down", "");
        let mut failed = Service::with_script(&dir, "scan/failed", "echo fails >$said; exit 1");
        dir.file("scan/failed/restart-limit", "1 1000000");
        let mut log = Service::new(&dir, "scan/logged/log", "");
        Service::new(&dir, "scan/logged", "");
        let mut done = dir.fifo("done");
        dir.file("scan/once/type", "oneshot");
        dir.script("scan/once/up", &format!("echo done >{}", done.path().display()));
        for _ in 0..2 {
            let container = Plan::new(&dir, who).start("svscan", ["scan"]);
            down.up();
            log.up();
            assert_eq!((failed.said.line(), done.line()), ("fails".to_owned(), "done".to_owned()));
            let all = ["-t", "9000", "-o", "-C", "scan/failed"];
            let _ = container.start("svwait", all).finish();
            for service in ["scan/down", "scan/logged/log"] {
                assert_eq!(
                    container.start("svc", ["-wd", "-T", "9000", "-d", service]).finish().code,
                    0
                );
            }
            container.signal(Signal::KILL);
            container.process.finish();
        }
    });
}

/// Within one life all of that stays, whoever is killed.
#[test]
fn within_a_life_it_does_not() {
    both(|who| {
        let dir = Dir::new();
        let mut down = Service::new(&dir, "scan/down", "");
        let mut up = Service::new(&dir, "scan/up", "");
        let container = Plan::new(&dir, who).start("svscan", ["scan"]);
        down.up();
        up.up();
        let told = container.start("svc", ["-wd", "-T", "9000", "-d", "scan/down"]).finish();
        assert_eq!(told.code, 0, "{told:?}");
        container.signal(Signal::USR1);
        let told = container.start("svc", ["-wR", "-T", "9000", "-r", "scan/up"]).finish();
        assert_eq!(told.code, 0, "{told:?}");
        up.up();
        let said = container.start("svstat", ["scan/down"]).finish().out();
        assert!(said.contains(": down "), "{said}");
        container.signal(Signal::TERM);
        assert_eq!(container.process.finish().code, 0);
    });
}
