//! The files of a log directory, and how much is in them.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use upkeep_outside::failure::{Context, Failure};

/// How many bytes a log file has when it is not compressed.
pub(crate) fn plain_length(path: &Path) -> Result<usize, Failure> {
    let file = File::open(path).unable("open a log file")?;
    let mut length = file.metadata().unable("look at a log file")?.len();
    let (mut head, mut tail) = ([0; 2], [0; 4]);
    let packed = length > 18 && file.read_exact_at(&mut head, 0).is_ok() && head == [0x1f, 0x8b];
    // Compressed by gzip, it says in its last four bytes how many there were.
    if packed {
        file.read_exact_at(&mut tail, length - 4).unable("read a log file")?;
        length = u32::from_le_bytes(tail).into();
    }
    usize::try_from(length).unable("count bytes")
}

/// Bytes of a file of the log, on the average.
pub(crate) fn average(dir: &Path) -> Result<f64, Failure> {
    let files = files(dir)?;
    let sum = files.iter().try_fold(0, |sum, file| Ok(sum + plain_length(file)?))?;
    #[expect(clippy::cast_precision_loss, reason = "some hundred millions")]
    let average = sum as f64 / files.len().max(1) as f64;
    Ok(average)
}

/// The archives in the order in which they were written, and then `current`.
pub(crate) fn files(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unable("read the log directory")?.flatten() {
        let name = entry.file_name();
        let archive = name.as_encoded_bytes().first() == Some(&b'@');
        if archive || name == "current" {
            // An archive is named by the moment in which it was finished.
            found.push((!archive, entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_their_order_and_with_what_is_in_them() {
        let dir = std::env::temp_dir().join(format!("upkeep-bench-files-{}", std::process::id()));
        fs::create_dir(&dir).unwrap();
        let gzip = [&[0x1f, 0x8b][..], &[0; 20], &1000_u32.to_le_bytes()].concat();
        fs::write(dir.join("current"), "abc\n").unwrap();
        fs::write(dir.join("@b.s"), gzip).unwrap();
        fs::write(dir.join("@a.s"), [0x1f, 0x8b]).unwrap();
        fs::write(dir.join("lock"), "not of it").unwrap();
        let found = files(&dir).unwrap();
        let lengths: Vec<usize> = found.iter().map(|f| plain_length(f).unwrap()).collect();
        let middle = average(&dir).unwrap();
        fs::remove_dir_all(&dir).unwrap();
        // What is too short to be compressed is not.
        assert_eq!(lengths, [2, 1000, 4]);
        assert!((middle - 1006.0 / 3.0).abs() < 0.001);
    }
}
