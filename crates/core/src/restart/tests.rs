//! Words of ends and times, and what must hold after each letter.

use super::*;

const FIRST: u64 = 1_000_000 * SECOND;

fn end(outcome: Outcome, at: u64) -> End {
    End { outcome, blamed: false, told: false, at, ran: SECOND / 2, not_before: at + SECOND / 2 }
}

fn ends(words: &[u8]) -> Ends {
    Ends::parse(words).expect("a list")
}

#[test]
fn words_are_what_they_say() {
    assert_eq!(When::parse(b"always\n"), Some(When::Always));
    assert_eq!(When::parse(b" on-failure "), Some(When::OnFailure));
    assert_eq!(When::parse(b"on-success"), Some(When::OnSuccess));
    assert_eq!(When::parse(b"never"), Some(When::Never));
    for word in [&b""[..], b"sometimes", b"on-failure always", b"Always", b"\xff"] {
        assert_eq!(When::parse(word), None);
    }
    assert_eq!(Limit::parse(b"5 10\n"), Some(Limit { deaths: 5, seconds: 10 }));
    for word in [&b""[..], b"5", b"0 10", b"5 0", b"5 10 15", b"-5 10", b"70000 1", b"a b"] {
        assert_eq!(Limit::parse(word), None);
    }
}

#[test]
fn a_list_has_what_it_names_and_nothing_else() {
    assert_eq!(ends(b"0"), Policy::ALWAYS.success);
    assert_eq!(ends(b" \n"), Policy::ALWAYS.never);
    let list = ends(b" 0 100\n255 TERM\tsigint SIG9 ");
    for code in 0..=255 {
        let is = [0, 100, 255].contains(&code);
        assert_eq!(list.contains(Outcome::Exited(code)), is, "{code}");
        // A number is an exit code and never a signal.
        let is = [2, 9, 15].contains(&code);
        assert_eq!(list.contains(Outcome::Killed(code)), is, "{code}");
    }
    assert!(!list.contains(Outcome::Unknown));
    let wrong: [&[u8]; 9] =
        [b"256", b"-1", b"+9", b"SIG", b"SIG32", b"SIG+9", b"0,1", b"NONE", b"\xff"];
    for words in wrong {
        assert_eq!(Ends::parse(words), None, "{words:?}");
    }
}

#[test]
fn every_history_comes_back() {
    use Reason::{Finish, GaveUp, Never, None, Policy};
    for reason in [None, Policy, Never, GaveUp, Finish] {
        for (failed, fault) in [
            (false, Fault::None),
            (true, Fault::Late),
            (true, Fault::Silent),
            (true, Fault::Unhealthy),
        ] {
            let history = History {
                reason,
                fault,
                failed,
                failures: 200,
                deaths: 0x0102,
                window: 0x0304_0506,
                wait: 0x0708_090a,
            };
            assert_eq!(History::decode(history.encode()), history);
        }
    }
    assert_eq!(History::decode([0; 12]), History::default());
    // Of another day's layout.
    assert_eq!(History::decode([7; 12]).reason, None);
}

#[test]
fn which_ends_are_the_last() {
    let good = Outcome::Exited(0);
    let bad = [Outcome::Exited(1), Outcome::Killed(15), Outcome::Unknown];
    for (when, after_good, after_bad) in [
        (When::Always, Reason::None, Reason::None),
        (When::OnFailure, Reason::Policy, Reason::None),
        (When::OnSuccess, Reason::None, Reason::Policy),
        (When::Never, Reason::Policy, Reason::Policy),
    ] {
        let policy = Policy { when, never: ends(b"7"), ..Policy::ALWAYS };
        let after = |outcome| policy.after(&History::default(), &end(outcome, FIRST));
        assert_eq!((after(good).reason, after(good).failed), (after_good, false));
        for outcome in bad {
            assert_eq!((after(outcome).reason, after(outcome).failed), (after_bad, true));
        }
        assert_eq!(after(Outcome::Exited(7)).reason, Reason::Never);
        // Whoever told it knows.
        let told = End { told: true, ..end(Outcome::Exited(7), FIRST) };
        let next = policy.after(&History::default(), &told);
        assert_eq!((next.reason, next.failures, next.deaths), (Reason::None, 0, 0));
    }
}

#[test]
fn without_files_it_waits_for_nothing() {
    let mut history = History::default();
    for n in 1..600 {
        history = Policy::ALWAYS.after(&history, &end(Outcome::Exited(1), FIRST + n * SECOND));
        assert_eq!((history.reason, history.wait, history.deaths), (Reason::None, 0, 0));
    }
    assert_eq!(history.failures, 255);
}

#[test]
fn the_delay_doubles_up_to_the_longest() {
    let policy = Policy { delay: 1000, longest: Some(5000), ..Policy::ALWAYS };
    let mut history = History::default();
    for expected in [1000, 2000, 4000, 5000, 5000] {
        let death = end(Outcome::Exited(1), FIRST);
        history = policy.after(&history, &death);
        let delay = death.not_before + history.wait() - death.at;
        let range = expected * MILLISECOND..=(expected + expected / 10 + 1) * MILLISECOND;
        assert!(range.contains(&delay), "{expected}: {delay}");
        assert!(history.wait <= policy.patience());
    }
    // As long as the row goes on.
    for _ in 0..600 {
        history = policy.after(&history, &end(Outcome::Exited(1), FIRST));
        assert!((4500..=5001).contains(&history.wait));
    }
    let long = End { ran: FORGOTTEN, ..end(Outcome::Exited(1), FIRST) };
    assert_eq!(policy.after(&history, &long).failures, 1);
    let short = End { ran: FORGOTTEN - 1, ..long };
    assert_eq!(policy.after(&history, &short).failures, 255);
    let success = end(Outcome::Exited(0), FIRST);
    assert_eq!(policy.after(&history, &success).failures, 0);
    // Where the delay is longer than ten seconds, a run has to be too.
    let slow = Policy { longest: Some(20_000), ..policy };
    assert_eq!(slow.after(&history, &long).failures, 255);
    assert_eq!(slow.after(&history, &End { ran: 20 * SECOND, ..long }).failures, 1);
}

#[test]
fn without_a_longest_it_does_not_grow_and_the_moment_is_its_chance() {
    let policy = Policy { delay: 10_000, ..Policy::ALWAYS };
    let (mut least, mut most) = (u32::MAX, 0);
    let mut history = History::default();
    for n in 0..2000 {
        history = policy.after(&history, &end(Outcome::Exited(1), FIRST + n * 1_234_567));
        least = least.min(history.wait);
        most = most.max(history.wait);
    }
    assert!((9_500..9_520).contains(&least), "{least}");
    assert!((10_480..=10_501).contains(&most), "{most}");
    // Nothing is too much.
    for longest in [None, Some(u32::MAX)] {
        let policy = Policy { delay: u32::MAX, longest, ..policy };
        assert!(policy.after(&history, &end(Outcome::Unknown, u64::MAX >> 1)).wait > 0);
        assert_eq!(policy.patience(), u32::MAX);
    }
}

/// All words of deaths at these distances, beside a list of all their times.
#[test]
fn the_limit_is_sound_and_not_far_from_exact() {
    fn walk(policy: Policy, history: History, deaths: &mut [u64; 8], count: usize) {
        let limit = policy.limit.expect("a limit");
        let within = u64::from(limit.seconds) * SECOND;
        if count == deaths.len() {
            return;
        }
        for pause in [1, SECOND, 2 * SECOND, 7 * SECOND, 30 * SECOND] {
            let at = count.checked_sub(1).map_or(FIRST, |last| deaths[last]) + pause;
            deaths[count] = at;
            let next = policy.after(&history, &end(Outcome::Exited(1), at));
            let recent = deaths[..=count].iter().filter(|then| at - **then < within).count();
            let most = usize::from(limit.deaths);
            if next.reason == Reason::GaveUp {
                assert!(recent >= most, "gave up after {recent}");
                assert_eq!((next.deaths, next.window), (limit.deaths, limit.seconds));
            } else {
                assert!(recent < 2 * most - 1, "did not give up after {recent}");
                walk(policy, next, deaths, count + 1);
            }
        }
    }
    for deaths in 1..5 {
        let limit = Limit { deaths, seconds: 10 };
        let policy = Policy { limit: Some(limit), ..Policy::ALWAYS };
        walk(policy, History::default(), &mut [0; 8], 0);
    }
}
