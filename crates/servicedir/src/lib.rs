//! The service directory: the one place that knows its file names, its FIFOs,
//! its lock and its status record. Everything is relative to the current
//! directory, which is the service directory, as it is for `run`.
//!
//! It decides nothing about services and says nothing to people.

mod client;
mod find;
mod keeper;
mod kill_mode;
pub mod names;

pub use client::{ControlTrouble, StatusTrouble, is_supervised, normally_up, read_status, send};
pub use find::{Finder, enter};
pub use keeper::{Keeper, Trouble};
pub use kill_mode::{KillModeTrouble, Value, kill_mode};
