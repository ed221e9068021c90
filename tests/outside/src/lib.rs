//! Watching, guarding and ending processes from outside: what the benchmark
//! and the program that kills all others have in common. Uses nothing of the
//! code that those two look at.

pub mod arguments;
pub mod container;
pub mod failure;
pub mod guard;
pub mod processes;
pub mod wait;
