//! A service without `run` but with needs is a group.

use super::tree::{DOWN, NEEDING, THERE, Tree, UP};
use crate::support::testing_originals;

fn group() -> Tree {
    let mut tree = Tree::new();
    tree.service("a", &[]).down("a").slow("b", &[]).down("b");
    tree.depends("all", &["needs/a", "needs/b"]).service("top", &["needs/all"]);
    tree.start();
    tree.says_all(&["a up", "b up"]);
    tree.until("all", NEEDING);
    tree.is_silent();
    tree.go("b");
    tree.says("top up");
    tree.until("all", THERE);
    tree.until("top", UP);
    tree
}

#[test]
fn start() {
    if testing_originals() {
        return;
    }
    let mut tree = group();
    assert_eq!(tree.svstat("all"), "up N seconds");
    tree.end();
    tree.says("top down");
    tree.says_all(&["a down", "b down"]);
    tree.ends();
}

#[test]
fn crash() {
    if testing_originals() {
        return;
    }
    let mut tree = group();
    tree.svc("-1", "b");
    tree.says("b crashed");
    tree.until("all", NEEDING);
    tree.says("b up");
    tree.go("b");
    tree.until("all", THERE);
    tree.end();
    tree.says("top down");
    tree.says_all(&["a down", "b down"]);
    tree.ends();
}

#[test]
fn restart() {
    if testing_originals() {
        return;
    }
    let mut tree = group();
    tree.svc("-r", "all");
    tree.says_all(&["a down", "b down", "a up", "b up"]);
    tree.go("b");
    tree.until("all", THERE);
    tree.end();
    tree.says("top down");
    tree.says_all(&["a down", "b down"]);
    tree.ends();
}

#[test]
fn stop() {
    if testing_originals() {
        return;
    }
    let mut tree = group();
    tree.svc("-d", "all");
    tree.says("top down");
    tree.says_all(&["a down", "b down"]);
    for name in ["all", "a", "b"] {
        tree.until(name, DOWN);
        assert_eq!(tree.wanted(name), b'd');
    }
    tree.until("top", NEEDING);
    tree.svc("-u", "all");
    tree.says_all(&["a up", "b up"]);
    tree.go("b");
    tree.says("top up");
    tree.until("top", UP);
    // One of them alone: the group, and who needs it, go before it.
    tree.svc("-d", "a");
    tree.says("top down");
    tree.says("a down");
    tree.until("all", NEEDING);
    tree.svc("-u", "a");
    tree.says("a up");
    tree.says("top up");
    tree.until("top", UP);
    tree.end();
    tree.says("top down");
    tree.says_all(&["a down", "b down"]);
    tree.ends();
}

/// Nothing is said to it that is for its supervise alone.
#[test]
fn clean_end() {
    if testing_originals() {
        return;
    }
    let mut tree = group();
    tree.svc("-e", "all");
    tree.svc("-x", "all");
    assert_eq!(tree.svstat("a"), "up (pid N) N seconds, normally down");
    tree.end();
    tree.says("top down");
    tree.says_all(&["a down", "b down"]);
    tree.ends();
}

/// runit's sv, too, takes a group for up.
#[test]
fn sv() {
    if testing_originals() {
        return;
    }
    let mut tree = group();
    let shown = (0, "run: all: Ns\n".to_owned());
    assert_eq!(tree.sv("status", "all"), shown);
    assert_eq!(tree.sv("start", "all"), (0, "ok: run: all: Ns\n".to_owned()));
    tree.is_silent();
    let down = (0, "ok: down: all: Ns, normally up\n".to_owned());
    assert_eq!(tree.sv("stop", "all"), down);
    tree.says("top down");
    tree.says_all(&["a down", "b down"]);
    assert_eq!(tree.sv("up", "all"), (0, String::new()));
    tree.says_all(&["a up", "b up"]);
    tree.go("b");
    tree.says("top up");
    tree.until("all", THERE);
    assert_eq!(tree.sv("status", "all"), shown);
    // Restarted, it waits for those that it is made of.
    let late = (1, "timeout: down: all: Ns, normally up, want up\n".to_owned());
    assert_eq!(tree.sv_with(&["-w", "1", "restart"], "all"), late);
    tree.says_all(&["a down", "b down", "a up", "b up"]);
    tree.go("b");
    tree.until("all", THERE);
    tree.end();
    tree.says("top down");
    tree.says_all(&["a down", "b down"]);
    tree.ends();
}
