//! What the tests stand on: a directory of their own, processes that end with
//! the test, and waiting that ends when something happened or at one deadline.

mod dir;
mod process;
mod random;
mod service;
mod wait;

pub use dir::{Dir, Fifo};
pub use process::{Finished, Process};
pub use random::Random;
pub use service::{Service, is_supervised, seen, supervised};
