//! The integration tests: whole programs, real processes, one binary.
//!
//! UPKEEP_PROGRAMS names the directory whose programs are tested (Debian's
//! originals: /usr/bin); without it, those that cargo built. UPKEEP_PATIENCE
//! multiplies the one deadline, for slow machines.

mod multilog;
mod multilog_same;
mod multilog_trouble;
mod support;
