//! The size of what has to be in an image: programs, the libraries that they
//! load, and of what is a script the interpreter with all that it has loaded.
//! Counts what is read or mapped, and nothing else of a package.

use super::keepers::Keeper;
use super::{kilobytes, row};
use crate::bench::{Bench, answer};
use crate::report::{Column, Report};
use crate::suites::{program, system_program};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use upkeep_outside::failure::{Context, Failure};

/// What is beside its scanner and its supervise in an image with ours.
const HOLDER: &str = "svhold";
/// All of ours in one file.
const WHOLE: &str = "upkeep";
/// The modules of a Python program, once it is ready to begin.
const LOADED: &str = "import sys, importlib
importlib.import_module(sys.argv[1])
print('\\n'.join(m.__file__ for m in list(sys.modules.values()) if getattr(m, '__file__', None)))";

/// Those that keep services.
pub(crate) fn measure(
    bench: &Bench,
    keepers: &[Keeper<'_>],
    report: &mut Report,
) -> Result<(), Failure> {
    let ours = bench.suite(Column::Ours)?;
    for keeper in keepers {
        let (few, all) = needs(keeper)?;
        add("to keep services", keeper.column(), &few, report)?;
        add("to keep, control and log services", keeper.column(), &all, report)?;
        let whole = Some(ours.dir.join(WHOLE)).filter(|_| keeper.column() == Column::Ours);
        let all = whole.filter(|w| w.is_file()).map_or(all, |whole| BTreeSet::from([whole]));
        add("the same, ours as one file", keeper.column(), &all, report)?;
    }
    Ok(())
}

/// Those for one command.
pub(crate) fn inits<'a>(
    all: impl Iterator<Item = (Column, &'a Path)>,
    report: &mut Report,
) -> Result<(), Failure> {
    for (column, path) in all {
        add("for one command", column, &with_libraries([path.to_owned()])?, report)?;
    }
    Ok(())
}

fn add(
    what: &str,
    column: Column,
    files: &BTreeSet<PathBuf>,
    report: &mut Report,
) -> Result<(), Failure> {
    let sizes = files.iter().map(|file| {
        let found = fs::metadata(file).unable(format_args!("look at {}", file.display()))?;
        Ok(found.len())
    });
    let bytes = sizes.sum::<Result<u64, Failure>>()?;
    report.add(&row(format_args!("image, {what}"), "kB"), column, kilobytes(bytes.div_ceil(1024)));
    let count = u32::try_from(files.len()).unwrap_or(u32::MAX);
    report.add(&row(format_args!("image, {what}, files"), "files"), column, f64::from(count));
    Ok(())
}

/// What one needs to keep services, and to control and log them besides.
fn needs(keeper: &Keeper<'_>) -> Result<(BTreeSet<PathBuf>, BTreeSet<PathBuf>), Failure> {
    match keeper {
        Keeper::Suite(suite) => {
            let programs = suite.family.programs().iter().map(|p| suite.dir.join(p));
            let mut programs: Vec<PathBuf> = programs.collect();
            let mut few = programs[..2].to_vec();
            if suite.column == Column::Ours {
                programs.push(suite.dir.join(HOLDER));
                few.push(suite.dir.join(HOLDER));
            }
            Ok((with_libraries(few)?, with_libraries(programs)?))
        }
        Keeper::Supervisord(path) => {
            let few = python(path, "supervisor.supervisord")?;
            let beside = path.with_file_name("supervisorctl");
            let more = python(&beside, "supervisor.supervisorctl")?;
            Ok((few.clone(), few.into_iter().chain(more).collect()))
        }
    }
}

/// A script in Python that is that module.
fn python(script: &Path, module: &str) -> Result<BTreeSet<PathBuf>, Failure> {
    let text = fs::read(script).unable(format_args!("read {}", script.display()))?;
    let interpreter = interpreter(&text).ok_or("it is no script");
    let interpreter = interpreter.unable(format_args!("run {}", script.display()))?;
    let mut command = program(Path::new("/usr/bin"), &interpreter.to_string_lossy());
    command.args(["-c", LOADED, module]);
    let loaded = answer(command)?;
    let loaded: Vec<PathBuf> = loaded.lines().map(PathBuf::from).filter(|p| p.is_file()).collect();
    if loaded.is_empty() {
        return Err(Failure::Failed(format!("unable to find what {} loads", script.display())));
    }
    let binary = |p: &PathBuf| p.extension().is_some_and(|e| e == "so");
    let (binaries, modules): (Vec<PathBuf>, Vec<PathBuf>) = loaded.into_iter().partition(binary);
    let binaries = binaries.into_iter().chain([interpreter]);
    let mut all = with_libraries(binaries)?;
    all.extend(modules);
    all.insert(script.to_owned());
    Ok(all)
}

/// These files and the libraries that they are linked to, each by the one name
/// that it really has.
fn with_libraries(files: impl IntoIterator<Item = PathBuf>) -> Result<BTreeSet<PathBuf>, Failure> {
    let mut all = BTreeSet::new();
    for file in files {
        if let Some(ldd) = system_program("ldd") {
            let mut command = program(Path::new("/usr/bin"), &ldd.to_string_lossy());
            command.arg(&file).stderr(Stdio::null());
            for library in libraries(&answer(command)?) {
                all.insert(really(&library)?);
            }
        }
        all.insert(really(&file)?);
    }
    Ok(all)
}

fn really(file: &Path) -> Result<PathBuf, Failure> {
    file.canonicalize().unable(format_args!("find {}", file.display()))
}

/// The files in what ldd prints: behind the arrow, or alone if it is the
/// dynamic linker. What the kernel brings has no file.
fn libraries(text: &str) -> Vec<PathBuf> {
    let one = |line: &str| {
        let found = line.split_once("=> ").map_or(line, |(_, path)| path);
        let path = found.split_whitespace().next()?;
        path.starts_with('/').then(|| PathBuf::from(path))
    };
    text.lines().filter_map(one).collect()
}

/// What the first line says a script is run by.
fn interpreter(script: &[u8]) -> Option<PathBuf> {
    let line = script.strip_prefix(b"#!")?.split(|&b| b == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    line.split_whitespace().next().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_libraries_of_a_program() {
        let text = "\tlinux-vdso.so.1 (0x00007ffc)\n\tlibc.so.6 => /lib/x/libc.so.6 (0x7f)\n\
                    \tlibgone.so.1 => not found\n\t/lib64/ld-linux.so.2 (0x7f)\n";
        let expected = ["/lib/x/libc.so.6", "/lib64/ld-linux.so.2"].map(PathBuf::from);
        assert_eq!(libraries(text), expected);
        assert!(libraries("\tstatically linked\n").is_empty());
    }

    #[test]
    fn who_runs_a_script() {
        assert_eq!(interpreter(b"#! /usr/bin/python3 -I\nx"), Some("/usr/bin/python3".into()));
        assert_eq!(interpreter(b"\x7fELF"), None);
    }

    #[test]
    fn this_program_and_what_it_is_linked_to() {
        let me = std::env::current_exe().expect("this program");
        let all = with_libraries([me.clone(), me.clone()]).expect("its files");
        assert!(all.contains(&really(&me).expect("its name")));
    }
}
