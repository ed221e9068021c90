//! multilog's arguments as a script. What each means is known in `core`; here
//! is what they mean together.

use core::ffi::CStr;
use upkeep_cli::Exit;
use upkeep_core::digest;
use upkeep_core::script::Directive;
use upkeep_core::treatment::{Language, Treatment};
use upkeep_logger::{Item, Pattern, Script, Settings, Voice};
use upkeep_sys::Args;

/// Reads the directives.
pub(crate) fn read(args: Args, voice: &mut Voice) -> Result<Script, Exit> {
    let mut script = Script::default();
    script.items.try_reserve_exact(args.len()).map_err(|_| voice.out_of_memory())?;
    let mut settings = Settings::default();
    let mut language = Language::Star;
    for (index, argument) in args.iter().enumerate() {
        let bytes = argument.to_bytes();
        script.identity = digest::words(&[script.identity, digest::bytes(bytes)]);
        let item = match Directive::parse(bytes, index == 0, &mut settings.keeping) {
            Directive::Nothing | Directive::Keeping => continue,
            Directive::Wrong(why) => {
                return Err(voice.refuse(&[b"unable to follow ", bytes, b": ", why.as_bytes()]));
            }
            Directive::Stamp(form) => {
                script.stamp = Some(form);
                continue;
            }
            Directive::Treatment(treatment) => match treatment {
                Treatment::Stamp(form) => {
                    script.stamp = Some(form);
                    continue;
                }
                Treatment::Language(used) => {
                    language = used;
                    continue;
                }
                Treatment::Prefix(prefix) => Item::Prefix(prefix),
                Treatment::Output => {
                    once(&script, bytes, |item| matches!(item, Item::Output), voice)?;
                    Item::Output
                }
                Treatment::Rate(limit) => {
                    once(&script, bytes, |item| matches!(item, Item::Limit(_)), voice)?;
                    Item::Limit(limit)
                }
                Treatment::Send { to, only } => Item::Send { to, only, ended: false },
                Treatment::Durability(durability) => {
                    settings.durability = durability;
                    continue;
                }
            },
            Directive::Size(bytes) => {
                settings.size = bytes;
                continue;
            }
            Directive::Keep(files) => {
                settings.keep = files;
                continue;
            }
            Directive::Processor(_) => {
                settings.processor = Some(after_letter(argument));
                continue;
            }
            Directive::Select(pattern) => Item::Select(written(language, pattern)),
            Directive::Deselect(pattern) => Item::Deselect(written(language, pattern)),
            Directive::Alert => Item::Alert,
            Directive::Status(_) => Item::Status(after_letter(argument)),
            Directive::Directory(_) => Item::Directory(Settings { name: argument, ..settings }),
        };
        script.items.push(item);
    }
    Ok(script)
}

const fn written(language: Language, pattern: &'static [u8]) -> Pattern {
    match language {
        Language::Star => Pattern::Star(pattern),
        Language::Shell => Pattern::Shell(pattern),
        Language::Extended => Pattern::Extended(pattern),
    }
}

/// Refuses a directive that is there already.
fn once(
    script: &Script,
    argument: &[u8],
    same: impl Fn(&Item) -> bool,
    voice: &mut Voice,
) -> Result<(), Exit> {
    if script.items.iter().any(same) {
        return Err(voice.refuse(&[b"unable to follow ", argument, b": it is there already"]));
    }
    Ok(())
}

/// What follows the letter of a directive.
fn after_letter(argument: &'static CStr) -> &'static CStr {
    let bytes = argument.to_bytes_with_nul().get(1..);
    bytes.and_then(|bytes| CStr::from_bytes_with_nul(bytes).ok()).unwrap_or_default()
}
