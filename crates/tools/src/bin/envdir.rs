//! envdir: runs a program with an environment changed by the files of a
//! directory.
#![no_main]

use core::ffi::CStr;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Dir, Mode, OFlags, open};
use rustix::process::{chdir, fchdir};
use std::ffi::CString;
use upkeep_cli::{Exit, Tool};
use upkeep_sys::{Args, Errno, exec};
use upkeep_tools::environment::Environment;

const TOOL: Tool = Tool {
    name: "envdir",
    help: "\
usage: envdir directory program [argument ...]

Runs program with one environment variable set for each file in directory: its
name is the file's, its value the file's first line, without the spaces and
tabs at its end and with newlines for NUL bytes. An empty file removes the
variable. Files whose names begin with a dot do not count.

  -h, --help     print this
      --version  print the version

    echo 8080 >env/PORT
    envdir env ./server

exit: 111 usage, directory could not be read or program could not be run,
otherwise program's own.
",
};

upkeep_sys::main!(|args| run(args).code());

fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    let (Some(directory), Some(program)) = (args.get(1), args.get(2)) else {
        // Not 100: this one has always said 111.
        let _ = TOOL.usage("envdir dir child");
        return Exit::System;
    };
    let mut environment = Environment::inherited();
    if let Err(exit) = read(directory, &mut environment) {
        return exit;
    }
    let why = exec::run_with(args.skip(2), environment.variables());
    TOOL.fatal_os(&[b"unable to run ", program.to_bytes(), b": "], why)
}

/// Applies the files of `directory`, in the order in which the file system
/// has them.
fn read(directory: &CStr, environment: &mut Environment) -> Result<(), Exit> {
    let name = directory.to_bytes();
    // Held to come back to, which needs no permission to read it.
    let back = open(c".", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|why| TOOL.fatal_os(&[b"unable to switch to current directory: "], why))?;
    chdir(directory)
        .map_err(|why| TOOL.fatal_os(&[b"unable to switch to directory ", name, b": "], why))?;
    let unreadable = |why| TOOL.fatal_os(&[b"unable to read directory ", name, b": "], why);
    for entry in Dir::new(open_to_read(c".").map_err(unreadable)?).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let variable = entry.file_name();
        if variable.to_bytes().starts_with(b".") {
            continue;
        }
        let change = change(variable).map_err(|why| {
            TOOL.fatal_os(&[b"unable to read ", name, b"/", variable.to_bytes(), b": "], why)
        })?;
        environment.change(change);
    }
    fchdir(&back).map_err(|why| TOOL.fatal_os(&[b"unable to switch to starting directory: "], why))
}

/// Does not wait for a FIFO's writer.
fn open_to_read(path: &CStr) -> Result<OwnedFd, Errno> {
    open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())
}

/// What the file `name` does to the environment. A file that is gone counts
/// as empty.
fn change(name: &CStr) -> Result<CString, Errno> {
    let text = match open_to_read(name) {
        Ok(file) => first_line(file)?,
        Err(Errno::NOENT) => Vec::new(),
        Err(why) => return Err(why),
    };
    let mut entry = name.to_bytes().to_vec();
    if !text.is_empty() {
        let line = text.split(|&b| b == b'\n').next().unwrap_or(&[]);
        let blanks = line.iter().rev().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let value = &line[..line.len() - blanks];
        entry.push(b'=');
        entry.extend(value.iter().map(|&b| if b == 0 { b'\n' } else { b }));
    }
    Ok(CString::new(entry).unwrap_or_default())
}

/// The file up to its end or up to the piece with its first newline.
fn first_line(file: impl AsFd) -> Result<Vec<u8>, Errno> {
    let mut text = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match rustix::io::read(&file, &mut piece) {
            Ok(0) => return Ok(text),
            Ok(read) => {
                text.extend_from_slice(&piece[..read]);
                if memchr::memchr(b'\n', &piece[..read]).is_some() {
                    return Ok(text);
                }
            }
            Err(Errno::INTR) => {}
            Err(why) => return Err(why),
        }
    }
}
