//! What the options ask for.

use crate::svc::tell::TOOL;
use upkeep_cli::{Exit, Opt, Options};
use upkeep_core::control::{COMMANDS, Command, SINGLE, WHOLE};
use upkeep_core::signals;
use upkeep_core::wait::Goal;
use upkeep_sys::Args;

/// What is said to each service, and what is waited for then.
pub(crate) struct Asked {
    letters: [u8; MOST],
    count: usize,
    /// Whether it is to start out up from now on.
    pub(crate) normally_up: Option<bool>,
    pub(crate) goal: Option<Goal>,
    /// For how many nanoseconds; 0 for ever.
    pub(crate) patience: u64,
}

/// As many letters as are sent.
const MOST: usize = 32;

const KNOWN: &str = "udopchaitkxq12wrlebyDUQOPCK+=s:T:";

/// What the original says, for whoever matches it; `--help` says it all.
const LETTERS: &str = "svc options: u up, d down, o once, x exit, p pause, c continue, \
h hup, a alarm, i interrupt, t term, k kill\n";

impl Asked {
    /// Reads the options, and what follows them.
    pub(crate) fn read(args: Args) -> Result<(Self, Args), Exit> {
        let mut asked =
            Self { letters: [0; MOST], count: 0, normally_up: None, goal: None, patience: 0 };
        let mut options = Options::new(args, KNOWN);
        while let Some(option) = options.next() {
            let known = match option {
                Ok(option) if option.letter == b'w' => {
                    // Behind it in the same word, these are what is waited for.
                    match options.next_of(b"uUdDrR").and_then(Goal::from_letter) {
                        Some(goal) => {
                            asked.goal = Some(goal);
                            // daemontools' knows no goal, so nothing is mistaken for its.
                            options.be_strict();
                        }
                        None => asked.say(b'w', None),
                    }
                    true
                }
                Ok(option) => asked.take(&option),
                Err(bad) => {
                    bad.report(&TOOL);
                    false
                }
            };
            if !known {
                let _ = upkeep_cli::put_all(rustix::stdio::stderr(), LETTERS.as_bytes());
                return Err(Exit::Usage);
            }
        }
        Ok((asked, options.rest()))
    }

    /// Takes an option; says whether its value makes sense.
    fn take(&mut self, option: &Opt) -> bool {
        match option.letter {
            b'D' => self.say(b'd', Some(false)),
            b'U' => self.say(b'u', Some(true)),
            b'Q' => self.say(b'o', Some(false)),
            b'y' => self.say(b'w', None),
            b's' => match option.value.and_then(|name| letter_of(name.to_bytes())) {
                Some(letter) => self.say(letter, None),
                None => return refused(b"a signal that can be sent", option),
            },
            b'T' => match option.milliseconds() {
                Some(time) => self.patience = time,
                None => return refused(b"a number of milliseconds", option),
            },
            letter => self.say(letter, None),
        }
        true
    }

    fn say(&mut self, letter: u8, normally_up: Option<bool>) {
        self.normally_up = normally_up.or(self.normally_up);
        // Behind `+` a letter means something else than before.
        let is_mode = |byte: &u8| matches!(*byte, WHOLE | SINGLE);
        let mut since = self.letters().rsplit(is_mode);
        let said = since.next().is_some_and(|since| since.contains(&letter));
        if self.count < MOST && !said {
            self.letters[self.count] = letter;
            self.count += 1;
        }
    }

    /// The letters to send, each once.
    pub(crate) fn letters(&self) -> &[u8] {
        &self.letters[..self.count]
    }
}

/// Says that the value of the option is not what it should be; and that is no
/// success.
fn refused(what: &[u8], option: &Opt) -> bool {
    let value = option.value.unwrap_or_default().to_bytes();
    let _ = TOOL.fatal(&[b"not ", what, b": ", value]);
    false
}

/// The letter that has this signal sent, if there is one.
fn letter_of(signal: &[u8]) -> Option<u8> {
    let number = signals::number(signal)?;
    let sent = |command| {
        Some(match command {
            Command::Pause => "STOP",
            Command::Continue => "CONT",
            Command::Hangup => "HUP",
            Command::Alarm => "ALRM",
            Command::Abort => "ABRT",
            Command::Interrupt => "INT",
            Command::Terminate => "TERM",
            Command::Kill => "KILL",
            Command::Quit => "QUIT",
            Command::User1 => "USR1",
            Command::User2 => "USR2",
            Command::Window => "WINCH",
            Command::Up
            | Command::Down
            | Command::Once
            | Command::Exit
            | Command::Restart
            | Command::Reload
            | Command::Renew
            | Command::NoMore
            | Command::Look => return None,
        })
    };
    let is_sent = |command| {
        sent(command).is_some_and(|name| signals::number(name.as_bytes()) == Some(number))
    };
    COMMANDS.iter().find(|row| is_sent(row.1)).map(|row| row.0)
}
