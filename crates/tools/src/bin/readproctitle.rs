//! readproctitle: shows the last of its input in the list of processes.
#![no_main]

use rustix::stdio::stdin;
use upkeep_cli::{Exit, Tool};
use upkeep_sys::{Args, Errno};
use upkeep_tools::title::scroll;

const TOOL: Tool = Tool {
    name: "readproctitle",
    help: "\
usage: readproctitle [word ...] room

Reads its standard input to the end and keeps the last of it in its own last
argument, where ps shows it. room is at least five bytes long; the first three
stay dots.

  -h, --help     print this
      --version  print the version

    svscan /service 2>&1 | readproctitle service errors: ....................

exit: 0 the input ended, 100 room is too small, 111 the input cannot be read.
",
};

/// The least room, and the dots at its beginning that stay.
const LEAST: usize = 5;
const DOTS: usize = 3;

upkeep_sys::main_with_last!(|args, last| run(args, last).code());

fn run(args: Args, last: Option<&'static mut [u8]>) -> Exit {
    let Some(room) = last else { return Exit::Usage };
    let first = args.get(1).map_or(&*room, |first| first.to_bytes());
    if let Some(exit) = TOOL.answer_to(first) {
        return exit;
    }
    room.fill(b'.');
    if room.len() < LEAST {
        return Exit::Usage;
    }
    let title = &mut room[DOTS..];
    let mut input = [0; 4096];
    loop {
        match rustix::io::read(stdin(), &mut input) {
            Ok(0) => return Exit::Success,
            Ok(read) => scroll(title, &input[..read]),
            Err(Errno::INTR) => {}
            Err(_) => return Exit::System,
        }
    }
}
