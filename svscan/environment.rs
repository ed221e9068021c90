//! The environment of what is started here: this process's own, or one that is
//! clean, with the variables that directories and files add. Put together once,
//! at the start, where any error ends svscan; after that it stays as it is. Of a
//! svscan that was executed anew, what cannot be read is said and left out.

use crate::svscan::help::TOOL;
use crate::svscan::notify::SOCKET;
use crate::svscan::options::Options;
use crate::svscan::renew::Start;
use core::ffi::CStr;
use rustix::fs::{Access, CWD, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::CString;
use upkeep_cli::Exit;
use upkeep_servicedir::names;
use upkeep_sys::exec::{self, Variables};
use upkeep_tools::environment::{Environment, Trouble};

/// If it is there, services get a clean one.
const CLEAN: &CStr = c".svscan/clean-env";
/// A directory of variables.
const DIRECTORY: &CStr = c".svscan/env";
/// The longest string that the kernel takes, with the zero that ends it.
const LONGEST: usize = 128 * 1024;

/// Each is none where it would be this process's own.
#[derive(Debug, Default)]
pub(crate) struct Environments {
    /// That of supervises, and so of services.
    pub(crate) services: Option<Variables>,
    /// That of everything else that runs because of the container.
    pub(crate) command: Option<Variables>,
}

impl Environments {
    /// What is asked for, in the scan directory, when it has been decided where
    /// the state is kept. `directories` are those of the options, from the root.
    pub(crate) fn read(
        options: &Options,
        directories: &[CString],
        start: Start,
    ) -> Result<Self, Exit> {
        let is_there = |path| options.tree && rustix::fs::access(path, Access::EXISTS).is_ok();
        let is_clean = options.clean_env || is_there(CLEAN);
        let mut all: Vec<&CStr> = Vec::new();
        all.extend(is_there(DIRECTORY).then_some(DIRECTORY));
        all.extend(directories.iter().map(CString::as_c_str));
        let adds = !all.is_empty() || options.secrets;
        let make = |inherited: Environment| -> Result<Variables, Exit> {
            let mut environment = inherited;
            if options.secrets {
                reveal(&mut environment, start)?;
            }
            // What a directory says is meant as it stands.
            for directory in &all {
                let read = environment.read(directory, None);
                read.or_else(|trouble| refuse(directory, &trouble, start))?;
            }
            keep_place(&mut environment);
            Ok(Variables::new(environment.variables().iter().cloned()))
        };
        let is_told = exec::variable(SOCKET.to_bytes()).is_some();
        let services = match is_clean {
            true => Some(make(clean())?),
            false => (adds || is_told).then(|| make(untold())).transpose()?,
        };
        let command = adds.then(|| make(Environment::inherited())).transpose()?;
        Ok(Self { services, command })
    }
}

/// This process's own, but not where it is to say how far it is: whoever wants
/// to be told has not meant services.
fn untold() -> Environment {
    let mut own = Environment::inherited();
    own.change(SOCKET.to_owned());
    own
}

/// Nothing but where programs are.
fn clean() -> Environment {
    let mut environment = Environment::default();
    if let Some(path) = exec::variable(b"PATH") {
        environment.change(CString::new([b"PATH=", path].concat()).unwrap_or_default());
    }
    environment
}

/// Where the state is, is not for a file to say: it has been decided.
fn keep_place(environment: &mut Environment) {
    let entry = match exec::variable(names::SUPERVISEDIR) {
        Some(place) => [names::SUPERVISEDIR, b"=", place].concat(),
        None => names::SUPERVISEDIR.to_vec(),
    };
    environment.change(CString::new(entry).unwrap_or_default());
}

/// Has each `NAME_FILE=/path` become `NAME=` what is in it.
fn reveal(environment: &mut Environment, start: Start) -> Result<(), Exit> {
    let named: Vec<(Vec<u8>, CString)> =
        environment.variables().iter().filter_map(|entry| file_of(entry)).collect();
    for (name, path) in named {
        let front = [&*name, b"="].concat();
        if environment.variables().iter().any(|entry| entry.to_bytes().starts_with(&front)) {
            start.refuses(&[b"both ", &name, b" and ", &name, b"_FILE are set"], None)?;
            continue;
        }
        let value = match secret(&path, LONGEST - front.len()) {
            Err(Errno::TOOBIG) => {
                // No program could be given it: it is a file that is no secret.
                let parts = [path.to_bytes(), b" is too long for ", &name, b", ", &name];
                TOOL.warn(&[parts[0], parts[1], parts[2], parts[3], parts[4], b"_FILE stays"]);
                continue;
            }
            Err(why) => {
                let parts = [b"unable to read ", path.to_bytes(), b" for ", &name, b": "];
                start.refuses(&parts, Some(why))?;
                continue;
            }
            Ok(value) => value,
        };
        let Ok(entry) = CString::new([&*front, &*value].concat()) else {
            let parts = [b"unable to use ", path.to_bytes(), b" for ", &name, b": a zero in it"];
            start.refuses(&parts, None)?;
            continue;
        };
        environment.change(CString::new([&*name, b"_FILE"].concat()).unwrap_or_default());
        environment.change(entry);
    }
    Ok(())
}

/// The name and the file that an entry names, if it names one.
fn file_of(entry: &CStr) -> Option<(Vec<u8>, CString)> {
    let bytes = entry.to_bytes();
    let equals = bytes.iter().position(|&b| b == b'=')?;
    let name = bytes[..equals].strip_suffix(b"_FILE").filter(|name| !name.is_empty())?;
    let path = &bytes[equals + 1..];
    path.starts_with(b"/").then(|| (name.to_vec(), CString::new(path).unwrap_or_default()))
}

/// What is in the file, without the newlines at its end, with room for the
/// zero that is to come.
fn secret(path: &CStr, room: usize) -> Result<Vec<u8>, Errno> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
    let mut text = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match rustix::io::read(&file, &mut piece) {
            Ok(0) => break,
            Ok(count) => text.extend_from_slice(&piece[..count]),
            Err(Errno::INTR) => {}
            Err(why) => return Err(why),
        }
        if text.len() > 2 * LONGEST {
            return Err(Errno::TOOBIG);
        }
    }
    while text.last() == Some(&b'\n') {
        text.pop();
    }
    if text.len() < room { Ok(text) } else { Err(Errno::TOOBIG) }
}

fn refuse(directory: &CStr, trouble: &Trouble, start: Start) -> Result<(), Exit> {
    let (verb, file, why): (&[u8], &[u8], Errno) = match trouble {
        Trouble::Here(why) => (b"open current directory before ", b"", *why),
        Trouble::Enter(why) => (b"enter ", b"", *why),
        Trouble::Open(why) => (b"open ", b"", *why),
        Trouble::List(why) => (b"list ", b"", *why),
        Trouble::File(name, why) => (b"read ", name.to_bytes(), *why),
        Trouble::Back(why) => (b"come back from ", b"", *why),
    };
    let slash: &[u8] = if file.is_empty() { b"" } else { b"/" };
    let parts = [b"unable to ", verb, directory.to_bytes(), slash, file, b": "];
    start.refuses(&parts, Some(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_a_path_behind_file() {
        let found = |entry: &str| file_of(&CString::new(entry).unwrap());
        let expected = Some((b"DB_PASSWORD".to_vec(), c"/run/secrets/db".to_owned()));
        assert_eq!(found("DB_PASSWORD_FILE=/run/secrets/db"), expected);
        for none in
            ["DB_PASSWORD=/x", "DB_FILE=x", "_FILE=/x", "DB_FILE", "DB_FILES=/x", "A=B_FILE=/x"]
        {
            assert_eq!(found(none), None, "{none}");
        }
    }
}
