//! A file that is executed: whether the system would, and what it says.

use super::Check;
use super::kinds::{
    BOM, CRLF, DANGLING, EMPTY, INTERPRETER, NO_INTERPRETER, NOT_EXECUTABLE, UNREADABLE, WRONG_TYPE,
};
use super::name::text;
use std::fs::{self, File, Metadata};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use upkeep_cli::words;
use upkeep_sys::Errno;

/// More than any script that starts a service has.
const LONGEST: u64 = 256 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// How a file says which findings are meant in it.
const MEANT: &str = "# svcheck: off ";

/// A script.
pub(super) struct Text {
    /// What is in it.
    pub(super) text: String,
    /// What is behind `#!`: the interpreter and its arguments.
    pub(super) interpreter: Vec<String>,
}

impl Text {
    /// Whether a shell reads it.
    pub(super) fn is_shell(&self) -> bool {
        const SHELLS: [&str; 8] = ["sh", "dash", "bash", "ash", "ksh", "mksh", "zsh", "yash"];
        // Also what runs a shell that it is given, as `env sh` and `busybox sh`.
        self.interpreter.iter().any(|word| SHELLS.contains(&name_of(word)))
    }

    /// Whether the shell is told to end at the first failure.
    pub(super) fn ends_at_failure(&self) -> bool {
        let mut options = self.interpreter.iter().skip(1);
        options.any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains('e'))
    }
}

/// What is behind the last slash.
pub(super) fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What kind of file it is, in a word.
pub(super) fn type_of(file: &Metadata) -> &'static str {
    let kind = file.file_type();
    if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_file() {
        "a file"
    } else {
        "a device"
    }
}

impl Check {
    /// Looks at the program `file`, and gives its text if it is a script.
    pub(super) fn program(&mut self, shown: &str, file: &str) -> Option<Text> {
        let stat = self.stat(shown, file)?;
        if !stat.is_file() {
            let what = format!("this is {}", type_of(&stat));
            self.report.file(&WRONG_TYPE, shown, &what, "put the program there");
            return None;
        }
        if stat.permissions().mode() & 0o111 == 0 {
            self.report.file(
                &NOT_EXECUTABLE,
                shown,
                "it is not executable: access denied",
                "chmod +x it",
            );
        }
        if stat.len() == 0 {
            self.report.file(
                &EMPTY,
                shown,
                "there is nothing in it: exec format error",
                "begin with #!/bin/sh",
            );
            return None;
        }
        let content = match content(file) {
            Ok(content) => content,
            Err(why) => {
                // Only a script has to be readable.
                let what = format!("unable to read it: {}", said(&why));
                self.report.file(&UNREADABLE, shown, &what, "run svcheck as its owner");
                return None;
            }
        };
        self.script(shown, &content)
    }

    /// What the file is, through links; one that leads nowhere is reported.
    pub(super) fn stat(&mut self, shown: &str, file: &str) -> Option<Metadata> {
        match fs::metadata(file) {
            Ok(stat) => Some(stat),
            Err(why) => {
                if fs::symlink_metadata(file).is_ok() {
                    let to = fs::read_link(file).unwrap_or_default();
                    let what = format!("the link leads to {}, which is not there", text(&to));
                    if why.kind() == std::io::ErrorKind::PermissionDenied {
                        let what = format!("unable to stat it: {}", said(&why));
                        self.report.file(&UNREADABLE, shown, &what, "run svcheck as its owner");
                    } else {
                        self.report.file(&DANGLING, shown, &what, "make that, or remove the link");
                    }
                }
                None
            }
        }
    }

    fn script(&mut self, shown: &str, content: &[u8]) -> Option<Text> {
        if let Some(rest) = content.strip_prefix(BYTE_ORDER_MARK) {
            self.report.line(
                &BOM,
                shown,
                1,
                "there is a byte order mark in front of #!: exec format error",
                "save it as UTF-8 without one",
            );
            return self.script(shown, rest);
        }
        let start = &content[..content.len().min(512)];
        if start.contains(&0) || start.starts_with(b"\x7fELF") {
            return None;
        }
        let text = String::from_utf8_lossy(content).into_owned();
        for line in text.lines().filter_map(|line| line.strip_prefix(MEANT)) {
            line.split_whitespace().for_each(|id| self.report.is_meant(shown, id));
        }
        let first = text.lines().next().unwrap_or("");
        let Some(rest) = first.strip_prefix("#!").map(str::trim).filter(|rest| !rest.is_empty())
        else {
            self.report.line(
                &NO_INTERPRETER,
                shown,
                1,
                "the first line has no #!: exec format error",
                "begin with #!/bin/sh",
            );
            return None;
        };
        let (path, argument) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
        let argument = argument.trim();
        self.interpreter(shown, path, argument);
        let words = core::iter::once(path).chain(argument.split_whitespace());
        let text = Text { interpreter: words.map(str::to_owned).collect(), text };
        self.ends_of_lines(shown, &text);
        Some(text)
    }

    /// The kernel takes a carriage return for a part of the interpreter's name,
    /// and a shell for one of the last word; others do not mind.
    fn ends_of_lines(&mut self, shown: &str, text: &Text) {
        let mut lines = text.text.split('\n').zip(1..);
        let found = lines.find(|(line, _)| line.ends_with('\r'));
        let Some((_, line)) = found.filter(|(_, line)| *line == 1 || text.is_shell()) else {
            return;
        };
        self.report.line(
            &CRLF,
            shown,
            line,
            "the line ends as DOS's do, and the carriage return is part of its last word",
            "tr -d '\\r' it",
        );
    }

    fn interpreter(&mut self, shown: &str, path: &str, argument: &str) {
        if let Some(what) = self.why_not(path) {
            let what = format!("the interpreter {path} {what}");
            self.report.line(&INTERPRETER, shown, 1, &what, "install it, or name another one");
            return;
        }
        if name_of(path) != "env" {
            return;
        }
        // The kernel hands all of it over as one argument.
        let splits = argument.starts_with("-S") || argument.starts_with("--split-string");
        if !splits && argument.contains([' ', '\t']) {
            let what = format!("env is given '{argument}' as the name of one program");
            self.report.line(&INTERPRETER, shown, 1, &what, "write env -S, or name it by its path");
            return;
        }
        let argument = argument.strip_prefix("-S").unwrap_or(argument);
        let mut words = argument.split_whitespace();
        let Some(program) = words.find(|word| !word.starts_with('-') && !word.contains('=')) else {
            return;
        };
        if let Some(what) = self.why_not(program) {
            let what = format!("the program {program} {what}");
            self.report.line(&INTERPRETER, shown, 1, &what, "install it, or name it by its path");
        }
    }

    /// Why the program cannot be executed, if so. A name without a slash is
    /// looked up in $PATH.
    pub(super) fn why_not(&mut self, program: &str) -> Option<&'static str> {
        if let Some(known) = self.programs.get(program) {
            return *known;
        }
        let why = if program.contains('/') {
            match fs::metadata(program) {
                Err(_) => Some("is not there"),
                Ok(stat) if !is_program(&stat) => Some("cannot be executed"),
                Ok(_) => None,
            }
        } else {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let mut places = std::env::split_paths(&path).map(|dir| dir.join(program));
            let found = places.any(|path| fs::metadata(path).is_ok_and(|stat| is_program(&stat)));
            if found { None } else { Some("is not in $PATH") }
        };
        // One that is named from the directory on is another one elsewhere.
        if program.starts_with('/') || !program.contains('/') {
            self.programs.insert(program.to_owned(), why);
        }
        why
    }
}

/// Whether somebody may execute it.
pub(super) fn is_program(stat: &Metadata) -> bool {
    stat.is_file() && stat.permissions().mode() & 0o111 != 0
}

/// What went wrong, in the words that all programs here use.
fn said(why: &std::io::Error) -> &'static str {
    words(Errno::from_io_error(why).unwrap_or(Errno::IO))
}

/// The beginning of the file, which is one.
pub(super) fn content(file: impl AsRef<Path>) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(file)?.take(LONGEST).read_to_end(&mut content)?;
    Ok(content)
}
