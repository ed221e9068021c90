//! The words and operators of a shell script.

use super::{Join, Word};

/// The next piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(Word),
    Redirect(String),
    Join(Join),
    Open,
    Close,
    /// `;;`, and what bash has besides.
    CaseEnd,
}

pub(super) struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
    /// What is read when this line is over: the word that ends it, and whether
    /// tabs before that are left out.
    here: Vec<(Vec<u8>, bool)>,
}

impl<'a> Lexer<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text: text.as_bytes(), at: 0, line: 1, here: Vec::new() }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn starts_with(&self, what: &[u8]) -> bool {
        self.text[self.at..].starts_with(what)
    }

    fn step(&mut self) -> Option<u8> {
        let byte = self.peek(0)?;
        self.at += 1;
        self.line += u32::from(byte == b'\n');
        Some(byte)
    }

    /// The next one with its line; nothing at the end, and no answer at all
    /// where the text ends within one.
    #[expect(clippy::option_option, reason = "no answer and no token are two things")]
    pub(super) fn next(&mut self) -> Option<Option<(u32, Token)>> {
        loop {
            match self.peek(0) {
                None => return Some(None),
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                Some(b'\\') if self.peek(1) == Some(b'\n') => {
                    self.at += 2;
                    self.line += 1;
                }
                Some(b'#') => {
                    while self.peek(0).is_some_and(|byte| byte != b'\n') {
                        self.at += 1;
                    }
                }
                Some(_) => break,
            }
        }
        let line = self.line;
        Some(Some((line, self.token()?)))
    }

    fn token(&mut self) -> Option<Token> {
        const OPERATORS: [(&[u8], Token); 12] = [
            (b";;&", Token::CaseEnd),
            (b";;", Token::CaseEnd),
            (b";&", Token::CaseEnd),
            (b";", Token::Join(Join::Then)),
            (b"&&", Token::Join(Join::And)),
            (b"||", Token::Join(Join::Or)),
            (b"|&", Token::Join(Join::Pipe)),
            (b"|", Token::Join(Join::Pipe)),
            (b"((", Token::Open),
            (b"(", Token::Open),
            (b")", Token::Close),
            (b"\n", Token::Join(Join::Then)),
        ];
        if self.starts_with(b"((") || self.starts_with(b"<(") || self.starts_with(b">(") {
            // Arithmetic, or a process in the place of a file: bash's.
            return None;
        }
        if let Some(redirect) = self.redirect() {
            return redirect.map(Token::Redirect);
        }
        for (text, token) in OPERATORS {
            if self.starts_with(text) {
                for _ in text {
                    self.step();
                }
                if text == b"\n" {
                    self.skip_here()?;
                }
                return Some(token);
            }
        }
        if self.peek(0) == Some(b'&') {
            self.at += 1;
            return Some(Token::Join(Join::Background));
        }
        if self.starts_with(b"[[") && self.peek(2).is_some_and(|b| b.is_ascii_whitespace()) {
            return self.test();
        }
        self.word().map(Token::Word)
    }

    /// `[[ ... ]]` as one word: what is in it has rules of its own.
    fn test(&mut self) -> Option<Token> {
        while !self.starts_with(b"]]") {
            self.step()?;
        }
        self.at += 2;
        Some(Token::Word(Word { text: "[[".to_owned(), plain: true, quoted: true }))
    }

    /// What the here documents of the line that is over have in them.
    fn skip_here(&mut self) -> Option<()> {
        for (end, tabs) in core::mem::take(&mut self.here) {
            loop {
                let rest = &self.text[self.at..];
                if rest.is_empty() {
                    return None;
                }
                let len = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
                let mut line = &rest[..len];
                while tabs && line.first() == Some(&b'\t') {
                    line = &line[1..];
                }
                self.at += (len + 1).min(rest.len());
                self.line += 1;
                if line == end {
                    break;
                }
            }
        }
        Some(())
    }

    /// A redirection with what it is to.
    #[expect(clippy::option_option, reason = "none, and one that is cut off")]
    fn redirect(&mut self) -> Option<Option<String>> {
        let mut end = self.at;
        while self.text.get(end).is_some_and(u8::is_ascii_digit) {
            end += 1;
        }
        let rest = &self.text[end..];
        let both = rest.starts_with(b"&>");
        if !(both || rest.first().is_some_and(|byte| matches!(byte, b'<' | b'>'))) {
            return None;
        }
        let mut text = String::from_utf8_lossy(&self.text[self.at..end]).into_owned();
        self.at = end;
        let operators: [&[u8]; 11] =
            [b"&>>", b"&>", b"<<<", b"<<-", b"<<", b"<>", b">>", b"<&", b">&", b">|", b"<"];
        let operator = operators.into_iter().find(|text| self.starts_with(text)).unwrap_or(b">");
        self.at += operator.len();
        text.push_str(core::str::from_utf8(operator).unwrap_or(""));
        while matches!(self.peek(0), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        let Some(target) = self.word() else { return Some(None) };
        if matches!(operator, b"<<" | b"<<-") {
            self.here.push((target.text.clone().into_bytes(), operator == b"<<-"));
        }
        text.push_str(&target.text);
        Some(Some(text))
    }

    fn word(&mut self) -> Option<Word> {
        let mut text = Vec::new();
        let mut word = Word { text: String::new(), plain: true, quoted: false };
        loop {
            match self.peek(0) {
                None
                | Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b')') => {
                    break;
                }
                Some(b'(') => {
                    // An array, or a pattern of bash's.
                    if !text.ends_with(b"=") {
                        break;
                    }
                    self.at += 1;
                    self.skip_to(b')')?;
                    word.plain = false;
                }
                Some(b'\\') => {
                    self.at += 1;
                    word.quoted = true;
                    if let Some(byte) = self.step()
                        && byte != b'\n'
                    {
                        text.push(byte);
                    }
                }
                Some(b'\'') => {
                    self.at += 1;
                    word.quoted = true;
                    loop {
                        match self.step()? {
                            b'\'' => break,
                            byte => text.push(byte),
                        }
                    }
                }
                Some(b'"') => {
                    self.at += 1;
                    word.quoted = true;
                    self.double(&mut text, &mut word)?;
                }
                Some(b'$' | b'`') => self.expansion(&mut text, &mut word)?,
                Some(byte @ (b'*' | b'?' | b'[' | b'~')) => {
                    // `[` alone is a command, `?` may be in a name: only the
                    // shell knows.
                    word.plain &= byte == b'[' && text.is_empty();
                    text.push(byte);
                    self.at += 1;
                }
                Some(byte) => {
                    text.push(byte);
                    self.at += 1;
                }
            }
        }
        if text.is_empty() && word.plain && !word.quoted {
            return None;
        }
        word.text = String::from_utf8_lossy(&text).into_owned();
        Some(word)
    }

    fn double(&mut self, text: &mut Vec<u8>, word: &mut Word) -> Option<()> {
        loop {
            match self.peek(0)? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => {
                    self.at += 1;
                    match self.step()? {
                        b'\n' => {}
                        byte => text.push(byte),
                    }
                }
                b'$' | b'`' => self.expansion(text, word)?,
                _ => text.extend(self.step()),
            }
        }
    }

    /// `$name`, `${...}`, `$(...)` or `` `...` ``, as it is written.
    fn expansion(&mut self, text: &mut Vec<u8>, word: &mut Word) -> Option<()> {
        let start = self.at;
        word.plain = false;
        if self.step()? == b'`' {
            loop {
                match self.step()? {
                    b'`' => break,
                    b'\\' => {
                        self.step()?;
                    }
                    _ => {}
                }
            }
        } else {
            match self.peek(0) {
                Some(b'(') => {
                    self.at += 1;
                    self.skip_to(b')')?;
                }
                Some(b'{') => {
                    self.at += 1;
                    self.skip_to(b'}')?;
                }
                // A name is what is in the rest of the word.
                Some(b'#' | b'?' | b'!' | b'$' | b'*' | b'@') => self.at += 1,
                _ => {}
            }
        }
        text.extend_from_slice(&self.text[start..self.at]);
        Some(())
    }

    /// Goes behind the byte that closes what was just opened.
    fn skip_to(&mut self, close: u8) -> Option<()> {
        let open = if close == b')' { b'(' } else { b'{' };
        let mut depth = 1;
        while depth > 0 {
            let byte = self.step()?;
            match byte {
                b'\\' => {
                    self.step()?;
                }
                b'\'' if close == b')' => while self.step()? != b'\'' {},
                b'"' => loop {
                    match self.step()? {
                        b'"' => break,
                        b'\\' => {
                            self.step()?;
                        }
                        _ => {}
                    }
                },
                _ if byte == close => depth -= 1,
                _ if byte == open => depth += 1,
                _ => {}
            }
        }
        Some(())
    }
}
