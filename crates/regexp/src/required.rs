//! Which texts a line has to contain for a pattern to match. It answers for a
//! few short texts only; everything else is left to the automaton.

use crate::node::Node;
use crate::set::ByteSet;

/// How many texts there may be: each is looked for by itself.
const MOST: usize = 4;
/// How long a text is worth growing that is not all of the pattern.
const LONGEST: usize = 64;

/// What is known of all that a pattern matches.
pub(crate) struct Texts {
    /// It is one of these, and each of these is it, but for what is around it.
    pub(crate) exact: Option<Vec<Vec<u8>>>,
    /// It contains one of these.
    pub(crate) within: Option<Vec<Vec<u8>>>,
}

impl Texts {
    const NONE: Self = Self { exact: None, within: None };

    fn exact(texts: Vec<Vec<u8>>) -> Self {
        Self { exact: Some(texts), within: None }
    }

    /// The texts that it contains one of, in either case.
    pub(crate) fn required(self) -> Option<Vec<Vec<u8>>> {
        better(self.exact, self.within)
    }
}

/// What is known of what this node matches.
pub(crate) fn texts(node: &Node, sets: &[ByteSet]) -> Texts {
    match node {
        Node::Empty | Node::Look(_) => Texts::exact(vec![Vec::new()]),
        Node::Set(set) => {
            let set = sets[usize::from(*set)];
            if !(1..=MOST).contains(&set.len()) {
                return Texts::NONE;
            }
            Texts::exact(set.bytes().map(|byte| vec![byte]).collect())
        }
        Node::Concat(all) => concat(all, sets),
        Node::Alt(all) => alternatives(all, sets),
        Node::Repeat { node, min, max } => repeated(texts(node, sets), *min, *max),
    }
}

/// Whether nothing in it asks what is around it.
pub(crate) fn is_plain(node: &Node) -> bool {
    match node {
        Node::Empty | Node::Set(_) => true,
        Node::Look(_) => false,
        Node::Concat(all) | Node::Alt(all) => all.iter().all(is_plain),
        Node::Repeat { node, .. } => is_plain(node),
    }
}

fn concat(all: &[Node], sets: &[ByteSet]) -> Texts {
    let mut whole = true;
    let mut best = None;
    let mut run = vec![Vec::new()];
    for node in all {
        let part = texts(node, sets);
        if let Some(longer) = part.exact.as_ref().and_then(|exact| product(&run, exact)) {
            run = longer;
            continue;
        }
        whole = false;
        best = better(best, Some(run));
        run = part.exact.clone().unwrap_or_else(|| vec![Vec::new()]);
        best = better(best, part.required());
    }
    if whole {
        return Texts::exact(run);
    }
    Texts { exact: None, within: better(best, Some(run)) }
}

fn alternatives(all: &[Node], sets: &[ByteSet]) -> Texts {
    let mut exact = Some(Vec::new());
    let mut within = Some(Vec::new());
    for node in all {
        let part = texts(node, sets);
        exact = exact.zip(part.exact.clone()).and_then(|(all, more)| union(all, more));
        within = within.zip(part.required()).and_then(|(all, more)| union(all, more));
    }
    Texts { exact, within }
}

fn repeated(inner: Texts, min: u16, max: Option<u16>) -> Texts {
    if let (0, Some(1), Some(exact)) = (min, max, &inner.exact) {
        return Texts { exact: union(vec![Vec::new()], exact.clone()), within: None };
    }
    let Some(exact) = inner.exact.as_ref().filter(|_| min > 0) else {
        return if min > 0 { inner } else { Texts::NONE };
    };
    let mut run = exact.clone();
    let mut all = true;
    for _ in 1..min {
        let longer = product(&run, exact).filter(|run| run[0].len() <= LONGEST);
        let Some(longer) = longer else {
            all = false;
            break;
        };
        run = longer;
    }
    if all && max == Some(min) {
        Texts::exact(run)
    } else {
        Texts { exact: None, within: Some(run) }
    }
}

/// Each of one before each of the other.
fn product(one: &[Vec<u8>], other: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    if one.len() * other.len() > MOST {
        return None;
    }
    let pairs =
        one.iter().flat_map(|first| other.iter().map(move |last| [&**first, last].concat()));
    union(Vec::new(), pairs.collect())
}

fn union(mut all: Vec<Vec<u8>>, more: Vec<Vec<u8>>) -> Option<Vec<Vec<u8>>> {
    for text in more {
        if !all.contains(&text) {
            all.push(text);
        }
    }
    (all.len() <= MOST).then_some(all)
}

/// The one that fewer lines are likely to contain.
fn better(one: Option<Vec<Vec<u8>>>, other: Option<Vec<Vec<u8>>>) -> Option<Vec<Vec<u8>>> {
    let worth = |texts: &Option<Vec<Vec<u8>>>| texts.as_deref().map_or(0, worth);
    if worth(&one) >= worth(&other) { one } else { other }
}

/// How much is gained by looking for these texts first: 0 for nothing.
pub(crate) fn worth(texts: &[Vec<u8>]) -> usize {
    let shortest = texts.iter().min_by_key(|text| text.len());
    match shortest.map_or(&[][..], |text| text) {
        [] => 0,
        // These are in most lines.
        [byte] if byte.is_ascii_alphanumeric() || b" .,:;-_/=".contains(byte) => 0,
        // Two letters in any of four spellings are too.
        [_, _] if texts.len() > 2 => 0,
        text => text.len().min(LONGEST) * MOST - texts.len() + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use crate::automatic::Automatic;

    fn of(pattern: &str) -> (Texts, bool) {
        let parsed = Automatic::parse(pattern.as_bytes(), Options::default(), 1 << 20).unwrap();
        (texts(&parsed.node, &parsed.sets), is_plain(&parsed.node))
    }

    fn shown(texts: Option<Vec<Vec<u8>>>) -> Option<String> {
        texts.map(|texts| String::from_utf8(texts.join(&b'/')).unwrap())
    }

    #[test]
    fn all_that_a_pattern_matches() {
        for (pattern, exact) in [
            ("", Some("")),
            ("disk failure", Some("disk failure")),
            ("error|fatal", Some("error/fatal")),
            ("colou?r", Some("color/colour")),
            ("[ab]x[cd]", Some("axc/axd/bxc/bxd")),
            ("a(b|c)d|e", Some("abd/acd/e")),
            ("(ab){3}", Some("ababab")),
            ("a(|b)", Some("a/ab")),
            ("a|b|c|d|e", None),
            ("[abc][abc]", None),
            ("a{1,2}", None),
            ("ab*", None),
            ("a.", None),
        ] {
            let (texts, plain) = of(pattern);
            assert_eq!(shown(texts.exact).as_deref(), exact, "{pattern}");
            assert!(plain);
        }
        for pattern in ["^a", "(a$|b)", "(\\ba)*"] {
            assert!(!of(pattern).1, "{pattern}");
        }
    }

    #[test]
    fn what_a_line_has_to_contain() {
        for (pattern, within) in [
            ("error|fatal: .*disk", Some("error/fatal: ")),
            ("[0-9]+ms$", Some("ms")),
            ("^error$", Some("error")),
            ("x.*longer.*y", Some("longer")),
            ("(abc)+", Some("abc")),
            ("(abc){2,}", Some("abcabc")),
            ("(ab.|cd.)+e", Some("ab/cd")),
            ("\\[[0-9]+\\]", Some("[")),
            ("(abc)*", None),
            ("(abc|.)", None),
            ("e.*r", None),
            ("[eE][rR].", None),
            ("", None),
        ] {
            let within = within.map(str::to_owned);
            let texts = of(pattern).0.required().filter(|texts| worth(texts) > 0);
            assert_eq!(shown(texts), within, "{pattern}");
        }
    }
}
