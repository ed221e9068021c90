//! The log reader: finds the logs of services, reads them in order of time,
//! across rotated and compressed files, forwards, backwards and as they grow.
//! It writes nothing into a log directory.

mod backward;
mod context;
pub mod entry;
pub mod face;
mod files;
mod find;
mod forward;
mod json;
mod lines;
mod listing;
mod matcher;
mod merge;
pub mod options;
mod output;
mod packed;
mod part;
mod read;
pub mod run;
mod seek;
pub mod sink;
mod spool;
#[cfg(test)]
mod test_dir;
mod text;
mod trouble;
mod visible;
mod watch;

pub use entry::{Entry, Stamps};
pub use files::{Log, Where};
pub use read::read;
pub use sink::{Flow, Sink, Wanted};
