//! What upkeep asks of the kernel where rustix has no wrapper: the entry
//! point, fork and exec, signals as a descriptor, the table that grows
//! without the allocator. The only crate with `unsafe`, and it decides
//! nothing: no policy, no messages, no file names.

pub mod args;
pub mod clock;
pub mod datagram;
mod decimal;
pub mod entry;
pub mod exec;
pub mod fault;
pub mod front;
pub mod group;
pub mod held;
pub mod ids;
pub mod inherited;
pub mod localtime;
pub mod mark;
pub mod newline;
pub mod pages;
pub mod point;
pub mod priority;
pub mod process;
pub mod reboot;
pub mod refuse;
pub mod sealed;
pub mod shared;
pub mod signals;
pub mod spawn;
pub mod stack;
pub mod table;
pub mod terminal;

pub use args::Args;
pub use decimal::decimal;
pub use rustix::io::Errno;
