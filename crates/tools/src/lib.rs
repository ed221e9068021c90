//! What two or more of the small programs share, and the parts of them that
//! are worth testing without a process. Prints no message and never exits.

pub mod accounts;
pub mod check;
pub mod environment;
pub mod filter;
pub mod hold;
pub mod limits;
pub mod local;
pub mod lock;
pub mod number;
pub mod stamp;
pub mod sv;
pub mod title;
