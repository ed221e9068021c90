//! What stands in front of a line: stamps, and behind them what the script puts
//! there. They are laid out once for all lines of a moment.

use upkeep_cli::Exit;
use upkeep_core::stamp::{Form, ROOM, Writer};
use upkeep_core::tai::{LABEL, Tai64n};
use upkeep_logdir::Voice;
use upkeep_sys::localtime;

/// As many stamps may be in front of one line.
pub(crate) const STAMPS: usize = 2;

/// The stamps in front of a line, in this order.
pub type Stamps = [Option<Form>; STAMPS];

/// All of a script.
pub(crate) struct Fronts {
    /// One for each form that is used.
    writers: Vec<Writer>,
    /// How long the stamp of the first front is, for the moment that was set
    /// last.
    stamp: usize,
    all: Vec<Front>,
}

struct Front {
    stamps: Stamps,
    prefix: &'static [u8],
    /// Stamps and prefix.
    text: Vec<u8>,
}

impl Fronts {
    /// Stamps of this form, if any, where nothing else is asked for. The first
    /// front, 0, has that stamp and nothing behind it.
    pub(crate) fn new(form: Option<Form>, voice: &mut Voice) -> Result<Self, Exit> {
        let mut fronts = Self { writers: Vec::new(), stamp: 0, all: Vec::new() };
        fronts.add([form, None], b"", voice)?;
        Ok(fronts)
    }

    /// Adds one with these stamps and this prefix; the answer is its number.
    pub(crate) fn add(
        &mut self,
        stamps: Stamps,
        prefix: &'static [u8],
        voice: &mut Voice,
    ) -> Result<usize, Exit> {
        let same = |front: &Front| front.prefix == prefix && front.stamps == stamps;
        if let Some(known) = self.all.iter().position(same) {
            return Ok(known);
        }
        let mut text = Vec::new();
        let made = text
            .try_reserve_exact(STAMPS * ROOM + prefix.len())
            .and_then(|()| self.all.try_reserve(1))
            .and_then(|()| self.writers.try_reserve(STAMPS));
        made.map_err(|_| voice.out_of_memory())?;
        for form in stamps.into_iter().flatten() {
            if !self.writers.iter().any(|writer| writer.form() == form) {
                self.writers.push(Writer::new(form));
            }
        }
        text.extend_from_slice(prefix);
        self.all.push(Front { stamps, prefix, text });
        Ok(self.all.len() - 1)
    }

    /// The stamps of the first one.
    pub(crate) fn stamps(&self) -> Stamps {
        self.all[0].stamps
    }

    /// Whether any line gets a stamp.
    pub(crate) fn are_stamped(&self) -> bool {
        !self.writers.is_empty()
    }

    /// Whether nothing stands in front of any line.
    pub(crate) fn are_empty(&self) -> bool {
        self.writers.is_empty() && self.all.len() == 1
    }

    /// How long the stamp of the first front may be.
    pub(crate) fn longest_stamp(&self) -> usize {
        self.stamps()[0].map_or(0, longest)
    }

    /// How long the longest may be.
    pub(crate) fn longest(&self) -> usize {
        let of = |front: &Front| {
            let stamps = front.stamps.into_iter().flatten().map(longest);
            stamps.sum::<usize>() + front.prefix.len()
        };
        self.all.iter().map(of).max().unwrap_or(0)
    }

    /// The stamps are of this moment from now on.
    pub(crate) fn set(&mut self, moment: Tai64n) {
        let Self { writers, stamp, all } = self;
        if writers.is_empty() {
            return;
        }
        for writer in &mut *writers {
            writer.write(moment, localtime::offset);
        }
        for front in &mut *all {
            front.text.clear();
            for form in front.stamps.into_iter().flatten() {
                if let Some(writer) = writers.iter().find(|writer| writer.form() == form) {
                    front.text.extend_from_slice(writer.text());
                }
            }
            front.text.extend_from_slice(front.prefix);
        }
        *stamp = all[0].text.len();
    }

    /// The one with this number.
    pub(crate) fn get(&self, number: usize) -> &[u8] {
        &self.all[number].text
    }

    /// The one with this number without its stamps.
    pub(crate) fn prefix(&self, number: usize) -> &'static [u8] {
        self.all[number].prefix
    }

    /// The stamp of the first one alone.
    pub(crate) fn stamp(&self) -> &[u8] {
        &self.all[0].text[..self.stamp]
    }
}

/// How long a stamp of this form may be.
fn longest(form: Form) -> usize {
    if matches!(form, Form::Label | Form::LeapLabel) { LABEL + 1 } else { ROOM }
}
