//! A shell script taken apart, as far as it takes to see which commands it has
//! and how they are joined. Expands nothing and runs nothing; what it does not
//! understand is no script, so that nobody judges it.

mod lexer;

use lexer::{Lexer, Token};

/// What stands between two commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// The end of a line, a semicolon, or nothing.
    Then,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `|`
    Pipe,
    /// `&`
    Background,
}

/// A word of a command, without its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// What it says.
    pub text: String,
    /// Whether the shell puts in nothing of its own.
    pub plain: bool,
    /// Whether it has quotes, so that it is no word of the shell's.
    pub quoted: bool,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The line in which it begins.
    pub line: u32,
    /// Its words; none for one that is made of others, as `if` is.
    pub words: Vec<Word>,
    /// Its redirections, without blanks.
    pub redirects: Vec<String>,
    /// How many others it is in.
    pub depth: usize,
    /// What is before it.
    pub before: Join,
    /// What is behind it.
    pub after: Join,
}

impl Command {
    /// Its name, if that is known, without the variables that are set for it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.call().first().filter(|word| word.plain).map(|word| word.text.as_str())
    }

    /// Its name and arguments, without the variables that are set for it.
    #[must_use]
    pub fn call(&self) -> &[Word] {
        let sets = self.words.iter().take_while(|word| is_assignment(&word.text)).count();
        &self.words[sets..]
    }
}

fn is_assignment(text: &str) -> bool {
    let Some((name, _)) = text.split_once('=') else { return false };
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(letters)
}

/// A script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its commands in the order in which they end.
    pub commands: Vec<Command>,
    /// The functions that it defines.
    pub functions: Vec<String>,
}

/// What is open, with where it began and what was before it.
struct Open {
    what: What,
    line: u32,
    before: Join,
    /// What it is closed by does not run now.
    defines: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    If,
    Loop,
    Brace,
    Paren,
    Case,
    /// A case, where the next thing is a pattern.
    Pattern,
}

struct Parser {
    open: Vec<Open>,
    commands: Vec<Command>,
    functions: Vec<String>,
    line: u32,
    words: Vec<Word>,
    redirects: Vec<String>,
    before: Join,
    /// Whether what was just closed makes a command that is not ended yet.
    closed: bool,
    /// Whether what comes next is the body of a function.
    defines: bool,
    /// Whether the words up to the next end are not a command's.
    header: bool,
}

/// Takes a script apart.
#[must_use]
pub fn parse(text: &str) -> Option<Script> {
    let mut lexer = Lexer::new(text);
    let mut parser = Parser {
        open: Vec::new(),
        commands: Vec::new(),
        functions: Vec::new(),
        line: 1,
        words: Vec::new(),
        redirects: Vec::new(),
        before: Join::Then,
        closed: false,
        defines: false,
        header: false,
    };
    while let Some((line, token)) = lexer.next()? {
        parser.take(line, token)?;
    }
    parser.end(Join::Then);
    let Parser { open, commands, functions, .. } = parser;
    open.is_empty().then_some(Script { commands, functions })
}

impl Parser {
    fn take(&mut self, line: u32, token: Token) -> Option<()> {
        if self.in_pattern() {
            return self.take_pattern(line, token);
        }
        match token {
            Token::Word(word) => self.take_word(line, word),
            Token::Redirect(text) => {
                self.begin(line);
                self.redirects.push(text);
                Some(())
            }
            Token::Join(join) => {
                self.end(join);
                Some(())
            }
            Token::Open => self.take_open(line),
            Token::Close => {
                if self.open.last()?.what != What::Paren {
                    return None;
                }
                self.close(What::Paren)
            }
            Token::CaseEnd => {
                self.end(Join::Then);
                let top = self.open.last_mut()?;
                if top.what != What::Case {
                    return None;
                }
                top.what = What::Pattern;
                Some(())
            }
        }
    }

    fn in_pattern(&self) -> bool {
        self.open.last().is_some_and(|open| open.what == What::Pattern)
    }

    /// `pattern | pattern )`, or the end of the case.
    fn take_pattern(&mut self, _line: u32, token: Token) -> Option<()> {
        match token {
            Token::Word(word) if word.text == "esac" && !word.quoted => self.close(What::Pattern),
            Token::Close => {
                self.open.last_mut()?.what = What::Case;
                self.before = Join::Then;
                Some(())
            }
            Token::Word(_) | Token::Open | Token::Join(_) => Some(()),
            Token::Redirect(_) | Token::CaseEnd => None,
        }
    }

    /// `(`: a subshell, or a function that begins.
    fn take_open(&mut self, line: u32) -> Option<()> {
        if self.words.is_empty() {
            self.push(What::Paren, line);
            return Some(());
        }
        if self.words.len() == 1 && self.redirects.is_empty() {
            self.functions.extend(self.words.pop().map(|word| word.text));
            self.defines = true;
            // What closes it comes at once.
            self.open.push(Open { what: What::Paren, line, before: self.before, defines: true });
            return Some(());
        }
        None
    }

    fn take_word(&mut self, line: u32, word: Word) -> Option<()> {
        if self.closed {
            // Only redirections and the words of the shell may follow.
            self.end(Join::Then);
        }
        if self.header {
            let is_case = self.open.last().is_some_and(|open| open.what == What::Case);
            if is_case && word.text == "in" && !word.quoted {
                self.header = false;
                self.open.last_mut()?.what = What::Pattern;
            } else if !is_case && word.text == "do" && !word.quoted {
                self.header = false;
            }
            return Some(());
        }
        if self.words.is_empty() && self.redirects.is_empty() && !word.quoted && word.plain {
            match word.text.as_str() {
                "if" => return self.pushed(What::If, line),
                "while" | "until" => return self.pushed(What::Loop, line),
                "for" | "select" => {
                    self.push(What::Loop, line);
                    self.header = true;
                    return Some(());
                }
                "case" => {
                    self.push(What::Case, line);
                    self.header = true;
                    return Some(());
                }
                "{" => return self.pushed(What::Brace, line),
                "then" | "else" | "elif" | "do" | "!" | "time" => {
                    self.before = Join::Then;
                    return Some(());
                }
                "fi" => return self.close(What::If),
                "done" => return self.close(What::Loop),
                "}" => return self.close(What::Brace),
                "esac" => return self.close(What::Case),
                "function" => return None,
                _ => {}
            }
        }
        self.begin(line);
        self.words.push(word);
        Some(())
    }

    fn begin(&mut self, line: u32) {
        if self.words.is_empty() && self.redirects.is_empty() && !self.closed {
            self.line = line;
        }
    }

    fn pushed(&mut self, what: What, line: u32) -> Option<()> {
        self.push(what, line);
        Some(())
    }

    fn push(&mut self, what: What, line: u32) {
        let defines = core::mem::take(&mut self.defines);
        self.open.push(Open { what, line, before: self.before, defines });
        self.before = Join::Then;
    }

    fn close(&mut self, what: What) -> Option<()> {
        self.end(Join::Then);
        let open = self.open.pop().filter(|open| open.what == what)?;
        if open.defines && what == What::Paren && self.defines {
            // `name()`, whose body comes.
            return Some(());
        }
        self.before = open.before;
        self.line = open.line;
        self.closed = !open.defines;
        Some(())
    }

    fn end(&mut self, after: Join) {
        if self.header {
            // `for x in a b` ends, and `do` comes; `case x` goes on.
            let is_case = self.open.last().is_some_and(|open| open.what == What::Case);
            self.header = is_case;
            self.before = Join::Then;
            return;
        }
        let is_one = self.closed || !self.words.is_empty() || !self.redirects.is_empty();
        if !is_one {
            // An empty line behind `&&` or `|` changes nothing.
            return;
        }
        self.commands.push(Command {
            line: self.line,
            words: core::mem::take(&mut self.words),
            redirects: core::mem::take(&mut self.redirects),
            depth: self.open.len(),
            before: self.before,
            after,
        });
        self.closed = false;
        self.before = after;
    }
}

#[cfg(test)]
mod tests;
