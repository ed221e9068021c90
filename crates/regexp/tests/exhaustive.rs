//! All small patterns on all small lines.

use super::naive::{COUNTS, ONES, PLACES, Tree};
use super::random::Random;
use upkeep_regexp::{Options, Regex};

/// All lines of these bytes up to a length.
fn lines(bytes: &[u8], longest: usize) -> Vec<Vec<u8>> {
    let mut all = vec![Vec::new()];
    let mut first = 0;
    for _ in 0..longest {
        let last = all.len();
        for line in first..last {
            for &byte in bytes {
                all.push([all[line].as_slice(), &[byte]].concat());
            }
        }
        first = last;
    }
    all
}

fn compare(tree: &Tree, lines: &[Vec<u8>], memory: usize) {
    let pattern = tree.pattern();
    let options = Options { memory, ..Options::default() };
    let mut regex = Regex::new(pattern.as_bytes(), options)
        .unwrap_or_else(|error| panic!("{pattern}: {error}"));
    let mut block = Vec::new();
    let mut first = None;
    for line in lines {
        let wanted = tree.find(line);
        let shown = || format!("{pattern} on {:?}", String::from_utf8_lossy(line));
        assert_eq!(regex.is_match(line), wanted.is_some(), "{}", shown());
        assert_eq!(regex.find(line), wanted, "{}", shown());
        if wanted.is_some() {
            first.get_or_insert(block.len() + line.len());
        }
        block.extend(line);
        block.push(b'\n');
    }
    // A line before the first that matches may be pointed out, but none after.
    match (regex.find_in_block(&block), first) {
        (None, Some(_)) => panic!("{pattern} finds no line in a block"),
        (Some(at), Some(end)) => assert!(at <= end, "{pattern} is late in a block"),
        (_, None) => {}
    }
}

/// All trees of so many pieces.
fn trees(size: usize) -> Vec<Tree> {
    let leaves = || [&ONES[..2], &PLACES[..3], &[Tree::Empty]].concat();
    let mut by_size = vec![Vec::new(), leaves()];
    for size in 2..=size {
        let mut all = Vec::new();
        for inner in &by_size[size - 1] {
            for &(piece, min, max) in &COUNTS[..5] {
                all.push(Tree::Times(Box::new(inner.clone()), piece, min, max));
            }
        }
        for left in 1..size - 1 {
            for one in &by_size[left] {
                for other in &by_size[size - 1 - left] {
                    let both = || (Box::new(one.clone()), Box::new(other.clone()));
                    let (first, second) = both();
                    all.push(Tree::Both(first, second));
                    let (first, second) = both();
                    all.push(Tree::Either(first, second));
                }
            }
        }
        by_size.push(all);
    }
    by_size.concat()
}

#[test]
fn all_small_patterns_on_all_small_lines() {
    let lines = lines(b"ab ", 3);
    for tree in trees(4) {
        compare(&tree, &lines, Options::LEAST);
    }
}

/// A tree of `size` pieces of all kinds.
fn any_tree(random: &mut Random, size: usize) -> Tree {
    if size < 2 {
        return match random.below(8) {
            0 => Tree::Empty,
            1 | 2 => PLACES[random.below(PLACES.len())].clone(),
            _ => ONES[random.below(ONES.len())].clone(),
        };
    }
    if size == 2 || random.below(3) == 0 {
        let (piece, min, max) = random.one_of(COUNTS);
        return Tree::Times(Box::new(any_tree(random, size - 1)), piece, min, max);
    }
    let left = 1 + random.below(size - 2);
    let one = Box::new(any_tree(random, left));
    let other = Box::new(any_tree(random, size - 1 - left));
    if random.below(3) > 0 { Tree::Both(one, other) } else { Tree::Either(one, other) }
}

#[test]
fn larger_patterns_on_longer_lines() {
    for seed in 0..1500 {
        let mut random = Random::new(seed);
        let size = 5 + random.below(8);
        let tree = any_tree(&mut random, size);
        let lines: Vec<Vec<u8>> = (0..40)
            .map(|_| (0..random.below(9)).map(|_| random.one_of(b"aaabbc -]^\0\xff")).collect())
            .collect();
        compare(&tree, &lines, Options::default().memory);
    }
}
