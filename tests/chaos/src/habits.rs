//! What a service does beyond its lines: it says that it is ready, and it
//! gives signs of life. Now and then it leaves that out on purpose.

use crate::events::{Teller, What};
use crate::files;
use crate::kinds::{Kind, Make};
use crate::random::Random;
use rustix::io::Errno;
use rustix::process::getpid;
use std::fs::OpenOptions;
use std::io::{Error, ErrorKind, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use upkeep_outside::wait::{MILLISECOND, now};

/// The descriptor to say it on, as somebody who opens it himself.
const MOUTH: &str = "/proc/self/fd/3";
/// How often signs of life are given.
const SIGN: u64 = 300 * MILLISECOND;
/// The faults by their numbers in the record.
pub(crate) const LATE: u8 = 1;
pub(crate) const SILENT: u8 = 2;

/// What is to be done, and when.
pub(crate) struct Habits {
    kind: Kind,
    ready_at: Option<u64>,
    sign_at: Option<u64>,
    silent_at: Option<u64>,
    /// When it ends by itself, if it does.
    pub(crate) ends_at: Option<u64>,
}

impl Habits {
    /// Those of a process that begins now.
    pub(crate) fn new(make: &Make, random: &mut Random, teller: &Teller) -> Self {
        let now = now();
        let mut habits = Self {
            kind: make.kind,
            ready_at: None,
            sign_at: None,
            silent_at: None,
            ends_at: lifetime(make.kind, random).map(|time| now + time),
        };
        // Of an earlier process, which may have had the same number.
        let _ = std::fs::remove_file(files::WELL);
        match make.kind {
            Kind::Descriptor | Kind::Socket | Kind::Check if random.once_in(4) => {
                if make.is_strict() {
                    habits.ends_at = None;
                    teller.tell(What::Fault { number: LATE });
                }
            }
            Kind::Descriptor | Kind::Socket | Kind::Check => {
                habits.ready_at = Some(now + random.milliseconds(0, 1500));
            }
            Kind::Alive => habits.sign_at = Some(now),
            Kind::Silent => {
                habits.sign_at = Some(now);
                habits.silent_at = Some(now + random.milliseconds(200, 6000));
            }
            Kind::Plain
            | Kind::Unlogged
            | Kind::Crash
            | Kind::Helpers
            | Kind::Orphan
            | Kind::Deaf
            | Kind::Down
            | Kind::Once
            | Kind::Paused
            | Kind::Finish
            | Kind::Delayed
            | Kind::Limited
            | Kind::Group
            | Kind::Oneshot => {}
        }
        habits
    }

    /// When something is to be done next.
    pub(crate) fn next(&self) -> Option<u64> {
        [self.ready_at, self.sign_at, self.silent_at, self.ends_at].into_iter().flatten().min()
    }

    /// Does what is to be done now.
    pub(crate) fn act(&mut self, teller: &Teller) -> Result<(), Errno> {
        let now = now();
        let due = |at: Option<u64>| at.is_some_and(|at| at <= now);
        if due(self.silent_at) {
            self.silent_at = None;
            self.sign_at = None;
            teller.tell(What::Fault { number: SILENT });
            // The last one, so that it is known when the next would be due.
            notify(b"WATCHDOG=1")?;
        }
        if due(self.sign_at) {
            self.sign_at = Some(now + SIGN);
            notify(b"WATCHDOG=1")?;
        }
        if due(self.ready_at) {
            self.ready_at = None;
            // Told before: whoever sees that it is ready knows that it may be.
            teller.tell(What::Ready);
            self.say_ready()
                .map_err(|why| why.raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error))?;
        }
        Ok(())
    }

    fn say_ready(&self) -> Result<(), Error> {
        if self.kind == Kind::Descriptor {
            return OpenOptions::new().write(true).open(MOUTH)?.write_all(b"\n");
        }
        if self.kind == Kind::Check {
            return std::fs::write(files::WELL, getpid().to_string());
        }
        Ok(notify(b"READY=1")?)
    }
}

fn lifetime(kind: Kind, random: &mut Random) -> Option<u64> {
    match kind {
        Kind::Crash => Some(random.milliseconds(0, 6000)),
        Kind::Once => Some(random.milliseconds(0, 3000)),
        Kind::Finish => Some(random.milliseconds(0, 4000)),
        Kind::Descriptor | Kind::Socket | Kind::Check => Some(random.milliseconds(2000, 25_000)),
        Kind::Delayed | Kind::Limited => Some(random.milliseconds(50, 600)),
        Kind::Plain
        | Kind::Unlogged
        | Kind::Helpers
        | Kind::Orphan
        | Kind::Deaf
        | Kind::Down
        | Kind::Paused
        | Kind::Alive
        | Kind::Silent
        | Kind::Group
        | Kind::Oneshot => None,
    }
}

/// Says something to whoever listens. Nobody may at the moment.
fn notify(message: &[u8]) -> Result<(), Errno> {
    let name = std::env::var("NOTIFY_SOCKET").map_err(|_| Errno::DESTADDRREQ)?;
    let name = name.strip_prefix('@').ok_or(Errno::DESTADDRREQ)?;
    let send = || {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.send_to_addr(message, &SocketAddr::from_abstract_name(name)?)
    };
    match send() {
        Ok(_) => Ok(()),
        Err(why) if matches!(why.kind(), ErrorKind::ConnectionRefused | ErrorKind::WouldBlock) => {
            Ok(())
        }
        Err(why) => Err(why.raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error)),
    }
}
