//! What runit's `sv` can be asked, when that has come about, and how it shows a
//! status. Knows no service directory and waits for nothing.

use upkeep_cli::decimal;
use upkeep_core::record::Own;
use upkeep_core::standing::Standing;
use upkeep_core::status::{Status, Want};
use upkeep_core::tai::Tai64n;

/// What is done to each service first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// Its status is shown.
    Show,
    /// The letters are sent.
    Tell,
    /// Nothing.
    Nothing,
}

/// A service as sv sees it. Of one that has a process nothing counts but what
/// runsv writes too; ours also has some that are up without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    status: Status,
    /// Whether it is there, with a process or without.
    there: bool,
    /// Whether it is still doing what it is there for.
    doing: bool,
    /// Whether it is down, and what tidies up after it has done so.
    finished: bool,
}

impl Sight {
    /// What a record says. After `o` a service is to be down, as runsv has it;
    /// a oneshot is up when it is done.
    #[must_use]
    pub fn of(status: &Status, own: Option<&Own>, is_oneshot: bool) -> Self {
        let standing = Standing::of(status, own);
        let want = if status.want == Want::Once { Want::Down } else { status.want };
        Self {
            status: Status { want, ..*status },
            there: status.pid != 0 || standing.up,
            doing: is_oneshot && !standing.ready,
            finished: standing.finished,
        }
    }

    /// Whether it is there, with a process or without.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.there
    }

    /// Whether it is there and nobody is who could be sent a signal.
    fn has_no_process(&self) -> bool {
        self.there && self.status.pid == 0
    }
}

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// What is done first.
    pub first: First,
    /// What is sent, and what is waited for: each of them has to come about.
    pub letters: &'static [u8],
    /// Whether that is waited for without being asked to.
    pub waits: bool,
    /// Whether a service that is late is killed.
    pub kills: bool,
}

impl Command {
    /// The command that `word` names; of the short ones the first letter is
    /// enough. An init script has to spell `status`.
    #[must_use]
    pub fn parse(word: &[u8], is_init_script: bool) -> Option<Self> {
        let told = |letters, waits, kills| Some(Self { first: First::Tell, letters, waits, kills });
        match word {
            b"check" => {
                Some(Self { first: First::Nothing, letters: b"C", waits: true, kills: false })
            }
            b"try-restart" => told(b"tc", true, false),
            b"start" => told(b"u", true, false),
            b"stop" => told(b"d", true, false),
            b"restart" => told(b"tcu", true, false),
            b"reload" => told(b"h", true, false),
            b"shutdown" => told(b"x", true, false),
            b"force-stop" => told(b"d", true, true),
            b"force-reload" => told(b"tc", true, true),
            b"force-restart" => told(b"tcu", true, true),
            b"force-shutdown" => told(b"x", true, true),
            [b's', ..] if !is_init_script || word == b"status" => {
                Some(Self { first: First::Show, letters: b"s", waits: false, kills: false })
            }
            [b'x' | b'e', ..] => told(b"x", false, false),
            [b'X' | b'E', ..] => told(b"x", true, true),
            [b'D', ..] => told(b"d", true, true),
            [b'T', ..] => told(b"tc", true, true),
            [letter, ..] => {
                let at = LETTERS.iter().position(|known| known == letter)?;
                told(&LETTERS[at..=at], false, false)
            }
            [] => None,
        }
    }

    /// Whether it ends a supervise that may have ended already.
    #[must_use]
    pub fn ends_supervise(&self) -> bool {
        self.letters == b"x"
    }

    /// Whether saying it would change nothing: the service is to be that
    /// already. One that runs on though it is to be down may have been told
    /// `once`.
    #[must_use]
    pub fn is_said(&self, sight: &Sight) -> bool {
        let status = &sight.status;
        match self.letters {
            [b'u', ..] => status.want == Want::Up,
            [b'd', ..] => status.want == Want::Down && status.terminating,
            _ => false,
        }
    }

    /// What is sent to it. What has no process is restarted by a letter of ours:
    /// nobody would hear the TERM.
    #[must_use]
    pub fn letters_for(&self, sight: &Sight) -> &'static [u8] {
        match self.letters {
            b"tc" | b"tcu" if sight.has_no_process() => b"r",
            letters => letters,
        }
    }

    /// Whether all that was asked for at `begun` has come about. `available` asks
    /// the service itself.
    pub fn has_come_about(
        &self,
        sight: &Sight,
        begun: Tai64n,
        mut available: impl FnMut() -> bool,
    ) -> bool {
        self.letters.iter().all(|letter| come_about(*letter, sight, begun, &mut available))
    }
}

/// What is sent as it is.
const LETTERS: &[u8] = b"udopchaikqt12";

fn come_about(
    letter: u8,
    sight: &Sight,
    begun: Tai64n,
    available: &mut impl FnMut() -> bool,
) -> bool {
    let Sight { status, there, doing, finished } = *sight;
    let before = status.since < begun;
    match letter {
        b'C' => !there || available(),
        b'u' => there && !doing && !status.finishing && available(),
        b'd' => !there && finished,
        b't' | b'k' => {
            let stays_down = !there && status.want == Want::Down;
            stays_down || (there && !doing && !before && !status.terminating && available())
        }
        b'o' => {
            if there {
                status.want != Want::Up
            } else {
                !before
            }
        }
        b'p' => status.pid == 0 || status.paused,
        b'c' => status.pid == 0 || !status.paused,
        // It has when nobody is there any more.
        b'x' => false,
        _ => true,
    }
}

/// A service in sv's words, without a newline. `down_file` says whether the
/// service starts out down.
#[must_use]
pub fn described(sight: &Sight, name: &[u8], now: Tai64n, down_file: bool) -> Vec<u8> {
    let Sight { status, there, .. } = *sight;
    let mut text = Vec::new();
    text.extend_from_slice(match (there, status.finishing) {
        (false, _) => b"down: ",
        (true, false) => b"run: ",
        (true, true) => b"finish: ",
    });
    text.extend_from_slice(name);
    text.extend_from_slice(b": ");
    if status.pid != 0 {
        text.extend_from_slice(b"(pid ");
        text.extend_from_slice(decimal(status.pid.into(), &mut [0; 20]));
        text.extend_from_slice(b") ");
    }
    // A clock that was set back gives no time, not a huge one.
    let seconds = now.seconds.saturating_sub(status.since.seconds);
    text.extend_from_slice(decimal(seconds, &mut [0; 20]));
    text.push(b's');
    let remarks = [
        (there && down_file, ", normally down"),
        (!there && !down_file, ", normally up"),
        (there && status.paused, ", paused"),
        (!there && status.want == Want::Up, ", want up"),
        (there && status.want == Want::Down, ", want down"),
        (there && status.terminating, ", got TERM"),
    ];
    for (_, remark) in remarks.iter().filter(|(applies, _)| *applies) {
        text.extend_from_slice(remark.as_bytes());
    }
    text
}

/// Whether `name` is looked for where services are, and not from here.
#[must_use]
pub fn is_plain(name: &[u8]) -> bool {
    !name.is_empty() && !name.starts_with(b"/") && !name.starts_with(b".") && !name.ends_with(b"/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use upkeep_core::record::{Identity, Stage};
    use upkeep_core::supervise::Machine;

    const BEGUN: Tai64n = Tai64n { seconds: 100, nanos: 500 };

    fn status(pid: u32, want: Want) -> Status {
        Status { since: BEGUN, pid, paused: false, want, terminating: false, finishing: false }
    }

    fn sight(status: &Status) -> Sight {
        Sight::of(status, None, false)
    }

    /// One of ours without a process, at this stage.
    fn without_process(stage: Stage, since: Tai64n, want: Want) -> Sight {
        let mut own = Machine::new(true, 0).own([0; 16], Identity::default(), since, false);
        own.stage = stage;
        Sight::of(&Status { since, ..status(0, want) }, Some(&own), false)
    }

    fn parsed(word: &str) -> Option<(First, &'static [u8], bool, bool)> {
        Command::parse(word.as_bytes(), false).map(|c| (c.first, c.letters, c.waits, c.kills))
    }

    #[test]
    fn the_first_letter_is_enough() {
        for (words, letters) in [
            ("up u unknown", &b"u"[..]),
            ("down d", b"d"),
            ("once o", b"o"),
            ("pause p", b"p"),
            ("cont c chec checks", b"c"),
            ("hup h", b"h"),
            ("alarm", b"a"),
            ("interrupt", b"i"),
            ("quit", b"q"),
            ("1", b"1"),
            ("2", b"2"),
            ("term t try-restarts", b"t"),
            ("kill", b"k"),
            ("exit x", b"x"),
        ] {
            for word in words.split(' ') {
                assert_eq!(parsed(word), Some((First::Tell, letters, false, false)), "{word}");
            }
        }
        for word in ["status", "s", "starts", "stopped"] {
            assert_eq!(parsed(word), Some((First::Show, &b"s"[..], false, false)), "{word}");
        }
        for word in ["", "r", "restarts", "f", "force", "force-", "w", "l", "3", "-", "\u{fc}"] {
            assert_eq!(parsed(word), None, "{word}");
        }
        assert_eq!(parsed("E"), Some((First::Tell, &b"x"[..], true, true)));
        assert_eq!(parsed("Down"), Some((First::Tell, &b"d"[..], true, true)));
        assert_eq!(parsed("T"), Some((First::Tell, &b"tc"[..], true, true)));
    }

    #[test]
    fn an_init_script_spells_status() {
        for (word, known) in [("status", true), ("s", false), ("starts", false), ("start", true)] {
            assert_eq!(Command::parse(word.as_bytes(), true).is_some(), known, "{word}");
        }
    }

    /// Each letter with each kind of status: what the letter asks for.
    #[test]
    fn a_letter_has_come_about_or_not() {
        let after =
            |letter: u8, status: &Status| come_about(letter, &sight(status), BEGUN, &mut || true);
        let early = Tai64n { seconds: 100, nanos: 499 };
        for want in [Want::Up, Want::Down, Want::Once] {
            let (up, down) = (status(7, want), status(0, want));
            let finishing = Status { finishing: true, ..up };
            let paused = Status { paused: true, ..up };
            let ending = Status { terminating: true, ..up };
            let old = Status { since: early, ..up };
            let old_down = Status { since: early, ..down };
            assert!(after(b'u', &up) && !after(b'u', &down) && !after(b'u', &finishing));
            assert!(!after(b'd', &up) && after(b'd', &down) && !after(b'd', &finishing));
            for letter in [b't', b'k'] {
                assert!(after(letter, &up) && !after(letter, &old) && !after(letter, &ending));
                assert_eq!(after(letter, &down), want != Want::Up);
                assert_eq!(after(letter, &old_down), want != Want::Up);
            }
            assert_eq!(after(b'o', &old), want != Want::Up);
            assert!(after(b'o', &down) && !after(b'o', &old_down));
            assert!(after(b'p', &paused) && !after(b'p', &up) && after(b'p', &down));
            assert!(!after(b'c', &paused) && after(b'c', &up) && after(b'c', &down));
            assert!(!after(b'x', &up) && !after(b'x', &down));
            assert!(after(b'C', &up) && after(b'C', &down) && after(b'C', &finishing));
            assert!(after(b'h', &up) && after(b'h', &down));
        }
    }

    #[test]
    fn a_service_is_asked_where_it_should_be_up() {
        for (word, asked) in [
            ("start", 1),
            ("restart", 2),
            ("try-restart", 1),
            ("check", 1),
            ("stop", 0),
            ("hup", 0),
        ] {
            let command = Command::parse(word.as_bytes(), false).unwrap();
            let mut count = 0;
            let up = sight(&status(7, Want::Up));
            let done = command.has_come_about(&up, BEGUN, || {
                count += 1;
                true
            });
            assert_eq!((count, done), (asked, word != "stop"), "{word}");
            assert!(asked == 0 || !command.has_come_about(&up, BEGUN, || false), "{word}");
        }
    }

    #[test]
    fn what_is_said_is_not_said_again() {
        let said = |word: &str, status: &Status| {
            Command::parse(word.as_bytes(), false).unwrap().is_said(&sight(status))
        };
        let ending = Status { terminating: true, ..status(7, Want::Down) };
        assert!(said("start", &status(0, Want::Up)) && !said("start", &ending));
        assert!(said("stop", &ending) && !said("stop", &status(7, Want::Down)));
        assert!(!said("once", &ending) && !said("restart", &status(7, Want::Up)));
    }

    #[test]
    fn a_status_is_shown_with_all_that_is_special() {
        let now = Tai64n { seconds: 105, nanos: 0 };
        let shown = |status: &Status, down_file| {
            String::from_utf8(described(&sight(status), b"s", now, down_file)).unwrap()
        };
        assert_eq!(shown(&status(7, Want::Up), false), "run: s: (pid 7) 5s");
        assert_eq!(shown(&status(0, Want::Down), true), "down: s: 5s");
        assert_eq!(shown(&status(0, Want::Up), false), "down: s: 5s, normally up, want up");
        let all = Status { paused: true, terminating: true, ..status(7, Want::Down) };
        let words = "(pid 7) 5s, normally down, paused, want down, got TERM";
        assert_eq!(shown(&all, true), format!("run: s: {words}"));
        let finishing = Status { finishing: true, ..all };
        assert_eq!(shown(&finishing, true), format!("finish: s: {words}"));
        let later = Status { since: Tai64n { seconds: 200, nanos: 0 }, ..status(7, Want::Once) };
        assert_eq!(shown(&later, false), "run: s: (pid 7) 0s, want down");
    }

    /// What is up without a process is there, and down when all is undone.
    #[test]
    fn without_a_process() {
        let early = Tai64n { seconds: 100, nanos: 499 };
        let there = without_process(Stage::There, early, Want::Up);
        let again = without_process(Stage::There, BEGUN, Want::Up);
        let once = without_process(Stage::There, early, Want::Once);
        let clearing = without_process(Stage::Clearing, BEGUN, Want::Down);
        let down = without_process(Stage::Down, BEGUN, Want::Down);
        let after = |letter: u8, sight: &Sight| come_about(letter, sight, BEGUN, &mut || true);
        assert!(after(b'u', &there) && !after(b'u', &down) && !after(b'u', &clearing));
        assert!(!after(b'd', &there) && !after(b'd', &clearing) && after(b'd', &down));
        assert!(!after(b't', &there) && after(b't', &again) && after(b't', &down));
        assert!(!after(b'o', &there) && after(b'o', &once));
        assert!(after(b'p', &there) && after(b'c', &there));
        assert!(!come_about(b'u', &there, BEGUN, &mut || false));
        let letters = |word: &str, sight: &Sight| {
            Command::parse(word.as_bytes(), false).unwrap().letters_for(sight)
        };
        let ordinary = sight(&status(7, Want::Up));
        for word in ["restart", "try-restart", "force-restart", "force-reload"] {
            assert_eq!(letters(word, &there), b"r", "{word}");
            assert!(letters(word, &ordinary).starts_with(b"tc"), "{word}");
            assert!(letters(word, &down).starts_with(b"tc"), "{word}");
        }
        assert_eq!(letters("term", &there), b"t");
        // A oneshot that is not done yet.
        let mut own = Machine::new(true, 0).own([0; 16], Identity::default(), BEGUN, false);
        (own.stage, own.awaited) = (Stage::Up, true);
        let up = status(7, Want::Up);
        let doing = |is_oneshot| Sight::of(&up, Some(&own), is_oneshot);
        for letter in [b'u', b't'] {
            assert!(after(letter, &doing(false)) && !after(letter, &doing(true)));
        }
        assert!(!after(b'd', &doing(true)));
        let now = Tai64n { seconds: 131, nanos: 0 };
        let shown = |sight| String::from_utf8(described(sight, b"s", now, false)).unwrap();
        assert_eq!(shown(&there), "run: s: 31s");
        assert_eq!(shown(&once), "run: s: 31s, want down");
        assert_eq!(shown(&down), "down: s: 31s, normally up");
    }

    #[test]
    fn plain_names_are_looked_for() {
        for (name, plain) in
            [("s", true), ("s/log", true), ("", false), ("/s", false), (".s", false), ("s/", false)]
        {
            assert_eq!(is_plain(name.as_bytes()), plain, "{name}");
        }
    }
}
