//! Directories for runit.

use super::{Directory, compare, directory};
use crate::sv::state;
use rustix::process::getuid;

const RUN: (&str, &str) = ("run", "exec 2>&1\nexec @report run \"$@\"");
const UP: (&str, usize, &str) = ("", 1, "run u");

const DIRECTORIES: &[Directory] = &[
    directory("exec", &[RUN], &[UP, ("t", 1, "run u"), ("d", 0, "down d"), ("u", 1, "run u")]),
    directory(
        "signals",
        &[RUN],
        &[
            UP,
            ("h", 1, ""),
            ("a", 1, ""),
            ("i", 1, ""),
            ("q", 1, ""),
            ("1", 1, ""),
            ("2", 1, ""),
            ("p", 0, "run p u"),
            ("c", 1, "run u"),
            ("k", 1, "run u"),
        ],
    ),
    directory(
        "without exec",
        &[("run", "@report run")],
        &[UP, ("h", 1, "run u"), ("d", 0, "down d"), ("u", 1, "run u")],
    ),
    directory(
        "conf",
        &[
            ("run", "[ -r conf ] && . ./conf\nexec @report run $OPTS"),
            ("conf", "OPTS='-f -p 80'\n"),
        ],
        &[UP],
    ),
    directory(
        "no conf",
        &[("run", "[ -r conf ] && . ./conf\nexec @report run ${OPTS:--f}")],
        &[UP],
    ),
    directory(
        "env",
        &[
            ("run", "exec 2>&1\nexec env BAR=bar chpst -e ./env @report run"),
            ("env/FOO", "the first line  \nthe second\n"),
            ("env/BAR", ""),
        ],
        &[UP],
    ),
    directory("no environment", &[("run", "exec env -i PATH=\"$PATH\" @report run")], &[UP]),
    directory("session", &[("run", "exec chpst -P @report run")], &[UP]),
    directory("closed", &[("run", "exec chpst -0 -2 @report run")], &[UP]),
    directory(
        "limits",
        &[("run", "ulimit -n 64\numask 027\nexec @report run $(ulimit -n)")],
        &[UP],
    ),
    directory("elsewhere", &[("run", "cd /\nexec @report run")], &[UP]),
    directory("deaf", &[("run", "trap '' HUP\nexec @report run")], &[UP, ("h1", 1, "run u")]),
    directory("link", &[("run.sh", "exec @report run"), ("run", "-> run.sh")], &[UP]),
    directory(
        "finish",
        &[RUN, ("finish", "exec @report finish $1 $2")],
        &[UP, ("t", 2, "run u"), ("k", 2, "run u"), ("d", 1, "down d")],
    ),
    directory(
        "slow finish",
        &[
            RUN,
            // It has time until it is to come up again.
            (
                "finish",
                "until od -An -c -j17 -N1 supervise/status | grep -q u; do sleep 0.01; done
                exec @report finish $1 $2",
            ),
        ],
        &[UP, ("d", 0, "finish d"), ("u", 2, "run u")],
    ),
    directory(
        "ends",
        &[
            (
                "run",
                "n=$(cat n 2>/dev/null)\necho $((n + 1)) >n
                case $n in '') exit 1 ;; 1) exit 100 ;; 2) kill -9 $$ ;; esac\nexec @report run $n",
            ),
            ("finish", "exec @report finish $1 $2"),
        ],
        &[("", 4, "run u")],
    ),
    directory(
        "ends at once",
        // The fourth stays, should it be started before it is taken down.
        &[(
            "run",
            "echo run >>n\nexec 2>&1\n[ $(wc -l <n) -lt 4 ] || exec sleep 1000
            @report once $(cat n)",
        )],
        &[("", 3, ""), ("d", 0, "down d")],
    ),
    directory("down", &[RUN, ("down", "")], &[("", 0, "down d"), ("u", 1, "run u")]),
    directory(
        "once",
        &[("run", "exec @report once"), ("down", ""), ("finish", "@report finish $1 $2")],
        &[("", 0, "down d"), ("o", 2, "down d"), ("o", 2, "down d")],
    ),
    directory(
        "once while it runs",
        &[RUN, ("check", "")],
        &[UP, ("o", 0, "run d"), ("t", 0, "down d"), ("u", 1, "run u")],
    ),
    directory(
        "translated",
        &[
            (
                "run",
                "trap 'echo HUP >@said; exit 4' HUP\n@report start\nwhile :; do sleep 0.1; done",
            ),
            ("control/t", "echo t $# >@said\nkill -HUP $(cat supervise/pid)\nexit 0"),
            ("finish", "exec @report finish $1 $2"),
        ],
        &[UP, ("t", 4, "run u"), ("d", 3, "down d")],
    ),
    directory(
        "suppressed",
        &[RUN, ("control/t", "echo t >@said"), ("control/d", "echo d >@said")],
        &[UP, ("t", 1, "run u"), ("d", 3, "run d"), ("u", 0, "run u")],
    ),
    directory(
        "script",
        &[RUN, ("control/h", "exec @report control $0 \"$@\"")],
        &[UP, ("h", 1, "run u"), ("1", 1, "run u")],
    ),
    directory(
        "dependent",
        &[
            ("run", "[ -e ready ] || { : >ready; echo waits >@said; exit 1; }\nexec @report run"),
            ("finish", "echo finish $1 $2 >@said"),
        ],
        &[("", 3, "run u")],
    ),
    directory(
        "logged",
        &[
            ("run", "exec 2>&1\necho hello\necho error >&2\nexec @report run"),
            ("log/run", "exec @report log"),
        ],
        &[("", 4, "run u"), ("t", 3, "run u")],
    ),
    directory(
        "svlogd",
        &[
            ("run", "echo hello\nexec @report run"),
            ("log/run", "mkdir -p main\n@report start\nexec svlogd ./main"),
        ],
        &[("", 2, "run u"), ("t", 1, "run u")],
    ),
    directory(
        "logger down",
        &[("run", "echo hello\nexec @report run"), ("log/run", "@report log"), ("log/down", "")],
        &[UP, ("t", 1, "run u")],
    ),
];

const AS_NOBODY: Directory =
    directory("user", &[("run", "exec 2>&1\nexec chpst -u nobody:nogroup @report run")], &[UP]);

/// A service of ours leads a session, and a script for a letter a group. For
/// theirs two signals are blocked, which were so for the test itself, and for a
/// script of theirs those that runsv waits for.
fn alike(line: &str) -> String {
    let leads = ["<session>", "<group>", "<>"];
    let line = leads.iter().fold(line.to_string(), |line, who| line.replace(who, "_"));
    line.replace("0000000180", "0000000000").replace("014000", "000000")
}

#[test]
fn directories_for_runit() {
    let theirs = ("/usr/bin/runsv", "/usr/bin/runsv");
    compare(DIRECTORIES, theirs, state, alike);
    if getuid().is_root() {
        compare(&[AS_NOBODY], theirs, state, alike);
    }
}
