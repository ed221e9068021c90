//! Directories for daemontools.

use super::{Directory, compare, directory};
use std::fs;
use std::path::Path;

const RUN: (&str, &str) = ("run", "exec 2>&1\nexec @report run \"$@\"");
const UP: (&str, usize, &str) = ("", 1, "up u");

const DIRECTORIES: &[Directory] = &[
    directory("exec", &[RUN], &[UP, ("t", 1, "up u"), ("d", 0, "down d"), ("u", 1, "up u")]),
    directory(
        "signals",
        &[RUN],
        &[UP, ("h", 1, ""), ("a", 1, ""), ("i", 1, ""), ("p", 0, "up p u"), ("c", 1, "up u")],
    ),
    directory("killed", &[RUN], &[UP, ("k", 1, "up u"), ("d", 0, "down d"), ("o", 1, "up o")]),
    directory("without exec", &[("run", "@report run")], &[UP, ("h", 1, "up u")]),
    directory(
        "envdir",
        &[
            ("run", "exec envdir ./env @report run"),
            ("env/FOO", "first \nsecond\n"),
            ("env/BAR", ""),
        ],
        &[UP],
    ),
    // The third stays.
    directory(
        "fghack",
        &[(
            "run",
            "echo run >>n\n[ $(wc -l <n) -lt 3 ] || exec sleep 1000\nexec fghack @report once",
        )],
        &[("", 2, "")],
    ),
    directory("pgrphack", &[("run", "exec pgrphack @report run")], &[UP]),
    directory(
        "softlimit",
        &[("run", "exec softlimit -o 50 sh -c 'exec @report run $(ulimit -n)'")],
        &[UP],
    ),
    directory("setlock", &[("run", "exec setlock -n lock @report run")], &[UP]),
    directory("no environment", &[("run", "exec env -i PATH=\"$PATH\" @report run")], &[UP]),
    directory("elsewhere", &[("run", "cd /\numask 077\nexec @report run a 'b c'")], &[UP]),
    directory("closed", &[("run", "exec @report run <&- 2>&-")], &[UP]),
    directory("deaf", &[("run", "trap '' HUP\nexec @report run")], &[UP, ("ha", 1, "up u")]),
    directory("link", &[("run.sh", "exec @report run"), ("run", "-> run.sh")], &[UP]),
    directory("down", &[RUN, ("down", "")], &[("", 0, "down d"), ("u", 1, "up u")]),
    directory(
        "once",
        &[("run", "exec @report once"), ("down", "")],
        &[("", 0, "down d"), ("o", 1, "down o"), ("o", 1, "down o")],
    ),
    directory("once while it runs", &[RUN], &[UP, ("o", 0, "up o"), ("t", 0, "down o")]),
    directory(
        "ends",
        &[(
            "run",
            "echo run >>n\n@report once $(cat n)\n[ $(wc -l <n) -lt 3 ] || exec @report run",
        )],
        &[("", 4, "up u")],
    ),
    directory(
        "kills itself",
        &[("run", "echo run >>n\n[ $(wc -l <n) -gt 1 ] || kill -9 $$\nexec @report run")],
        &[UP],
    ),
    directory(
        "logged",
        &[("run", "exec 2>&1\necho hello\nexec @report run"), ("log/run", "exec @report log")],
        &[("", 3, "up u"), ("t", 2, "up u")],
    ),
    directory(
        "multilog",
        &[
            ("run", "echo hello\nexec @report run"),
            ("log/run", "@report start\nexec multilog t ./main"),
        ],
        &[("", 2, "up u"), ("t", 1, "up u")],
    ),
];

/// Whether it is up, paused, and what was asked for.
fn state(service: &Path) -> Option<String> {
    let record = fs::read(service.join("supervise/status")).ok()?;
    let up = if record.get(12..16)? == [0; 4] { "down" } else { "up" };
    let paused = if record[16] != 0 { " p" } else { "" };
    let want = if record[17] == 0 { 'o' } else { char::from(record[17]) };
    Some(format!("{up}{paused} {want}"))
}

/// A service of ours leads a session. For theirs two signals are blocked, which
/// were so for the test itself.
fn alike(line: &str) -> String {
    let line = line.replace("<session>", "_").replace("<group>", "_").replace("<>", "_");
    line.replace("0000000180", "0000000000")
}

#[test]
fn directories_for_daemontools() {
    compare(DIRECTORIES, ("/usr/bin/supervise", "/usr/bin/svscan"), state, alike);
}
