//! What svscan says to svhold, a packet for each message. svlines is told the
//! same way, and answers in it; of a pipe it is also told what it is.

/// Which pipe: what the kernel calls the file that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pipe {
    /// Its device.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
}

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// `+`: hold this pipe, whose reading end comes along.
    Hold(Pipe),
    /// `-`: let go of it.
    LetGo(Pipe),
    /// `.`: that is all there is.
    Told,
    /// `!`: this is a clean end, nothing has to be held any more.
    End,
}

impl Message {
    /// How long every message is.
    pub const SIZE: usize = 17;

    /// The bytes that stand for it.
    #[must_use]
    pub fn encode(self) -> [u8; Self::SIZE] {
        let nothing = Pipe { device: 0, inode: 0 };
        let (letter, pipe) = match self {
            Self::Hold(pipe) => (b'+', pipe),
            Self::LetGo(pipe) => (b'-', pipe),
            Self::Told => (b'.', nothing),
            Self::End => (b'!', nothing),
        };
        let mut bytes = [letter; Self::SIZE];
        bytes[1..9].copy_from_slice(&pipe.device.to_le_bytes());
        bytes[9..].copy_from_slice(&pipe.inode.to_le_bytes());
        bytes
    }

    /// What the bytes stand for, if anything.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (letter, rest) = bytes.split_first()?;
        let (device, rest) = rest.split_first_chunk()?;
        let inode = rest.try_into().ok()?;
        let pipe = Pipe { device: u64::from_le_bytes(*device), inode: u64::from_le_bytes(inode) };
        match letter {
            b'+' => Some(Self::Hold(pipe)),
            b'-' => Some(Self::LetGo(pipe)),
            b'.' => Some(Self::Told),
            b'!' => Some(Self::End),
            _ => None,
        }
    }
}

/// Which of a service's outputs comes through a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Its standard output.
    Out,
    /// Its standard error.
    Err,
}

impl Stream {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Out, Self::Err];

    /// The byte that comes before the service's name behind `Hold`.
    #[must_use]
    pub const fn letter(self) -> u8 {
        match self {
            Self::Out => b'o',
            Self::Err => b'e',
        }
    }

    /// Which one that is, and the name behind it.
    #[must_use]
    pub fn decode(what: &[u8]) -> Option<(Self, &[u8])> {
        let (letter, name) = what.split_first()?;
        let stream = Self::BOTH.into_iter().find(|stream| stream.letter() == *letter)?;
        Some((stream, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_and_its_name_come_back() {
        assert_eq!(Stream::decode(b"oweb"), Some((Stream::Out, b"web".as_slice())));
        assert_eq!(Stream::decode(b"e"), Some((Stream::Err, b"".as_slice())));
        assert_eq!(Stream::decode(b"xweb"), None);
        assert_eq!(Stream::decode(b""), None);
    }

    #[test]
    fn every_message_comes_back() {
        let pipe = Pipe { device: 0x0102_0304_0506_0708, inode: u64::MAX - 1 };
        for message in [Message::Hold(pipe), Message::LetGo(pipe), Message::Told, Message::End] {
            assert_eq!(Message::decode(&message.encode()), Some(message));
        }
    }

    #[test]
    fn what_is_no_message() {
        let mut bytes = Message::Told.encode();
        assert_eq!(Message::decode(&bytes[..16]), None);
        assert_eq!(Message::decode(&[b'.'; 18]), None);
        assert_eq!(Message::decode(b""), None);
        bytes[0] = b'?';
        assert_eq!(Message::decode(&bytes), None);
    }
}
