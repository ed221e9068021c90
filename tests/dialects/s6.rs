//! Directories for s6, as they are in container images.

use super::{Directory, compare, directory};
use std::path::Path;

const RUN: (&str, &str) = ("run", "exec 2>&1\nexec @report run \"$@\"");
const TYPE: (&str, &str) = ("type", "longrun\n");
const FINISH: (&str, &str) = ("finish", "exec @report finish \"$1 $2 $3\"");
const UP: (&str, usize, &str) = ("", 1, "");

const DIRECTORIES: &[Directory] = &[
    directory("exec", &[RUN, TYPE], &[UP, ("t", 1, ""), ("d", 0, ""), ("u", 1, "")]),
    directory(
        "signals",
        &[RUN, TYPE],
        &[
            UP,
            ("h", 1, ""),
            ("a", 1, ""),
            ("i", 1, ""),
            ("q", 1, ""),
            ("1", 1, ""),
            ("2", 1, ""),
            ("p", 0, ""),
            ("c", 1, ""),
        ],
    ),
    directory("killed", &[RUN, FINISH, TYPE], &[UP, ("k", 2, ""), ("h", 1, ""), ("k", 2, "")]),
    directory("finish", &[RUN, FINISH, TYPE], &[UP, ("t", 2, ""), ("d", 1, ""), ("u", 1, "")]),
    directory("restart", &[RUN, FINISH, TYPE], &[UP, ("r", 2, ""), ("h", 1, "")]),
    directory(
        "codes",
        &[
            (
                "run",
                "n=$(cat n 2>/dev/null)\necho $((n + 1)) >n
                case $n in '') exit 1 ;; 1) exit 111 ;; 2) kill -9 $$ ;; esac\nexec @report run $n",
            ),
            FINISH,
            TYPE,
        ],
        &[("", 4, "")],
    ),
    directory(
        "never again",
        &[("run", "exec @report once"), ("finish", "@report finish $1 $2\nexit 125"), TYPE],
        &[("", 2, ""), ("u", 2, "")],
    ),
    directory(
        "finish in time",
        &[
            RUN,
            ("finish", "@report finish $1 $2\nsleep 1000 </dev/null >/dev/null 2>&1"),
            ("timeout-finish", "2000\n"),
        ],
        &[UP, ("t", 2, "")],
    ),
    directory(
        "killed in time",
        &[("run", "trap '' TERM\nexec @report run"), FINISH, ("timeout-kill", "2000\n")],
        &[UP, ("d", 2, ""), ("u", 1, "")],
    ),
    directory("down signal", &[RUN, FINISH, ("down-signal", "SIGKILL\n")], &[UP, ("d", 1, "")]),
    directory("down signal by number", &[RUN, ("down-signal", "10")], &[UP, ("d", 2, "")]),
    directory("notification", &[RUN, ("notification-fd", "3\n"), TYPE], &[UP, ("t", 1, "")]),
    directory("another descriptor", &[RUN, ("notification-fd", "7\n"), TYPE], &[UP]),
    directory("down", &[RUN, ("down", ""), TYPE], &[("u", 1, "")]),
    directory(
        "once",
        &[("run", "exec @report once"), ("down", ""), FINISH, TYPE],
        &[("o", 2, ""), ("o", 2, "")],
    ),
    directory("once while it runs", &[RUN, FINISH, TYPE], &[UP, ("o", 0, ""), ("t", 1, "")]),
    directory(
        "environment",
        &[
            ("run", "exec s6-envdir ./env @report run"),
            ("env/FOO", "first\nsecond\n"),
            ("env/BAR", ""),
            TYPE,
        ],
        &[UP],
    ),
    directory(
        "execline",
        &[("run", "exec execlineb -Pc 'fdmove -c 2 1 cd / @report run'"), TYPE],
        &[UP],
    ),
    directory("closed", &[("run", "exec @report run <&- 2>&-"), TYPE], &[UP]),
    directory("limits", &[("run", "exec s6-softlimit -o 50 @report run"), TYPE], &[UP]),
    directory("deaf", &[("run", "trap '' HUP\nexec @report run"), TYPE], &[UP, ("h1", 1, "")]),
    directory("link", &[("run.sh", "exec @report run"), ("run", "-> run.sh"), TYPE], &[UP]),
    directory(
        "waits",
        &[
            ("run", "[ -e ready ] || { : >ready; echo waits >@said; exit 1; }\nexec @report run"),
            FINISH,
            TYPE,
        ],
        &[("", 3, "")],
    ),
];

/// Another record, which is another test's.
fn state(_: &Path) -> Option<String> {
    None
}

/// For theirs two signals are blocked, which were so for the test itself. A
/// service says on a pipe that it is ready, and ours on a FIFO.
fn alike(line: &str) -> String {
    let line = line.replace("0000000180", "0000000000");
    line.replace("/scan/s/supervise/notify", "pipe")
}

#[test]
fn directories_for_s6() {
    let theirs = "/usr/bin/s6-supervise";
    compare(DIRECTORIES, (theirs, theirs), state, alike);
}
