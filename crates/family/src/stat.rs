//! What `/proc/PID/stat` says.

/// A process as the kernel describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// Its number.
    pub(crate) pid: u32,
    /// Its parent's, 0 if that is outside this pid namespace.
    pub(crate) parent: u32,
    /// When it was started, in ticks since the boot. With the pid this is who
    /// it is.
    pub(crate) born: u64,
    /// Whether any of it still runs: a leader may have ended before its
    /// threads.
    pub(crate) alive: bool,
    /// Whether it is called like the programs that keep services.
    pub(crate) keeper: bool,
    /// Whether it is on its way from one program to the next, or out, and has
    /// no environment just now.
    pub(crate) between: bool,
}

/// `PF_KTHREAD`: the kernel's own.
const KERNEL: u64 = 0x0020_0000;

/// As much of the line as holds all that is read here.
pub(crate) const ENOUGH: usize = 1024;

impl Stat {
    /// Takes the line apart. A name may hold anything, so the last bracket
    /// ends it.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let open = line.iter().position(|&b| b == b'(')?;
        let close = line.iter().rposition(|&b| b == b')')?;
        let name = line.get(open + 1..close)?;
        let mut fields = line.get(close + 2..)?.split(|&b| b == b' ');
        let state = fields.next()?;
        let parent = u32::try_from(number(fields.next()?)?).ok()?;
        // The third field was the state, the fourth the parent.
        let flags = number(fields.nth(9 - 5)?)?;
        let threads = number(fields.nth(20 - 10)?)?;
        let born = number(fields.nth(22 - 21)?)?;
        // Where it may not be seen it is 0, and before Linux 3.5 not there.
        let env_end = fields.nth(51 - 23).and_then(number).unwrap_or(1);
        Some(Self {
            pid: u32::try_from(number(line[..open].trim_ascii_end())?).ok()?,
            parent,
            born,
            alive: !matches!(state, b"Z" | b"X" | b"x") || threads > 1,
            keeper: matches!(name, b"supervise" | b"svscan"),
            between: env_end == 0 && flags & KERNEL == 0,
        })
    }
}

/// A decimal number and nothing else.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    core::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: &str = "10 20 20 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 777 9 9 9";

    #[test]
    fn the_fields_are_those_of_proc() {
        let line = format!("42 (sleep) S {TAIL}\n");
        let stat = Stat::parse(line.as_bytes()).unwrap();
        let (pid, parent, born) = (42, 10, 777);
        let expected = Stat { pid, parent, born, alive: true, keeper: false, between: false };
        assert_eq!(stat, expected);
        let ours = std::fs::read("/proc/self/stat").unwrap();
        assert!(ours.len() < ENOUGH);
        let ours = Stat::parse(&ours).unwrap();
        assert_eq!(ours.pid, std::process::id());
        assert_eq!(ours.parent, std::os::unix::process::parent_id());
        assert!(ours.alive && ours.born > 0 && !ours.between);
    }

    #[test]
    fn a_process_without_an_environment_yet_is_between_programs() {
        let fields = |flags: u32, end: u32| {
            let middle = "9 ".repeat(28);
            format!("42 (x) S 1 20 20 0 -1 {flags} 1 2 3 4 5 6 7 8 20 0 1 0 777 {middle}{end} 0\n")
        };
        let between = |line: String| Stat::parse(line.as_bytes()).unwrap().between;
        assert!(between(fields(0x40_0000, 0)));
        assert!(!between(fields(0x40_0000, 12)));
        assert!(!between(fields(0x20_0040, 0)));
    }

    #[test]
    fn a_name_can_hold_brackets_and_spaces() {
        let line = format!("42 (a) S 1 (b) R {TAIL}");
        assert_eq!(Stat::parse(line.as_bytes()).unwrap().parent, 10);
        let line = format!("42 (supervise) R {TAIL}");
        assert!(Stat::parse(line.as_bytes()).unwrap().keeper);
    }

    #[test]
    fn the_dead_are_dead_when_their_last_thread_is() {
        let line = format!("42 (x) Z {TAIL}");
        assert!(!Stat::parse(line.as_bytes()).unwrap().alive);
        let line = line.replace(" 1 0 777", " 2 0 777");
        assert!(Stat::parse(line.as_bytes()).unwrap().alive);
    }

    #[test]
    fn no_line_makes_it_panic() {
        let line = format!("42 (sleep) S {TAIL}");
        for end in 0..line.len() {
            let _ = Stat::parse(&line.as_bytes()[..end]);
            let _ = Stat::parse(&line.as_bytes()[end..]);
        }
        assert_eq!(Stat::parse(b")("), None);
        assert_eq!(Stat::parse(b"1 (a)"), None);
    }
}
