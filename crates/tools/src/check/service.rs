//! One service directory, which is the current one.

use super::kinds::{
    COPIED, DOWN, INTERPRETER, MISSPELT, NO_EFFECT, NO_RUN, NOT_EXECUTABLE, SUPERVISE, WRONG_TYPE,
};
use super::name::text;
use super::program::{is_program, type_of};
use super::spelling::meant;
use super::{Check, Place};
use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;
use upkeep_core::restart::When;
use upkeep_core::supervise::Kind;
use upkeep_servicedir::{Facts, Task, known, role_of};
use upkeep_sys::Errno;

/// What is in it, by name, and whether that is a link.
pub(super) type Entries = Vec<(OsString, bool)>;

/// What is in the directory.
pub(super) fn entries(path: &Path) -> std::io::Result<Entries> {
    let mut all = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        all.push((entry.file_name(), is_link));
    }
    all.sort();
    Ok(all)
}

impl Place<'_> {
    /// The path of something in it, for people.
    pub(super) fn path(&self, file: &str) -> String {
        format!("{}/{file}", self.shown)
    }

    /// Whether something has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(entry, _)| entry == name)
    }

    /// Whether there is something else to be started.
    fn runs_without(&self) -> bool {
        let is_directory = |name| fs::metadata(name).is_ok_and(|stat| stat.is_dir());
        let of_others = ["needs", "wants", "dependencies.d", "contents.d"];
        !self.is_logger
            && (self.is_executable("start")
                || self.is_oneshot && self.has("up")
                || of_others.into_iter().any(is_directory))
    }

    /// Whether it is a program.
    pub(super) fn is_executable(&self, name: &str) -> bool {
        self.has(name) && fs::metadata(name).is_ok_and(|stat| is_program(&stat))
    }
}

impl Check {
    /// Looks at the service whose directory is the current one, with its
    /// logger.
    pub(super) fn service(&mut self, shown: &str, is_logger: bool) {
        let here = match entries(Path::new(".")) {
            Ok(entries) => entries,
            Err(why) => {
                let why = Errno::from_io_error(&why).unwrap_or(Errno::IO);
                return self.trouble(shown, why);
            }
        };
        let facts = Facts::look();
        shown.clone_into(&mut self.here);
        let mut place = Place { shown, entries: &here, ..Place::default() };
        place.is_logger = is_logger;
        place.has_log =
            is_logger || fs::metadata("log").is_ok_and(|stat| stat.is_dir() || is_program(&stat));
        place.follows = facts.follow().is_ok_and(|follow| follow.is_some());
        place.is_oneshot = !is_logger && facts.kind() == Ok(Kind::Oneshot);
        place.ends =
            place.is_oneshot || matches!(facts.restart(), Ok(Some(When::Never | When::OnFailure)));
        self.place(&place);
        self.names(&place);
        self.programs(&place, &facts);
        self.values(&place, &facts);
        self.together(&place, &facts);
        self.supervise(&place);
        if place.has("down") && !(place.is_oneshot && place.has("up")) {
            let what = "the service is not started until svc -u or -o";
            self.report.file(&DOWN, &place.path("down"), what, "remove it if it is to be");
        }
        self.log(&place);
    }

    /// The directory itself, and what it is in.
    fn place(&mut self, place: &Place<'_>) {
        if let Ok(path) = fs::canonicalize(".") {
            self.parents(&path);
        }
        self.rights(place.shown, ".", false);
        for (name, is_link) in place.entries {
            if role_of(name.as_bytes()).is_some()
                && name != "supervise"
                && let Some(name) = name.to_str()
            {
                self.rights(&place.path(name), name, *is_link);
            }
        }
    }

    /// Names that look like others.
    fn names(&mut self, place: &Place<'_>) {
        for name in ["needs", "wants", "after"] {
            let is_other = |stat: &fs::Metadata| !stat.is_dir();
            if place.has(name) && self.stat(&place.path(name), name).as_ref().is_some_and(is_other)
            {
                let what = "this is no directory, and nothing looks at it";
                let advice = "make it a directory with a file for each service";
                self.report.file(&WRONG_TYPE, &place.path(name), what, advice);
            }
        }
        for (name, _) in place.entries {
            if role_of(name.as_bytes()).is_some() {
                continue;
            }
            let Some(other) = meant(name.as_bytes(), known()) else { continue };
            if place.has(other) {
                continue;
            }
            let shown = place.path(&text(name));
            let what = format!("nothing looks at this, which is like {other}");
            let advice = format!("call it {other}, if that is meant");
            self.report.file(&MISSPELT, &shown, &what, &advice);
        }
    }

    fn programs(&mut self, place: &Place<'_>, facts: &Facts) {
        if place.is_oneshot && place.has("up") {
            let (task, undo) = facts.task();
            for task in [Some(task), undo].into_iter().flatten() {
                self.task(place, &task);
            }
        } else if place.has("run") {
            let shown = place.path("run");
            if let Some(text) = self.program(&shown, "run") {
                let script = self.habits(&shown, &text, place.around());
                if let Some(script) = script.filter(|_| place.is_logger) {
                    self.log_directories(&shown, &script);
                }
            }
        } else if !place.runs_without() {
            let mut names = place.entries.iter().filter_map(|(name, _)| name.to_str());
            let wanted = if place.is_oneshot { ["up", "run"] } else { ["run"; 2] };
            let other = names.find_map(|name| {
                let meant = meant(name.as_bytes(), known())?;
                wanted.contains(&meant).then(|| format!("call {name} {meant}"))
            });
            let advice = match other {
                Some(advice) => advice,
                None if place.is_oneshot => {
                    "make up, a script that does what is to be done".to_owned()
                }
                None if place.has("up") => "echo oneshot > type, if up is all there is".to_owned(),
                None => "make it, a script that ends in exec PROGRAM".to_owned(),
            };
            self.report.file(&NO_RUN, &place.path("run"), "it is not there", &advice);
        }
        for name in ["finish", "check", "data/check", "start", "stop", "notify"] {
            // Of a logger only its run and its finish mean something.
            let is = if name == "data/check" {
                place.has("data") && fs::metadata(name).is_ok()
            } else {
                place.has(name)
            };
            if is {
                self.aside(place, name);
            }
        }
        self.scripts(place);
    }

    /// What a oneshot does, or what undoes it.
    fn task(&mut self, place: &Place<'_>, task: &Task) {
        let name = if task.path == c"./up" { "up" } else { "down" };
        let shown = place.path(name);
        let Some(stat) = self.stat(&shown, name) else { return };
        if !task.executable && stat.is_file() && !begins_script(name) {
            // As in s6-rc, where it is a script for execlineb.
            if let Some(what) = self.why_not("execlineb") {
                let what = format!("it is not executable, and so for execlineb, which {what}");
                let advice = "chmod +x it, or install execline";
                self.report.file(&INTERPRETER, &shown, &what, advice);
            }
            return;
        }
        if let Some(text) = self.program(&shown, name) {
            let around = super::habits::Around { stays: false, ..place.around() };
            self.habits(&shown, &text, around);
        }
    }

    /// A program that runs beside or after the service.
    fn aside(&mut self, place: &Place<'_>, name: &str) {
        let shown = place.path(name);
        if ["start", "stop", "notify"].contains(&name) {
            // A file of one's own may be called so.
            let runs = fs::metadata(name)
                .is_ok_and(|stat| stat.is_file() && stat.permissions().mode() & 0o100 != 0);
            if !runs {
                if self.stat(&shown, name).is_some_and(|stat| stat.is_file()) && begins_script(name)
                {
                    let what = "it is a script that its owner cannot execute, and does not run";
                    self.report.file(&NOT_EXECUTABLE, &shown, what, "chmod +x it");
                }
                return;
            }
        }
        if let Some(text) = self.program(&shown, name) {
            let around = super::habits::Around { stays: false, ..place.around() };
            self.habits(&shown, &text, around);
        }
    }

    /// The scripts that stand in for signals.
    fn scripts(&mut self, place: &Place<'_>) {
        if !place.has("control") {
            return;
        }
        let shown = place.path("control");
        let Some(stat) = self.stat(&shown, "control") else { return };
        if !stat.is_dir() {
            let what = format!("this is {}", type_of(&stat));
            self.report.file(&WRONG_TYPE, &shown, &what, "make it a directory of scripts");
            return;
        }
        if place.is_logger {
            let what = "this has no effect: a logger has no scripts for signals";
            self.report.file(&NO_EFFECT, &shown, what, "remove it");
            return;
        }
        for (name, is_link) in entries(Path::new("control")).unwrap_or_default() {
            let Some(name) = name.to_str() else { continue };
            let letters = ["u", "d", "o", "t", "p", "c", "k", "x", "h", "a", "i", "q", "1", "2"];
            let file = format!("control/{name}");
            let shown = place.path(&file);
            if !letters.contains(&name) {
                if name.len() <= 4 && !name.starts_with('.') {
                    let what = "nothing runs this: its name is no letter of svc's";
                    self.report.file(&MISSPELT, &shown, what, "call it by one of tpckhaiq12udx");
                }
                continue;
            }
            self.rights(&shown, &file, is_link);
            if let Some(text) = self.program(&shown, &file) {
                let around = super::habits::Around { stays: false, ..place.around() };
                self.habits(&shown, &text, around);
            }
        }
    }

    /// Where supervise keeps what it writes.
    fn supervise(&mut self, place: &Place<'_>) {
        if !place.has("supervise") {
            return;
        }
        let shown = place.path("supervise");
        // A link that leads nowhere is where it will be made.
        let Ok(stat) = fs::metadata("supervise") else { return };
        if !stat.is_dir() {
            let what = format!("this is {}, and supervise ends: not a directory", type_of(&stat));
            self.report.file(&SUPERVISE, &shown, &what, "remove it");
            return;
        }
        self.rights(&shown, "supervise", false);
        for name in ["control", "ok"] {
            let Ok(stat) = fs::metadata(format!("supervise/{name}")) else { continue };
            let shown = place.path(&format!("supervise/{name}"));
            if !stat.file_type().is_fifo() {
                let what = format!("this is {}, and supervise ends: not a fifo", type_of(&stat));
                self.report.file(&SUPERVISE, &shown, &what, "remove the directory supervise");
            } else if name == "control" && stat.mode() & 0o002 != 0 {
                let what = "anybody can stop the service by it";
                self.report.file(&super::kinds::WRITABLE, &shown, what, "chmod o-w it");
            }
        }
        if fs::metadata("supervise/lock").is_ok_and(|stat| !stat.is_file()) {
            let what = "this is no file, and supervise ends";
            let shown = place.path("supervise/lock");
            self.report.file(&SUPERVISE, &shown, what, "remove the directory supervise");
        }
        if upkeep_servicedir::record_is_anothers(self.boot) {
            let what = "it was copied with the directory: its status is another service's";
            self.report.file(&COPIED, &shown, what, "remove it, as long as nothing runs here");
        }
    }

    fn log(&mut self, place: &Place<'_>) {
        if !place.has("log") {
            return;
        }
        let shown = place.path("log");
        let Some(stat) = self.stat(&shown, "log") else { return };
        if place.is_logger {
            if stat.is_dir() {
                let what = "this has no effect: a logger has no logger";
                self.report.file(&NO_EFFECT, &shown, what, "remove it");
            }
            return;
        }
        if stat.is_dir() {
            if let Err(why) = self.go("log".as_ref(), |check| check.service(&shown, true)) {
                self.trouble(&shown, why);
            }
        } else if is_program(&stat) {
            if let Some(text) = self.program(&shown, "log") {
                let around = super::habits::Around { is_logger: true, ..place.around() };
                if let Some(script) = self.habits(&shown, &text, around) {
                    self.log_directories(&shown, &script);
                }
            }
        } else {
            let what = format!(
                "this is {} that cannot be executed: unable to chdir to log: not a directory",
                type_of(&stat)
            );
            let advice = "make it a directory with a run, or chmod +x it";
            self.report.file(&WRONG_TYPE, &shown, &what, advice);
        }
    }
}

/// Whether the file begins as a script does.
fn begins_script(name: &str) -> bool {
    let mut start = [0; 2];
    fs::File::open(name).is_ok_and(|mut file| file.read_exact(&mut start).is_ok())
        && start == *b"#!"
}
