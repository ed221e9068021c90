//! What svscan says to whoever has started it.

use crate::support::{Dir, Process, Service, testing_originals};
use std::os::unix::net::UnixDatagram;

/// What a unit with `Type=notify` waits for, and what svscan keeps to itself.
#[test]
fn whoever_starts_svscan_is_told_how_far_it_is() {
    if testing_originals() {
        return;
    }
    let dir = Dir::new();
    let socket = UnixDatagram::bind(dir.path("socket")).unwrap();
    let hears = |what: &str| {
        assert!(crate::support::readable(&socket, crate::support::deadline()), "not {what}");
        let mut buffer = [0; 100];
        let count = socket.recv(&mut buffer).unwrap();
        assert_eq!(String::from_utf8_lossy(&buffer[..count]), what);
    };
    let script = "echo ${NOTIFY_SOCKET-none} >$said; exec sleep 1000";
    let mut service = Service::with_script(&dir, "scan/s", script);
    let start = |args: &[&str]| {
        Process::start(dir.tool("svscan", args).env("NOTIFY_SOCKET", dir.path("socket")))
    };
    let svscan = start(&["scan"]);
    hears("READY=1");
    assert_eq!(service.said.line(), "none");
    svscan.signal(rustix::process::Signal::TERM);
    hears("STOPPING=1");
    assert_eq!(svscan.finish().code, 0);
    // A main command says it itself, and svscan nothing.
    let go = dir.fifo("go");
    let svscan = start(&["scan", "--", "sh", "-c", "read go <go; echo $NOTIFY_SOCKET"]);
    assert_eq!(service.said.line(), "none");
    go.say("on");
    let done = svscan.finish();
    assert_eq!((done.code, done.out()), (0, format!("{}\n", dir.path("socket").display())));
    assert!(!crate::support::readable(&socket, std::time::Instant::now()));
    // Whom nobody can tell is no trouble.
    drop(socket);
    let svscan = start(&["scan"]);
    assert_eq!(service.said.line(), "none");
    svscan.signal(rustix::process::Signal::TERM);
    let done = svscan.finish();
    assert_eq!((done.code, done.err().as_str()), (0, ""));
}
