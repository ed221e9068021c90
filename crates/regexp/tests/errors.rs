//! What is refused, and where the fault is said to be.

use upkeep_regexp::ErrorKind::{self, *};
use upkeep_regexp::{Options, Regex};

fn refusal(pattern: &str, memory: usize) -> Option<(usize, ErrorKind)> {
    let options = Options { memory, ..Options::default() };
    Regex::new(pattern.as_bytes(), options).err().map(|error| (error.at, error.kind))
}

#[test]
fn each_fault_has_a_name_and_a_place() {
    for (pattern, at, kind) in [
        ("*a", 0, NothingToRepeat),
        ("a|*b", 2, NothingToRepeat),
        ("(+a)", 1, NothingToRepeat),
        ("^*", 1, NothingToRepeat),
        ("a\\b?", 3, NothingToRepeat),
        ("{", 0, NothingToRepeat),
        ("a|{1}", 2, NothingToRepeat),
        ("ab(c", 2, OpenGroup),
        ("(a)(", 3, OpenGroup),
        ("x[", 1, OpenBracket),
        ("x[]", 1, OpenBracket),
        ("[^]", 0, OpenBracket),
        ("[a", 0, OpenBracket),
        ("[a-", 0, OpenBracket),
        ("[[:alpha:]", 0, OpenBracket),
        ("[[:alpha]", 0, OpenBracket),
        ("[[.a", 0, OpenBracket),
        ("a{", 1, OpenCount),
        ("a{1,", 1, OpenCount),
        ("a{}", 1, BadCount),
        ("a{x}", 1, BadCount),
        ("a{1a}", 1, BadCount),
        ("a{1,2,3}", 1, BadCount),
        ("a{ 1}", 1, BadCount),
        ("ab{2,1}", 2, CountOrder),
        ("a{32768}", 1, HighCount),
        ("a{1,99999999999999999999}", 1, HighCount),
        ("a\\", 1, TrailingBackslash),
        ("(a)\\1", 3, BackReference),
        ("\\9", 0, BackReference),
        ("a\\d+", 1, UnknownEscape),
        ("\\n", 0, UnknownEscape),
        ("(x\\0)", 2, UnknownEscape),
        ("[c-a]", 1, BadRange),
        ("[a-c-e]", 4, BadRange),
        ("[a---]", 1, BadRange),
        ("[+----]", 4, BadRange),
        ("[[:alpha:]-z]", 10, BadRange),
        ("[a-[:alpha:]]", 1, BadRange),
        ("[[=a=]-z]", 6, BadRange),
        ("[x[:foo:]]", 2, UnknownClass),
        ("[[::]]", 1, UnknownClass),
        ("[[.ab.]]", 1, UnknownElement),
        ("[[==]]", 1, UnknownElement),
        ("ba{32767}", 2, TooLarge),
        ("((a{99}){99}){99}", 8, TooLarge),
        ("(a{30000}b{30000}){0}", 2, TooLarge),
    ] {
        assert_eq!(refusal(pattern, 120_000), Some((at, kind)), "{pattern}");
    }
}

#[test]
fn a_fault_is_said_in_one_line() {
    let error = Regex::new(b"a|*", Options::default()).unwrap_err();
    assert_eq!(error.to_string(), "nothing to repeat at byte 2 of the pattern");
    let error = Regex::new(b"((", Options::default()).unwrap_err();
    assert_eq!(error.to_string(), "( is not closed at byte 1 of the pattern");
}

#[test]
fn depth_has_an_end_and_nothing_has_to_be_repeated() {
    let deep = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(refusal(&deep(250), 120_000), None);
    assert_eq!(refusal(&deep(251), 120_000), Some((250, TooDeep)));
    assert_eq!(refusal(&"(".repeat(1_000_000), 120_000), Some((250, TooDeep)));
    assert_eq!(refusal(&format!("a{}", "?".repeat(300)), 120_000), Some((251, TooDeep)));
    assert_eq!(refusal(&format!("a{}", "*".repeat(300)), 120_000), None);
    // Nothing, an astronomical number of times.
    assert_eq!(refusal("(((()){32767}){32767}){32767}", 120_000), None);
    assert_eq!(refusal("(((a{0}){32767}){32767}){32767}b", 120_000), None);
}

#[test]
fn more_memory_holds_larger_patterns() {
    assert_eq!(refusal("a{1000}", Options::LEAST), Some((1, TooLarge)));
    assert_eq!(refusal("a{1000}", 120_000), None);
    assert_eq!(refusal("a{32767}", Options::MOST), None);
    assert_eq!(refusal("(a{32767}){3}", usize::MAX), Some((10, TooLarge)));
}

#[test]
fn an_escape_without_a_meaning_can_be_taken_for_nothing() {
    let options = Options { any_escape: true, ..Options::default() };
    let mut regex = Regex::new(b"^\\d\\n\\0$", options).unwrap();
    assert!(regex.is_match(b"dn0") && !regex.is_match(b"7n0"));
    assert!(Regex::new(b"(a)\\1", options).is_err());
}
