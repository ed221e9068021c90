//! The integration tests: whole programs, real processes, one binary.
//!
//! UPKEEP_PROGRAMS names the directory whose programs are tested (Debian's
//! originals: /usr/bin); without it, those that cargo built. UPKEEP_PATIENCE
//! multiplies the one deadline, for slow machines.

#![expect(unreachable_pub, reason = "a test binary has no callers outside itself")]
#![expect(clippy::print_stderr, reason = "a test that fails shows what it saw")]

// For a test that plays supervise in a process of its own.
upkeep_sys::sealable!();

mod support;

mod adopt;
mod bad_input;
mod boot;
mod check;
mod clients;
mod completion;
mod container;
mod control;
mod demo;
mod dialects;
mod encore;
mod family;
mod faults;
mod finish;
mod follow;
mod fuzzed;
mod health;
mod hold;
mod kill_mode;
mod killed;
mod letters;
mod lines;
mod mixing;
mod multilog;
mod multilog_compress;
mod multilog_journal;
mod multilog_keep;
mod multilog_killed;
mod multilog_lines;
mod multilog_same;
mod multilog_trouble;
mod order;
mod pages;
mod ready;
mod restart;
mod runit;
mod s6;
mod s6log;
mod s6log_same;
mod supervise;
mod sv;
mod svboot;
mod svc;
mod svlog;
mod svlog_show;
mod svlogd;
mod svlogd_killed;
mod svlogd_same;
mod svscan;
mod svstat;
mod svwait;
mod tools;
mod upkeep;
