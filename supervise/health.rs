//! How the service does: what its directory asks of it, where it says that it
//! is ready or lives, and its check.

use crate::supervise::keep::{Supervise, TOOL, warn};
use crate::supervise::process;
use crate::supervise::reach::or_none;
use core::ffi::CStr;
use rustix::event::{PollFd, PollFlags};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, Signal, WaitStatus, getuid, kill_process_group};
use upkeep_cli::decimal;
use upkeep_core::notice::{self, Notice, Texts};
use upkeep_core::restart::Fault;
use upkeep_core::supervise::{Event, Plan, ReadyBy, Word};
use upkeep_family::{belongs, is_of_session, user_of};
use upkeep_servicedir::{Ear, Facts, Heard, Socket, check_program, said_before, write_said};
use upkeep_sys::datagram::NAME;
use upkeep_sys::spawn::Variable;

const MICROSECOND: u64 = 1000;
const MILLISECOND: u64 = 1000 * MICROSECOND;
/// How long a check may take when the directory does not say.
const CHECK: u32 = 10_000;
/// How many checks may fail in a row when the directory does not say.
const FAILURES: u8 = 3;
/// The descriptor on which readiness is said when no file names one.
const USUAL: i32 = 3;
/// More than a message that means something has.
const MESSAGE: usize = 4096;
/// More messages than wait on a socket.
const QUEUE: u32 = 1024;
/// So many messages are read before something else is looked at.
const AT_ONCE: usize = 16;

/// Where the service is heard.
pub(crate) struct Senses {
    /// Where it writes a newline, as long as it has not.
    ear: Option<Ear>,
    /// Where it says what systemd's services say.
    socket: Option<Socket>,
    /// Whether it may have said something there for people.
    said: bool,
    /// The check that runs.
    check: Option<Pid>,
    /// Whether it was said already that a stranger has said something.
    refused: bool,
}

/// Completes what the directory asks of its process.
pub(crate) fn read(facts: &Facts, dir: &CStr, plan: Plan) -> Plan {
    let none = |number: Option<u32>| u64::from(number.unwrap_or(0)) * MILLISECOND;
    let or = |said, file: &[u8], default: &[u8]| or_none(dir, said, file, default);
    let by_files = if facts.may_notify() { ReadyBy::Descriptor } else { ReadyBy::Run };
    let ready = or_none(dir, facts.ready_by(), b"ready-by", b"using the default");
    let failures = or_none(dir, facts.check_failures(), b"check-failures", b"using 3");
    let within = or(facts.timeout_check(), b"timeout-check", b"using 10000");
    Plan {
        ready: ready.unwrap_or(by_files),
        ready_within: none(or(facts.timeout_ready(), b"timeout-ready", b"using none")),
        life_every: none(or(facts.watchdog(), b"watchdog", b"using none")),
        check_every: none(or(facts.check_interval(), b"check-interval", b"using none")),
        check_within: u64::from(within.unwrap_or(CHECK)) * MILLISECOND,
        check_failures: failures.unwrap_or(FAILURES),
        ..plan
    }
}

impl Senses {
    pub(crate) const fn none() -> Self {
        Self { ear: None, socket: None, said: false, check: None, refused: false }
    }

    /// What to wait for.
    pub(crate) fn poll(&self) -> [Option<PollFd<'_>>; 2] {
        let ear = self.ear.as_ref().map(|ear| PollFd::new(ear, PollFlags::IN));
        [ear, self.socket.as_ref().map(|socket| PollFd::new(socket, PollFlags::IN))]
    }

    /// Lets it survive an exec, or not.
    pub(crate) fn bequeath(&self, survives: bool) -> rustix::io::Result<()> {
        self.ear.as_ref().map_or(Ok(()), |ear| ear.bequeath(survives))?;
        self.socket.as_ref().map_or(Ok(()), |socket| socket.bequeath(survives))
    }

    /// What a process is told about where to speak.
    pub(crate) fn told(&self, plan: &Plan) -> Told {
        let Some(socket) = &self.socket else { return Told { socket: None, every: None } };
        let mut entry = [0; SOCKET.len() + NAME + 3];
        let mut at = 0;
        for part in [SOCKET, b"=@", socket.name()] {
            entry[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        let mut digits = [0; 20];
        let micros = decimal(plan.life_every / MICROSECOND, &mut digits);
        let mut every = [0; EVERY.len() + 22];
        every[..EVERY.len()].copy_from_slice(EVERY);
        every[EVERY.len()] = b'=';
        every[EVERY.len() + 1..][..micros.len()].copy_from_slice(micros);
        Told { socket: Some(entry), every: Some(every).filter(|_| plan.life_every > 0) }
    }
}

const SOCKET: &[u8] = b"NOTIFY_SOCKET";
const EVERY: &[u8] = b"WATCHDOG_USEC";
/// For whom that is; without it, for whoever reads it.
const FOR: &[u8] = b"WATCHDOG_PID";

/// The entries of the environment that tell a process where to speak.
pub(crate) struct Told {
    socket: Option<[u8; SOCKET.len() + NAME + 3]>,
    every: Option<[u8; EVERY.len() + 22]>,
}

impl Told {
    /// The variables; where nobody listens, none is changed.
    pub(crate) fn variables(&self) -> [Option<Variable<'_>>; 3] {
        let Some(socket) = &self.socket else { return [None; 3] };
        let entry = |bytes| CStr::from_bytes_until_nul(bytes).ok();
        let every = self.every.as_ref().and_then(|every| entry(&every[..]));
        [
            Some(Variable { name: SOCKET, entry: entry(&socket[..]) }),
            Some(Variable { name: EVERY, entry: every }),
            Some(Variable { name: FOR, entry: None }),
        ]
    }
}

impl Supervise {
    /// Prepares to hear the process that is about to be started: what it has
    /// as which descriptor. What cannot be had is not waited for.
    pub(crate) fn prick_ears(&mut self) -> Option<(OwnedFd, i32)> {
        self.senses.ear = None;
        self.senses.refused = false;
        let plan = &mut self.machine.plan;
        if plan.ready == ReadyBy::Socket || plan.life_every > 0 {
            if self.senses.socket.is_none() {
                self.senses.socket = Socket::open()
                    .inspect_err(|why| self.warn_of(b"/supervise/notify-socket: ", *why))
                    .ok();
            }
            if let Some(socket) = &self.senses.socket {
                // What was said before is nothing that this process says.
                let _ = (0..QUEUE).find(|_| socket.receive(&mut [0; 1]).is_err());
                self.write_said(&Texts::NONE);
            } else {
                self.machine.plan.life_every = 0;
                if self.machine.plan.ready == ReadyBy::Socket {
                    self.machine.plan.ready = ReadyBy::Run;
                }
            }
        } else {
            self.senses.socket = None;
        }
        if self.machine.plan.ready != ReadyBy::Descriptor {
            return None;
        }
        let facts = self.reach.facts();
        let number = or_none(self.dir, facts.notification_fd(), b"notification-fd", b"using none");
        let asked = facts.ready_by() == Ok(Some(ReadyBy::Descriptor));
        let heard = number.or_else(|| asked.then_some(USUAL)).and_then(|number| {
            let opened = Ear::open();
            let opened = opened.inspect_err(|why| self.warn_of(b"/supervise/notify: ", *why));
            opened.ok().map(|(ear, mouth)| (ear, mouth, number))
        });
        let Some((ear, mouth, number)) = heard else {
            self.machine.plan.ready = ReadyBy::Run;
            return None;
        };
        self.senses.ear = Some(ear);
        Some((mouth, number))
    }

    fn warn_of(&self, file: &[u8], why: rustix::io::Errno) {
        TOOL.warn_os(&[b"unable to make ", self.dir.to_bytes(), file], why);
    }

    /// Hears the process again that another supervise has started. What it
    /// wrote to the descriptor meanwhile is there to be heard; if it has
    /// closed that meanwhile, what it said before went with it: most say that
    /// they are ready and then close it.
    pub(crate) fn hear_again(&mut self) {
        let asks = self.machine.health.every > 0 || self.machine.plan.ready == ReadyBy::Socket;
        if asks {
            self.senses.said = true;
            self.senses.socket = Socket::again();
            if self.senses.socket.is_none() {
                let name = self.dir.to_bytes();
                TOOL.warn(&[b"unable to open ", name, b"/supervise/notify-socket again", DEAF]);
                self.feed(Event::Said(Word::Every(0)));
            }
        }
        if !self.machine.health.awaited || self.machine.plan.ready != ReadyBy::Descriptor {
            return;
        }
        self.senses.ear = Ear::again();
        let heard = self.senses.ear.as_ref().map_or(Heard::Closed, Ear::hear);
        if heard != Heard::Nothing {
            self.senses.ear = None;
            self.feed(Event::Said(Word::Ready));
        }
    }

    /// The process is dead, and says nothing any more.
    pub(crate) fn hear_no_more(&mut self) {
        self.senses.ear = None;
        if core::mem::take(&mut self.senses.said) {
            self.write_said(&Texts::NONE);
        }
    }

    /// Whether the process has said something.
    pub(crate) fn hear_service(&mut self) {
        match self.senses.ear.as_ref().map(Ear::hear) {
            Some(Heard::Ready) => {
                self.senses.ear = None;
                self.feed(Event::Said(Word::Ready));
            }
            // It will not say so any more.
            Some(Heard::Closed) => self.senses.ear = None,
            Some(Heard::Nothing) | None => {}
        }
        if self.senses.socket.is_some() {
            self.hear_socket();
        }
    }

    /// Not inlined: its buffer would be pages that every supervise keeps.
    #[inline(never)]
    fn hear_socket(&mut self) {
        let mut buffer = [0; MESSAGE];
        for _ in 0..AT_ONCE {
            let Some(socket) = &self.senses.socket else { return };
            let Ok(received) = socket.receive(&mut buffer) else { return };
            // A barrier is crossed by now, and who waited for it may be gone.
            if notice::read(&buffer[..received.len]).next().is_none() {
                continue;
            }
            let sender = Pid::from_raw(received.sender.cast_signed());
            if !sender.is_some_and(|sender| self.may_speak(sender, received.user)) {
                self.refuse(received.sender);
                continue;
            }
            if received.cut {
                continue;
            }
            let (mut said, mut news) = (None, false);
            for notice in notice::read(&buffer[..received.len]) {
                match notice {
                    Notice::Word(word) => self.feed(Event::Said(word)),
                    Notice::Text(line) => news |= said.get_or_insert_with(said_before).put(line),
                    Notice::Main(pid) => self.says_main(pid),
                }
            }
            if let Some(said) = said.filter(|_| news) {
                self.senses.said = true;
                self.write_said(&said);
            }
        }
    }

    /// Whether this is one of the service's processes. What is cheap to find out
    /// comes first, and a stranger of another user is not looked for further:
    /// anybody can send as much as he likes.
    fn may_speak(&self, pid: Pid, user: u32) -> bool {
        let service = self.watch.living();
        service.is_some_and(|service| is_of_session(pid, service))
            || self.reach.holds(pid)
            || self.is_users(user) && self.is_own(pid)
    }

    /// Whether the user is one of those whom the service may be.
    fn is_users(&self, user: u32) -> bool {
        let owner = self.watch.living().and_then(user_of);
        user == 0 || user == getuid().as_raw() || owner == Some(user)
    }

    /// Whether this is one of the service's processes.
    pub(crate) fn is_own(&self, pid: Pid) -> bool {
        let service = self.watch.living();
        service.is_some_and(|service| belongs(pid, service) || self.reach.holds(pid))
            || self.is_kin(pid)
    }

    /// The service says that it is another process now.
    fn says_main(&mut self, pid: u32) {
        let main = Pid::from_raw(pid.cast_signed()).filter(|pid| !pid.is_init());
        if main.is_none_or(|main| !self.becomes(main)) {
            let mut digits = [0; 20];
            let pid = decimal(u64::from(pid), &mut digits);
            let name = self.dir.to_bytes();
            TOOL.warn(&[b"refusing to follow ", name, b" to process ", pid, STRANGER]);
        }
    }

    fn refuse(&mut self, sender: u32) {
        if !core::mem::replace(&mut self.senses.refused, true) {
            let mut digits = [0; 20];
            let sender = decimal(u64::from(sender), &mut digits);
            let name = self.dir.to_bytes();
            TOOL.warn(&[b"refusing a message for ", name, b" from process ", sender, STRANGER]);
        }
    }

    fn write_said(&self, texts: &Texts) {
        if let Err(trouble) = write_said(texts.bytes()) {
            warn(self.dir, trouble);
        }
    }

    /// Makes a check. What cannot be made has failed.
    pub(crate) fn check(&mut self) {
        let Some(program) = check_program() else {
            TOOL.warn(&[b"unable to start ", self.dir.to_bytes(), b"/check: it is not there"]);
            return self.feed(Event::Checked(Some(false)));
        };
        match process::start_check(program, self.dir) {
            Ok(pid) => {
                self.senses.check = Some(pid);
                self.set_aside(pid);
            }
            Err(why) => {
                let name = self.dir.to_bytes();
                TOOL.warn_os(&[b"unable to fork for ", name, b"/check: "], why);
                self.feed(Event::Checked(Some(false)));
            }
        }
    }

    /// Ends the check that runs. It has not been waited for.
    pub(crate) fn stop_check(&mut self) {
        if let Some(pid) = self.senses.check.take() {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }

    /// A child has ended; perhaps it was the check.
    pub(crate) fn check_ended(&mut self, pid: Pid, status: WaitStatus) {
        if self.senses.check == Some(pid) {
            self.senses.check = None;
            self.feed(Event::Checked(Some(status.exit_status() == Some(0))));
        }
    }

    /// Tells what the process is being ended for.
    pub(crate) fn blame(&self, fault: Fault) {
        let why: &[u8] = match fault {
            Fault::None => return,
            Fault::Late => b"it was not ready in time",
            Fault::Silent => b"it gave no sign of life in time",
            Fault::Unhealthy => b"its check has failed too often",
        };
        TOOL.warn(&[b"ending ", self.dir.to_bytes(), b": ", why]);
    }
}

const DEAF: &[u8] = b": not asking for signs of life";
const STRANGER: &[u8] = b", which is not one of its own";
