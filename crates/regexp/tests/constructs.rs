//! Each thing that can be in a pattern.

use upkeep_regexp::{Options, Regex, escaped};

/// Compares where matches are; a line that is matched has `<` and `>` around
/// the match.
fn check(pattern: &[u8], ignore_case: bool, lines: &[&str]) {
    let mut regex = Regex::new(pattern, Options { ignore_case, ..Options::default() }).unwrap();
    for marked in lines {
        let line = marked.replace(['<', '>'], "");
        let wanted = marked.find('<').map(|start| start..marked.find('>').unwrap() - 1);
        let shown = format!("{} on {line:?}", String::from_utf8_lossy(pattern));
        assert_eq!(regex.find(line.as_bytes()), wanted, "{shown}");
        assert_eq!(regex.is_match(line.as_bytes()), wanted.is_some(), "{shown}");
    }
}

#[test]
fn every_construct() {
    let table: &[(&str, &[&str])] = &[
        ("", &["<>", "<>a"]),
        ("()", &["<>", "<>a"]),
        ("a", &["<a>", "b<a>b", "b", ""]),
        ("abc", &["ab<abc>c", "ab"]),
        ("a.c", &["<a.c>", "x<a\nc>", "ac"]),
        ("a|bc", &["x<bc>a", "<a>bc", "b"]),
        ("a|ab|abc", &["x<abc>d", "<ab>", "<a>"]),
        ("a|", &["<a>", "<>b", "<>"]),
        ("|a", &["<a>b", "<>b"]),
        ("a||b", &["<a>", "<b>", "<>c"]),
        ("(a|ab)(c|bcd)", &["<abcd>", "<abc>", "x<ac>"]),
        ("x*", &["<xx>y", "<>yx"]),
        ("ax+", &["<axx>y", "a"]),
        ("ax?b", &["<ab>", "<axb>", "axxb"]),
        ("a{2}", &["<aa>a", "ba"]),
        ("a{2,}b", &["ab", "<aaaab>"]),
        ("a{,2}b", &["<b>", "<ab>", "a<aab>"]),
        ("a{,}b", &["<b>", "<aaab>"]),
        ("a{1,3}", &["<aaa>a", "b<a>"]),
        ("a{0}b", &["a<b>"]),
        ("a{1}{2}", &["<aa>a"]),
        ("(ab){2}", &["ab", "<abab>ab"]),
        ("a**", &["<aa>b", "<>b"]),
        ("a+?", &["<aa>b", "<>b"]),
        ("a)b", &["<a)b>", "ab"]),
        ("())", &["<)>", "x"]),
        ("a}", &["<a}>"]),
        ("]", &["a<]>"]),
        ("^a", &["<a>a", "ba"]),
        ("a$", &["a<a>", "ab"]),
        ("^$", &["<>", "a"]),
        ("^^a$$", &["<a>", "ab"]),
        ("a^b|x$y", &["ab", "a^b", "xy"]),
        ("(^|x)a", &["<a>", "<xa>", "ba"]),
        ("(^a|b)*c", &["<ac>", "<abbc>", "<bbc>", "xa<c>"]),
        ("x(^)*", &["<x>"]),
        ("a($|b)", &["<ab>c", "c<a>", "ac"]),
        ("\\`a\\'", &["<a>", "ab", "ba"]),
        ("\\.\\*\\[\\]\\(\\)\\{\\}\\|\\+\\?\\^\\$\\\\", &["x<.*[](){}|+?^$\\>"]),
        ("\\w+", &["- <a_1>-"]),
        ("\\W+", &["a<- >b"]),
        ("\\s+", &["a< \t\x0b>b"]),
        ("\\S+", &[" <a->\t"]),
        ("\\bab\\b", &["<ab>", "x <ab>-", "xab", "abx"]),
        ("a\\Bb", &["x<ab>"]),
        ("\\Ba", &["b<a>", "- a", "a"]),
        ("\\B", &["<>", "<>-", "a"]),
        ("a\\>.", &["<a->", "ab"]),
        (" *\\<a", &["b< a>", "ba"]),
        ("\\b\\b.\\b", &["<x>-y", "xy< >z"]),
    ];
    for (pattern, lines) in table {
        check(pattern.as_bytes(), false, lines);
    }
}

#[test]
fn every_bracket() {
    let table: &[(&str, &[&str])] = &[
        ("[ab]+", &["c<ba>c"]),
        ("[^ab]+", &["a<cd>b"]),
        ("[]a]+", &["[<]a]>^"]),
        ("[^]a]+", &["a<[b>]"]),
        ("[a^]+", &["b<^a>"]),
        ("[a-c]+", &["d<abc>d-"]),
        ("[a-]+", &["b<-a->b"]),
        ("[-a]+", &["b<-a->b"]),
        ("[--/]+", &["a<-./>0"]),
        ("[%--]+", &["a<%+->."]),
        ("[---]+", &["a<-->b"]),
        ("[a\\]+", &["]<\\a>]"]),
        ("[\\n]+", &["<\\n>\n"]),
        ("[.*]+", &["a<*.>"]),
        ("[a[.-.]z]+", &["b<-az>b"]),
        ("[[.a.]-c]+", &["<abc>d"]),
        ("[a-[.c.]]+", &["<abc>d"]),
        ("[[.].]]+", &["[<]>"]),
        ("[[=a=]b]+", &["c<ab>="]),
        ("[:alpha:]+", &["<:lap>b"]),
        ("[[:alpha:]]+", &["1<aZ>1"]),
        ("[[:upper:]]+", &["a<AZ>1"]),
        ("[[:lower:]]+", &["A<az>1"]),
        ("[[:digit:]]+", &["a<09>a"]),
        ("[[:xdigit:]]+", &["g<09afAF>G"]),
        ("[[:alnum:]]+", &["_<a0Z>_"]),
        ("[[:space:]]+", &["a< \t\n\x0b\x0c\r>a"]),
        ("[[:blank:]]+", &["a< \t>\n"]),
        ("[[:punct:]]+", &["a<!/:@[`{~>a"]),
        ("[[:print:]]+", &["\t<a ~>\x7f"]),
        ("[[:graph:]]+", &[" <a~> "]),
        ("[[:cntrl:]]+", &["a<\0\x1f\x7f>a"]),
        ("[[:digit:][:blank:]x-z]+", &["a<1 y>b"]),
        ("[^[:alnum:]-]+", &["a-< +>a"]),
    ];
    for (pattern, lines) in table {
        check(pattern.as_bytes(), false, lines);
    }
}

#[test]
fn case_is_ignored_as_the_c_library_does() {
    let table: &[(&str, &[&str])] = &[
        ("error", &["an <ErRoR>"]),
        ("[a-c]+x", &["d<aBCX>"]),
        ("[^a]+", &["A<bB>a"]),
        ("[[:lower:]]+", &["1<aZ>1"]),
        ("[A-_]+", &["@<aZ_>`"]),
        ("[`-~]+", &["a<`{~>a"]),
        ("\\W\\w", &["a<-B>"]),
        ("[[.a.][=b=]]+", &["<AbaB>c"]),
    ];
    for (pattern, lines) in table {
        check(pattern.as_bytes(), true, lines);
    }
    assert!(Regex::new(b"[Z-a]", Options { ignore_case: true, ..Options::default() }).is_err());
}

#[test]
fn bytes_are_bytes() {
    let regex = |pattern: &[u8]| Regex::new(pattern, Options::default()).unwrap();
    assert_eq!(regex(b"a.b").find(b"xa\0b"), Some(1..4));
    assert_eq!(regex(b"a\0b").find(b"xa\0b"), Some(1..4));
    assert_eq!(regex(b"[\0\xff]+").find(b"x\0\xff\0"), Some(1..4));
    assert_eq!(regex(b"[\x80-\xff]+$").find("xä".as_bytes()), Some(1..3));
    assert_eq!(regex(b"\\W+").find("ä".as_bytes()), Some(0..2));
    assert_eq!(regex(b"^.$").find("ä".as_bytes()), None);
}

#[test]
fn literals() {
    let every: Vec<u8> = (0..=255).collect();
    let mut literal = Regex::literal(&every);
    let mut same = Regex::new(&escaped(&every), Options::default()).unwrap();
    let line = [b"x", every.as_slice(), b"x"].concat();
    for regex in [&mut literal, &mut same] {
        assert_eq!(regex.find(&line), Some(1..257));
        assert!(!regex.is_match(&line[..256]));
    }
    assert_eq!(Regex::literal(b"a*").find(b"aaa*"), Some(2..4));
    assert_eq!(Regex::literal(b"").find(b"abc"), Some(0..0));
    assert!(Regex::literal(&[b'x'; 100_000]).is_match(&[b'x'; 100_001]));
}

#[test]
fn lines_in_blocks() {
    // What is found is in the line, for texts, with a filter and without one.
    for pattern in ["needle", "needle|pin", "(need|p)[a-z]* in", "[n]ee*d?le* i?n?$", "e{2}.*"] {
        let mut regex = Regex::new(pattern.as_bytes(), Options::default()).unwrap();
        for before in [0, 1, 10, 300, 5000] {
            let hay = "some hay\n\n".repeat(before);
            let block = format!("{hay}a needle in\nsome hay\nneedle in\n");
            let at = regex.find_in_block(block.as_bytes()).unwrap();
            assert!((hay.len()..hay.len() + 12).contains(&at), "{pattern}: {at} for {}", hay.len());
            assert_eq!(regex.find_in_block(hay.as_bytes()), None, "{pattern}");
        }
        assert_eq!(regex.find_in_block(b""), None);
    }
    // A rare text and a frequent one, across the ends of what is searched.
    let mut regex = Regex::new(b"frequent|rare", Options::default()).unwrap();
    for at in 240..800 {
        let mut block = vec![b'.'; 1000];
        block[at..at + 4].copy_from_slice(b"rare");
        assert_eq!(regex.find_in_block(&block), Some(at));
        block[100..108].copy_from_slice(b"frequent");
        assert_eq!(regex.find_in_block(&block), Some(100));
    }
    let mut any = Regex::new(b"", Options::default()).unwrap();
    assert_eq!(any.find_in_block(b"\n"), Some(0));
    assert_eq!(any.find_in_block(b""), None);
}
