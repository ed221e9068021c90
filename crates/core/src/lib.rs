//! The thinking, without the doing: formats, patterns and state machines.
//! Data in, data out; no clock, no file, no system call, no allocation.

#![no_std]

pub mod archives;
pub mod pattern;
pub mod recovery;
pub mod rotation;
pub mod script;
pub mod tai;
