//! The config of each directory, and what all of them together are for the
//! logger.

use crate::programs::svlogd::options::Options;
use core::ffi::CStr;
use core::net::SocketAddr;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::{Errno, Result};
use std::ffi::CString;
use upkeep_cli::Exit;
use upkeep_core::digest;
use upkeep_core::keeping::Keeping;
use upkeep_core::period::Clockwork;
use upkeep_core::stamp::Form;
use upkeep_core::svlogd::{Directive, KEEP, SIZE, Target, directives};
use upkeep_core::treatment::PREFIX;
use upkeep_logger::{Hangup, Item, LINE, Pattern, Script, Settings, Svlogd, View, Voice};

/// As much is read at once.
const ROOM: usize = 4096;
/// Nobody writes more.
const LARGEST: usize = 1024 * 1024;

/// What was read last. A config that is read again and is the same takes no
/// more memory; one that is another stays with those before it.
#[derive(Default)]
pub(crate) struct Known {
    configs: Vec<Config>,
    replace: Option<&'static [u8; 256]>,
}

/// One directory's.
#[derive(Clone, Copy, Default)]
struct Config {
    /// Whether there is one.
    there: bool,
    text: &'static [u8],
    processor: Option<&'static CStr>,
}

impl Known {
    /// Reads all configs.
    pub(crate) fn script(
        &mut self,
        options: &Options,
        voice: &mut Voice,
    ) -> core::result::Result<Script, Exit> {
        voice.speak_as_runit(options.loud);
        self.read(options, voice).map_err(|_| voice.out_of_memory())
    }

    fn read(
        &mut self,
        options: &Options,
        voice: &mut Voice,
    ) -> core::result::Result<Script, std::collections::TryReserveError> {
        if let (Some(table), None) = (options.replace, self.replace) {
            self.replace = Some(Box::leak(Box::new(table)));
        }
        let window = usize::try_from(options.line).map_or(LINE, |line| line.min(LINE));
        let mut script = Script {
            stamp: match options.stamps {
                0 => None,
                1 => Some(Form::Label),
                2 => Some(Form::Underscore),
                _ => Some(Form::Tee),
            },
            view: View { window, with_stamp: false, replace: self.replace },
            hangup: Hangup::Reread,
            none_left: Some("no functional log directories."),
            ..Script::default()
        };
        self.configs.try_reserve_exact(options.directories.len())?;
        self.configs.resize(options.directories.len(), Config::default());
        let mut words = [options.line, u64::from(options.stamps), 0];
        if let Some(table) = self.replace {
            words[2] = digest::bytes(table);
        }
        script.identity = digest::words(&words);
        for (name, config) in options.directories.iter().zip(&mut self.configs) {
            match read(name) {
                Ok(None) => *config = Config::default(),
                Ok(Some(text)) if config.there && config.text == text => {}
                Ok(Some(text)) => *config = Config::new(text),
                Err(why) => {
                    *config = Config { there: true, ..Config::default() };
                    voice.warn(&[b"unable to read config: ", name.to_bytes(), b": "], why);
                }
            }
            config.add(name, options, &mut script, voice)?;
            let config = digest::bytes(config.text);
            let name = digest::bytes(name.to_bytes());
            script.identity = digest::words(&[script.identity, name, config]);
        }
        Ok(script)
    }
}

impl Config {
    fn new(text: Vec<u8>) -> Self {
        let text = text.leak();
        let mut processor = None;
        for directive in directives(text) {
            if let Directive::Processor(command) = directive {
                // A line of a config has no NUL in it.
                processor = CString::new(command).ok();
            }
        }
        let processor = processor.map(|command| &*Box::leak(command.into_boxed_c_str()));
        Self { there: true, text, processor }
    }

    /// Adds what it says to the script.
    fn add(
        &self,
        name: &'static CStr,
        options: &Options,
        script: &mut Script,
        voice: &mut Voice,
    ) -> core::result::Result<(), std::collections::TryReserveError> {
        let mut runit = Svlogd { near: options.line, keep: KEEP, least: KEEP, loud: options.loud };
        let (mut size, mut shows) = (SIZE, false);
        let mut age = None;
        let (mut prefix, mut target, mut only): (&[u8], _, _) = (b"", None, false);
        if self.there && options.loud {
            voice.info(&[b"read: ", name.to_bytes(), b"/config"]);
        }
        if script.items.iter().any(|item| matches!(item, Item::Select(_) | Item::Deselect(_))) {
            push(script, Item::Afresh)?;
        }
        for directive in directives(self.text) {
            match directive {
                Directive::Select(pattern) => push(script, Item::Select(Pattern::Plus(pattern)))?,
                Directive::Deselect(pattern) => {
                    push(script, Item::Deselect(Pattern::Plus(pattern)))?;
                }
                Directive::Show(pattern) => {
                    push(script, Item::Mention(Pattern::Plus(pattern)))?;
                    shows = true;
                }
                Directive::Hide(pattern) => push(script, Item::Pass(Pattern::Plus(pattern)))?,
                Directive::Size(bytes) => size = bytes,
                Directive::Keep(logs) => runit.keep = logs,
                Directive::Least(logs) => runit.least = logs,
                Directive::BadAddress(text) => {
                    voice.caution(&[b"unable to scan ip address: ", text]);
                }
                Directive::BadPort(text) => {
                    voice.caution(&[b"unable to scan port number: ", text]);
                }
                Directive::Prefix(text) => prefix = &text[..text.len().min(PREFIX)],
                Directive::Send(host) => target = Some(host),
                Directive::SendOnly(host) => {
                    target = Some(host);
                    only = true;
                }
                Directive::Age(seconds) => age = Some(seconds).filter(|&seconds| seconds > 0),
                Directive::Processor(_) | Directive::Nothing => {}
            }
        }
        push(script, Item::Prefix(prefix))?;
        if shows {
            push(script, Item::Show)?;
        }
        if let Some(Target { address, port }) = target {
            let to = SocketAddr::from((address, port));
            push(script, Item::Send { to, only, ended: true })?;
        }
        let size = if size == 0 { u64::MAX } else { size };
        let (processor, runit) = (self.processor, Some(runit));
        push(
            script,
            Item::Directory(Settings {
                name,
                size,
                keep: KEEP,
                processor,
                runit,
                keeping: Keeping { clock: Clockwork { age, period: None }, ..Keeping::default() },
                ..Settings::default()
            }),
        )
    }
}

fn push(
    script: &mut Script,
    item: Item,
) -> core::result::Result<(), std::collections::TryReserveError> {
    script.items.try_reserve(1)?;
    script.items.push(item);
    Ok(())
}

/// The config of a directory; nothing if there is none, or no directory.
fn read(name: &CStr) -> Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    // What is wrong with the directory is said when it is opened.
    let Ok(dir) = rustix::fs::openat(CWD, name, flags | OFlags::DIRECTORY, Mode::empty()) else {
        return Ok(None);
    };
    let file = match rustix::fs::openat(&dir, c"config", flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(None),
        file => file?,
    };
    let mut text = Vec::new();
    while text.len() <= LARGEST {
        text.try_reserve(ROOM).map_err(|_| Errno::NOMEM)?;
        match rustix::io::read(&file, rustix::buffer::spare_capacity(&mut text)) {
            Ok(0) => return Ok(Some(text)),
            Ok(_) | Err(Errno::INTR) => {}
            Err(why) => return Err(why),
        }
    }
    Err(Errno::FBIG)
}
