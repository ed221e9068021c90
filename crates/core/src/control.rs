//! The bytes that are written to `supervise/control`, which are also svc's
//! option letters.

/// A signal that supervise can be asked to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGABRT
    Abort,
    /// SIGALRM
    Alarm,
    /// SIGCONT
    Continue,
    /// What the directory says ends the service; SIGTERM if it does not.
    Down,
    /// SIGHUP
    Hangup,
    /// SIGINT
    Interrupt,
    /// SIGKILL
    Kill,
    /// SIGQUIT
    Quit,
    /// What the directory says has the service read its configuration;
    /// SIGHUP if it does not.
    Reload,
    /// SIGSTOP
    Stop,
    /// SIGTERM
    Terminate,
    /// SIGUSR1
    User1,
    /// SIGUSR2
    User2,
    /// SIGWINCH
    Window,
}

/// What a control byte asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `u`: be up, and up again when it ends.
    Up,
    /// `d`: be down.
    Down,
    /// `o`: be up once.
    Once,
    /// `x`: end supervise when the service is down.
    Exit,
    /// `p`: stop the process where it is.
    Pause,
    /// `c`: let it go on.
    Continue,
    /// `h`
    Hangup,
    /// `a`
    Alarm,
    /// `b`
    Abort,
    /// `i`
    Interrupt,
    /// `t`
    Terminate,
    /// `k`
    Kill,
    /// `q`
    Quit,
    /// `1`
    User1,
    /// `2`
    User2,
    /// `w`, s6's `y`
    Window,
    /// `r`: end the process, so that it is started again.
    Restart,
    /// `l`: have it read its configuration again.
    Reload,
    /// `e`: supervise executes its own program anew.
    Renew,
    /// `O`: do not start it any more.
    NoMore,
    /// `n`, which one supervise says to another: what it needs, or who needs
    /// it, has changed.
    Look,
}

/// Every command with its letter and what svc's help calls it.
pub const COMMANDS: [(u8, Command, &str); 22] = [
    (b'u', Command::Up, "up"),
    (b'd', Command::Down, "down"),
    (b'o', Command::Once, "once"),
    (b'x', Command::Exit, "exit"),
    (b'p', Command::Pause, "pause"),
    (b'c', Command::Continue, "continue"),
    (b'h', Command::Hangup, "hup"),
    (b'a', Command::Alarm, "alarm"),
    (b'b', Command::Abort, "abort"),
    (b'i', Command::Interrupt, "interrupt"),
    (b't', Command::Terminate, "term"),
    (b'k', Command::Kill, "kill"),
    (b'q', Command::Quit, "quit"),
    (b'1', Command::User1, "usr1"),
    (b'2', Command::User2, "usr2"),
    (b'w', Command::Window, "winch"),
    (b'y', Command::Window, "winch"),
    (b'r', Command::Restart, "restart"),
    (b'l', Command::Reload, "reload"),
    (b'e', Command::Renew, "execute anew"),
    (b'O', Command::NoMore, "no more"),
    (b'n', Command::Look, "look around"),
];

/// Behind this byte signals are for the process group, as encore has it.
pub const WHOLE: u8 = b'+';
/// And behind this one for the process again.
pub const SINGLE: u8 = b'=';

/// The letter whose signal goes to the process group by this one, as in s6.
#[must_use]
pub const fn of_group(byte: u8) -> Option<u8> {
    match byte {
        b'P' => Some(b'p'),
        b'C' => Some(b'c'),
        b'K' => Some(b'k'),
        _ => None,
    }
}

impl Command {
    /// The command for a control byte; a byte nobody knows asks for nothing.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        COMMANDS.iter().find(|row| row.0 == byte).map(|row| row.1)
    }
}
