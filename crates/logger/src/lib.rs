//! The engine of a logger: it reads lines, does with each what a script says,
//! and writes the logs, so that nothing is lost whatever is killed. In which
//! language the script was written is known to the program that runs it.

mod engine;
mod fronts;
mod host;
mod input;
mod judge;
mod ledger;
mod matcher;
mod note;
mod outlet;
mod pipe;
mod plan;
mod run;
mod script;
mod status;

pub use fronts::Stamps;
pub use run::run;
pub use script::{Hangup, Item, LINE, Pattern, Script, View};
pub use upkeep_logdir::{Settings, Svlogd, Voice};
