//! The service directory: the one place that knows its file names, its FIFOs,
//! its lock and its status record. Everything is relative to the current
//! directory, which is the service directory, as it is for `run`.
//!
//! It decides nothing about services and says nothing to people.

mod changes;
mod client;
mod copied;
mod elsewhere;
mod facts;
mod find;
mod follow;
pub mod hold;
mod identity;
mod keeper;
mod known;
mod list;
mod locked;
pub mod names;
mod notify;
pub mod order;
mod origin;
mod output;
mod place;
mod reaped;
mod script;
mod socket;
pub mod state;
mod tally;
mod wait;

pub use changes::{Change, Changes, WatchTrouble};
pub use client::{
    ControlTrouble, DownTrouble, StatusTrouble, exit_ends, is_supervised, last_status, normally_up,
    read_status, read_status_as_runit, send, send_now, set_normally_up,
};
pub use copied::record_is_anothers;
pub use elsewhere::{Elsewhere, Log};
pub use facts::{
    ASKED, Asked, FactTrouble, Facts, Task, Value, check_program, has_finish, has_run, has_stop,
    is_oneshot, timeout_finish,
};
pub use find::{Finder, enter, go, go_on_to_logger, installed, logger, services};
pub use follow::{PidFile, Trail};
pub use identity::Identity;
pub use keeper::{Keeper, Trouble};
pub use known::{Role, known, role_of};
pub use list::{go_to_services, list_services};
pub use locked::lock_service;
pub use notify::{Ear, Heard};
pub use output::{Pipes, is_written, open_fifo, open_output, open_stream};
pub use place::{is_logger, keep_in, program};
pub use reaped::{leave_word, word};
pub use script::Script;
pub use socket::{Socket, said_before, write_said};
pub use tally::{forget_deaths, is_noted, note_death};
pub use wait::{End, WaitTrouble, Waiting};
