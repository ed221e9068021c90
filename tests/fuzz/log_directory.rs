//! Any bytes as the history of a log directory: what the last multilog left
//! there, and then what is written to it. Whatever it is, nothing is lost and
//! no log is larger than it may be.

use std::ffi::{CStr, CString};
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use upkeep_cli::Tool;
use upkeep_logdir::{Claimed, Settings, Voice};
use upkeep_sys::signals::Signals;

/// The one directory of this process; it is emptied for each history.
fn place() -> (&'static Path, &'static CStr) {
    static PLACE: OnceLock<(PathBuf, CString)> = OnceLock::new();
    let (path, name) = PLACE.get_or_init(|| {
        let path = std::env::temp_dir().join(format!("upkeep-fuzzed-{}", std::process::id()));
        let name = CString::new(path.as_os_str().as_bytes()).unwrap();
        (path, name)
    });
    (path, name)
}

/// What the last multilog left: for each file whether and how, by two bits.
fn leave_behind(log: &Path, how: u8) -> Vec<u8> {
    let mut kept = Vec::new();
    let clean = how & 3 == 2;
    let processed = how >> 4 & 3;
    for (name, shift) in [("previous", 2), ("processed", 4), ("current", 0)] {
        let this = how >> shift & 3;
        if this == 0 || this == 3 {
            continue;
        }
        let text = format!("left in {name}\n");
        fs::write(log.join(name), &text).unwrap();
        let mode = if this == 1 { 0o644 } else { 0o744 };
        fs::set_permissions(log.join(name), Permissions::from_mode(mode)).unwrap();
        let counts = match name {
            "current" => true,
            "processed" => !clean && processed == 2,
            _ => !clean && processed != 2,
        };
        if counts {
            kept.extend(text.bytes());
        }
    }
    kept
}

/// All logs, the oldest first, each no larger than `size`.
fn all_logs(log: &Path, size: u64) -> Vec<u8> {
    let names = fs::read_dir(log).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|n| n.starts_with('@') || n == "current").collect();
    names.sort();
    let mut all = Vec::new();
    for name in names {
        let text = fs::read(log.join(&name)).unwrap();
        assert!(text.len() as u64 <= size, "{name} has {} bytes", text.len());
        assert!(name == "current" || name.ends_with(".u") || !text.is_empty());
        all.extend(text);
    }
    all
}

/// Lives through the history.
pub fn log_directory(data: &[u8]) {
    let [how, large, steps @ ..] = data else { return };
    let (path, name) = place();
    let _ = fs::remove_dir_all(path);
    fs::create_dir_all(path).unwrap();
    let mut wanted = leave_behind(path, *how);
    let size = 4096 + u64::from(*large) * 64;
    let mut voice = Voice::new(Tool { name: "fuzzed", help: "" });
    let mask = Signals::take(&[], &[]).unwrap().before();
    let settings = Settings { name, size, keep: 1_000_000, ..Settings::default() };
    let claimed = Claimed::new(settings, mask, &mut voice).unwrap();
    let mut log = claimed.recover(None, 0, &mut voice).unwrap();

    for step in steps.chunks(3) {
        let [kind, high, low] = [0, 1, 2].map(|i| step.get(i).copied().unwrap_or(0));
        let len = usize::from(high) << 4 | usize::from(low) >> 4;
        let mut text = vec![b'a' + low % 26; len];
        match kind % 8 {
            0..=2 => {
                text.truncate(1000);
                text.push(b'\n');
                let stamp: &[u8] = if kind > 127 && len < 900 { b"@stamp " } else { b"" };
                log.line(stamp, &text, &mut voice);
                wanted.extend(stamp);
            }
            3 => {
                text.truncate(1000);
                log.line(b"", &text, &mut voice);
            }
            4 => log.more(&text, &mut voice),
            5 => {
                log.flush(&mut voice);
                text.resize(usize::try_from(log.spare()).unwrap().min(len * 16), b'\n');
                log.copy(&text, &mut voice);
            }
            6 => {
                text.clear();
                log.flush(&mut voice);
                log.write_out(&mut voice);
            }
            _ => {
                text.clear();
                match len {
                    0..100 => log.rotate(&mut voice),
                    100..500 => log.reopen(&mut voice),
                    500..1000 => log.due(&mut voice),
                    _ => {}
                }
            }
        }
        wanted.extend(text);
    }
    log.close(&mut voice);
    assert!(all_logs(path, size) == wanted, "something is lost");
    let mode = fs::metadata(path.join("current")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o744);
    fs::remove_dir_all(path).unwrap();
}
