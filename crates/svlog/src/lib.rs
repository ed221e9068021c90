//! The log reader: finds the logs of services, reads them in order of time,
//! across rotated and compressed files, forwards, backwards and as they grow.
//! It writes nothing into a log directory.

pub mod entry;
pub mod run;

pub use entry::Entry;
