//! What softlimit's letters limit, which are chpst's too.

use rustix::process::Resource;

/// What a letter limits.
#[must_use]
pub fn resources(letter: u8) -> &'static [Resource] {
    match letter {
        b'a' => &[Resource::As],
        b'c' => &[Resource::Core],
        b'd' => &[Resource::Data],
        b'f' => &[Resource::Fsize],
        b'l' => &[Resource::Memlock],
        b'm' => &[Resource::Data, Resource::Stack, Resource::Memlock, Resource::As],
        b'o' => &[Resource::Nofile],
        b'p' => &[Resource::Nproc],
        b'r' => &[Resource::Rss],
        b's' => &[Resource::Stack],
        b't' => &[Resource::Cpu],
        _ => &[],
    }
}
