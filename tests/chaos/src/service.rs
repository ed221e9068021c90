//! The service: this program under the name `run`. It makes sure that it is
//! alone, writes its lines and keeps count of them, and does what its kind
//! does. Of a line that is being written when it is killed, the next one says
//! that it is uncertain, and never uses its number.

use crate::events::{Teller, What};
use crate::habits::Habits;
use crate::kinds::{Kind, Make};
use crate::random::Random;
use crate::status::Status;
use crate::tree::number;
use crate::{files, lines};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FlockOperation, Mode, OFlags, fcntl_lock, open};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, getppid, pidfd_open};
use rustix::stdio::{stderr, stdout};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::wait::{MILLISECOND, first, now};

/// What a service is without.
const NO_MAKE: u8 = 99;
/// What it ends with when it is not alone.
const NOT_ALONE: u8 = 98;

/// Is the service.
pub(crate) fn run() -> ExitCode {
    ExitCode::from(work())
}

fn work() -> u8 {
    let Some(make) = std::fs::read_to_string(files::MAKE).ok().and_then(|t| Make::decode(&t))
    else {
        return NO_MAKE;
    };
    let teller = Teller::open();
    look_at_needs(&teller);
    let alone = match alone() {
        Ok(alone) => alone,
        Err(why) => {
            let other = matches!(why, Errno::AGAIN | Errno::ACCESS);
            let errno = u64::from(why.raw_os_error().unsigned_abs());
            teller.tell(if other { What::Conflict } else { What::Trouble { errno } });
            return NOT_ALONE;
        }
    };
    let code = match Service::begin(make, &teller).and_then(|mut service| service.live(&teller)) {
        Ok(code) => code,
        Err(Trouble::BrokenPipe) => {
            teller.tell(What::BrokenPipe);
            1
        }
        Err(Trouble::System(why)) => {
            teller.tell(What::Trouble { errno: u64::from(why.raw_os_error().unsigned_abs()) });
            1
        }
    };
    teller.tell(What::End { code });
    drop(alone);
    code
}

/// Tells of those that this one needs and that are not ready, as their records
/// say.
pub(crate) fn look_at_needs(teller: &Teller) {
    let Ok(needs) = std::fs::read_dir(files::NEEDS) else { return };
    for name in needs.flatten().map(|entry| entry.file_name()) {
        let dir = std::path::Path::new("..").join(&name);
        let need = name.to_str().and_then(number);
        if let (Some(need), Some(status)) = (need, Status::read(&dir))
            && !status.is_ready()
        {
            let (seconds, nanos) = (status.id.1, status.id.2);
            let then = i128::from(seconds) * 1000 + i128::from(nanos) / 1_000_000;
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let since = i128::try_from(now.as_millis()).unwrap_or(0) - then;
            teller.tell(What::Lacks { need, since: u32::try_from(since).unwrap_or(0) });
        }
    }
}

/// A lock of this process alone: nothing that it starts has a part in it, not
/// even before it becomes another program.
pub(crate) fn alone() -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
    let file = open(files::LOCK, flags, Mode::from_raw_mode(0o600))?;
    fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

enum Trouble {
    BrokenPipe,
    System(Errno),
}

struct Service {
    make: Make,
    random: Random,
    counter: Counter,
    line: Vec<u8>,
    helpers: Vec<Child>,
    habits: Habits,
    /// What started it, if its end is heeded.
    above: Option<OwnedFd>,
}

impl Service {
    fn begin(make: Make, teller: &Teller) -> Result<Self, Trouble> {
        let counter = Counter::open(teller).map_err(Trouble::System)?;
        let mut random = Random::new(make.seed ^ now(), u64::from(std::process::id()));
        let habits = Habits::new(&make, &mut random, teller);
        let above = getppid().filter(|_| make.kind == Kind::Orphan);
        let above = above.and_then(|p| pidfd_open(p, PidfdFlags::empty()).ok());
        Ok(Self { make, random, counter, line: Vec::new(), helpers: Vec::new(), habits, above })
    }

    /// Lives until it ends by itself, and says how.
    fn live(&mut self, teller: &Teller) -> Result<u8, Trouble> {
        let mut next = 0;
        loop {
            self.habits.act(teller).map_err(Trouble::System)?;
            let writes = next <= now();
            if writes && (self.make.logged || self.make.shown) {
                for _ in 0..self.make.burst {
                    self.write()?;
                }
            }
            if writes && self.make.kind == Kind::Helpers {
                self.help(teller);
            }
            if writes {
                next = now() + self.pause();
            }
            let until = self.habits.next().map_or(next, |at| at.min(next));
            let above: Vec<_> = self.above.iter().map(AsFd::as_fd).collect();
            let left_alone = matches!(first(&above, until), Ok(Some(_)));
            if left_alone {
                // Now, or a moment later, when somebody may be about to come.
                let _ = first(&[], now() + self.random.milliseconds(0, 60));
            }
            if left_alone || self.habits.ends_at.is_some_and(|at| at <= now()) {
                self.counter.close().map_err(Trouble::System)?;
                // One whose failures are counted is seldom without.
                let codes = if self.make.kind == Kind::Delayed { 7 } else { 4 };
                return Ok(u8::try_from(self.random.below(codes) * 36).unwrap_or(0));
            }
        }
    }

    fn pause(&mut self) -> u64 {
        (self.make.pause / 2 + self.random.below(self.make.pause + 1)) * MILLISECOND
    }

    /// The next line, and then its number.
    fn write(&mut self) -> Result<(), Trouble> {
        let number = self.counter.last + 1;
        lines::write(self.make.seed, number, &mut self.line);
        let to = if self.make.complains() { stderr() } else { stdout() };
        loop {
            match rustix::io::write(to, &self.line) {
                // A pipe takes a line of this size whole or not.
                Ok(_) => break,
                Err(Errno::INTR) => {}
                Err(Errno::PIPE) => return Err(Trouble::BrokenPipe),
                Err(why) => return Err(Trouble::System(why)),
            }
        }
        self.counter.store(number).map_err(Trouble::System)
    }

    fn help(&mut self, teller: &Teller) {
        self.helpers.retain_mut(|h| matches!(h.try_wait(), Ok(None)));
        if self.helpers.len() < 3 && self.random.once_in(4) {
            let mut command = Command::new(format!("./{}", files::HELPER));
            command.arg0(files::HELPER).stdin(Stdio::null());
            match command.spawn() {
                Ok(child) => self.helpers.push(child),
                Err(why) => {
                    let errno = why.raw_os_error().map_or(0, i32::unsigned_abs);
                    teller.tell(What::Trouble { errno: u64::from(errno) });
                }
            }
        }
    }
}

/// The number of the last line, kept where a SIGKILL does not reach it.
struct Counter {
    file: OwnedFd,
    last: u64,
}

impl Counter {
    /// Goes on where the last one ended, and tells of the start.
    fn open(teller: &Teller) -> Result<Self, Errno> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
        let file = open(files::COUNTER, flags, Mode::from_raw_mode(0o600))?;
        let count = Count::read(&file)?;
        let uncertain = if count.closed { 0 } else { count.last + 1 };
        // Told before the number is given up: whoever is killed in between is
        // followed by one that tells the same.
        teller.tell(What::Start { uncertain });
        let mut counter = Self { file, last: count.last };
        counter.store(count.last.max(uncertain))?;
        Ok(counter)
    }

    fn store(&mut self, last: u64) -> Result<(), Errno> {
        self.last = last;
        self.put(Count { last, closed: false })
    }

    /// Nothing more is written.
    fn close(&self) -> Result<(), Errno> {
        self.put(Count { last: self.last, closed: true })
    }

    fn put(&self, count: Count) -> Result<(), Errno> {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&count.last.to_le_bytes());
        bytes[8] = u8::from(count.closed);
        rustix::io::pwrite(&self.file, &bytes, 0).map(drop)
    }
}

/// What a service's counter says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    /// The number of the last line that was written.
    pub(crate) last: u64,
    /// Whether it is certain that the next one was not.
    pub(crate) closed: bool,
}

impl Count {
    fn read(file: &OwnedFd) -> Result<Self, Errno> {
        let mut bytes = [0; 16];
        let n = rustix::io::pread(file, &mut bytes, 0)?;
        let [a, b, c, d, e, f, g, h, closed, ..] = bytes;
        let last = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        // A file that is still empty is that of a service that never ran.
        Ok(Self { last, closed: closed != 0 || n == 0 })
    }

    /// The one in the service directory `dir`.
    pub(crate) fn find(dir: &std::path::Path) -> Result<Self, Failure> {
        let path = dir.join(files::COUNTER);
        match open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
            Ok(file) => Self::read(&file).unable(format_args!("read {}", path.display())),
            Err(Errno::NOENT) => Ok(Self { last: 0, closed: true }),
            Err(why) => Err(why).unable(format_args!("open {}", path.display())),
        }
    }
}
