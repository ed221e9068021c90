//! What supervise, svscan and the clients do for a directory that was written
//! for daemontools-encore.

use crate::support::{Dir, Process, Service, supervised, testing_originals};
use std::fs;

/// The numbers in /proc that say in which group and in which session it is.
fn group_and_session(pid: u32) -> (String, String) {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let mut words = stat.rsplit_once(") ").unwrap().1.split(' ').skip(2);
    let mut next = || words.next().unwrap().to_string();
    (next(), next())
}

fn end(dir: &Dir, service: &Service, supervise: Process) {
    service.svc(dir, "-dx");
    assert_eq!(supervise.finish().code, 0);
}

/// What a directory is taken for, by what follows from it: s6's `run` has an
/// argument, runit's status is there in words, encore's 100 is the end.
#[test]
fn a_word_overrides_the_guess() {
    if testing_originals() {
        return;
    }
    for (files, word, (named, words, over)) in [
        ([None, None], None, (false, false, false)),
        ([Some("no-setsid"), None], None, (false, false, true)),
        ([Some("no-setsid"), Some("lock-fd")], None, (true, false, false)),
        ([Some("lock-fd"), None], Some("encore\n"), (false, false, true)),
        ([Some("no-setsid"), None], Some("daemontools"), (false, false, false)),
        ([Some("no-setsid"), None], Some("runit\n"), (false, true, false)),
        ([Some("no-setsid"), None], Some(" s6"), (true, false, false)),
    ] {
        let dir = Dir::new();
        let script = "echo $# >$said\nread code <code\nexit $code";
        let mut service = Service::with_script(&dir, "s", script);
        let code = dir.fifo("s/code");
        for file in files.into_iter().flatten() {
            dir.file(format!("s/{file}"), "5\n");
        }
        if let Some(word) = word {
            dir.file("s/dialect", word);
        }
        let supervise = service.supervise(&dir);
        let case = format!("{files:?} {word:?}");
        assert_eq!(service.said.line(), if named { "1" } else { "0" }, "{case}");
        assert_eq!(service.path.join("supervise/stat").exists(), words, "{case}");
        supervised(&service.path);
        code.say("100");
        if over {
            service.until("the end", |seen| seen.pid == 0 && seen.want == b'd');
        } else {
            service.said.line();
        }
        end(&dir, &service, supervise);
    }
}

#[test]
fn a_word_that_is_none_is_reported_and_the_guess_used() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let service = Service::with_script(&dir, "s", "exit 100");
    dir.file("s/no-setsid", "");
    dir.file("s/dialect", "perp\n");
    let mut supervise = dir.start("supervise", ["s"]);
    let words = "supervise: warning: unable to use s/dialect, guessing: no such value: perp";
    assert_eq!(supervise.complains("dialect"), words);
    service.until("the end", |seen| seen.pid == 0 && seen.want == b'd');
    supervised(&service.path);
    end(&dir, &service, supervise);
}

#[test]
fn a_service_that_exits_with_100_is_over() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "trap 'exit 100' HUP; trap 'exit 99' USR1");
    dir.file("s/dialect", "encore");
    let supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    service.svc(&dir, "-1");
    service.up();
    service.svc(&dir, "-h");
    service.until("the end", |seen| seen.pid == 0 && seen.want == b'd');
    assert_eq!(service.svstat(&dir), "down N seconds, normally up, failed: exited N");
    // Whoever lists the ends himself means those.
    dir.file("s/restart-never", "99");
    service.svc(&dir, "-u");
    service.up();
    service.svc(&dir, "-h");
    service.up();
    end(&dir, &service, supervise);
}

#[test]
fn no_setsid_leaves_it_in_the_session_and_the_group() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let supervise = service.supervise(&dir);
    let ours = group_and_session(supervise.pid());
    let pid = service.up();
    assert_eq!(group_and_session(pid), (pid.to_string(), pid.to_string()));
    supervised(&service.path);
    dir.file("s/no-setsid", "");
    service.svc(&dir, "-k");
    let pid = service.up();
    assert_eq!(group_and_session(pid), ours);
    // What is to be reached as a group is one.
    dir.file("s/kill-mode", "group");
    service.svc(&dir, "-k");
    let pid = service.up();
    assert_eq!(group_and_session(pid), (pid.to_string(), ours.1));
    end(&dir, &service, supervise);
}
