//! The small programs. Each is called by its `main`, and by `upkeep`, which is
//! all programs in one file.

pub mod chpst;
pub mod envdir;
pub mod envuidgid;
pub mod fghack;
pub mod pgrphack;
pub mod s6_log;
pub mod setlock;
pub mod setuidgid;
pub mod softlimit;
pub mod sv;
pub mod svboot;
pub mod svcheck;
pub mod svhold;
pub mod svlines;
pub mod svlogd;
pub mod svnotify;
pub mod svok;
pub mod svup;
pub mod svwait;
pub mod tai64n;
pub mod tai64nlocal;
