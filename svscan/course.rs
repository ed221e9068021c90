//! The shell around the machine of the whole: what comes before the services,
//! the main command, the stop, and what comes after. What the machine decides
//! is done here, and nothing else.

use crate::svscan::command::{Command, code};
use crate::svscan::help::TOOL;
use crate::svscan::lines::PATIENCE;
use crate::svscan::machine;
use crate::svscan::options::Options;
use crate::svscan::rescue::Rescue;
use crate::svscan::scripts::{FINISH, INIT, Scripts};
use crate::svscan::watch::Svscan;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, WaitOptions, getpid, wait};
use upkeep_cli::Exit;
use upkeep_core::scan;
use upkeep_core::scan::Which;
use upkeep_core::whole::{Action, End, Event, Failure, GONE, Phase, Plan, TAIL, Whole};
use upkeep_sys::signals::{Whom, send, set_parent_death};
use upkeep_sys::{clock, decimal};

const SECOND: u64 = 1_000_000_000;
/// What a stop may take where somebody waits for it, before everything is
/// hurried: container engines wait ten seconds, and all that follows when all
/// of it is stuck has to be over by then.
const GRACE: u64 = 6 * SECOND;
const _: () = assert!(GRACE + TAIL + PATIENCE + GONE < 10 * SECOND);
/// The same where it is a machine that stops.
const MACHINE_GRACE: u64 = 60 * SECOND;
/// How long the command waits for the services.
const READY: u64 = 60 * SECOND;

/// How far everything is, and the processes that are no service's.
pub(crate) struct Course {
    pub(crate) plan: Plan,
    pub(crate) whole: Whole,
    pub(crate) command: Command,
    pub(crate) scripts: Scripts,
    /// What begins the stop, beside the others.
    pub(crate) stop: u8,
    /// Whether to say what is reaped, and what is forwarded.
    pub(crate) tells: [bool; 2],
    rescue: Rescue,
    end: Option<End>,
}

impl Course {
    /// Puts together what there is to do. From here on the services have no
    /// standard input, if there is a command to have it.
    pub(crate) fn new(options: &Options) -> Result<Self, Exit> {
        let plan = plan(options);
        let mut command = Command::new(options);
        if plan.command && plan.tree {
            command.set_input_aside().map_err(|why| {
                TOOL.fatal_os(&[b"unable to keep standard input for the command: "], why)
            })?;
        }
        Ok(Self {
            plan,
            whole: Whole::new(plan),
            command,
            scripts: Scripts::new(),
            stop: options.stop,
            tells: options.tells,
            rescue: Rescue::of(options),
            end: None,
        })
    }
}

/// What has to be so before anything else is done.
pub(crate) fn prepare(options: &Options) -> Result<(), Exit> {
    Rescue::of(options).arm();
    if options.machine {
        machine::begin();
    }
    if let Some(number) = options.parent_death {
        set_parent_death(number).map_err(|why| {
            TOOL.fatal_os(&[b"unable to ask for a signal at the parent's end: "], why)
        })?;
    }
    Ok(())
}

/// What there is to do, with all that was not said.
fn plan(options: &Options) -> Plan {
    let is_first = getpid().is_init();
    let command = options.command.is_some();
    let limited = options.tree && (is_first || command);
    let usual = if options.machine { Some(MACHINE_GRACE) } else { limited.then_some(GRACE) };
    let grace = options.grace.or(usual);
    let part = grace.map_or(0, |grace| if options.tree { grace / 2 } else { grace });
    Plan {
        tree: options.tree,
        command,
        grace,
        command_grace: options.command_grace.unwrap_or(part),
        ready: options.ready.unwrap_or(READY),
        on_init: options.failure.unwrap_or(Failure::Stop),
        on_ready: options.failure.unwrap_or(Failure::Warn),
        on_finish: options.failure.unwrap_or(Failure::Warn),
        sweeps: is_first,
        machine: options.machine,
        rescue: Rescue::of(options).is_there(),
    }
}

impl Svscan {
    /// Feeds the machine, and does what it says.
    pub(crate) fn proceed(&mut self, event: Event) {
        let (whole, actions) = self.course.whole.step(event, clock::monotonic());
        self.course.whole = whole;
        for action in actions {
            self.act(action);
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::RunInit => self.run_script(INIT, 0),
            Action::EndInit => self.course.scripts.tell(INIT, Signal::TERM),
            Action::KillInit => self.course.scripts.tell(INIT, Signal::KILL),
            Action::WarnOfInit(code) => failed(b".svscan/init", code),
            Action::StartServices => {
                self.leaving = false;
                self.scan_at = 0;
            }
            Action::WarnOfServices => self.warn_of_services(),
            Action::WarnOfStuck => self.warn_of_stuck(),
            Action::StartCommand => {
                let Self { course, start, launcher, environments, .. } = self;
                let environment = environments.command.as_ref();
                let (start, open_files) = (start.as_ref(), launcher.open_files);
                if let Err(why) = course.command.start(start, open_files, environment) {
                    let _ = TOOL.fatal_os(&[b"unable to fork for the command: "], why);
                    self.proceed(Event::CommandEnded(Exit::System.code()));
                }
            }
            Action::EndCommand => self.course.command.end(),
            Action::KillCommand => self.course.command.kill(),
            Action::LeaveServices => self.leave(scan::Event::Leave),
            Action::HurryServices => self.leave(scan::Event::Hurry),
            Action::KillServices => {
                for index in 0..self.roster.len() {
                    for which in [Which::Main, Which::Log] {
                        if self.roster.get(index).service.runs(which) {
                            self.signal(index, which, Signal::QUIT);
                        }
                    }
                }
            }
            Action::RunFinish(code) => self.run_script(FINISH, code),
            Action::KillFinish => self.course.scripts.tell(FINISH, Signal::KILL),
            Action::WarnOfFinish(code) => failed(b".svscan/finish", code),
            Action::Sweep => self.sweep(),
            Action::End(end) => self.course.end = Some(end),
        }
    }

    fn leave(&mut self, event: scan::Event) {
        self.leaving = true;
        self.notify.stopping();
        self.feed_all(event, |_| true);
        if let Some(notices) = &self.notices {
            notices.let_go();
        }
    }

    /// Does what is due, and answers with the end when that has come.
    pub(crate) fn keep_course(&mut self) -> Option<Exit> {
        // What is there in the last moment is in time.
        if self.course.whole.phase == Phase::Rising {
            if self.are_all_ready() {
                self.proceed(Event::Ready);
            } else if self.are_all_stuck() {
                self.proceed(Event::Stuck);
            }
        }
        if self.course.whole.phase != Phase::Rising {
            self.stuck.stirs();
        }
        let whole = &self.course.whole;
        if whole.due.is_some_and(|due| due <= clock::monotonic()) {
            self.proceed(Event::Tick);
        }
        if self.course.whole.phase == Phase::Running && self.looked {
            self.notify.ready();
        }
        if self.course.whole.awaits_emptiness() && self.roster.len() == 0 {
            self.proceed(Event::Empty);
        }
        let end = self.course.end?;
        self.end_output();
        self.end_holder();
        self.state.withdraw();
        Some(self.end(end))
    }

    fn end(&self, end: End) -> Exit {
        match end {
            End::Code(code) => Exit::Of(code),
            End::Failed(code) => {
                failed(b".svscan/init", code);
                self.course.rescue.instead(Exit::Of(code))
            }
            End::Halt | End::PowerOff | End::Restart => machine::end(end),
        }
    }

    /// A child has ended: whether it was one of these.
    pub(crate) fn course_ended(&mut self, pid: Pid, status: i32) -> bool {
        if let Some(code) = self.course.command.ended(pid, status) {
            self.proceed(Event::CommandEnded(code));
        } else if self.course.scripts.ended(INIT, pid) {
            self.proceed(Event::Prepared(code(status)));
        } else if self.course.scripts.ended(FINISH, pid) {
            self.proceed(Event::Finished(code(status)));
        } else {
            return false;
        }
        true
    }

    /// Kills everything that is left, and waits until it has gone.
    fn sweep(&mut self) {
        self.end_output();
        self.end_holder();
        let until = clock::monotonic() + GONE;
        let _ = send(Whom::Everybody, 9);
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => self.tell_reaped(pid, status.as_raw()),
                Ok(None) if clock::monotonic() < until => {
                    let timeout = clock::until(until);
                    let _ = poll(&mut [PollFd::new(&self.signals, PollFlags::IN)], Some(&timeout));
                    while self.signals.next_number().is_some() {}
                }
                // Nobody is left, or nobody who can be killed.
                Ok(None) | Err(_) => break,
            }
        }
        self.proceed(Event::Swept);
    }

    /// Says that somebody's orphan was waited for, if that is to be said.
    pub(crate) fn tell_reaped(&self, pid: Pid, status: i32) {
        if self.course.tells[0] {
            let (mut pid_digits, mut code_digits) = ([0; 20], [0; 20]);
            let number = decimal(pid.as_raw_pid().unsigned_abs().into(), &mut pid_digits);
            let code = decimal(code(status).into(), &mut code_digits);
            TOOL.info(&[b"reaped ", number, b", exit code ", code]);
        }
    }
}

fn failed(what: &[u8], code: u8) {
    let mut digits = [0; 20];
    TOOL.warn(&[what, b" failed with exit code ", decimal(code.into(), &mut digits)]);
}
