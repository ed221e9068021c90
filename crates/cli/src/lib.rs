//! What every program does the same way: its exit codes, its messages, its
//! options, its `--help`. Allocates nothing, knows no program in particular.

mod exit;
mod message;
mod options;
mod out;
pub mod terminal;
mod words;

pub use exit::Exit;
pub use message::{Tool, copy_messages_to, drop_messages_rather_than_wait, put, put_all};
pub use options::{BadOption, Opt, Options};
pub use out::Out;
pub use upkeep_sys::decimal;
pub use words::words;
