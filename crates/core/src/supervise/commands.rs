//! What a command does: every phase with every command.

use super::{Action, Actions, Kind, Machine, Phase, Yielding};
use crate::control::{Command, Signal};
use crate::status::Want;

impl Machine {
    /// The next state and what to do to get there.
    pub(super) fn command(mut self, command: Command, now: u64) -> (Self, Actions) {
        use Action::{Announce, Intend, Renew, Send, Wake};
        let send = |signal| Actions::of(&[Send(signal)]);
        let actions = match (self.phase, command) {
            (Phase::Down | Phase::Waiting(_) | Phase::Needing(_), Command::Up) => {
                self.wanted(Want::Up);
                return self.start_when_due(&[Announce], now);
            }
            (Phase::Down | Phase::Waiting(_) | Phase::Needing(_), Command::Once) => {
                self.wanted(Want::Once);
                return self.start_when_due(&[Announce], now);
            }
            (Phase::Down | Phase::Waiting(_) | Phase::Needing(_), Command::Down) => {
                self.want = Want::Down;
                return self.go_down(&[Announce], now);
            }
            (Phase::Down | Phase::Waiting(_) | Phase::Needing(_), Command::Exit) => {
                self.exiting = true;
                return self.go_down(&[Announce], now);
            }
            (Phase::Waiting(_) | Phase::Needing(_), Command::NoMore) => {
                self.want = Want::Once;
                return self.go_down(&[Announce], now);
            }
            (
                Phase::Preparing(_)
                | Phase::Up(_)
                | Phase::Following(_)
                | Phase::There
                | Phase::Clearing(_)
                | Phase::Finishing(_),
                Command::NoMore,
            ) => {
                if self.want == Want::Up {
                    self.want = Want::Once;
                }
                Actions::of(&[Announce])
            }
            // Without a process these change nothing; daemontools writes its
            // status anyway, and a reader may wait for that.
            (
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Needing(_)
                | Phase::There
                | Phase::Following(_)
                | Phase::Clearing(_)
                | Phase::Finishing(_),
                Command::Pause | Command::Continue,
            ) => Actions::of(&[Announce]),
            (
                Phase::Down | Phase::Waiting(_) | Phase::Needing(_) | Phase::Clearing(_),
                Command::Hangup
                | Command::Alarm
                | Command::Abort
                | Command::Interrupt
                | Command::Terminate
                | Command::Kill
                | Command::Quit
                | Command::User1
                | Command::User2
                | Command::Window
                | Command::Restart
                | Command::Reload,
            )
            // There is nobody yet who could hear these.
            | (
                Phase::Following(_),
                Command::Hangup
                | Command::Alarm
                | Command::Abort
                | Command::Interrupt
                | Command::Quit
                | Command::User1
                | Command::User2
                | Command::Window
                | Command::Reload,
            )
            // Nor will there be.
            | (
                Phase::There,
                Command::Hangup
                | Command::Alarm
                | Command::Abort
                | Command::Interrupt
                | Command::Terminate
                | Command::Quit
                | Command::User1
                | Command::User2
                | Command::Window
                | Command::Reload,
            )
            // It is not started.
            | (Phase::Down, Command::NoMore)
            // These look when they come to that.
            | (
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Finishing(_)
                | Phase::Clearing(_),
                Command::Look,
            ) => Actions::default(),

            (
                Phase::Preparing(_) | Phase::Up(_) | Phase::Following(_) | Phase::There | Phase::Clearing(_) | Phase::Finishing(_),
                Command::Up,
            ) => self.keep(Want::Up),
            (
                Phase::Preparing(_) | Phase::Up(_) | Phase::Following(_) | Phase::There | Phase::Clearing(_) | Phase::Finishing(_),
                Command::Once,
            ) => self.keep(Want::Once),
            (Phase::Up(_) | Phase::Following(_) | Phase::There, Command::Down) => {
                self.want = Want::Down;
                return self.go(now);
            }
            // Whoever is waited for is waited for no more.
            (Phase::There, Command::Kill) => return self.free(now),
            // What was done is undone, and done again. In a group, those are told
            // that it is made of.
            (Phase::There, Command::Restart) => match self.plan.kind {
                Kind::Oneshot => return self.go(now),
                Kind::Group | Kind::Lasting => Actions::default(),
            },
            (Phase::Up(_) | Phase::Following(_), Command::Restart) => {
                self.end_in_time(now);
                Actions::of(&[Send(Signal::Down), Wake, Announce])
            }
            (Phase::Up(_) | Phase::Following(_) | Phase::There, Command::Exit)
                if self.plan.exit_ends =>
            {
                self.exiting = true;
                self.want = Want::Down;
                return self.go(now);
            }
            (Phase::Needing(_), Command::Look) => Actions::of(&[Action::Look]),
            (Phase::Up(_) | Phase::Following(_) | Phase::There, Command::Look)
                if self.yielding != Yielding::No =>
            {
                Actions::of(&[Action::Yield])
            }
            (
                Phase::Preparing(_) | Phase::Up(_) | Phase::Following(_) | Phase::There,
                Command::Look,
            ) => Actions::of(&[Action::Look]),
            // Nothing is up that could be kept so.
            (Phase::Preparing(_), Command::Down) => {
                self.want = Want::Down;
                self.end_in_time(now);
                Actions::of(&[Intend, Send(Signal::Terminate), Wake, Announce])
            }
            (Phase::Preparing(_), Command::Exit) if self.plan.exit_ends => {
                self.exiting = true;
                self.want = Want::Down;
                self.end_in_time(now);
                Actions::of(&[Intend, Send(Signal::Terminate), Wake, Announce])
            }
            (Phase::Preparing(_) | Phase::Finishing(_), Command::Restart) => Actions::default(),
            // What tidies up after the process is let do so.
            (Phase::Clearing(_) | Phase::Finishing(_), Command::Down) => {
                self.want = Want::Down;
                Actions::of(&[Announce])
            }
            (
                Phase::Preparing(_) | Phase::Up(_) | Phase::Following(_) | Phase::There | Phase::Clearing(_) | Phase::Finishing(_),
                Command::Exit,
            ) => {
                self.exiting = true;
                if self.plan.exit_ends {
                    self.want = Want::Down;
                }
                Actions::of(&[Announce])
            }
            (Phase::Preparing(_) | Phase::Up(_), Command::Pause) => {
                self.paused = true;
                self.health.ask_nothing();
                Actions::of(&[Announce, Send(Signal::Stop)])
            }
            (Phase::Preparing(_) | Phase::Up(_), Command::Continue) => {
                if self.paused {
                    self.paused = false;
                    self.ask(now);
                }
                Actions::of(&[Announce, Send(Signal::Continue)])
            }
            // What is for the service is not for what tidies up after it; that can
            // only be killed.
            (
                Phase::Finishing(_),
                Command::Hangup
                | Command::Alarm
                | Command::Abort
                | Command::Interrupt
                | Command::Terminate
                | Command::Quit
                | Command::User1
                | Command::User2
                | Command::Window
                | Command::Reload,
            ) => Actions::default(),
            // It has not failed, and is due again.
            (Phase::Preparing(_), Command::Terminate) => {
                self.told = true;
                Actions::of(&[Send(Signal::Terminate), Announce])
            }
            (Phase::Preparing(_), Command::Kill) => {
                self.told = true;
                Actions::of(&[Send(Signal::Kill), Announce])
            }
            (Phase::Up(_) | Phase::Following(_), Command::Terminate) => {
                self.told = true;
                self.health.ask_nothing();
                Actions::of(&[Send(Signal::Terminate), Announce])
            }
            (Phase::Preparing(_) | Phase::Up(_), Command::Hangup) => send(Signal::Hangup),
            (Phase::Preparing(_) | Phase::Up(_), Command::Alarm) => send(Signal::Alarm),
            (Phase::Preparing(_) | Phase::Up(_), Command::Abort) => send(Signal::Abort),
            (Phase::Preparing(_) | Phase::Up(_), Command::Interrupt) => send(Signal::Interrupt),
            (Phase::Preparing(_) | Phase::Up(_), Command::Quit) => send(Signal::Quit),
            (Phase::Preparing(_) | Phase::Up(_), Command::User1) => send(Signal::User1),
            (Phase::Preparing(_) | Phase::Up(_), Command::User2) => send(Signal::User2),
            (Phase::Preparing(_) | Phase::Up(_), Command::Window) => send(Signal::Window),
            (Phase::Preparing(_) | Phase::Up(_), Command::Reload) => send(Signal::Reload),
            (Phase::Up(_) | Phase::Finishing(_), Command::Kill) => send(Signal::Kill),
            // What can be reached is killed now, and what is found then.
            (Phase::Following(_), Command::Kill) => {
                self.told = true;
                self.plan.kill_after = 1;
                self.kill_at = None;
                Actions::of(&[Send(Signal::Kill), Announce])
            }
            (
                Phase::Down
                | Phase::Waiting(_)
                | Phase::Needing(_)
                | Phase::Preparing(_)
                | Phase::Up(_)
                | Phase::Following(_)
                | Phase::There
                | Phase::Finishing(_)
                | Phase::Clearing(_),
                Command::Renew,
            ) => Actions::of(&[Renew]),

            // Impossible: the shell answers `Start` and `Finish` before it
            // looks at anything else. And over is over.
            (
                Phase::Starting | Phase::Closing | Phase::Gone,
                Command::Up
                | Command::Down
                | Command::Once
                | Command::Exit
                | Command::Pause
                | Command::Continue
                | Command::Hangup
                | Command::Alarm
                | Command::Abort
                | Command::Interrupt
                | Command::Terminate
                | Command::Kill
                | Command::Quit
                | Command::User1
                | Command::User2
                | Command::Window
                | Command::Restart
                | Command::Reload
                | Command::Renew
                | Command::NoMore
                | Command::Look,
            ) => Actions::default(),
        };
        (self, actions)
    }
}
