//! Named points at which a test can have a program killed. A debug build asks
//! its environment; a release build contains nothing of it.

/// The variable that says where: `name=PATH`.
#[cfg(debug_assertions)]
const VARIABLE: &core::ffi::CStr = c"UPKEEP_KILL_AT";

/// Marks a point with this name. Where UPKEEP_KILL_AT is `name=PATH` and PATH
/// can be unlinked, so that each PATH is one kill, the process gets SIGKILL
/// from itself and does not come back.
#[macro_export]
macro_rules! point {
    ($name:literal) => {
        $crate::point::reach($name)
    };
}

/// What `point!` does. It allocates nothing.
#[cfg(debug_assertions)]
pub fn reach(name: &str) {
    // SAFETY: the name is a C string, and nobody here changes the environment
    // while the answer is looked at.
    let value = unsafe { libc::getenv(VARIABLE.as_ptr()) };
    if value.is_null() {
        return;
    }
    // SAFETY: what getenv found is a C string that stays where it is.
    let value = unsafe { core::ffi::CStr::from_ptr(value) };
    let path = value.to_bytes_with_nul().strip_prefix(name.as_bytes());
    let path = path.and_then(|rest| rest.strip_prefix(b"="));
    let path = path.and_then(|rest| core::ffi::CStr::from_bytes_with_nul(rest).ok());
    if let Some(path) = path
        && rustix::fs::unlink(path).is_ok()
    {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// What `point!` does in a release build: nothing.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub const fn reach(_name: &str) {}
