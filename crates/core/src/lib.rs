//! The thinking, without the doing: formats, patterns and state machines.
//! Data in, data out; no clock, no file, no system call, no allocation.

#![no_std]

pub mod amount;
pub mod archives;
pub mod calendar;
pub mod control;
pub mod dialect;
pub mod digest;
pub mod follow;
pub mod glob;
pub mod graph;
pub mod hold;
pub mod journal;
pub mod json;
pub mod keeping;
pub mod kill_mode;
pub mod leap;
pub mod notice;
pub mod obeyed;
pub mod order;
pub mod pattern;
pub mod period;
pub mod rate;
pub mod record;
pub mod recovery;
pub mod restart;
pub mod retention;
pub mod rotation;
pub mod s6log;
pub mod scan;
pub mod script;
pub mod signals;
pub mod stamp;
pub mod standing;
pub mod status;
pub mod supervise;
pub mod svlogd;
pub mod tai;
pub mod tally;
pub mod texts;
pub mod treatment;
pub mod wait;
pub mod when;
pub mod whole;
