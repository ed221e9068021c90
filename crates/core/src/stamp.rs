//! The stamps that loggers put in front of a line: what they look like, how
//! they are recognised, how they are written. Reads no clock and knows no time
//! zone: the caller says by how many seconds local time is ahead.

mod hex;
mod read;
mod write;

pub use read::{Reader, Stamp};
pub(crate) use read::{decimals, zone};
pub use write::{Form, ROOM, Writer};

/// What a stamp looks like. Each has its separator behind it, which is a space
/// unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `@400000006b080953075bcd15`, of multilog, tai64n, svlogd and s6-log.
    Label,
    /// `1795688777.123456789`, of encore's multilog: seconds since 1970.
    Seconds,
    /// `2026-11-26T10:26:17.123Z` or `2026-11-26T11:26:17.123+01:00`, with up to
    /// nine decimals.
    #[doc(alias = "RFC 3339")]
    Rfc,
    /// `2026-11-26_10:26:17.12345`, of svlogd, in UTC.
    Underscore,
    /// `2026-11-26T10:26:17.12345`, of svlogd, in UTC.
    Tee,
    /// `2026-11-26 11:26:17.123456789`, of s6-log, with two spaces behind it,
    /// and of tai64nlocal, with one; in local time.
    Local,
}
