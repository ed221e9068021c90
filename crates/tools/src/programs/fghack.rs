//! fghack: stays in the foreground for a program that goes to the background.

use rustix::fd::{IntoRawFd, OwnedFd};
use rustix::process::{WaitOptions, waitpid};
use upkeep_cli::{Exit, Tool};
use upkeep_sys::{Args, Errno, spawn};

const TOOL: Tool = Tool {
    name: "fghack",
    help: "\
usage: fghack program [argument ...]

Runs program and stays until it and everything it started have ended or have
closed the descriptors they inherited: a pipe that nobody reads or writes,
open 31 times. For programs that put themselves in the background; they cannot
be sent signals through supervise.

  -h, --help     print this
      --version  print the version

    fghack ./daemon

exit: program's own code, 111 program was killed by a signal, 111 system
trouble, 100 usage.
",
};

/// How many descriptors more than one a program must close to get away. Most
/// close those they know of.
const EXTRA: usize = 30;

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    let Some(program) = args.get(1) else {
        return TOOL.usage("fghack child");
    };
    let (read, write) = match rustix::pipe::pipe() {
        Ok(ends) => ends,
        Err(why) => return TOOL.fatal_os(&[b"unable to create pipe: "], why),
    };
    let mut read = Some(read);
    let in_child = || {
        drop(read.take());
        for _ in 0..EXTRA {
            // As many as the limit on descriptors allows.
            let _ = rustix::io::dup(&write).map(OwnedFd::into_raw_fd);
        }
    };
    let failed = |why| {
        let _ = TOOL.fatal_os(&[b"unable to run ", program.to_bytes(), b": "], why);
    };
    let pid = match spawn::beside(args.skip(1), in_child, failed) {
        Ok(pid) => pid,
        Err(why) => return TOOL.fatal_os(&[b"unable to fork: "], why),
    };
    drop(write);
    if let Some(read) = read {
        wait_for_end(&read);
    }
    loop {
        match waitpid(Some(pid), WaitOptions::empty()) {
            Err(Errno::INTR) => {}
            Err(why) => return TOOL.fatal_os(&[b"wait failed: "], why),
            Ok(status) => {
                let code = status.and_then(|(_, status)| status.exit_status());
                return match code.and_then(|code| u8::try_from(code).ok()) {
                    Some(code) => Exit::Of(code),
                    None => TOOL.fatal(&[b"child crashed"]),
                };
            }
        }
    }
}

/// Reads until nobody can write any more. What is written means nothing.
fn wait_for_end(pipe: &OwnedFd) {
    let mut buffer = [0; 512];
    loop {
        match rustix::io::read(pipe, &mut buffer) {
            Ok(1..) | Err(Errno::INTR) => {}
            Ok(0) | Err(_) => return,
        }
    }
}
