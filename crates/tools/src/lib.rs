//! The small programs, and beside them what two or more of them share and the
//! parts of them that are worth testing without a process. Only `programs`
//! prints messages; nothing here exits.

pub mod accounts;
pub mod boot;
pub mod check;
pub mod environment;
pub mod filter;
pub mod hold;
pub mod limits;
pub mod lines;
pub mod local;
pub mod lock;
pub mod number;
pub mod programs;
pub mod stamp;
pub mod sv;
pub mod title;
