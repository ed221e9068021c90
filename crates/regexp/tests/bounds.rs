//! What an expression may take: memory, and work in proportion to the line.

use super::random::Random;
use upkeep_regexp::{Options, Regex};

const PATTERNS: &[&str] = &[
    "",
    "a",
    "error|fatal: .*disk",
    "(a|b)*a(a|b){12}",
    "[0-9]{1,3}(\\.[0-9]{1,3}){3}",
    "(x+x+)+y",
    "(a?){30}a{30}",
    "\\<(\\w+\\W+){1,9}end\\>$",
    "[a][b][c][d][e][f][g][h][i][j][k][l][m][n][o][p]|.{5}q",
    "(a*)*b|(a|a)*c|((a*)*)*d",
];

/// Lines in which these patterns go far.
fn lines(random: &mut Random) -> Vec<u8> {
    let len = random.below(200);
    let bytes: &[u8] = random.one_of(&[b"ab".as_slice(), b"ab x.1", b"xxxxxxx", b"a"]);
    (0..len).map(|_| random.one_of(bytes)).collect()
}

#[test]
fn memory_is_what_was_asked_for_and_does_not_grow() {
    for memory in [Options::LEAST, 32_000, 64_000, Options::default().memory, 1_000_000] {
        for pattern in PATTERNS {
            let options = Options { memory, ..Options::default() };
            let mut regex = Regex::new(pattern.as_bytes(), options).unwrap();
            let before = regex.memory();
            assert!(before <= memory, "{pattern}: {before} of {memory}");
            let mut random = Random::new(1);
            for _ in 0..200 {
                let line = lines(&mut random);
                assert_eq!(regex.find(&line).is_some(), regex.is_match(&line));
            }
            assert_eq!(regex.memory(), before, "{pattern}");
        }
    }
}

/// The last number below `end` that fits, if what fits is all below some number.
fn last(end: usize, fits: impl Fn(usize) -> bool) -> usize {
    let (mut most, mut end) = (0, end);
    while most + 1 < end {
        let middle = (most + end) / 2;
        if fits(middle) {
            most = middle;
        } else {
            end = middle;
        }
    }
    most
}

#[test]
fn the_largest_pattern_that_is_taken_fits_too() {
    for memory in [Options::LEAST, 32_000, Options::default().memory] {
        for piece in ["a?", "[ab]", "(a|b)", ".\\b", "(^|\\<)"] {
            let fits = |times: usize| {
                let options = Options { memory, ..Options::default() };
                // Looks behind the last byte keep it from being a text.
                Regex::new(format!("({piece}){{{times}}}$").as_bytes(), options).ok()
            };
            let most = last(3000, |times| fits(times).is_some());
            assert!(most > 20);
            let regex = fits(most).unwrap();
            assert!(regex.memory() <= memory, "{piece}: {} of {memory}", regex.memory());
        }
    }
    // As many sets as there can be.
    let sets: String =
        (0..2000).map(|n| format!("[~{}]x.", char::from(b'0' + (n % 64) as u8))).collect();
    for memory in [Options::LEAST, 32_000, Options::default().memory] {
        let fits = |len: usize| {
            let options = Options { memory, ..Options::default() };
            Regex::new(&sets.as_bytes()[..len], options).ok()
        };
        let most =
            (0..sets.len()).step_by(6).take_while(|&len| fits(len).is_some()).last().unwrap();
        assert!(most > 200 && most + 6 < sets.len());
        let regex = fits(most).unwrap();
        assert!(regex.memory() <= memory, "{} of {memory}", regex.memory());
    }
}

/// A line for which a matcher that tries one way after the other takes longer
/// than anybody lives is answered, and so is a long one with many states.
#[test]
fn no_line_takes_for_ever() {
    let long = vec![b'a'; 4000];
    let mut random = Random::new(7);
    let mixed: Vec<u8> = (0..40_000).map(|_| random.one_of(b"ab")).collect();
    for pattern in ["(a*)*c", "(a|aa)+c", "(a?){100}a{100}c", "(.*)(.*)(.*)(.*)x", "((a+)+)+$c"] {
        let mut regex = Regex::new(pattern.as_bytes(), Options::default()).unwrap();
        assert!(!regex.is_match(&long), "{pattern}");
        assert_eq!(regex.find(&long), None);
    }
    // This one has twice as many states for each more that is counted.
    let options = Options { memory: Options::LEAST, ..Options::default() };
    let mut regex = Regex::new(b"a(a|b){40}c", options).unwrap();
    assert!(!regex.is_match(&mixed));
    let ended = [mixed.as_slice(), b"c"].concat();
    let at = regex.find(&ended);
    let wanted = ended.len() - 42;
    assert_eq!(at, (ended[wanted] == b'a').then_some(wanted..ended.len()));
}
