//! What takes the place of svscan where that cannot go on.

use super::send;
use crate::support::container::{Plan, both};
use crate::support::{Dir, Service};

/// A program that says who it is and which signals it finds blocked or ignored.
fn rescue(dir: &Dir) -> String {
    let script = "echo rescue $$; grep -E '^Sig(Blk|Ign)' /proc/self/status; exit 42";
    dir.script("rescue", script).to_str().unwrap().to_owned()
}

const CLEAN: &str = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n";

#[test]
fn a_start_that_fails() {
    both(|who| {
        let dir = Dir::new();
        let rescue = rescue(&dir);
        let args = ["-R", &rescue, "nowhere"];
        let done = Plan::new(&dir, who).start("svscan", args).process.finish();
        assert_eq!((done.code, done.out()), (42, format!("rescue 1\n{CLEAN}")));
        assert!(done.err().starts_with("svscan: fatal: unable to chdir to nowhere: "));
        assert!(done.err().ends_with(&format!("svscan: warning: going on as {rescue}\n")));
    });
}

/// One that is named from where svscan began, and one that is not there: then
/// the end is as it would have been.
#[test]
fn from_where_svscan_began() {
    both(|who| {
        let dir = Dir::new();
        rescue(&dir);
        dir.script("scan/.svscan/init", "exit 7");
        for (path, code) in [("./rescue", 42), ("./nothing", 7)] {
            let done = Plan::new(&dir, who).start("svscan", ["-R", path, "scan"]).process.finish();
            assert_eq!(done.code, code, "{}", done.err());
        }
    });
}

#[test]
fn an_init_that_fails() {
    both(|who| {
        let dir = Dir::new();
        let rescue = rescue(&dir);
        dir.script("scan/.svscan/init", "exit 7");
        dir.script("scan/.svscan/finish", "echo finish");
        let args = ["--rescue", &rescue, "scan"];
        let done = Plan::new(&dir, who).start("svscan", args).process.finish();
        assert_eq!((done.code, done.out()), (42, format!("rescue 1\n{CLEAN}")));
        assert!(done.err().contains(".svscan/init failed with exit code 7"), "{}", done.err());
    });
}

#[test]
fn a_fault() {
    both(|who| {
        for number in [4, 6, 7, 8, 11] {
            let dir = Dir::new();
            let rescue = rescue(&dir);
            let mut service = Service::new(&dir, "scan/a", "");
            let container = Plan::new(&dir, who).start("svscan", ["-R", &rescue, "scan"]);
            service.up();
            send(&container, number);
            let done = container.process.finish();
            assert_eq!((done.code, done.out()), (42, format!("rescue 1\n{CLEAN}")));
            let said = format!("svscan: fatal: stopped by signal {number}\n");
            assert!(done.err().starts_with(&said), "{}", done.err());
        }
    });
}

#[test]
fn without_one_it_ends() {
    if crate::support::testing_originals() {
        return;
    }
    let dir = Dir::new();
    let done = dir.run("svscan", ["nowhere"]);
    assert_eq!(done.code, 111);
    let done = dir.run("svscan", ["-R", "./no-rescue", "nowhere"]);
    assert_eq!(done.code, 111);
    assert!(done.err().contains("unable to run ./no-rescue: "), "{}", done.err());
}
