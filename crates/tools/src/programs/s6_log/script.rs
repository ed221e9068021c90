//! The directives, and what they mean together.

use crate::programs::s6_log::options::Options;
use core::ffi::CStr;
use std::collections::TryReserveError;
use std::ffi::CString;
use upkeep_cli::Exit;
use upkeep_core::digest;
use upkeep_core::keeping::Keeping;
use upkeep_core::s6log::{ALERT, Directive, KEEP, NEAR, SIZE, STATUS, Wrong};
use upkeep_core::stamp::Form;
use upkeep_core::treatment::PREFIX;
use upkeep_logger::{Hangup, Item, LINE, Pattern, Script, Settings, Stamps, View, Voice};

/// Reads the script. What is wrong with it is said before anything is done.
pub(crate) fn read(options: &mut Options, voice: &mut Voice) -> Result<Script, Exit> {
    if options.quiet {
        voice.be_quiet();
    }
    let mut script = Script {
        view: View { window: LINE, with_stamp: false, replace: None },
        hangup: Hangup::Leave,
        stubborn: options.stubborn,
        patience: options.patience,
        ready: options.ready.take(),
        ..Script::default()
    };
    let mut reader = Reader::default();
    for argument in options.script.iter() {
        let bytes = argument.to_bytes();
        script.identity = digest::words(&[script.identity, digest::bytes(bytes)]);
        let directive = Directive::parse(bytes).map_err(|wrong| {
            let what: &[u8] = match wrong {
                Wrong::Unknown => b"unrecognized directive: ",
                Wrong::Syntax => b"syntax error at directive: ",
            };
            voice.refuse(&[what, bytes])
        })?;
        if let Directive::Near(bytes_before) = directive
            && bytes_before > reader.size / 2
        {
            let parts = [b"directive ", bytes, b" conflicts with previous s directive"];
            return Err(voice.refuse(&parts));
        }
        reader.take(directive, argument, &mut script).map_err(|_| voice.out_of_memory())?;
    }
    match reader.acted {
        None => Err(voice.refuse(&[b"no action directive specified"])),
        Some(true) => Ok(script),
        Some(false) => {
            voice.caution(&[b"ignoring extraneous non-action directives"]);
            Ok(script)
        }
    }
}

/// What holds for what follows.
struct Reader {
    size: u64,
    near: u64,
    keep: u64,
    keeping: Keeping,
    processor: Option<&'static CStr>,
    alert: usize,
    status: usize,
    prefix: &'static [u8],
    /// For the next action.
    label: bool,
    date: bool,
    /// Whether the last action has no selection behind it; nothing before the
    /// first.
    acted: Option<bool>,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            size: SIZE,
            near: NEAR,
            keep: KEEP,
            keeping: Keeping::default(),
            processor: None,
            alert: limited(ALERT),
            status: limited(STATUS),
            prefix: b"",
            label: false,
            date: false,
            acted: None,
        }
    }
}

impl Reader {
    fn take(
        &mut self,
        directive: Directive<'static>,
        argument: &'static CStr,
        script: &mut Script,
    ) -> Result<(), TryReserveError> {
        let item = match directive {
            Directive::Select(pattern) => Item::Select(Pattern::Library(pattern)),
            Directive::Deselect(pattern) => Item::Deselect(Pattern::Library(pattern)),
            Directive::Rest => Item::Rest,
            Directive::Output => Item::Output,
            Directive::Alert => Item::Warn(self.alert),
            Directive::Status(_) => Item::Note(after_letter(argument), self.status),
            Directive::Directory(_) => Item::Directory(Settings {
                name: argument,
                size: self.size,
                // They are kept beside current.
                keep: self.keep + 1,
                processor: self.processor,
                s6: Some(self.near),
                keeping: self.keeping,
                ..Settings::default()
            }),
            Directive::Keep(_)
            | Directive::Size(_)
            | Directive::Total(_)
            | Directive::Near(_)
            | Directive::Again(_)
            | Directive::AlertSize(_)
            | Directive::StatusSize(_)
            | Directive::Processor(_)
            | Directive::Shell(_)
            | Directive::Prefix(_)
            | Directive::Label
            | Directive::Date => return self.set(directive, argument),
        };
        if directive.is_action() {
            let stamps: Stamps =
                [self.label.then_some(Form::LeapLabel), self.date.then_some(Form::Wide)];
            (self.label, self.date) = (false, false);
            script.items.try_reserve(2)?;
            script.items.push(Item::Stamps(stamps));
            script.items.push(Item::Prefix(self.prefix));
            self.acted = Some(true);
        } else if self.acted.is_some() {
            self.acted = Some(false);
        }
        script.items.try_reserve(1)?;
        script.items.push(item);
        Ok(())
    }

    /// Sets what holds for what follows.
    fn set(
        &mut self,
        directive: Directive<'static>,
        argument: &'static CStr,
    ) -> Result<(), TryReserveError> {
        match directive {
            Directive::Keep(logs) => self.keep = logs,
            Directive::Size(bytes) => self.size = bytes,
            Directive::Total(bytes) => self.keeping.total = Some(bytes).filter(|&bytes| bytes > 0),
            Directive::Near(bytes) => self.near = bytes,
            Directive::AlertSize(bytes) => self.alert = limited(bytes),
            Directive::StatusSize(bytes) => self.status = limited(bytes),
            Directive::Shell(b"") | Directive::Processor(b"") => self.processor = None,
            Directive::Shell(_) => self.processor = Some(after_letter(argument)),
            Directive::Processor(command) => self.processor = Some(execlineb(command)?),
            Directive::Prefix(b"") => self.prefix = b"",
            Directive::Prefix(prefix) => self.prefix = spaced(prefix)?,
            Directive::Label => self.label = true,
            Directive::Date => self.date = true,
            Directive::Again(_)
            | Directive::Select(_)
            | Directive::Deselect(_)
            | Directive::Rest
            | Directive::Output
            | Directive::Alert
            | Directive::Status(_)
            | Directive::Directory(_) => {}
        }
        Ok(())
    }
}

/// No more than could ever be looked at.
fn limited(bytes: u64) -> usize {
    const MOST: usize = 64 * 1024;
    usize::try_from(bytes).map_or(MOST, |bytes| bytes.min(MOST))
}

/// A prefix, and the space behind it.
fn spaced(prefix: &[u8]) -> Result<&'static [u8], TryReserveError> {
    let prefix = &prefix[..prefix.len().min(PREFIX - 1)];
    let mut text = Vec::new();
    text.try_reserve_exact(prefix.len() + 1)?;
    text.extend_from_slice(prefix);
    text.push(b' ');
    Ok(text.leak())
}

/// A shell command that has execlineb read this one.
fn execlineb(command: &[u8]) -> Result<&'static CStr, TryReserveError> {
    let mut text = Vec::new();
    text.try_reserve(command.len() * 4 + 32)?;
    text.extend_from_slice(b"exec execlineb -Pc '");
    for &byte in command {
        match byte {
            b'\'' => text.extend_from_slice(b"'\\''"),
            byte => text.push(byte),
        }
    }
    text.push(b'\'');
    // An argument has no NUL in it.
    let text = CString::new(text).unwrap_or_default();
    Ok(Box::leak(text.into_boxed_c_str()))
}

/// What follows the letter of a directive.
fn after_letter(argument: &'static CStr) -> &'static CStr {
    let bytes = argument.to_bytes_with_nul().get(1..);
    bytes.and_then(|bytes| CStr::from_bytes_with_nul(bytes).ok()).unwrap_or_default()
}
