//! `after/NAME`: waits for NAME, if it is wanted up anyway.

use super::tree::{DOWN, NEEDING, Tree, UP};
use crate::support::testing_originals;

fn pair() -> Tree {
    let mut tree = Tree::new();
    tree.slow("net", &[]).service("web", &["after/net"]);
    tree.start();
    tree.says("net up");
    tree.until("web", NEEDING);
    tree.is_silent();
    tree
}

#[test]
fn start() {
    if testing_originals() {
        return;
    }
    let mut tree = pair();
    tree.go("net");
    tree.says("web up");
    tree.until("web", UP);
    tree.end();
    tree.says_all(&["net down", "web down"]);
    tree.ends();
    // What is not wanted up is not waited for, and not called.
    let mut tree = Tree::new();
    tree.service("net", &[]).down("net").service("web", &["after/net", "after/nobody"]);
    tree.start();
    tree.says("web up");
    tree.until("net", DOWN);
    tree.end();
    tree.says("web down");
    tree.ends();
}

#[test]
fn crash() {
    if testing_originals() {
        return;
    }
    let mut tree = pair();
    tree.svc("-1", "net");
    tree.says("net crashed");
    tree.says("net up");
    tree.until("web", NEEDING);
    tree.go("net");
    tree.says("web up");
    tree.until("web", UP);
    tree.end();
    tree.says_all(&["net down", "web down"]);
    tree.ends();
}

#[test]
fn restart() {
    if testing_originals() {
        return;
    }
    let mut tree = pair();
    tree.go("net");
    tree.says("web up");
    tree.until("web", UP);
    tree.svc("-r", "net");
    tree.says("net down");
    tree.says("net up");
    tree.svc("-r", "web");
    tree.says("web down");
    tree.until("web", NEEDING);
    tree.go("net");
    tree.says("web up");
    tree.until("web", UP);
    tree.end();
    tree.says_all(&["net down", "web down"]);
    tree.ends();
}

#[test]
fn stop() {
    if testing_originals() {
        return;
    }
    let mut tree = pair();
    tree.svc("-d", "net");
    tree.says_all(&["net down", "web up"]);
    tree.until("net", DOWN);
    tree.until("web", UP);
    tree.end();
    tree.says("web down");
    tree.ends();
}

#[test]
fn clean_end() {
    if testing_originals() {
        return;
    }
    // Also one that still waits.
    let mut tree = pair();
    tree.go("net");
    tree.says("web up");
    tree.svc("-1", "net");
    tree.says("net crashed");
    tree.says("net up");
    tree.svc("-r", "web");
    tree.says("web down");
    tree.until("web", NEEDING);
    tree.go("net");
    tree.says("web up");
    tree.until("web", UP);
    tree.end();
    tree.says_all(&["net down", "web down"]);
    tree.ends();
}
