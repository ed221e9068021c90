//! What patterns mean, against tables, against the C library and against a
//! matcher that is too simple to be wrong.

#![expect(unreachable_pub, reason = "a test binary has no callers outside itself")]

#[path = "../../../tests/support/random.rs"]
mod random;

mod bounds;
mod constructs;
mod errors;
mod exhaustive;
mod naive;
mod others;
