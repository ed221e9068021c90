//! Any bytes as a regular expression and a line: it is one or it is none, and
//! what it answers does not depend on the memory that it has. Bytes that are
//! built into a tree are compared with a matcher that is too plain to be wrong.

use naive::{COUNTS, ONES, PLACES, Tree};
use upkeep_regexp::{Options, Regex};

#[path = "../../crates/regexp/tests/naive.rs"]
mod naive;

/// Asks all questions about a line, and says whether and where it matches.
fn ask(regex: &mut Regex, line: &[u8]) -> Option<(usize, usize)> {
    let memory = regex.memory();
    let found = regex.find(line);
    assert_eq!(regex.is_match(line), found.is_some());
    let block = [line, b"\n"].concat();
    match regex.find_in_block(&block) {
        Some(at) => assert!(at < block.len()),
        // A line of the block may match where the line alone does not, as it
        // ends at a newline, but not the other way round.
        None => assert!(found.is_none() || line.contains(&b'\n')),
    }
    assert_eq!(regex.memory(), memory);
    found.map(|found| {
        assert!(line.get(found.clone()).is_some());
        assert_eq!(regex.find_from(line, found.start), Some(found.clone()));
        (found.start, found.end)
    })
}

/// A tree, by the rules of a machine with a stack.
fn tree(code: &[u8]) -> Tree {
    let mut stack = Vec::new();
    for &byte in code {
        let (operation, which) = (byte % 8, usize::from(byte / 8));
        let made = match (operation, stack.pop()) {
            (5, Some(inner)) => {
                let (piece, min, max) = COUNTS[which % COUNTS.len()];
                Tree::Times(Box::new(inner), piece, min, max)
            }
            (6 | 7, Some(other)) => {
                let (one, other) = (Box::new(stack.pop().unwrap_or(Tree::Empty)), Box::new(other));
                if operation == 6 { Tree::Both(one, other) } else { Tree::Either(one, other) }
            }
            (4, top) => {
                stack.extend(top);
                PLACES[which % PLACES.len()].clone()
            }
            (_, top) => {
                stack.extend(top);
                ONES[which % ONES.len()].clone()
            }
        };
        stack.push(made);
    }
    let both = |one, other| Tree::Both(Box::new(one), Box::new(other));
    stack.into_iter().reduce(both).unwrap_or(Tree::Empty)
}

/// Reads `data` as a pattern, up to a newline, and a line.
pub fn regular_expressions(data: &[u8]) {
    let [how, data @ ..] = data else { return };
    let end = data.iter().position(|&byte| byte == b'\n').unwrap_or(data.len());
    let (pattern, line) = (&data[..end], data.get(end + 1..).unwrap_or_default());
    let (ignore_case, plain) = (how & 1 == 1, how & 2 == 2);
    if plain {
        let tree = tree(&pattern[..pattern.len().min(16)]);
        let pattern = tree.pattern();
        let line = &line[..line.len().min(8)];
        let mut regex = Regex::new(pattern.as_bytes(), Options::default())
            .unwrap_or_else(|error| panic!("{pattern}: {error}"));
        let wanted = tree.find(line).map(|found| (found.start, found.end));
        assert_eq!(ask(&mut regex, line), wanted, "{pattern} on {line:?}");
        return;
    }
    let new = |memory| Regex::new(pattern, Options { ignore_case, memory, ..Options::default() });
    match new(Options::default().memory) {
        Err(error) => assert!(error.at <= pattern.len(), "{error}"),
        Ok(mut large) => {
            let found = ask(&mut large, line);
            if let Ok(mut small) = new(Options::LEAST) {
                assert_eq!(ask(&mut small, line), found);
            }
        }
    }
}
