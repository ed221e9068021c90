//! The comparison with the C suites.
fn main() {}
