//! Standard output of a svstat that goes on, and the signals that it heeds
//! meanwhile: it ends also when its reader is stuck.

use crate::svstat::run::TOOL;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use upkeep_cli::Exit;
use upkeep_sys::signals::{Signal, Signals, ignore_broken_pipes};

/// As much as a pipe takes at once or not at all.
const PIECE: usize = 4096;

pub(crate) struct Outlet {
    signals: Signals,
    /// Whether this was told to end.
    pub(crate) over: bool,
    /// Whether the terminal has another size, or was another program's.
    pub(crate) resized: bool,
    /// Whether this was told to stop.
    pub(crate) stopped: bool,
}

impl Outlet {
    /// Heeds the signals from now on. One that draws on a terminal is also
    /// told of the terminal's.
    pub(crate) fn open(draws: bool) -> Result<Self, Exit> {
        const ENDS: &[Signal] = &[Signal::INT, Signal::HUP, Signal::QUIT];
        const DRAWS: &[Signal] = &[Signal::INT, Signal::HUP, Signal::QUIT, Signal::TSTP];
        let (always, unless_ignored): (&[Signal], _) = if draws {
            (&[Signal::TERM, Signal::WINCH, Signal::CONT], DRAWS)
        } else {
            (&[Signal::TERM], ENDS)
        };
        let signals = Signals::take(always, unless_ignored)
            .map_err(|why| TOOL.fatal_os(&[b"unable to block signals: "], why))?;
        ignore_broken_pipes();
        Ok(Self { signals, over: false, resized: false, stopped: false })
    }

    /// What to wait for here: that the reader goes away, and signals.
    pub(crate) fn sources(&self) -> [PollFd<'_>; 2] {
        let stdout = PollFd::from_borrowed_fd(rustix::stdio::stdout(), PollFlags::empty());
        [stdout, PollFd::new(&self.signals, PollFlags::IN)]
    }

    /// Notes the signals that have come.
    pub(crate) fn heed(&mut self) {
        while let Some(signal) = self.signals.next() {
            match signal {
                Signal::WINCH | Signal::CONT => self.resized = true,
                Signal::TSTP => self.stopped = true,
                _ => self.over = true,
            }
        }
    }

    /// Writes all of it. When nobody reads any more, or this is told to end
    /// meanwhile, it is an error.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        let mut left = bytes;
        while !left.is_empty() {
            let stdout = PollFd::from_borrowed_fd(rustix::stdio::stdout(), PollFlags::OUT);
            let mut fds = [stdout, PollFd::new(&self.signals, PollFlags::IN)];
            match poll(&mut fds, None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(why) => return Err(why),
            }
            let has_room = !fds[0].revents().is_empty();
            self.heed();
            if self.over {
                return Err(Errno::CANCELED);
            }
            if has_room {
                let piece = &left[..left.len().min(PIECE)];
                match rustix::io::write(rustix::stdio::stdout(), piece) {
                    Ok(count) => left = &left[count..],
                    Err(Errno::INTR | Errno::AGAIN) => {}
                    Err(why) => return Err(why),
                }
            }
        }
        Ok(())
    }

    /// Writes a few bytes if there is room for them: the last ones.
    pub(crate) fn write_last(&self, bytes: &[u8]) {
        let stdout = rustix::stdio::stdout();
        let mut fds = [PollFd::from_borrowed_fd(stdout, PollFlags::OUT)];
        if poll(&mut fds, Some(&Timespec::default())) == Ok(1) {
            // A terminal that is gone need not be told.
            let _ = rustix::io::write(stdout, bytes);
        }
    }
}
