//! Wrong command lines: what is said and which code it ends with.

use super::{by_shell, bytes, said};
use crate::support::{Dir, Process, program};

const SOFTLIMIT: &str = "softlimit: usage: softlimit [-a allbytes] [-c corebytes] \
[-d databytes] [-f filebytes] [-l lockbytes] [-m membytes] [-o openfiles] [-p processes] \
[-r residentbytes] [-s stackbytes] [-t cpusecs] child\n";
const SETLOCK: &str = "setlock: usage: setlock [ -nNxX ] file program [ arg ... ]\n";

#[track_caller]
fn refused(words: &[&str], code: i32, err: &str) {
    let dir = Dir::new();
    assert_eq!(said(&dir, words), (code, String::new(), err.to_owned()), "{words:?}");
}

#[test]
fn nothing_to_run() {
    refused(&["fghack"], 100, "fghack: usage: fghack child\n");
    refused(&["pgrphack"], 100, "pgrphack: usage: pgrphack child\n");
    for words in [&["setuidgid"][..], &["setuidgid", "root"]] {
        refused(words, 100, "setuidgid: usage: setuidgid account child\n");
    }
    for words in [&["envuidgid"][..], &["envuidgid", "nosuchaccount"]] {
        refused(words, 100, "envuidgid: usage: envuidgid account child\n");
    }
    for words in [&["envdir"][..], &["envdir", "nosuchdirectory"]] {
        refused(words, 111, "envdir: usage: envdir dir child\n");
    }
    for words in [&["setlock"][..], &["setlock", "lock"], &["setlock", "-n", "--", "lock"]] {
        refused(words, 100, SETLOCK);
    }
    for words in [&["softlimit"][..], &["softlimit", "-o9"], &["softlimit", "-c", "0", "--"]] {
        refused(words, 100, SOFTLIMIT);
    }
}

#[test]
fn bad_options() {
    let bad = |what: &str, usage: &str| format!("{what}\n{usage}");
    refused(&["setlock", "-z", "l", "true"], 100, &bad("setlock: illegal option -- z", SETLOCK));
    refused(&["setlock", "-nq", "l", "true"], 100, &bad("setlock: illegal option -- q", SETLOCK));
    refused(&["softlimit", "-Z"], 100, &bad("softlimit: illegal option -- Z", SOFTLIMIT));
    refused(&["softlimit", "-:"], 100, &bad("softlimit: illegal option -- :", SOFTLIMIT));
    refused(
        &["softlimit", "-c0", "-a"],
        100,
        &bad("softlimit: option requires an argument -- a", SOFTLIMIT),
    );
    for number in ["12x", "-1", "+1", " 1", "0x10", "==", "=1"] {
        refused(&["softlimit", "-f", number, "true"], 100, SOFTLIMIT);
    }
}

#[test]
fn a_program_that_is_not_there() {
    let dir = Dir::new();
    dir.mkdir("empty");
    for front in [
        &["fghack"][..],
        &["pgrphack"],
        &["setuidgid", "root"],
        &["envuidgid", "root"],
        &["envdir", "empty"],
        &["setlock", "lock"],
        &["softlimit", "-o20"],
    ] {
        if front[0] == "setuidgid" && !rustix::process::geteuid().is_root() {
            continue;
        }
        for missing in ["no-such-program", "./none", "/no/such/program"] {
            let words = [front, &[missing, "x"]].concat();
            let err =
                format!("{}: fatal: unable to run {missing}: file does not exist\n", front[0]);
            assert_eq!(said(&dir, &words), (111, String::new(), err), "{words:?}");
        }
        let words = [front, &["./empty"]].concat();
        let err = format!("{}: fatal: unable to run ./empty: access denied\n", front[0]);
        assert_eq!(said(&dir, &words), (111, String::new(), err), "{words:?}");
    }
}

#[test]
fn names_are_bytes() {
    let dir = Dir::new();
    let done = Process::start(&mut by_shell(&dir, "", &program("pgrphack"), &[bytes(b"\xff\xfe")]));
    let done = done.finish();
    assert_eq!(done.err, b"pgrphack: fatal: unable to run \xff\xfe: file does not exist\n");
    let done = dir.run("setlock", [bytes(b"\xff/lock"), bytes(b"true")]);
    assert_eq!(done.err, b"setlock: fatal: unable to open \xff/lock: file does not exist\n");
    let done = dir.run("envdir", [bytes(b"\xfe"), bytes(b"true")]);
    assert_eq!(
        done.err,
        b"envdir: fatal: unable to switch to directory \xfe: file does not exist\n"
    );
    let done = dir.run("envuidgid", [bytes(b"\xfd"), bytes(b"true")]);
    assert_eq!(done.err, b"envuidgid: fatal: unknown account \xfd\n");
    let done = dir.run("setlock", [bytes(b"\xff"), bytes(b"printf"), bytes(b"%s"), bytes(b"\xfc")]);
    assert_eq!((done.code, &done.out[..]), (0, &b"\xfc"[..]));
    assert!(dir.path(bytes(b"\xff")).exists());
}
