//! Which name was meant.

/// The known name that `name` is most likely to stand for, if it is not the
/// name of something else.
#[must_use]
pub fn meant(name: &[u8], mut known: impl Iterator<Item = &'static [u8]>) -> Option<&'static str> {
    if OTHERS.contains(&name) || name.contains(&b'.') && !is_program_with_suffix(name) {
        return None;
    }
    if let Some((_, alias)) = ALIASES.iter().find(|(alias, _)| alias.as_bytes() == name) {
        return Some(alias);
    }
    let stem = name.split(|&byte| byte == b'.').next()?.to_ascii_lowercase();
    known
        .find(|known| {
            let allowed = match known.len() {
                // Two letters off is another short word.
                ..=2 => 0,
                3..=6 => 1,
                _ => 2,
            };
            // What is a word of everybody's is only meant where no other is.
            let case = name.eq_ignore_ascii_case(known) && name != *known;
            let plural = SHORT.contains(known);
            case || name != *known && !plural && distance(&stem, known) <= allowed
        })
        .and_then(|known| core::str::from_utf8(known).ok())
}

/// `run.sh`, as editors that want a suffix have it.
fn is_program_with_suffix(name: &[u8]) -> bool {
    [&b"run.sh"[..], b"finish.sh", b"run.txt", b"run.bash"].contains(&name)
}

/// Names that a service may use for something else, by one letter less or more.
const SHORT: [&[u8]; 7] = [b"start", b"stop", b"notify", b"check", b"data", b"up", b"type"];

/// What one might think that they are called.
const ALIASES: [(&str, &str); 12] = [
    ("notify-fd", "notification-fd"),
    ("ready-fd", "notification-fd"),
    ("kill-timeout", "timeout-kill"),
    ("timeout-stop", "timeout-kill"),
    ("stop-timeout", "timeout-kill"),
    ("finish-timeout", "timeout-finish"),
    ("ready-timeout", "timeout-ready"),
    ("check-timeout", "timeout-check"),
    ("stop-signal", "down-signal"),
    ("kill-signal", "down-signal"),
    ("restart-policy", "restart"),
    ("restart-max", "restart-limit"),
];

/// What other suites, or everybody's habit, put there.
const OTHERS: [&[u8]; 22] = [
    b"env",
    b"conf",
    b"root",
    b"main",
    b"event",
    b"setup",
    b"nosetsid",
    b"dependencies",
    b"contents",
    b"timeout-up",
    b"timeout-down",
    b"producer-for",
    b"consumer-for",
    b"pipeline-name",
    b"bundle-contents",
    b"flag-essential",
    b"flag-recommended",
    b"instance",
    b"instances",
    b"template",
    b"lock",
    b"readiness",
];

/// In how many places two words differ: a letter more, less or other, or two
/// that are swapped.
#[must_use]
pub fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && x == b[j - 1] && a[i - 1] == y {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = core::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, n) in [
            ("", "", 0),
            ("run", "run", 0),
            ("rnu", "run", 1),
            ("rum", "run", 1),
            ("ru", "run", 1),
            ("runn", "run", 1),
            ("restart-dealy", "restart-delay", 1),
            ("kill", "", 4),
            ("ca", "abc", 3),
        ] {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), n, "{a} {b}");
            assert_eq!(distance(b.as_bytes(), a.as_bytes()), n, "{b} {a}");
        }
    }

    #[test]
    fn what_is_meant() {
        let known = || upkeep_servicedir::known();
        for (name, wanted) in [
            ("Run", "run"),
            ("run.sh", "run"),
            ("finsh", "finish"),
            ("notification_fd", "notification-fd"),
            ("restart-dealy", "restart-delay"),
            ("timeout-kil", "timeout-kill"),
            ("Check", "check"),
            ("follw", "follow"),
            ("logs", "log"),
            ("notify-fd", "notification-fd"),
            ("readyby", "ready-by"),
        ] {
            assert_eq!(meant(name.as_bytes(), known()), Some(wanted), "{name}");
        }
        for name in ["env", "checks", "start.sh", "main", "README", "run.old", "state", "config"] {
            assert_eq!(meant(name.as_bytes(), known()), None, "{name}");
        }
    }
}
