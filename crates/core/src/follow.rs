//! What a directory says about a service that puts itself into the background:
//! how its process is found.

/// How the process of the service is found when `run` has exited 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow<'a> {
    /// It is the only one that is left.
    Child,
    /// Its number is in this file.
    PidFile(&'a [u8]),
}

impl<'a> Follow<'a> {
    /// `child`, or `pidfile` and a path.
    #[must_use]
    pub fn parse(content: &'a [u8]) -> Option<Self> {
        let line = content.trim_ascii();
        if line == b"child" {
            return Some(Self::Child);
        }
        let path = line.strip_prefix(b"pidfile")?;
        let is_path = path.first().is_some_and(u8::is_ascii_whitespace)
            && !path.iter().any(|byte| matches!(byte, b'\n' | 0));
        is_path.then(|| Self::PidFile(path.trim_ascii_start()))
    }
}

/// The process that a pid file names in its first line. The first process of
/// all is nobody's service.
#[must_use]
pub fn process(content: &[u8]) -> Option<u32> {
    let line = content.split(|&byte| byte == b'\n').next()?.trim_ascii();
    let number = core::str::from_utf8(line).ok()?.parse::<i32>().ok()?;
    u32::try_from(number).ok().filter(|number| *number > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_file_can_say() {
        for (content, how) in [
            (&b"child\n"[..], Some(Follow::Child)),
            (b"  child", Some(Follow::Child)),
            (b"pidfile /run/a b.pid \n", Some(Follow::PidFile(b"/run/a b.pid"))),
            (b"pidfile\tpid", Some(Follow::PidFile(b"pid"))),
            (b"pidfile", None),
            (b"pidfile \n", None),
            (b"pidfilex", None),
            (b"pidfile a\nb", None),
            (b"pidfile a\0b", None),
            (b"children", None),
            (b"", None),
        ] {
            assert_eq!(Follow::parse(content), how);
        }
    }

    #[test]
    fn what_a_pid_file_can_say() {
        for (content, number) in [
            (&b"4711\n"[..], Some(4711)),
            (b" 4711", Some(4711)),
            (b"4711\nand more", Some(4711)),
            (b"2147483647", Some(2_147_483_647)),
            (b"2147483648", None),
            (b"1\n", None),
            (b"0", None),
            (b"-5", None),
            (b"\n4711", None),
            (b"4711 4712", None),
            (b"", None),
        ] {
            assert_eq!(process(content), number);
        }
    }
}
