//! svnotify: a service says how it does.

use core::mem::MaybeUninit;
use core::time::Duration;
use rustix::cmsg_space;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::{Errno, IoSlice, Result};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix,
    SocketFlags, SocketType, sendmsg_addr, socket_with,
};
use rustix::pipe::{PipeFlags, pipe_with};
use upkeep_cli::{Exit, Tool};
use upkeep_sys::{Args, exec};

const TOOL: Tool = Tool {
    name: "svnotify",
    help: "\
usage: svnotify word ...

Says for the service that it is part of how that does, on the socket that
$NOTIFY_SOCKET names, and waits until that was heard. Each word is one of

    ready       it does its work
    reloading   it does not, until it is ready again
    stopping    it is about to end
    alive       a sign of life, for the watchdog
    NAME=VALUE  as in sd_notify(3): STATUS, MAINPID, ERRNO, EXIT_STATUS,
                WATCHDOG_USEC, EXTEND_TIMEOUT_USEC

  -h, --help     print this
      --version  print the version

    svnotify ready 'STATUS=12 clients'

exit: 0 it was heard, 100 usage, 111 there is no socket, or nobody heard it.
",
};

/// How long it may take to be heard.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    let mut message = Vec::new();
    for word in args.skip(1).iter() {
        let Some(line) = line(word.to_bytes()) else { return TOOL.usage("svnotify word ...") };
        message.extend_from_slice(line);
        message.push(b'\n');
    }
    if message.is_empty() {
        return TOOL.usage("svnotify word ...");
    }
    let Some(name) = exec::variable(b"NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
        return TOOL.fatal(&[b"unable to say anything: NOTIFY_SOCKET is not set"]);
    };
    match say(name, &message) {
        Ok(true) => Exit::Success,
        Ok(false) => TOOL.fatal(&[b"unable to be heard on ", name, b": nobody reads it"]),
        Err(why) => TOOL.fatal_os(&[b"unable to say anything on ", name, b": "], why),
    }
}

/// The line that says it.
fn line(word: &[u8]) -> Option<&[u8]> {
    match word {
        b"ready" => Some(b"READY=1"),
        b"reloading" => Some(b"RELOADING=1"),
        b"stopping" => Some(b"STOPPING=1"),
        b"alive" => Some(b"WATCHDOG=1"),
        _ => (word.contains(&b'=') && !word.contains(&b'\n')).then_some(word),
    }
}

/// Sends the message, and waits until it was read, so that whoever reads it
/// finds this process.
fn say(name: &[u8], message: &[u8]) -> Result<bool> {
    let to = match name.strip_prefix(b"@") {
        Some(name) => SocketAddrUnix::new_abstract_name(name)?,
        None => SocketAddrUnix::new(name)?,
    };
    let family = AddressFamily::UNIX;
    let socket = socket_with(family, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    let mut none = SendAncillaryBuffer::default();
    let flags = SendFlags::NOSIGNAL;
    sendmsg_addr(&socket, &to, &[IoSlice::new(message)], &mut none, flags)?;
    let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
    {
        let passed = [theirs.as_fd()];
        let mut room = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut room);
        if !control.push(SendAncillaryMessage::ScmRights(&passed)) {
            return Err(Errno::NOBUFS);
        }
        sendmsg_addr(&socket, &to, &[IoSlice::new(b"BARRIER=1")], &mut control, flags)?;
    }
    drop(theirs);
    Ok(is_closed(&ours))
}

/// Waits until nobody has the other end of the pipe any more.
fn is_closed(ours: &OwnedFd) -> bool {
    let timeout = Timespec { tv_sec: PATIENCE.as_secs().cast_signed(), tv_nsec: 0 };
    let mut fds = [PollFd::new(ours, PollFlags::empty())];
    loop {
        match poll(&mut fds, Some(&timeout)) {
            Err(Errno::INTR) => {}
            answer => return answer == Ok(1),
        }
    }
}
