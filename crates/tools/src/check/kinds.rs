//! Every kind of finding: its name, how bad it is, what it means.

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It does not work, or others can take it over.
    Error,
    /// It works in another way than it looks, or not always.
    Warning,
    /// It may be meant.
    Note,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A kind of finding.
#[derive(Debug)]
pub struct Kind {
    /// Its name, by which it can be left out.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is, for the list of all.
    pub meaning: &'static str,
}

macro_rules! kinds {
    ($($name:ident $id:literal $severity:ident $meaning:literal;)*) => {
        $(
            #[doc = $meaning]
            pub static $name: Kind =
                Kind { id: $id, severity: Severity::$severity, meaning: $meaning };
        )*
        /// All of them.
        pub static ALL: &[&Kind] = &[$(&$name),*];
    };
}

kinds! {
    NO_RUN "no-run" Error "there is nothing to start";
    WRONG_TYPE "wrong-type" Error "a directory, a FIFO or a file where something else has to be";
    DANGLING "dangling" Error "a symbolic link that leads nowhere";
    NOT_EXECUTABLE "not-executable" Error "a program that nobody may execute";
    EMPTY "empty" Error "a program with nothing in it";
    NO_INTERPRETER "no-interpreter" Error "a script without #! in its first line";
    INTERPRETER "interpreter" Error "an interpreter that is not there or cannot be executed";
    BOM "bom" Error "a byte order mark in front of #!";
    CRLF "crlf" Error "line ends of DOS";
    UNREADABLE "unreadable" Warning "a file that cannot be looked into";
    SYNTAX "no-shell" Note "a shell script that svcheck does not understand";
    NO_EXEC "no-exec" Warning "a shell that stays in front of the program";
    AFTER_EXEC "after-exec" Warning "a command behind an exec, which never runs";
    BACKGROUND "background" Error "a run that puts its last command into the background";
    DAEMONIZES "daemonizes" Warning "a program that puts itself into the background";
    PIPE "pipe" Warning "a run that ends in a pipe, in the place of a logger";
    BUFFERED "buffered" Warning "output that reaches the logger late";
    CD "cd" Warning "a cd whose failure goes unnoticed";
    CWD "cwd" Warning "a file of the service directory, named from another directory";
    ACCOUNT "account" Warning "an account that is not there";
    NO_LOG "no-log" Note "standard error is sent to a logger that is not there";
    LOG_DIR "log-dir" Error "a directory that the logger cannot write to";
    MISSPELT "misspelt" Warning "a name that looks like another one that means something";
    BAD_VALUE "bad-value" Error "a file that does not say what it may";
    MILLISECONDS "milliseconds" Warning "a time that was meant to be in seconds";
    NO_EFFECT "no-effect" Warning "a file that means nothing beside or without another one";
    CONFLICT "conflict" Error "files that do not go together";
    NO_CHECK "no-check" Error "a check that is asked for and is not there";
    WRITABLE "writable" Error "what anybody can change";
    GROUP_WRITABLE "group-writable" Warning "what a group can change";
    OWNER "owner" Error "what belongs to somebody who could take the tree over";
    SUPERVISE "supervise" Error "a directory supervise that no supervise can use";
    COPIED "copied" Warning "a directory supervise that was copied with its service";
    IGNORED "ignored" Warning "what svscan leaves alone";
    NEEDS "needs" Error "a service is needed that is not there";
    WANTS "wants" Warning "a service is wanted that is not there";
    AFTER "after" Note "a service would be waited for that is not there";
    CIRCLE "circle" Error "services that wait for each other";
    DOWN "down" Note "a service that is not started by itself";
}
