//! A service's whole tree: everything that descends from it, also what forked
//! twice and left its session. It is found by a cgroup of its own where one
//! can be had, and by a walk through /proc where not.
//!
//! Nothing here allocates, waits or loops for ever: a call does what it can,
//! and what is left is found by the next one. It says nothing to people, and
//! does not decide when a tree is to go.

mod cgroup;
mod family;
mod identity;
mod kin;
mod place;
mod process;
mod stat;
mod text;
mod walk;

pub use family::{Enter, Family, Means, belongs, is_of_session, signal_group, user_of};
pub use identity::MARKER;
pub use kin::{Kin, Rest, Spared};

/// What there still is of a service.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    /// Nothing.
    Nothing,
    /// Something that this process cannot see or may not signal. To call
    /// again soon does not help; the next death may.
    OutOfReach,
    /// Something, if only a child that has ended and is to be waited for.
    Something,
}
