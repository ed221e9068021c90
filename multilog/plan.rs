//! The script as it is followed for every line, with its files and
//! directories open. It knows no input.

use crate::status::Status;
use upkeep_cli::Exit;
use upkeep_core::script::{self, Directive};
use upkeep_logdir::{Again, Claimed, LogDirectory, Settings, Voice};
use upkeep_sys::Args;
use upkeep_sys::signals::Mask;

/// One step for a line.
pub(crate) enum Step {
    Select(&'static [u8]),
    Deselect(&'static [u8]),
    Alert,
    /// The status file with this number.
    Status(usize),
    /// The log directory with this number.
    Directory(usize),
}

/// All that there is to do for a line.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) stamped: bool,
    pub(crate) steps: Vec<Step>,
    pub(crate) statuses: Vec<Status>,
    pub(crate) directories: Vec<LogDirectory>,
}

impl Plan {
    /// Reads the script, then opens first its files, then its directories.
    /// `look` sees each directory as it was left, and says what of it is to
    /// be undone.
    pub(crate) fn read(
        args: Args,
        mask: Mask,
        mut look: impl FnMut(&Claimed) -> Option<Again>,
        voice: &mut Voice,
    ) -> Result<Self, Exit> {
        let mut plan = Self::default();
        plan.steps.try_reserve_exact(args.len()).map_err(|_| voice.out_of_memory())?;
        for argument in args.iter() {
            if argument.to_bytes().first() == Some(&b'=') {
                plan.statuses.try_reserve(1).map_err(|_| voice.out_of_memory())?;
                plan.statuses.push(Status::open(argument, voice)?);
            }
        }
        let mut size = script::SIZE;
        let mut keep = script::KEEP;
        let mut processor = None;
        let mut statuses = 0..;
        for (index, argument) in args.iter().enumerate() {
            let step = match Directive::parse(argument.to_bytes(), index == 0) {
                Directive::Nothing => continue,
                Directive::Stamp => {
                    plan.stamped = true;
                    continue;
                }
                Directive::Size(bytes) => {
                    size = bytes;
                    continue;
                }
                Directive::Keep(files) => {
                    keep = files;
                    continue;
                }
                Directive::Processor(_) => {
                    processor = after_letter(argument);
                    continue;
                }
                Directive::Select(pattern) => Step::Select(pattern),
                Directive::Deselect(pattern) => Step::Deselect(pattern),
                Directive::Alert => {
                    voice.expect_alerts()?;
                    Step::Alert
                }
                Directive::Status(_) => Step::Status(statuses.next().unwrap_or_default()),
                Directive::Directory(_) => {
                    let settings = Settings { name: argument, size, keep, processor, mask };
                    plan.directories.try_reserve(1).map_err(|_| voice.out_of_memory())?;
                    let claimed = Claimed::new(settings, voice)?;
                    let again = look(&claimed);
                    plan.directories.push(claimed.recover(again, voice)?);
                    Step::Directory(plan.directories.len() - 1)
                }
            };
            plan.steps.push(step);
        }
        Ok(plan)
    }

    /// Whether it matters what a line says.
    pub(crate) fn looks_at_lines(&self) -> bool {
        self.steps.iter().any(|step| !matches!(step, Step::Directory(_)))
    }
}

/// What follows the letter of a directive.
pub(crate) fn after_letter(argument: &'static core::ffi::CStr) -> Option<&'static core::ffi::CStr> {
    let bytes = argument.to_bytes_with_nul().get(1..)?;
    core::ffi::CStr::from_bytes_with_nul(bytes).ok()
}
