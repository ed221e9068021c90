//! What the files and programs in the tree are called.

/// In a service directory: its make-up.
pub(crate) const MAKE: &str = "make";
/// In a service directory: locked as long as its process lives.
pub(crate) const LOCK: &str = "alone";
/// In a service directory: the number of the last line that was written, and
/// whether that is all.
pub(crate) const COUNTER: &str = "counter";
/// In a service directory: the program that it starts beside itself.
pub(crate) const HELPER: &str = "helper";
/// In a service directory: what tidies up after its process.
pub(crate) const FINISH: &str = "finish";
/// In a service directory: what tells whether it is ready.
pub(crate) const CHECK: &str = "check";
/// In a service directory: the process that the check is to succeed for.
pub(crate) const WELL: &str = "well";
/// In the directory of what is done once: what does it, and what undoes it.
pub(crate) const DO: &str = "up";
pub(crate) const UNDO: &str = "down";
/// In a service directory: those that it needs, wants, and is started after.
pub(crate) const NEEDS: &str = "needs";
pub(crate) const WANTS: &str = "wants";
pub(crate) const AFTER: &str = "after";
/// In a service directory: what a `run` that is a script becomes.
pub(crate) const SERVICE: &str = "service";
/// In the tree of a container: its main command, and where that is told how to
/// end.
pub(crate) const COMMAND: &str = "command";
pub(crate) const WORD: &str = "command.end";
/// In the tree of a container: the log of all services without a logger, and
/// what it had before.
pub(crate) const ALL: &str = "all";
pub(crate) const KEPT: &str = "kept";
/// In the tree: what svscan, supervise and multilog say.
pub(crate) const SAID: &str = "said";
/// In the tree: the directory that svscan looks at.
pub(crate) const SCAN: &str = "scan";
/// In a logger's directory: the logs.
pub(crate) const LOGS: &str = "main";
