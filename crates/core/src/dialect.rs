//! For which suite a service directory was written.

/// What the files in it mean where the suites differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// daemontools', which is all that the suites have in common.
    #[default]
    Daemontools,
    /// daemontools-encore's.
    Encore,
    /// runit's.
    Runit,
    /// s6's.
    S6,
}

impl Dialect {
    /// Reads the content of the file.
    #[must_use]
    pub fn parse(content: &[u8]) -> Option<Self> {
        match content.trim_ascii() {
            b"daemontools" => Some(Self::Daemontools),
            b"encore" => Some(Self::Encore),
            b"runit" => Some(Self::Runit),
            b"s6" => Some(Self::S6),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_is_a_dialect() {
        assert_eq!(Dialect::parse(b"daemontools"), Some(Dialect::Daemontools));
        assert_eq!(Dialect::parse(b"encore\n"), Some(Dialect::Encore));
        assert_eq!(Dialect::parse(b" runit \n"), Some(Dialect::Runit));
        assert_eq!(Dialect::parse(b"s6\t"), Some(Dialect::S6));
        for content in [b"".as_slice(), b"S6", b"s6 runit", b"perp", b"encore\0"] {
            assert_eq!(Dialect::parse(content), None, "{content:?}");
        }
    }
}
