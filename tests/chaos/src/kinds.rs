//! The kinds of services, and how one of them is made up.

use crate::random::Random;

/// What is special about a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It writes lines.
    Plain,
    /// It has no logger.
    Unlogged,
    /// It ends by itself, soon or late, with any code.
    Crash,
    /// It starts others that outlive it and hold the pipe to its logger.
    Helpers,
    /// It ends when what started it is dead.
    Orphan,
    /// It does not heed TERM.
    Deaf,
    /// It starts out down; letters start and stop it.
    Down,
    /// It starts out down; letters have it run once, and it ends by itself.
    Once,
    /// Letters stop it where it is and let it go on.
    Paused,
    /// It ends by itself, and its `finish` tidies up.
    Finish,
    /// It says that it is ready on a descriptor, mostly.
    Descriptor,
    /// It says so on a socket.
    Socket,
    /// Its check says so.
    Check,
    /// It gives signs of life.
    Alive,
    /// It gives signs of life, and after a while no more.
    Silent,
    /// It fails again and again, and is started later each time.
    Delayed,
    /// It ends again and again until it is given up; letters start it.
    Limited,
    /// It has no process, and is up when what it needs is.
    Group,
    /// It is done once, and undone when it goes down.
    Oneshot,
}

/// Each kind with its name in files.
pub(crate) const KINDS: [(Kind, &str); 19] = [
    (Kind::Plain, "plain"),
    (Kind::Unlogged, "unlogged"),
    (Kind::Crash, "crash"),
    (Kind::Helpers, "helpers"),
    (Kind::Orphan, "orphan"),
    (Kind::Deaf, "deaf"),
    (Kind::Down, "down"),
    (Kind::Once, "once"),
    (Kind::Paused, "paused"),
    (Kind::Finish, "finish"),
    (Kind::Descriptor, "descriptor"),
    (Kind::Socket, "socket"),
    (Kind::Check, "check"),
    (Kind::Alive, "alive"),
    (Kind::Silent, "silent"),
    (Kind::Delayed, "delayed"),
    (Kind::Limited, "limited"),
    (Kind::Group, "group"),
    (Kind::Oneshot, "oneshot"),
];

/// How many there are of each.
const WEIGHTS: [u64; KINDS.len()] = [5, 2, 2, 1, 2, 1, 2, 2, 2, 3, 2, 2, 2, 2, 2, 2, 2, 2, 3];

impl Kind {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        KINDS.iter().find(|k| k.0 == self).map_or("", |k| k.1)
    }

    /// Whether it starts out down.
    pub(crate) const fn begins_down(self) -> bool {
        matches!(self, Self::Down | Self::Once)
    }

    /// Whether it has to say that it is ready.
    pub(crate) const fn says_ready(self) -> bool {
        matches!(self, Self::Descriptor | Self::Socket | Self::Check)
    }

    /// Whether it has a logger if that is left to chance.
    const fn may_log(self) -> bool {
        // One that waits for its logger gives no sign of life.
        !matches!(self, Self::Unlogged | Self::Alive | Self::Silent | Self::Group | Self::Oneshot)
    }

    /// Whether it may write where there is no logger and svscan shows it.
    const fn may_be_shown(self) -> bool {
        self.may_log() || matches!(self, Self::Unlogged)
    }

    /// Whether others may have it started, beside letters: its starts are not
    /// counted, nor is the time until them, and it goes when it is told to.
    pub(crate) const fn may_be_called(self) -> bool {
        !matches!(self, Self::Once | Self::Limited | Self::Delayed | Self::Deaf)
    }

    /// Whether it may have to wait for others before it is started.
    pub(crate) const fn may_wait(self) -> bool {
        // A deaf one has to be down in the end, and known to be.
        !matches!(self, Self::Delayed | Self::Limited | Self::Deaf)
    }

    /// Whether it may have to step aside for others: it heeds TERM, and its
    /// ends are not counted.
    pub(crate) const fn may_need(self) -> bool {
        self.may_wait()
    }

    /// Whether letters may stop it because others need it.
    pub(crate) const fn may_be_stopped(self) -> bool {
        !matches!(self, Self::Silent | Self::Delayed | Self::Limited | Self::Once | Self::Group)
    }
}

/// A service's make-up, as its process has to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Make {
    pub(crate) kind: Kind,
    pub(crate) logged: bool,
    /// Whether it writes all the same, for svscan to show.
    pub(crate) shown: bool,
    /// What its lines and its doings follow from.
    pub(crate) seed: u64,
    /// How many lines it writes without a pause.
    pub(crate) burst: u64,
    /// How long it pauses, in milliseconds.
    pub(crate) pause: u64,
}

impl Make {
    /// One more, the `n`th. The first ones are one of each kind. In a container
    /// there are more without a logger, and svscan shows what they write.
    pub(crate) fn up(n: usize, container: bool, random: &mut Random) -> Self {
        let kind =
            KINDS.get(n).map_or_else(|| KINDS[random.weighted(&WEIGHTS)].0, |&(kind, _)| kind);
        let (burst, pause) = match random.below(4) {
            0 => (1, 5 + random.below(20)),
            1 => (1, 20 + random.below(180)),
            2 => (5 + random.below(20), 100 + random.below(400)),
            _ => (50 + random.below(100), 800 + random.below(800)),
        };
        let without = random.once_in(if container { 3 } else { 6 });
        let logged = kind.may_log() && (kind == Kind::Plain || !without);
        let shown = container && !logged && kind.may_be_shown();
        Self { kind, logged, shown, seed: random.next(), burst, pause }
    }

    /// Whether its directory asks more of it than its kind needs.
    pub(crate) const fn is_strict(&self) -> bool {
        self.seed & 1 != 0
    }

    /// Whether it writes to standard error what is shown.
    pub(crate) const fn complains(&self) -> bool {
        self.shown && self.seed & 2 != 0
    }

    /// As the file that the process reads.
    pub(crate) fn encode(&self) -> String {
        let [logged, shown] = [self.logged, self.shown].map(u8::from);
        let kind = self.kind.name();
        format!("{kind} {logged} {shown} {} {} {}\n", self.seed, self.burst, self.pause)
    }

    /// What such a file says.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let kind = words.next()?;
        let kind = KINDS.iter().find(|k| k.1 == kind)?.0;
        let mut number = || words.next()?.parse::<u64>().ok();
        let (logged, shown) = (number()? != 0, number()? != 0);
        let (seed, burst, pause) = (number()?, number()?, number()?);
        Some(Self { kind, logged, shown, seed, burst, pause })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_make_comes_back() {
        let mut random = Random::new(3, 3);
        let makes: Vec<Make> = (0..100).map(|n| Make::up(n, n > 50, &mut random)).collect();
        for make in &makes {
            assert_eq!(Make::decode(&make.encode()).as_ref(), Some(make));
        }
        assert!(makes.iter().any(|make| make.shown) && !makes[..=50].iter().any(|make| make.shown));
        assert!(makes.iter().zip(KINDS).all(|(make, (kind, _))| make.kind == kind));
    }
}
