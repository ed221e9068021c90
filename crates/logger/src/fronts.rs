//! What stands in front of a line: the stamp, and behind it what the script
//! puts there. Both are laid out once for all lines of a moment.

use upkeep_cli::Exit;
use upkeep_core::stamp::{Form, ROOM, Writer};
use upkeep_core::tai::{LABEL, Tai64n};
use upkeep_logdir::Voice;
use upkeep_sys::localtime;

/// All of a script.
pub(crate) struct Fronts {
    writer: Option<Writer>,
    /// For the moment that was set last.
    stamp: usize,
    all: Vec<Front>,
}

struct Front {
    prefix: &'static [u8],
    /// Stamp and prefix.
    text: Vec<u8>,
}

impl Fronts {
    /// Stamps of this form, if any. The first front, 0, has nothing behind it.
    pub(crate) fn new(form: Option<Form>, voice: &mut Voice) -> Result<Self, Exit> {
        let mut fronts = Self { writer: form.map(Writer::new), stamp: 0, all: Vec::new() };
        fronts.add(b"", voice)?;
        Ok(fronts)
    }

    /// Adds one with this prefix; the answer is its number.
    pub(crate) fn add(&mut self, prefix: &'static [u8], voice: &mut Voice) -> Result<usize, Exit> {
        if let Some(known) = self.all.iter().position(|front| front.prefix == prefix) {
            return Ok(known);
        }
        let mut text = Vec::new();
        let made =
            text.try_reserve_exact(ROOM + prefix.len()).and_then(|()| self.all.try_reserve(1));
        made.map_err(|_| voice.out_of_memory())?;
        text.extend_from_slice(prefix);
        self.all.push(Front { prefix, text });
        Ok(self.all.len() - 1)
    }

    /// Whether lines get a stamp.
    pub(crate) fn are_stamped(&self) -> bool {
        self.writer.is_some()
    }

    /// Whether nothing stands in front of any line.
    pub(crate) fn are_empty(&self) -> bool {
        self.writer.is_none() && self.all.len() == 1
    }

    /// How long a stamp may be.
    pub(crate) fn longest_stamp(&self) -> usize {
        match self.writer.map(|writer| writer.form()) {
            None => 0,
            Some(Form::Label) => LABEL + 1,
            Some(_) => ROOM,
        }
    }

    /// How long the longest may be.
    pub(crate) fn longest(&self) -> usize {
        let prefix = self.all.iter().map(|front| front.prefix.len()).max();
        self.longest_stamp() + prefix.unwrap_or(0)
    }

    /// The stamps are of this moment from now on.
    pub(crate) fn set(&mut self, moment: Tai64n) {
        let Some(writer) = &mut self.writer else { return };
        let stamp = writer.write(moment, localtime::offset);
        self.stamp = stamp.len();
        for front in &mut self.all {
            front.text.clear();
            front.text.extend_from_slice(stamp);
            front.text.extend_from_slice(front.prefix);
        }
    }

    /// The one with this number.
    pub(crate) fn get(&self, number: usize) -> &[u8] {
        &self.all[number].text
    }

    /// The one with this number without its stamp.
    pub(crate) fn prefix(&self, number: usize) -> &'static [u8] {
        self.all[number].prefix
    }

    /// The stamp alone.
    pub(crate) fn stamp(&self) -> &[u8] {
        &self.all[0].text[..self.stamp]
    }
}
