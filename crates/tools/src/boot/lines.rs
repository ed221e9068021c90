//! What is a line in a file that has others: of an inittab, a crontab, a
//! profile.

use super::{GRACE, MARK, Piece, Setting, What};

pub(super) fn inittab(setting: &Setting) -> Vec<Piece> {
    let (svscan, dir) = (setting.command("svscan"), &setting.dir);
    let line = format!("SV:2345:respawn:{svscan} {dir} </dev/null >/dev/console 2>&1\n");
    vec![Piece::lines("/etc/inittab", line)]
}

/// When the machine goes down, busybox's init kills everything after a second.
/// What it is told to do before that it does in the order of the file: our part
/// comes first, before file systems are unmounted, and takes its time.
pub(super) fn busybox(setting: &Setting) -> Vec<Piece> {
    let (svscan, dir) = (setting.command("svscan"), &setting.dir);
    let lines = format!(
        "::respawn:/bin/sh -c 'echo $$ >/run/svscan.pid; exec {svscan} -t {GRACE} {dir}'\n\
         ::shutdown:/bin/sh -c 'pid=$(cat /run/svscan.pid) && kill $pid && \
         while kill -0 $pid; do sleep 1; done' 2>/dev/null\n"
    );
    vec![Piece::first_lines("/etc/inittab", lines)]
}

/// Starts svscan unless it runs already: it has the lock, as long as it runs.
/// In a session of its own, it does not hear of the end of this one.
fn once(setting: &Setting) -> String {
    let dir = &setting.dir;
    let [svscan, setlock, chpst] = ["svscan", "setlock", "chpst"].map(|name| setting.command(name));
    format!(
        "exec {setlock} -nx {dir}/.svscan-lock {chpst} -P {svscan} -L {dir}/.svscan-log {dir} \
         </dev/null >/dev/null 2>&1"
    )
}

pub(super) fn cron(setting: &Setting) -> Vec<Piece> {
    let content = format!("# {MARK}\n@reboot root {}\n", once(setting));
    vec![Piece::file("/etc/cron.d/svscan", 0o644, content)]
}

pub(super) fn crontab(setting: &Setting) -> Vec<Piece> {
    let what = What::Crontab(format!("@reboot {}\n", once(setting)));
    vec![Piece { path: "the crontab".to_owned(), own: 0, what }]
}

pub(super) fn profile(setting: &Setting) -> Vec<Piece> {
    let path = format!("{}/.profile", setting.home);
    vec![Piece::lines(path, format!("({} &)\n", once(setting)))]
}
