//! From a pattern to its tree, by the rules of the C library's regcomp with
//! REG_EXTENDED, odd ones included. It refuses what would not fit into the
//! memory that the expression may have, before that is spent.

use crate::Options;
use crate::bracket;
use crate::error::{Error, ErrorKind};
use crate::node::{Look, Node, Wanted};
use crate::set::{ByteSet, is_space, is_word};

/// How high the tree may be: the code behind this recurses.
const HIGHEST: usize = 250;
/// The highest count in braces, RE_DUP_MAX.
const MOST: u16 = 32767;

/// A pattern that was read.
pub(crate) struct Parsed {
    pub(crate) node: Node,
    /// The sets that its nodes name.
    pub(crate) sets: Vec<ByteSet>,
    /// How many instructions it becomes.
    pub(crate) size: usize,
}

/// Reads a pattern. Each instruction and each set that it becomes costs
/// something, and all of it may cost `budget`.
pub(crate) fn parse(
    pattern: &[u8],
    options: Options,
    cost: Cost,
    budget: usize,
) -> Result<Parsed, Error> {
    let Options { ignore_case, any_escape, .. } = options;
    let mut parser =
        Parser { pattern, at: 0, ignore_case, any_escape, sets: Vec::new(), cost, budget };
    let part = parser.alternatives(0)?;
    Ok(Parsed { node: part.node, sets: parser.sets, size: part.size })
}

/// What an expression costs, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) instruction: usize,
    pub(crate) set: usize,
}

/// A node, how high it is, and how many instructions it becomes.
struct Part {
    node: Node,
    height: usize,
    size: usize,
}

impl Part {
    const EMPTY: Self = Self { node: Node::Empty, height: 0, size: 0 };
}

struct Parser<'a> {
    pattern: &'a [u8],
    at: usize,
    ignore_case: bool,
    any_escape: bool,
    sets: Vec<ByteSet>,
    cost: Cost,
    budget: usize,
}

impl Parser<'_> {
    fn next(&self) -> Option<u8> {
        self.pattern.get(self.at).copied()
    }

    /// What is between two `|`, or around them, up to the `)` of its group.
    fn alternatives(&mut self, groups: usize) -> Result<Part, Error> {
        let at = self.at;
        let first = self.branch(groups)?;
        if self.next() != Some(b'|') {
            return Ok(first);
        }
        let (mut height, mut size) = (first.height, first.size);
        let mut all = vec![first.node];
        while self.next() == Some(b'|') {
            self.at += 1;
            let branch = self.branch(groups)?;
            height = height.max(branch.height);
            size += branch.size + 1;
            self.afford(at, size)?;
            all.push(branch.node);
        }
        self.part(at, Node::Alt(all), height + 1, size)
    }

    fn branch(&mut self, groups: usize) -> Result<Part, Error> {
        let start = self.at;
        let (mut height, mut size) = (0, 0);
        let mut all = Vec::new();
        while let Some(byte) = self.next() {
            if byte == b'|' || byte == b')' && groups > 0 {
                break;
            }
            let at = self.at;
            let part = self.piece(byte, groups)?;
            if part.node == Node::Empty {
                continue;
            }
            height = height.max(part.height);
            size += part.size;
            self.afford(at, size)?;
            all.push(part.node);
        }
        match all.pop() {
            None => Ok(Part::EMPTY),
            Some(node) if all.is_empty() => Ok(Part { node, height, size }),
            Some(node) => {
                all.push(node);
                self.part(start, Node::Concat(all), height + 1, size)
            }
        }
    }

    /// One thing and how often it comes.
    fn piece(&mut self, byte: u8, groups: usize) -> Result<Part, Error> {
        let mut part = self.atom(byte, groups)?;
        // What follows `^` and the like begins anew, and so has nothing to
        // repeat.
        if part.is_look() && byte != b'(' {
            return Ok(part);
        }
        loop {
            let at = self.at;
            let (min, max) = match self.next() {
                Some(b'*') => (0, None),
                Some(b'+') => (1, None),
                Some(b'?') => (0, Some(1)),
                Some(b'{') => self.count()?,
                _ => return Ok(part),
            };
            self.at += 1;
            part = self.repeat(at, part, min, max)?;
        }
    }

    fn atom(&mut self, byte: u8, groups: usize) -> Result<Part, Error> {
        let at = self.at;
        self.at += 1;
        match byte {
            b'(' => {
                if groups == HIGHEST {
                    return Err(Error { at, kind: ErrorKind::TooDeep });
                }
                let part = self.alternatives(groups + 1)?;
                if self.next().is_none() {
                    return Err(Error { at, kind: ErrorKind::OpenGroup });
                }
                self.at += 1;
                Ok(part)
            }
            b'[' => {
                let (set, end) = bracket::read(self.pattern, at, self.ignore_case)?;
                self.at = end;
                self.set(at, set)
            }
            b'.' => self.set(at, ByteSet::ALL),
            b'*' | b'+' | b'?' | b'{' => Err(Error { at, kind: ErrorKind::NothingToRepeat }),
            b'^' => self.look(at, &[(Wanted::Edge, Wanted::Any)]),
            b'$' => self.look(at, &[(Wanted::Any, Wanted::Edge)]),
            b'\\' => self.escaped(at),
            _ => self.byte(at, byte),
        }
    }

    /// What is behind a backslash.
    fn escaped(&mut self, at: usize) -> Result<Part, Error> {
        let Some(byte) = self.next() else {
            return Err(Error { at, kind: ErrorKind::TrailingBackslash });
        };
        self.at += 1;
        let begins = (Wanted::NoWord, Wanted::Word);
        let ends = (Wanted::Word, Wanted::NoWord);
        match byte {
            b'1'..=b'9' => Err(Error { at, kind: ErrorKind::BackReference }),
            b'w' => self.set(at, ByteSet::of(is_word)),
            b'W' => self.set(at, ByteSet::of(is_word).negated()),
            b's' => self.set(at, ByteSet::of(is_space)),
            b'S' => self.set(at, ByteSet::of(is_space).negated()),
            b'<' => self.look(at, &[begins]),
            b'>' => self.look(at, &[ends]),
            b'b' => self.look(at, &[begins, ends]),
            b'B' => {
                self.look(at, &[(Wanted::Word, Wanted::Word), (Wanted::NoWord, Wanted::NoWord)])
            }
            b'`' => self.look(at, &[(Wanted::Edge, Wanted::Any)]),
            b'\'' => self.look(at, &[(Wanted::Any, Wanted::Edge)]),
            _ if byte.is_ascii_alphanumeric() && !self.any_escape => {
                Err(Error { at, kind: ErrorKind::UnknownEscape })
            }
            _ => self.byte(at, byte),
        }
    }

    fn byte(&mut self, at: usize, byte: u8) -> Result<Part, Error> {
        let mut set = ByteSet::default();
        set.insert(byte);
        if self.ignore_case {
            set.insert(byte.to_ascii_lowercase());
            set.insert(byte.to_ascii_uppercase());
        }
        self.set(at, set)
    }

    fn set(&mut self, at: usize, set: ByteSet) -> Result<Part, Error> {
        let known = self.sets.iter().position(|other| *other == set);
        let number = known.unwrap_or_else(|| {
            self.sets.push(set);
            self.sets.len() - 1
        });
        self.afford(at, 1)?;
        let number = u16::try_from(number).map_err(|_| Error { at, kind: ErrorKind::TooLarge })?;
        self.part(at, Node::Set(number), 0, 1)
    }

    /// Any of these.
    fn look(&self, at: usize, sides: &[(Wanted, Wanted)]) -> Result<Part, Error> {
        let mut all: Vec<_> =
            sides.iter().map(|&(before, after)| Node::Look(Look { before, after })).collect();
        let node = if all.len() == 1 { all.swap_remove(0) } else { Node::Alt(all) };
        self.part(at, node, 1, sides.len() * 2 - 1)
    }

    fn repeat(&self, at: usize, part: Part, min: u16, max: Option<u16>) -> Result<Part, Error> {
        // Nothing repeated is nothing, and costs no time to repeat; what may
        // come any number of times already is the same once more.
        if part.node == Node::Empty || max == Some(0) {
            return Ok(Part::EMPTY);
        }
        if (min, max) == (1, Some(1)) || matches!(part.node, Node::Repeat { min: 0, max: None, .. })
        {
            return Ok(part);
        }
        let least = part.size.saturating_mul(usize::from(min));
        let more = match max {
            None if min == 0 => part.size + 1,
            None => 1,
            Some(max) => usize::from(max - min).saturating_mul(part.size + 1),
        };
        let node = Node::Repeat { node: Box::new(part.node), min, max };
        self.part(at, node, part.height + 1, least.saturating_add(more))
    }

    /// Reads a count, from its brace up to its closing brace.
    fn count(&mut self) -> Result<(u16, Option<u16>), Error> {
        let at = self.at;
        let rest = &self.pattern[at + 1..];
        let Some(len) = rest.iter().position(|&byte| byte == b'}') else {
            return Err(Error { at, kind: ErrorKind::OpenCount });
        };
        let mut counts = rest[..len].split(|&byte| byte == b',');
        let (first, second) = (counts.next().unwrap_or_default(), counts.next());
        let number = |digits: &[u8]| match digits {
            [] => Ok(None),
            _ if !digits.iter().all(u8::is_ascii_digit) => {
                Err(Error { at, kind: ErrorKind::BadCount })
            }
            _ => Ok(Some(digits.iter().fold(0u16, |n, digit| {
                n.saturating_mul(10).saturating_add(u16::from(digit - b'0'))
            }))),
        };
        let (min, max) = match (number(first)?, second) {
            (None, None) => return Err(Error { at, kind: ErrorKind::BadCount }),
            (Some(n), None) => (n, Some(n)),
            (min, Some(second)) => (min.unwrap_or(0), number(second)?),
        };
        if counts.next().is_some() {
            return Err(Error { at, kind: ErrorKind::BadCount });
        }
        if max.is_some_and(|max| min > max) {
            return Err(Error { at, kind: ErrorKind::CountOrder });
        }
        if max.unwrap_or(min) > MOST {
            return Err(Error { at, kind: ErrorKind::HighCount });
        }
        self.at += 1 + len;
        Ok((min, max))
    }

    fn part(&self, at: usize, node: Node, height: usize, size: usize) -> Result<Part, Error> {
        if height > HIGHEST {
            return Err(Error { at, kind: ErrorKind::TooDeep });
        }
        self.afford(at, size)?;
        Ok(Part { node, height, size })
    }

    /// Whether there is room for that many instructions, and the last one.
    fn afford(&self, at: usize, size: usize) -> Result<(), Error> {
        let sets = self.sets.len() * self.cost.set;
        let cost = size.saturating_add(1).saturating_mul(self.cost.instruction);
        if cost.saturating_add(sets) > self.budget || size >= usize::from(u16::MAX) {
            return Err(Error { at, kind: ErrorKind::TooLarge });
        }
        Ok(())
    }
}

impl Part {
    /// Whether this is `^` or the like, `\b` included.
    fn is_look(&self) -> bool {
        match &self.node {
            Node::Look(_) => true,
            Node::Alt(all) => all.iter().all(|node| matches!(node, Node::Look(_))),
            Node::Empty | Node::Set(_) | Node::Concat(_) | Node::Repeat { .. } => false,
        }
    }
}
