//! An environment that is changed before a program gets it. The order of the
//! variables can be seen, so it is daemontools' own: a variable that is
//! replaced or removed leaves its place to the last one, and what is set goes
//! to the end. Changes nothing of this process.

use core::ffi::CStr;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Dir, Mode, OFlags, open};
use rustix::process::{chdir, fchdir};
use std::ffi::CString;
use upkeep_sys::{Errno, exec};

/// Why the files of a directory were not all read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The current directory could not be opened, to come back to.
    Here(Errno),
    /// The directory could not be entered.
    Enter(Errno),
    /// It could not be opened.
    Open(Errno),
    /// What is in it could not be found out.
    List(Errno),
    /// This file could not be read.
    File(CString, Errno),
    /// There was no way back.
    Back(Errno),
}

/// The variables, each as `NAME=value`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Environment(Vec<CString>);

impl Environment {
    /// A copy of this process's own.
    #[must_use]
    pub fn inherited() -> Self {
        Self(exec::variables().map(CString::from).collect())
    }

    /// Sets the variable of an entry `NAME=value`; removes that of an entry
    /// without `=`. Of several with the same name only the first goes.
    pub fn change(&mut self, entry: CString) {
        let bytes = entry.to_bytes();
        let equals = memchr::memchr(b'=', bytes);
        let name = &bytes[..equals.unwrap_or(bytes.len())];
        let is_it = |old: &CString| {
            old.to_bytes().strip_prefix(name).is_some_and(|rest| rest.first() == Some(&b'='))
        };
        if let Some(place) = self.0.iter().position(is_it) {
            self.0.swap_remove(place);
        }
        if equals.is_some() {
            self.0.push(entry);
        }
    }

    /// Sets the variable `name` to a number.
    pub fn set(&mut self, name: &str, number: u32) {
        self.change(CString::new(format!("{name}={number}")).unwrap_or_default());
    }

    /// Applies the files of `directory`, in the order in which the file system
    /// has them. Directories in it are trouble, or are passed over and given to
    /// `passed_over`. What is trouble ends it there, and what was applied before
    /// stays.
    pub fn read(
        &mut self,
        directory: &CStr,
        passed_over: Option<&dyn Fn(&CStr)>,
    ) -> Result<(), Trouble> {
        // Held to come back to, which needs no permission to read it.
        let back = open(c".", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(Trouble::Here)?;
        chdir(directory).map_err(Trouble::Enter)?;
        let read = self.read_here(passed_over);
        let back = fchdir(&back).map_err(Trouble::Back);
        read.and(back)
    }

    fn read_here(&mut self, passed_over: Option<&dyn Fn(&CStr)>) -> Result<(), Trouble> {
        let files = open_to_read(c".").and_then(Dir::new).map_err(Trouble::Open)?;
        for entry in files {
            let entry = entry.map_err(Trouble::List)?;
            let name = entry.file_name();
            if name.to_bytes().starts_with(b".") {
                continue;
            }
            match (change_by(name), passed_over) {
                (Ok(change), _) => self.change(change),
                (Err(Errno::ISDIR), Some(passed_over)) => passed_over(name),
                (Err(why), _) => return Err(Trouble::File(name.to_owned(), why)),
            }
        }
        Ok(())
    }

    /// The variables in their order.
    #[must_use]
    pub fn variables(&self) -> &[CString] {
        &self.0
    }
}

/// Does not wait for a FIFO's writer.
fn open_to_read(path: &CStr) -> Result<OwnedFd, Errno> {
    open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())
}

/// What the file `name` does to the environment. A file that is gone counts
/// as empty.
fn change_by(name: &CStr) -> Result<CString, Errno> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: &[&str], changes: &[&str]) -> Vec<String> {
        let mut all = Environment(start.iter().map(|v| CString::new(*v).unwrap()).collect());
        for change in changes {
            all.change(CString::new(*change).unwrap());
        }
        all.0.into_iter().map(|v| v.into_string().unwrap()).collect()
    }

    #[test]
    fn new_variables_go_to_the_end() {
        assert_eq!(after(&["A=1", "B=2"], &["C=3", "D="]), ["A=1", "B=2", "C=3", "D="]);
    }

    #[test]
    fn the_last_one_takes_the_place_of_one_that_goes() {
        assert_eq!(after(&["A=1", "B=2", "C=3"], &["A=9"]), ["C=3", "B=2", "A=9"]);
        assert_eq!(after(&["A=1", "B=2", "C=3"], &["A"]), ["C=3", "B=2"]);
        assert_eq!(after(&["A=1", "B=2", "C=3"], &["C"]), ["A=1", "B=2"]);
    }

    #[test]
    fn only_the_first_of_the_same_name_goes() {
        assert_eq!(after(&["A=1", "A=2", "B=3"], &["A"]), ["B=3", "A=2"]);
    }

    #[test]
    fn a_name_is_whole() {
        assert_eq!(after(&["AB=1", "A", "=2"], &["A"]), ["AB=1", "A", "=2"]);
        assert_eq!(after(&["AB=1"], &["A=2"]), ["AB=1", "A=2"]);
        assert_eq!(after(&["A=1"], &["A=B=2"]), ["A=B=2"]);
        assert_eq!(after(&["=1", "A=2"], &["=3"]), ["A=2", "=3"]);
    }
}
