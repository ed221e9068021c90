//! A log directory as a logger leaves it after some days: full files with the
//! label of their end, `current`, a stamp on every line, evenly apart up to
//! now. Made at once, so nobody has to wait for days.

use crate::input::Input;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};
use upkeep_core::tai::Tai64n;
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::wait::SECOND;

/// Nanoseconds from one line to the next.
const APART: u64 = 20_000_000;
/// Lines in a file: a hundred files are 1 GiB.
pub(crate) const LINES: usize = 101_300;
/// Bytes of the text of a line, and of its stamp.
const TEXT: usize = 80;
const STAMP: usize = 26;
/// Bytes of a line.
pub(crate) const LINE: usize = TEXT + STAMP;

/// A directory with old logs, which is removed again.
pub(crate) struct Archive {
    pub(crate) dir: PathBuf,
    /// Lines in all.
    lines: usize,
    /// When the newest line was written, in nanoseconds of Unix time.
    newest: u64,
    text: Input,
}

impl Archive {
    /// As many files, all of them full.
    pub(crate) fn new(dir: PathBuf, files: usize) -> Result<Self, Failure> {
        let text = Input::new(TEXT, 4_000_000, 4_000_000);
        let archive = Self { dir, lines: files * LINES, newest: wall(), text };
        fs::create_dir(&archive.dir).unable("make a log directory")?;
        let mut content = Vec::with_capacity(LINES * LINE);
        for file in 0..files {
            content.clear();
            (file * LINES..(file + 1) * LINES).for_each(|line| archive.write(line, &mut content));
            let last = file + 1 == files;
            let (name, mode) = if last {
                ("current".to_owned(), 0o644)
            } else {
                let end = label(archive.written((file + 1) * LINES - 1) + 1);
                (format!("{}.s", String::from_utf8_lossy(&end)), 0o744)
            };
            let path = archive.dir.join(name);
            fs::write(&path, &content).unable("write a log file")?;
            fs::set_permissions(path, Permissions::from_mode(mode)).unable("finish a log file")?;
        }
        Ok(archive)
    }

    /// Bytes of so many files.
    pub(crate) const fn bytes(files: usize) -> usize {
        files * LINES * LINE
    }

    /// When a line was written.
    fn written(&self, line: usize) -> u64 {
        self.newest - APART * u64::try_from(self.lines - 1 - line).unwrap_or(u64::MAX)
    }

    fn write(&self, line: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(&label(self.written(line)));
        out.push(b' ');
        out.extend_from_slice(self.text.line(line));
    }

    /// How many lines are not older than that moment of Unix time.
    pub(crate) fn since(&self, moment: u64) -> usize {
        let apart = self.newest.checked_sub(moment).map(|time| time / APART + 1);
        apart.map_or(0, |count| usize::try_from(count).unwrap_or(usize::MAX).min(self.lines))
    }

    /// How many lines have one of these in them, by looking.
    pub(crate) fn with(&self, words: &[&str]) -> usize {
        let has = |line: &[u8], word: &str| line.windows(word.len()).any(|w| w == word.as_bytes());
        let (mut sum, mut line, count) = (0, 0, self.text.lines());
        // The same texts come again and again.
        while line < count.min(self.lines) {
            if words.iter().any(|word| has(self.text.line(line), word)) {
                sum += (self.lines - line).div_ceil(count);
            }
            line += 1;
        }
        sum
    }

    /// A directory with the first files of this one, compressed.
    pub(crate) fn packed(&self, dir: PathBuf, files: usize) -> Result<Self, Failure> {
        let text = Input::new(TEXT, 4_000_000, 4_000_000);
        let packed =
            Self { dir, lines: files * LINES, newest: self.written(files * LINES - 1), text };
        fs::create_dir(&packed.dir).unable("make a log directory")?;
        for path in crate::logfiles::files(&self.dir)?.into_iter().take(files) {
            pack(&path, &packed.dir.join(path.file_name().unwrap_or_default()))?;
        }
        Ok(packed)
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn pack(path: &Path, into: &Path) -> Result<(), Failure> {
    let plain = File::open(path).unable("open a log file")?;
    let packed = File::create(into).unable("make a log file")?;
    let mut gzip = Command::new("gzip");
    gzip.args(["-1", "-c"]).stdin(plain).stdout(packed).stderr(Stdio::null());
    let status = gzip.status().unable("run gzip")?;
    status.success().then_some(()).ok_or("it fails").unable("run gzip")?;
    fs::set_permissions(into, Permissions::from_mode(0o744)).unable("finish a log file")
}

/// Nanoseconds of Unix time.
pub(crate) fn wall() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn label(moment: u64) -> [u8; STAMP - 1] {
    let seconds = i64::try_from(moment / SECOND).unwrap_or(i64::MAX);
    Tai64n::from_unix(seconds, u32::try_from(moment % SECOND).unwrap_or(0)).label()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_in_order_with_stamps_in_order_up_to_now() {
        let before = wall();
        let dir = std::env::temp_dir().join(format!("upkeep-bench-archive-{}", std::process::id()));
        let archive = Archive::new(dir.clone(), 2).unwrap();
        let files = crate::logfiles::files(&dir).unwrap();
        let all: Vec<u8> = files.iter().flat_map(|f| fs::read(f).unwrap()).collect();
        assert_eq!((files.len(), all.len()), (2, Archive::bytes(2)));
        let lines: Vec<&[u8]> = all.split_inclusive(|&b| b == b'\n').collect();
        assert_eq!(lines.len(), 2 * LINES);
        assert!(lines.iter().all(|l| l.len() == LINE));
        assert!(lines.is_sorted_by(|a, b| a[..STAMP] < b[..STAMP]));
        // A file's name is not before its last line and before the next one.
        let name = files[0].file_name().unwrap().as_encoded_bytes();
        assert!(lines[LINES - 1][..STAMP - 1] < name[..STAMP - 1]);
        assert!(name[..STAMP - 1] < lines[LINES][..STAMP - 1]);
        assert!((before..=wall()).contains(&archive.newest));

        let since = |moment: u64| {
            let moment = label(moment);
            lines.iter().filter(|l| l[..STAMP - 1] >= moment[..]).count()
        };
        for back in [0, 1, APART - 1, APART, APART + 1, 100 * SECOND, 10_000 * SECOND] {
            assert_eq!(archive.since(archive.newest - back), since(archive.newest - back));
        }
        assert_eq!(archive.since(archive.newest + 1), 0);
        let has = |line: &&&[u8]| line.windows(6).any(|w| w == b"needle");
        assert_eq!(archive.with(&["needle"]), lines.iter().filter(has).count());
        drop(archive);
        assert!(!dir.exists());
    }
}
