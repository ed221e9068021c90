//! Both suites' clients on directories that are not what they should be.

use super::both;
use crate::support::{Dir, Process, Service, supervised};
use rustix::process::Signal;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;

/// Makes the directories and says what can be given to a client. None has a
/// supervise, so that nothing changes between two clients.
fn odd(dir: &Dir) -> Vec<OsString> {
    dir.mkdir("empty");
    dir.file("file", "");
    dir.mkdir("loop");
    symlink("down", dir.path("loop/down")).unwrap();
    symlink("nowhere", dir.path("dangling")).unwrap();
    symlink("round", dir.path("round")).unwrap();
    for name in ["supervise", "supervise/ok", "supervise/status"] {
        dir.file(format!("file-as-{}/{name}", name.replace('/', "-")), "");
    }
    for name in ["ok", "control"] {
        dir.mkdir(format!("directory-as-{name}/supervise/{name}"));
        dir.mkdir(format!("loop-as-{name}/supervise"));
        symlink(name, dir.path(format!("loop-as-{name}/supervise/{name}"))).unwrap();
        drop(dir.fifo(format!("dead-{name}/supervise/{name}")));
    }
    symlink("nowhere", dir.mkdir("link").join("supervise")).unwrap();
    for name in ["with\nline", "-dash", "star*"] {
        dir.mkdir(name);
    }
    let mut names: Vec<OsString> =
        fs::read_dir(dir.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let more = ["", ".", "..", "/", "empty/", "./empty", "file/", "file/x", "nowhere", "nowhere/"];
    names.extend(more.map(OsString::from));
    names.push(OsString::from_vec(b"\xff\xfe".to_vec()));
    names.push("n".repeat(255).into());
    names.push("n".repeat(256).into());
    names.push("d/".repeat(2500).into());
    names
}

/// Runs a client of both suites with the same arguments and compares all that
/// it says.
fn same(dir: &Dir, name: &str, args: &[OsString]) {
    let Some((ours, theirs)) = both() else { return };
    let [ours, theirs] = [ours, theirs].map(|suite| {
        // Ours would look for names there, too.
        let mut command = dir.command(suite.join(name));
        let done = Process::start(command.args(args).env_remove("SVDIR")).finish();
        (done.code, done.out(), done.err())
    });
    assert_eq!(ours, theirs, "{name} {args:?}");
}

#[test]
fn the_same_words_for_every_oddity() {
    if both().is_none() {
        return;
    }
    let dir = Dir::new();
    let names = odd(&dir);
    let letters = |letters: &str| vec![OsString::from(letters), "--".into()];
    for name in &names {
        let name = std::slice::from_ref(name);
        same(&dir, "svstat", name);
        same(&dir, "svok", name);
        same(&dir, "svc", &[&letters("-ux")[..], name].concat());
    }
    same(&dir, "svstat", &names);
    same(&dir, "svok", &names);
    same(&dir, "svc", &[&letters("-d")[..], &names].concat());
    same(&dir, "svc", &[&letters("-udopchaitkx")[..], &names].concat());
}

#[test]
fn the_same_words_for_every_command_line() {
    let lines: &[&[&str]] = &[
        &[],
        &["--"],
        &["-"],
        &["-", "empty"],
        &["-u"],
        &["-z", "empty"],
        &["-uz", "empty"],
        &["-u", "-z"],
        &["-u", "--", "-z"],
        &["empty", "-z"],
        &["empty", "-u"],
        &["-é"],
        &["-V"],
        &["-u-"],
        &["-3"],
        &["empty", "empty"],
    ];
    if both().is_none() {
        return;
    }
    let dir = Dir::new();
    dir.mkdir("empty");
    for line in lines {
        let args: Vec<_> = line.iter().map(OsString::from).collect();
        for name in ["svc", "svstat", "svok"] {
            same(&dir, name, &args);
        }
    }
}

#[test]
fn the_same_words_for_every_record() {
    if both().is_none() {
        return;
    }
    let dir = Dir::new();
    let _ok = dir.fifo("s/supervise/ok");
    // From the year 2004, whose seconds do not change while we look, no: the
    // future, which is 0 seconds for both.
    let mut records = vec![];
    for pid in [0_u32, 1, 255, 256, 0x0001_0000, u32::MAX] {
        for paused in [0, 1, 2, 255] {
            for want in [0, b'u', b'd', b'x', 255] {
                let mut record = [0xff; 18];
                record[12..16].copy_from_slice(&pid.to_le_bytes());
                record[16..].copy_from_slice(&[paused, want]);
                records.push(record.to_vec());
            }
        }
    }
    records.extend((0..25).map(|length| vec![0xff; length]));
    for down in [false, true] {
        if down {
            dir.file("s/down", "");
        }
        for record in &records {
            dir.file("s/supervise/status", record);
            same(&dir, "svstat", &["s".into()]);
        }
    }
}

#[test]
fn the_same_words_for_a_supervise_that_was_killed() {
    let Some((ours, theirs)) = both() else { return };
    for suite in [ours, theirs] {
        let dir = Dir::new();
        let mut service = Service::new(&dir, "s", "");
        let supervise = super::start(&dir, &suite, "supervise", ["s"]);
        service.up();
        supervised(&service.path);
        supervise.signal(Signal::KILL);
        supervise.ends();
        for (name, args) in [("svstat", &["s"][..]), ("svok", &["s"]), ("svc", &["-x", "s"])] {
            let args: Vec<_> = args.iter().map(OsString::from).collect();
            same(&dir, name, &args);
        }
    }
}
