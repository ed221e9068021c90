//! What svlines is made of: lines cut out of what services write, with the
//! name of the service in front, and where they go. Nothing here waits, and
//! nothing allocates after the start.

mod cut;
mod look;
mod outlet;
mod pump;
mod streams;
mod way;

pub use cut::LONGEST;
pub use outlet::{Outlet, Outlets};
pub use pump::{Pump, State};
pub use way::open_own;
