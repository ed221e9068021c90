//! Brings lines from streams of one kind to where they go: it looks at one
//! stream at a time, writes what it saw, and only then takes it out. When there
//! is no room where the lines go, it waits with all of its streams.

use crate::lines::cut::next;
use crate::lines::look::Look;
use crate::lines::outlet::{Outlets, Progress};
use crate::lines::streams::{NEVER, Stream, Streams};
use rustix::event::{PollFd, PollFlags};
use rustix::fd::OwnedFd;
use rustix::io::{Result, ioctl_fionread};
use upkeep_core::hold::{self, Pipe};

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1000 * MILLISECOND;
/// What has no end for so long is shown as it is.
const LATE: u64 = 5 * SECOND;
/// When something is said again that could not be said.
const AGAIN: u64 = SECOND;

/// One pump.
#[derive(Debug)]
pub struct Pump {
    kind: hold::Stream,
    streams: Streams,
    look: Look,
    /// The stream that was looked at and is being written.
    current: Option<Current>,
    /// On the way out, the stream up to which there is nothing left.
    sweep: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    place: usize,
    /// Whether more may come to what has no end.
    to_come: bool,
    /// The stream's own outlet, and the log.
    progress: [Progress; 2],
}

/// What a pump can do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing, until something is written to one of its streams.
    Idle,
    /// Go on.
    Busy,
    /// Nothing, until there is room in this outlet.
    Full(usize),
}

impl Pump {
    /// One for the streams of this kind.
    pub fn new(kind: hold::Stream) -> Result<Self> {
        let (streams, look) = (Streams::new()?, Look::new()?);
        Ok(Self { kind, streams, look, current: None, sweep: None })
    }

    /// Reads one more stream, or knows an old one by its new name.
    pub fn add(&mut self, pipe: Pipe, name: &[u8], end: Option<OwnedFd>) -> Result<()> {
        let look = &self.look;
        self.streams.add(pipe, name, end, |end| look.room_in(end))
    }

    /// This one goes as soon as nobody writes to it any more.
    pub fn let_go(&mut self, which: Pipe) {
        self.streams.let_go(which);
    }

    /// All of them do.
    pub fn let_go_of_all(&mut self) {
        self.streams.let_go_of_all();
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// Nobody who matters writes any more: what is there is all.
    pub fn finish(&mut self) {
        self.sweep = Some(0);
    }

    /// Whether that is written.
    #[must_use]
    pub fn has_finished(&self) -> bool {
        self.current.is_none() && self.sweep.is_some_and(|place| place >= self.streams.len())
    }

    /// What to wait for when it is idle.
    #[must_use]
    pub fn poll(&self) -> PollFd<'_> {
        PollFd::new(&self.streams, PollFlags::IN)
    }

    /// When something without an end is to be shown.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        self.streams.deadline()
    }

    /// Does one thing. `gone` is told of a stream of which nothing is left, and
    /// says whether it could pass that on.
    pub fn turn(
        &mut self,
        outlets: &mut Outlets,
        now: u64,
        gone: &mut dyn FnMut(Pipe) -> bool,
    ) -> State {
        self.streams.tick(now);
        let Some(mut current) = self.current.take().or_else(|| self.pick(now, gone)) else {
            let swept = self.sweep.is_some_and(|place| place < self.streams.len());
            return if swept { State::Busy } else { State::Idle };
        };
        let Some(stream) = self.streams.get(current.place) else { return State::Busy };
        let places = [self.kind as usize, Outlets::LOG];
        let mut end = None;
        for (place, progress) in places.into_iter().zip(&mut current.progress) {
            let Some(outlet) = &mut outlets.all[place] else { continue };
            let (seen, to_come) = (self.look.seen(), current.to_come);
            loop {
                // It may be the other pump's, half of whose line is there.
                if !outlet.flush(outlets.tool) {
                    self.current = Some(current);
                    return State::Full(place);
                }
                if next(&seen[progress.done..], stream.most, to_come).is_none() {
                    break;
                }
                outlet.gather(stream, seen, to_come, progress);
            }
            end = Some(*progress);
        }
        self.take(current.place, end.unwrap_or_default(), now);
        State::Busy
    }

    /// Looks at the next stream. Nothing if nothing is there, or nothing new.
    fn pick(&mut self, now: u64, gone: &mut dyn FnMut(Pipe) -> bool) -> Option<Current> {
        let (place, is_end) = match self.sweep {
            Some(place) => (place, true),
            None => self.streams.next()?,
        };
        let Some(stream) = self.streams.get(place) else {
            self.swept(place);
            return None;
        };
        let shown = match self.look.at(&stream.end) {
            Ok(shown @ 1..) => shown,
            answer => {
                self.found_empty(place, answer == Ok(0), now, gone);
                return None;
            }
        };
        // What has no end is shown if nobody will end it, and it was all seen.
        let is_end = is_end || stream.late_at <= now;
        let is_all = || ioctl_fionread(&stream.end) == Ok(shown as u64);
        let start = Progress { done: 0, broken: stream.broken };
        Some(Current { place, to_come: !(is_end && is_all()), progress: [start; 2] })
    }

    fn swept(&mut self, place: usize) {
        if self.sweep.is_some() {
            self.sweep = Some(place + 1);
        }
    }

    /// There is nothing in a stream now, or nobody writes to it any more.
    fn found_empty(
        &mut self,
        place: usize,
        is_end: bool,
        now: u64,
        gone: &mut dyn FnMut(Pipe) -> bool,
    ) {
        self.swept(place);
        let Some(stream) = self.streams.get_mut(place) else { return };
        (stream.late_at, stream.pause) = (NEVER, 0);
        if !stream.over {
            return;
        }
        if is_end && self.sweep.is_none() {
            if gone(stream.pipe) {
                self.streams.remove(place);
            } else {
                self.streams.look_at(place, now + AGAIN);
            }
        }
    }

    /// What was written is taken out of the stream.
    fn take(&mut self, place: usize, end: Progress, now: u64) {
        let unshown = self.look.seen().len() - end.done;
        let Some(stream) = self.streams.get_mut(place) else { return };
        self.look.take(&stream.end, end.done);
        stream.broken = end.broken;
        let left = usize::try_from(ioctl_fionread(&stream.end).unwrap_or(0)).unwrap_or(usize::MAX);
        if left == 0 {
            (stream.late_at, stream.pause) = (NEVER, 0);
        } else {
            if end.done > 0 || stream.late_at == NEVER {
                stream.late_at = now + LATE;
            }
            stream.pause = pause(stream, left + end.done);
        }
        let again = left > unshown || (left == 0 && stream.over);
        let look_at = if stream.pause > 0 { now + stream.pause } else { stream.late_at };
        self.streams.look_at(place, look_at);
        if again {
            self.streams.again(place);
        }
    }
}

/// A writer that waits for room in a pipe tells nobody when he goes on, unless
/// it was empty: what was full, and is not empty now, is looked at a few times,
/// less and less often.
fn pause(stream: &Stream, held: usize) -> u64 {
    match stream.pause {
        _ if held >= stream.full => MILLISECOND,
        pause if pause < LATE => 2 * pause,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::outlet::Outlet;
    use rustix::fd::AsFd;
    use rustix::pipe::{PipeFlags, pipe_with};
    use upkeep_cli::Tool;

    const TOOL: &Tool = &Tool { name: "test", help: "" };
    const WHICH: Pipe = Pipe { device: 1, inode: 2 };

    struct Bench {
        pump: Pump,
        outlets: Outlets,
        shown: OwnedFd,
        /// Where the service writes.
        service: Option<OwnedFd>,
        gone: Vec<Pipe>,
    }

    impl Bench {
        fn new() -> Self {
            let (shown, outlet) = pipe_with(PipeFlags::NONBLOCK).unwrap();
            let outlet: &'static OwnedFd = Box::leak(Box::new(outlet));
            let outlet = Some(Outlet::new(outlet.as_fd(), b"a pipe", true));
            let (read, write) = pipe_with(PipeFlags::NONBLOCK).unwrap();
            let mut pump = Pump::new(hold::Stream::Out).unwrap();
            pump.add(WHICH, b"web", Some(read)).unwrap();
            let outlets = Outlets { tool: TOOL, all: [outlet, None, None] };
            Self { pump, outlets, shown, service: Some(write), gone: Vec::new() }
        }

        fn write(&self, text: &str) {
            let service = self.service.as_ref().unwrap();
            assert_eq!(rustix::io::write(service, text.as_bytes()), Ok(text.len()));
        }

        /// Turns at a time until that is of no use.
        fn turn(&mut self, now: u64) -> State {
            let gone = &mut self.gone;
            let mut note = |pipe| {
                gone.push(pipe);
                true
            };
            // Nothing may be new where something was told.
            let mut idle = 0;
            loop {
                match self.pump.turn(&mut self.outlets, now, &mut note) {
                    State::Busy => idle = 0,
                    State::Idle if idle < 3 && !self.pump.has_finished() => idle += 1,
                    state @ (State::Idle | State::Full(_)) => return state,
                }
            }
        }

        fn shown(&self) -> String {
            let mut all = Vec::new();
            let mut some = [0; 4096];
            while let Ok(n @ 1..) = rustix::io::read(&self.shown, &mut some) {
                all.extend_from_slice(&some[..n]);
            }
            String::from_utf8(all).unwrap()
        }
    }

    #[test]
    fn lines_are_shown_when_they_are_whole() {
        let mut bench = Bench::new();
        bench.write("one\ntw");
        assert_eq!(bench.turn(1), State::Idle);
        assert_eq!(bench.shown(), "web: one\n");
        assert_eq!(bench.turn(LATE), State::Idle);
        assert_eq!(bench.shown(), "");
        bench.write("o\n");
        bench.turn(LATE);
        assert_eq!(bench.shown(), "web: two\n");
        assert_eq!(bench.pump.streams.get(0).unwrap().late_at, NEVER);
    }

    #[test]
    fn a_name_is_in_one_line() {
        let mut bench = Bench::new();
        bench.pump.add(WHICH, b"a\nb\x1b\xc3\xa9", None).unwrap();
        bench.write("one\n");
        bench.turn(1);
        assert_eq!(bench.shown(), "a?b?\u{e9}: one\n");
    }

    #[test]
    fn what_nobody_ends_is_shown_late() {
        let mut bench = Bench::new();
        bench.write("name? ");
        bench.turn(1);
        assert_eq!((bench.pump.deadline(), bench.shown().as_str()), (Some(1 + LATE), ""));
        bench.turn(1 + LATE);
        assert_eq!(bench.shown(), "web: name? \n");
        // The end of the same line, and another one.
        bench.write("\n\n");
        bench.turn(2 + LATE);
        assert_eq!(bench.shown(), "web: \n");
    }

    #[test]
    fn what_is_not_written_stays_in_its_pipe() {
        let mut bench = Bench::new();
        let line = "x".repeat(1000) + "\n";
        for _ in 0..30 {
            bench.write(&line);
        }
        assert_eq!(bench.turn(1), State::Idle);
        for _ in 0..60 {
            bench.write(&line);
            assert!(matches!(bench.turn(1), State::Idle | State::Full(0)));
        }
        assert_eq!(bench.turn(1), State::Full(0));
        let mut shown = bench.shown();
        while bench.turn(1) != State::Idle {
            shown += &bench.shown();
        }
        shown += &bench.shown();
        assert_eq!(shown, ("web: ".to_owned() + &line).repeat(90));
    }

    /// Its writer may be in the middle of a write, and tells of it at the end.
    #[test]
    fn a_full_pipe_is_looked_at_again() {
        let mut bench = Bench::new();
        bench.write(&("x".repeat(40_000) + "\nnot yet"));
        bench.turn(1);
        assert_eq!(bench.pump.deadline(), Some(1 + MILLISECOND));
        let mut now = 1;
        let mut looks = 0;
        while let Some(then) = bench.pump.deadline().filter(|then| *then < LATE) {
            bench.turn(then);
            (now, looks) = (then, looks + 1);
        }
        assert!(now > LATE / 4 && looks < 16, "{now} {looks}");
        let shown = bench.shown();
        assert!(shown.ends_with("x\n") && shown.len() == 40_001 + 3 * 6 - 1, "{}", shown.len());
    }

    #[test]
    fn one_that_is_over_goes_with_its_last_writer() {
        let mut bench = Bench::new();
        bench.write("last\nwords");
        bench.pump.let_go(WHICH);
        bench.turn(1);
        assert!(bench.gone.is_empty() && !bench.pump.is_empty());
        bench.service = None;
        bench.turn(1);
        assert_eq!(bench.shown(), "web: last\nweb: words\n");
        assert!(bench.gone == [WHICH] && bench.pump.is_empty());
    }

    #[test]
    fn in_the_end_all_is_shown_whoever_writes() {
        let mut bench = Bench::new();
        bench.write("last\nwords");
        bench.pump.finish();
        assert!(!bench.pump.has_finished());
        bench.turn(1);
        assert!(bench.pump.has_finished());
        assert_eq!(bench.shown(), "web: last\nweb: words\n");
    }
}
