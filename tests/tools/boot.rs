//! svscanboot. The real one would speak to the services of the machine it is
//! tested on, so a copy is run that differs in its paths alone.

use crate::support::{Dir, Process, testing_originals};
use std::path::Path;

const PATH: &str =
    "/command:/usr/local/bin:/usr/local/sbin:/bin:/sbin:/usr/bin:/usr/sbin:/usr/X11R6/bin";

/// Runs the script in a world of stand-ins, of which each writes down how it
/// was started. `present` are the service directories that there are.
fn boot(present: &[&str]) -> (Dir, String) {
    let dir = Dir::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/tools/svscanboot");
    let script = std::fs::read_to_string(script).unwrap();
    let here = dir.path("").to_str().unwrap().trim_end_matches('/').to_owned();
    let moved = script
        .replace(&format!("PATH={PATH}\n"), &format!("PATH={here}/bin:/usr/bin:/bin\n"))
        .replace("in /etc/service /service;", &format!("in {here}/etc {here}/top;"))
        .replace("services=/service\n", &format!("services={here}/top\n"));
    assert_eq!(moved.matches(&here).count(), 4, "the script has other paths now");
    dir.script("boot", moved.split_once('\n').unwrap().1);
    for name in present {
        dir.mkdir(format!("{name}/one/log"));
        dir.mkdir(format!("{name}/two"));
    }
    dir.script("bin/svc", "echo svc \"$@\" >>$0.said; echo noise; echo noise >&2");
    dir.script("bin/svscan", "{ echo svscan \"$@\"; env; } >$0.said; echo out; echo err >&2");
    dir.script("bin/readproctitle", "{ printf '%s.' \"$@\"; echo; env; cat; } >$0.said");
    let done = Process::start(dir.command("./boot").env("LEAKED", "1")).finish();
    assert_eq!((done.code, done.out(), done.err()), (0, String::new(), String::new()));
    (dir, here)
}

fn said(dir: &Dir, name: &str) -> String {
    let said = std::fs::read_to_string(dir.path(format!("bin/{name}.said"))).unwrap();
    // The shell that plays the program adds a few variables of its own.
    let own =
        |line: &&str| !["PWD=", "OLDPWD=", "SHLVL=", "_="].iter().any(|v| line.starts_with(v));
    said.lines().filter(own).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_first_service_directory_is_scanned() {
    if testing_originals() {
        return;
    }
    for (present, chosen) in
        [(&["etc", "top"][..], "etc"), (&["etc"], "etc"), (&["top"], "top"), (&[], "top")]
    {
        let (dir, here) = boot(present);
        let services = format!("{here}/{chosen}");
        let path = format!("PATH={here}/bin:/usr/bin:/bin");
        assert_eq!(said(&dir, "svscan"), format!("svscan {services}\n{path}"));
        // What an earlier svscan left is left alone.
        assert!(!dir.path("bin/svc.said").exists());
        let room = ".".repeat(400);
        let title = format!("service.errors:.{room}.\n{path}\nout\nerr");
        assert_eq!(said(&dir, "readproctitle"), title);
    }
}
