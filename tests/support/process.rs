//! Processes under test, with what they print and how they end.

use super::wait::{any_readable, deadline, readable};
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};

/// A process that has ended.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; 128 + n for a signal, as a shell says it.
    pub code: i32,
    /// What it printed.
    pub out: Vec<u8>,
    /// What it complained about.
    pub err: Vec<u8>,
}

impl Finished {
    /// Standard output as text.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    /// Standard error as text.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.err).into_owned()
    }
}

/// A process that runs. Dropping it kills it.
pub struct Process {
    child: Child,
    command: String,
    pidfd: OwnedFd,
    out: Vec<u8>,
    err: Vec<u8>,
}

impl Process {
    /// Starts `command` with its output and errors coming here.
    pub fn start(command: &mut Command) -> Self {
        let text = format!("{command:?}");
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|why| panic!("{text}: {why}"));
        let pid = rustix::process::Pid::from_child(&child);
        let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap();
        Self { child, command: text, pidfd, out: Vec::new(), err: Vec::new() }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::pidfd_send_signal(&self.pidfd, signal).unwrap();
    }

    /// Whether it has not ended yet.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Its standard input, if the command asked for a pipe. Dropping it is
    /// the end of file.
    pub fn stdin(&mut self) -> std::process::ChildStdin {
        self.child.stdin.take().expect("no stdin pipe")
    }

    /// Waits for a line on standard error that holds `text`.
    pub fn complains(&mut self, text: &str) -> String {
        let pipe = self.child.stderr.as_mut().unwrap();
        line_with(text, pipe, &mut self.err, &self.command)
    }

    /// Waits for a line on standard output that holds `text`.
    pub fn prints(&mut self, text: &str) -> String {
        let pipe = self.child.stdout.as_mut().unwrap();
        line_with(text, pipe, &mut self.out, &self.command)
    }

    /// Waits for its end, and for the end of what it and its children print.
    pub fn finish(mut self) -> Finished {
        let until = deadline();
        drop(self.child.stdin.take());
        let mut out = self.child.stdout.take();
        let mut err = self.child.stderr.take();
        while out.is_some() || err.is_some() {
            let fds = [out.as_ref().map(AsFd::as_fd), err.as_ref().map(AsFd::as_fd)];
            let ready = any_readable(&fds, until)
                .unwrap_or_else(|| panic!("{} or a child of it does not end", self.command));
            if ready == 0 && take(out.as_mut().unwrap(), &mut self.out) == 0 {
                out = None;
            } else if ready == 1 && take(err.as_mut().unwrap(), &mut self.err) == 0 {
                err = None;
            }
        }
        let (out, err) = (std::mem::take(&mut self.out), std::mem::take(&mut self.err));
        Finished { code: self.ends(), out, err }
    }

    /// Waits for its end when nobody reads any more what it prints.
    pub fn left(mut self) -> i32 {
        drop(self.child.stdout.take());
        self.ends()
    }

    /// Waits for its end when a descendant may keep its pipes open.
    pub fn ends(mut self) -> i32 {
        assert!(readable(&self.pidfd, deadline()), "{} did not end", self.command);
        let status = self.child.wait().unwrap();
        status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
    }
}

/// Can be read when it has ended.
impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() && !self.err.is_empty() {
            eprintln!("{} had said:\n{}", self.command, String::from_utf8_lossy(&self.err));
        }
    }
}

/// The first line with `text` in it; what comes before it, and the line, is
/// taken out of `held`.
fn line_with(
    text: &str,
    pipe: &mut (impl Read + AsFd),
    held: &mut Vec<u8>,
    command: &str,
) -> String {
    let until = deadline();
    let mut looked = 0;
    loop {
        while let Some(end) = held[looked..].iter().position(|&b| b == b'\n') {
            let line = String::from_utf8_lossy(&held[looked..looked + end]).into_owned();
            looked += end + 1;
            if line.contains(text) {
                held.drain(..looked);
                return line;
            }
        }
        assert!(
            readable(pipe.as_fd(), until) && take(pipe, held) > 0,
            "{command} never said {text:?}, only:\n{}",
            String::from_utf8_lossy(held)
        );
    }
}

fn take(pipe: &mut impl Read, into: &mut Vec<u8>) -> usize {
    let mut buffer = [0; 4096];
    let n = pipe.read(&mut buffer).unwrap_or(0);
    into.extend(&buffer[..n]);
    n
}
