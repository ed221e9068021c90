//! The file `kill-mode`: whom a stop and its signals reach.

use core::fmt;

/// Whom `d`, `t`, `k` and `x` reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KillMode {
    /// The process that supervise started, and nobody else.
    #[default]
    Process,
    /// Its process group.
    Group,
    /// Everything that descends from it, wherever it went.
    Tree,
}

/// The content is no mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown;

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::WHY)
    }
}

impl Unknown {
    /// What is wrong, for a message.
    pub const WHY: &'static str = "not one of process, group, tree";
}

impl KillMode {
    /// Reads the content of the file. White space behind the word is left out.
    pub fn parse(content: &[u8]) -> Result<Self, Unknown> {
        match content.trim_ascii_end() {
            b"process" => Ok(Self::Process),
            b"group" => Ok(Self::Group),
            b"tree" => Ok(Self::Tree),
            _ => Err(Unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_with_what_an_editor_or_echo_puts_behind_it() {
        let words: [(&[u8], KillMode); 3] = [
            (b"process", KillMode::Process),
            (b"group", KillMode::Group),
            (b"tree", KillMode::Tree),
        ];
        for (word, mode) in words {
            for tail in [&b""[..], b"\n", b" \t\r\n\n"] {
                let mut content = [0; 16];
                content[..word.len()].copy_from_slice(word);
                content[word.len()..word.len() + tail.len()].copy_from_slice(tail);
                let content = &content[..word.len() + tail.len()];
                assert_eq!(KillMode::parse(content), Ok(mode), "{content:?}");
            }
        }
    }

    #[test]
    fn anything_else_is_an_error() {
        let wrong: [&[u8]; 9] =
            [b"", b"\n", b" tree", b"Tree", b"tre", b"trees", b"tree group", b"tree\0", b"\xff"];
        for content in wrong {
            assert_eq!(KillMode::parse(content), Err(Unknown), "{content:?}");
        }
    }
}
