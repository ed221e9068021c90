//! Bracket expressions, `[a-z]`, in the C locale: bytes are in the order of
//! their values, and a collating element is one byte. What POSIX leaves open is
//! as in the C library.

use crate::error::{Error, ErrorKind};
use crate::set::{ByteSet, is_space};

/// What can stand at one place between brackets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Byte(u8),
    Hyphen,
    Close,
    /// `[.`, `[=` or `[:`.
    Open(u8),
}

/// What one element names.
enum Element {
    /// A byte, which a range may begin or end with.
    Byte(u8),
    /// More than that: no range.
    Set(ByteSet),
}

/// Reads what is behind a `[`, and says what is in it and where it ends, which
/// is behind its `]`.
pub(crate) fn read(
    pattern: &[u8],
    open: usize,
    ignore_case: bool,
) -> Result<(ByteSet, usize), Error> {
    let mut reader = Reader { pattern, open, at: open + 1, ignore_case };
    let mut set = reader.list()?;
    if pattern.get(open + 1) == Some(&b'^') {
        set = set.negated();
    }
    if ignore_case {
        set = set.without_case();
    }
    Ok((set, reader.at))
}

struct Reader<'a> {
    pattern: &'a [u8],
    open: usize,
    at: usize,
    ignore_case: bool,
}

impl Reader<'_> {
    fn list(&mut self) -> Result<ByteSet, Error> {
        let mut set = ByteSet::default();
        if self.pattern.get(self.at) == Some(&b'^') {
            self.at += 1;
        }
        let mut first = true;
        loop {
            let at = self.at;
            let (token, len) = self.peek()?;
            if token == Token::Close && !first {
                self.at += 1;
                return Ok(set);
            }
            match self.element(token, len, first)? {
                Element::Set(more) => set = set.and(more),
                Element::Byte(from) => {
                    let to = if self.is_range()? { self.end(at)? } else { from };
                    if from > to {
                        return Err(Error { at, kind: ErrorKind::BadRange });
                    }
                    (from..=to).for_each(|byte| set.insert(byte));
                }
            }
            first = false;
        }
    }

    /// Whether a range goes on here, and if it does steps over its hyphen. One
    /// before the closing bracket is none.
    fn is_range(&mut self) -> Result<bool, Error> {
        let (Token::Hyphen, len) = self.peek()? else { return Ok(false) };
        self.at += len;
        if self.peek()?.0 == Token::Close {
            self.at -= len;
            return Ok(false);
        }
        Ok(true)
    }

    /// The end of a range that began at `from`.
    fn end(&mut self, from: usize) -> Result<u8, Error> {
        let (token, len) = self.peek()?;
        match self.element(token, len, true)? {
            Element::Byte(byte) => Ok(byte),
            Element::Set(_) => Err(Error { at: from, kind: ErrorKind::BadRange }),
        }
    }

    fn error<T>(&self, kind: ErrorKind) -> Result<T, Error> {
        let at = if kind == ErrorKind::OpenBracket { self.open } else { self.at };
        Err(Error { at, kind })
    }

    /// The token here, and how long it is.
    fn peek(&self) -> Result<(Token, usize), Error> {
        Ok(match &self.pattern[self.at..] {
            [] => return self.error(ErrorKind::OpenBracket),
            [b']', ..] => (Token::Close, 1),
            [b'[', kind @ (b'.' | b'=' | b':'), ..] => (Token::Open(*kind), 2),
            [b'-', ..] => (Token::Hyphen, 1),
            [byte, ..] => (Token::Byte(self.cased(*byte)), 1),
        })
    }

    fn cased(&self, byte: u8) -> u8 {
        if self.ignore_case { byte.to_ascii_uppercase() } else { byte }
    }

    /// What `token` names. A hyphen stands for itself where `hyphen` says so,
    /// and at the end.
    fn element(&mut self, token: Token, len: usize, hyphen: bool) -> Result<Element, Error> {
        let start = self.at;
        self.at += len;
        match token {
            Token::Byte(byte) => Ok(Element::Byte(byte)),
            Token::Close => Ok(Element::Byte(b']')),
            Token::Hyphen => {
                if !hyphen && self.peek()?.0 != Token::Close {
                    return Err(Error { at: start, kind: ErrorKind::BadRange });
                }
                Ok(Element::Byte(b'-'))
            }
            Token::Open(kind) => self.symbol(start, kind),
        }
    }

    /// What is named between `[.` and `.]`, or another such pair.
    fn symbol(&mut self, start: usize, kind: u8) -> Result<Element, Error> {
        let rest = &self.pattern[self.at..];
        let Some(len) = rest.windows(2).position(|pair| pair == [kind, b']']) else {
            return self.error(ErrorKind::OpenBracket);
        };
        let name = &rest[..len];
        self.at += len + 2;
        if kind == b':' {
            let Some(class) = class(name, self.ignore_case) else {
                return Err(Error { at: start, kind: ErrorKind::UnknownClass });
            };
            return Ok(Element::Set(class));
        }
        let &[byte] = name else {
            return Err(Error { at: start, kind: ErrorKind::UnknownElement });
        };
        let byte = self.cased(byte);
        Ok(if kind == b'.' {
            Element::Byte(byte)
        } else {
            Element::Set(ByteSet::of(|other| other == byte))
        })
    }
}

/// The bytes of a character class in the C locale.
fn class(name: &[u8], ignore_case: bool) -> Option<ByteSet> {
    Some(match name {
        b"alpha" => ByteSet::of(|byte| byte.is_ascii_alphabetic()),
        b"upper" | b"lower" if ignore_case => ByteSet::of(|byte| byte.is_ascii_alphabetic()),
        b"upper" => ByteSet::of(|byte| byte.is_ascii_uppercase()),
        b"lower" => ByteSet::of(|byte| byte.is_ascii_lowercase()),
        b"digit" => ByteSet::of(|byte| byte.is_ascii_digit()),
        b"xdigit" => ByteSet::of(|byte| byte.is_ascii_hexdigit()),
        b"alnum" => ByteSet::of(|byte| byte.is_ascii_alphanumeric()),
        b"space" => ByteSet::of(is_space),
        b"blank" => ByteSet::of(|byte| matches!(byte, b' ' | b'\t')),
        b"punct" => ByteSet::of(|byte| byte.is_ascii_punctuation()),
        b"print" => ByteSet::of(|byte| matches!(byte, b' '..=b'~')),
        b"graph" => ByteSet::of(|byte| byte.is_ascii_graphic()),
        b"cntrl" => ByteSet::of(|byte| byte.is_ascii_control()),
        _ => return None,
    })
}
