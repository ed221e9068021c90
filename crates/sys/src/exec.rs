//! Replacing this process by another program. Every function here returns
//! only when it failed, with the reason.

use crate::Args;
use crate::refuse::refused;
use core::ffi::{CStr, c_char};
use core::marker::PhantomData;
use rustix::io::Errno;
use std::ffi::CString;

unsafe extern "C" {
    static mut environ: *const *const c_char;
}

/// What the last failed call of the C library left in errno.
pub(crate) fn last_errno() -> Errno {
    // SAFETY: the location belongs to this thread and is always readable.
    crate::ids::errno_of(unsafe { *libc::__errno_location() })
}

pub(crate) fn environment() -> *const *const c_char {
    // SAFETY: these programs have one thread, and what `set_variable` puts there
    // lives as long as the process.
    unsafe { environ }
}

/// Every `NAME=value` of this process's environment.
pub fn variables() -> impl Iterator<Item = &'static CStr> {
    let mut at = environment();
    core::iter::from_fn(move || {
        if at.is_null() {
            return None;
        }
        // SAFETY: `at` stays inside the vector: it stops at the null pointer
        // that closes it, and the strings live as long as the process.
        unsafe {
            let entry = *at;
            if entry.is_null() {
                return None;
            }
            at = at.add(1);
            Some(CStr::from_ptr(entry))
        }
    })
}

/// The value of the environment variable `name`.
#[must_use]
pub fn variable(name: &[u8]) -> Option<&'static [u8]> {
    variables().find_map(|entry| entry.to_bytes().strip_prefix(name)?.strip_prefix(b"="))
}

/// Sets a variable of this process's environment, which everything that it
/// starts gets, and this program executed anew. For programs that begin: it
/// needs memory, and keeps it.
#[doc(alias = "setenv")]
pub fn set_variable(name: &[u8], value: &[u8]) {
    let is_other = |entry: &&CStr| {
        let is_it = entry.to_bytes().strip_prefix(name).is_some_and(|rest| rest.starts_with(b"="));
        !is_it
    };
    let entry = CString::new([name, b"=", value].concat()).unwrap_or_default();
    let others = variables().filter(is_other).map(CStr::to_owned);
    let all = Variables::new(others.chain([entry]));
    // SAFETY: these programs have one thread; the vector is closed by a null
    // pointer, and it and its strings are never freed.
    unsafe { environ = all.as_ptr() };
    core::mem::forget(all);
}

/// A whole environment that stands ready for programs that are started: to use
/// it needs no more memory.
#[derive(Debug)]
pub struct Variables(Vec<*const c_char>);

impl Variables {
    /// Of each `NAME=value`, which is kept for as long as the program runs.
    #[must_use]
    pub fn new(all: impl IntoIterator<Item = CString>) -> Self {
        let keep = |entry: CString| &*Box::leak(entry.into_boxed_c_str());
        let all = all.into_iter().map(|entry| keep(entry).as_ptr());
        Self(all.chain([core::ptr::null()]).collect())
    }

    pub(crate) fn as_ptr(&self) -> *const *const c_char {
        self.0.as_ptr()
    }
}

/// The last errno of an `execve` of `path`, which did not return by success.
pub(crate) fn execve(path: &CStr, argv: *const *const c_char, envp: *const *const c_char) -> Errno {
    // SAFETY: both vectors are closed by null pointers and hold valid C
    // strings: `Args`, `environ`, or built by this crate for this call.
    unsafe { libc::execve(path.as_ptr(), argv, envp) };
    last_errno()
}

/// Runs `args` in the place of this process. A name without a slash is looked
/// for in PATH, which stands for `/bin:/usr/bin` where it is not set.
#[must_use]
pub fn run(args: Args) -> Errno {
    run_in(args, None)
}

/// The same with this whole environment, if there is one. PATH is still this
/// process's own. It needs no memory.
pub(crate) fn run_in(args: Args, variables: Option<&Variables>) -> Errno {
    let Some(file) = args.get(0) else { return Errno::NOENT };
    search(file, args.as_ptr(), variables.map_or(environment(), Variables::as_ptr))
}

/// Runs `program`, without arguments, in the place of this process: with
/// nothing blocked and nothing ignored.
#[must_use]
pub fn instead(program: &CStr) -> Errno {
    crate::signals::default_dispositions();
    crate::signals::set_mask(None);
    search(program, [program.as_ptr(), core::ptr::null()].as_ptr(), environment())
}

/// The same with `variables` as the whole environment. PATH is still this
/// process's own.
#[must_use]
pub fn run_with(args: Args, variables: &[CString]) -> Errno {
    Program::new(args, None, variables).map_or(Errno::NOENT, |program| program.run())
}

/// A program that is about to be run: `run` needs no more memory.
#[derive(Debug)]
pub struct Program<'a> {
    file: &'static CStr,
    args: Vec<*const c_char>,
    variables: Vec<*const c_char>,
    lives: PhantomData<&'a CStr>,
}

impl<'a> Program<'a> {
    /// The one that `args` say, with `variables` as its whole environment and
    /// with `name` for its own name, if it is to have another one. Without any
    /// `args` there is none.
    #[must_use]
    pub fn new(args: Args, name: Option<&'a CStr>, variables: &'a [CString]) -> Option<Self> {
        let file = args.get(0)?;
        let rest = args.skip(1).iter().map(CStr::as_ptr);
        let end = || [core::ptr::null()];
        Some(Self {
            file,
            args: [name.unwrap_or(file).as_ptr()].into_iter().chain(rest).chain(end()).collect(),
            variables: variables.iter().map(|v| v.as_ptr()).chain(end()).collect(),
            lives: PhantomData,
        })
    }

    /// Runs it in the place of this process.
    #[must_use]
    pub fn run(&self) -> Errno {
        search(self.file, self.args.as_ptr(), self.variables.as_ptr())
    }
}

/// Executes this program anew, as it is now under the name by which it was
/// executed; `args` are all of this process's arguments.
///
/// Never inlined: its buffers would be pages of stack that every supervise
/// keeps.
#[doc(alias = "AT_EXECFN")]
#[must_use]
#[inline(never)]
pub fn anew(args: Args) -> Errno {
    let mut link = [0; LONGEST];
    match own_name(&mut link) {
        Some(name) => execve(name, args.as_ptr(), environment()),
        None => Errno::NOENT,
    }
}

/// The name by which this program was executed, from the root. Where the
/// kernel only has a relative one, it is where the program was found to be,
/// also if it has been replaced since; without /proc, where that name leads
/// from the current directory, which is to be the one that it began in.
fn own_name(link: &mut [u8; LONGEST]) -> Option<&CStr> {
    // SAFETY: the kernel's string, if there is one, lives as long as the
    // process.
    let name = unsafe {
        let name = libc::getauxval(libc::AT_EXECFN) as *const c_char;
        if name.is_null() { c"" } else { CStr::from_ptr(name) }
    };
    if name.to_bytes().starts_with(b"/") {
        return Some(name);
    }
    let mut buffer = [core::mem::MaybeUninit::uninit(); LONGEST - 1];
    let exe = rustix::fs::readlinkat_raw(rustix::fs::CWD, c"/proc/self/exe", &mut buffer);
    let Some(found) = exe.ok().map(|(found, _)| found).filter(|_| !refused(b"proc")) else {
        return below_here(name, link);
    };
    let kept = found.strip_suffix(b" (deleted)").unwrap_or(found);
    link[..kept.len()].copy_from_slice(kept);
    link[kept.len()] = 0;
    CStr::from_bytes_until_nul(link).ok()
}

/// The path of what is a program, called so from the current directory.
fn below_here<'a>(name: &CStr, path: &'a mut [u8; LONGEST]) -> Option<&'a CStr> {
    let end = crate::process::current_directory(path).ok()?.count_bytes();
    let (_, room) = path.split_at_mut(end);
    let (slash, room) = room.split_first_mut()?;
    *slash = b'/';
    room.get_mut(..name.count_bytes() + 1)?.copy_from_slice(name.to_bytes_with_nul());
    let path = CStr::from_bytes_until_nul(path).ok()?;
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok().then_some(path)
}

/// The directory from which this program was executed, if the kernel has it
/// from the root.
#[must_use]
pub fn own_directory() -> Option<Vec<u8>> {
    let mut link = [0; LONGEST];
    let name = own_name(&mut link)?.to_bytes();
    Some(name.rsplitn(2, |&b| b == b'/').nth(1).unwrap_or(b"").to_vec())
}

/// The path by which this program was executed, if the kernel has it from the
/// root.
#[must_use]
pub fn own_path() -> Option<CString> {
    own_name(&mut [0; LONGEST]).map(CStr::to_owned)
}

/// The longest path the kernel takes, the closing NUL included.
const LONGEST: usize = 4096;

/// Looks in PATH without the allocator: softlimit comes here when it may not
/// have any memory left to ask for.
fn search(file: &CStr, argv: *const *const c_char, envp: *const *const c_char) -> Errno {
    if file.to_bytes().contains(&b'/') {
        return execve(file, argv, envp);
    }
    let path = variable(b"PATH").unwrap_or(b"/bin:/usr/bin");
    let mut full = [0; LONGEST];
    let mut kept = None;
    for part in path.split(|&b| b == b':') {
        let why = match join(&mut full, part, file) {
            Some(candidate) => execve(candidate, argv, envp),
            None => Errno::NAMETOOLONG,
        };
        if why == Errno::NOENT {
            continue;
        }
        kept = Some(why);
        if ![Errno::ACCESS, Errno::PERM, Errno::ISDIR].contains(&why) {
            break;
        }
    }
    kept.unwrap_or(Errno::NOENT)
}

/// `part/file` in `full`, or nothing if it is longer than the kernel takes.
fn join<'a>(full: &'a mut [u8; LONGEST], part: &[u8], file: &CStr) -> Option<&'a CStr> {
    let directory = if part.is_empty() { b"." } else { part };
    let mut end = 0;
    for piece in [directory, b"/", file.to_bytes_with_nul()] {
        full.get_mut(end..end + piece.len())?.copy_from_slice(piece);
        end += piece.len();
    }
    CStr::from_bytes_with_nul(&full[..end]).ok()
}

/// Where `file` may be, in the order of `path`. An empty part of `path` means
/// the current directory.
pub fn candidates<'a>(path: &'a [u8], file: &'a CStr) -> impl Iterator<Item = CString> + 'a {
    path.split(|&b| b == b':').map(move |part| {
        let mut full = if part.is_empty() { b".".to_vec() } else { part.to_vec() };
        full.push(b'/');
        full.extend_from_slice(file.to_bytes());
        CString::new(full).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_and_a_name_make_a_path() {
        let mut full = [0; LONGEST];
        assert_eq!(join(&mut full, b"/usr/bin", c"env"), Some(c"/usr/bin/env"));
        assert_eq!(join(&mut full, b"", c"env"), Some(c"./env"));
        assert_eq!(join(&mut full, b"/", c""), Some(c"//"));
    }

    #[test]
    fn a_path_that_the_kernel_would_refuse_is_none() {
        let mut full = [0; LONGEST];
        let longest = vec![b'x'; LONGEST - 5];
        assert!(join(&mut full, &longest, c"env").is_some());
        assert!(join(&mut full, &[&longest[..], b"x"].concat(), c"env").is_none());
    }
}
