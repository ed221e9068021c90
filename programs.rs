//! The five programs, each in its folder. Every `main` calls one of them, and
//! `upkeep`, which is all programs in one file, calls each.

pub mod multilog;
pub mod supervise;
pub mod svc;
pub mod svscan;
pub mod svstat;
