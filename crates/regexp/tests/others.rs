//! The same patterns on the same lines by others: grep, and bash, which asks
//! the C library.

use super::random::Random;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use upkeep_regexp::{Options, Regex};

/// What patterns are made of; most that come of it are patterns.
const PIECES: &[&str] = &[
    "a",
    "a",
    "b",
    "b",
    "c",
    "A",
    "_",
    " ",
    "-",
    ".",
    ".",
    "*",
    "+",
    "?",
    "|",
    "(",
    "(",
    ")",
    ")",
    "^",
    "$",
    "[ab]",
    "[^a]",
    "[a-c]+",
    "[[:alpha:]]",
    "[[:space:]]",
    "[^[:alnum:]-]*",
    "{2}",
    "{1,2}",
    "{,2}",
    "{0}",
    "{2,}",
    "}",
    "]",
    "\\b",
    "\\B",
    "\\<",
    "\\>",
    "\\w",
    "\\W",
    "\\s",
    "\\S",
    "\\.",
    "\\\\",
    "[]a]",
    "[^]b]",
    "[a-]",
    "[[=a=]b]",
    "[[.-.]]",
    "ab",
    "(a|b)",
    "(ab|a)",
    "(^|b)",
    "(a|$)",
    "a**",
    "()",
];

fn run(program: &str, arguments: &[&str], input: &[u8]) -> Option<Output> {
    let mut child = Command::new(program)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    // Little enough for the pipe, so nobody has to read meanwhile; who refuses
    // the pattern reads none of it.
    let _ = child.stdin.take().unwrap().write_all(input);
    Some(child.wait_with_output().unwrap())
}

struct Case {
    pattern: String,
    ignore_case: bool,
    lines: Vec<Vec<u8>>,
}

impl Case {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let pieces = 1 + random.below(8);
        let pattern = (0..pieces).map(|_| random.one_of(PIECES)).collect();
        let lines = (0..60)
            .map(|_| (0..random.below(9)).map(|_| random.one_of(b"aaabbbcAB_ -.\\)]}")).collect())
            .collect();
        Self { pattern, ignore_case: random.below(4) == 0, lines }
    }

    fn regex(&self) -> Option<Regex> {
        let options = Options { ignore_case: self.ignore_case, ..Options::default() };
        Regex::new(self.pattern.as_bytes(), options).ok()
    }

    fn input(&self) -> Vec<u8> {
        self.lines.iter().flat_map(|line| [line.as_slice(), b"\n"].concat()).collect()
    }
}

#[test]
fn grep_chooses_the_same_lines() {
    let mut compared = 0;
    for seed in 0..600 {
        let case = Case::new(seed);
        // What is no pattern to the C library may be one to grep.
        let Some(mut regex) = case.regex() else { continue };
        let how = if case.ignore_case { "-aniE" } else { "-anE" };
        let Some(output) = run("grep", &[how, "-e", &case.pattern], &case.input()) else { return };
        let theirs: Vec<usize> = String::from_utf8_lossy(&output.stdout)
            .lines()
            .map(|line| line.split_once(':').unwrap().0.parse().unwrap())
            .collect();
        let ours: Vec<usize> = (1..)
            .zip(&case.lines)
            .filter(|(_, line)| regex.is_match(line))
            .map(|(number, _)| number)
            .collect();
        assert_eq!(ours, theirs, "seed {seed}: {}", case.pattern);
        compared += 1;
    }
    assert!(compared > 250, "only {compared} of them were patterns");
}

const SCRIPT: &str = r#"
[ "$2" = i ] && shopt -s nocasematch
while IFS= read -r line; do
    [[ $line =~ $1 ]]
    case $? in
    0) printf '+%s\n' "${BASH_REMATCH[0]}" ;;
    1) echo - ;;
    *) echo refused; exit ;;
    esac
done
"#;

#[test]
fn the_c_library_refuses_and_matches_the_same() {
    for seed in 1000..1400 {
        let case = Case::new(seed);
        let how = if case.ignore_case { "i" } else { "n" };
        let Some(output) = run("bash", &["-c", SCRIPT, "bash", &case.pattern, how], &case.input())
        else {
            return;
        };
        let ours = match case.regex() {
            None => "refused\n".to_owned(),
            Some(mut regex) => {
                let found = case.lines.iter().map(|line| match regex.find(line) {
                    Some(at) => format!("+{}\n", String::from_utf8_lossy(&line[at])),
                    None => "-\n".to_owned(),
                });
                found.collect()
            }
        };
        let theirs = String::from_utf8_lossy(&output.stdout);
        assert_eq!(ours, theirs, "seed {seed}: {}", case.pattern);
    }
}
