//! What is declared: units of systemd, a daemon of launchd, lines of a
//! Dockerfile.

use super::{GRACE, MARK, PATIENCE, Piece, Programs, Setting};

/// What both kinds of units have. Nothing but svscan is signalled, and nothing
/// is killed when svscan ends: it takes its services down itself, and finds them
/// again when it was killed and is started anew.
fn unit(setting: &Setting, wanted_by: &str) -> String {
    let (svscan, dir) = (setting.command("svscan"), &setting.dir);
    format!(
        "# {MARK}
[Unit]
Description=Services in {dir}
Documentation=man:svscan(8)
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={svscan} -t {GRACE} {dir}
ExecReload=/bin/sh -c 'kill -HUP $$MAINPID'
Restart=always
RestartSec=1
# Only svscan is told to end: it takes its services down itself, and one that is
# started again after it was killed finds them alive.
KillMode=process
TimeoutStopSec={PATIENCE}
# One service without memory is not the end of the others.
OOMPolicy=continue
TasksMax=infinity
# Services may have cgroups of their own: see kill-mode in servicedir(5).
Delegate=yes

[Install]
WantedBy={wanted_by}
"
    )
}

pub(super) fn systemd(setting: &Setting) -> Vec<Piece> {
    let unit = unit(setting, "multi-user.target");
    vec![
        Piece::file("/etc/systemd/system/svscan.service", 0o644, unit),
        // As `systemctl enable` makes it.
        Piece::link(
            "/etc/systemd/system/multi-user.target.wants/svscan.service",
            "/etc/systemd/system/svscan.service",
        )
        .owning(1),
    ]
}

pub(super) fn systemd_user(setting: &Setting) -> Vec<Piece> {
    let units = format!("{}/.config/systemd/user", setting.home);
    let file = format!("{units}/svscan.service");
    let link = format!("{units}/default.target.wants/svscan.service");
    vec![
        Piece::file(file.clone(), 0o644, unit(setting, "default.target")).owning(3),
        Piece::link(link, file).owning(1),
    ]
}

pub(super) fn launchd(setting: &Setting) -> Vec<Piece> {
    let mut words = setting.words("svscan");
    words.extend(["-t".to_owned(), GRACE.to_string(), setting.dir.clone()]);
    let words: String = words.iter().map(|word| format!("\t\t<string>{word}</string>\n")).collect();
    let content = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- {MARK} -->
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>org.upkeep.svscan</string>
	<key>ProgramArguments</key>
	<array>
{words}	</array>
	<key>RunAtLoad</key>
	<true/>
	<key>KeepAlive</key>
	<true/>
	<key>AbandonProcessGroup</key>
	<true/>
	<key>ExitTimeOut</key>
	<integer>{PATIENCE}</integer>
</dict>
</plist>
"#
    );
    vec![Piece::file("/Library/LaunchDaemons/org.upkeep.svscan.plist", 0o644, content)]
}

/// Which is nowhere to be installed.
pub(super) fn docker(setting: &Setting) -> Vec<Piece> {
    let quoted = |words: &[String]| {
        let all: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
        all.join(", ")
    };
    let dir = &setting.dir;
    let mut words = setting.words("svscan");
    words.push(dir.clone());
    let alone = quoted(&words);
    words.push("--".to_owned());
    let before = quoted(&words);
    // The one file, and where the links to it are made.
    let (whole, place) = match &setting.programs {
        Programs::Whole(file) => (file.clone(), file.rsplit_once('/').map_or("", |(dir, _)| dir)),
        Programs::In(dir) => {
            let dir = dir.trim_end_matches('/');
            (format!("{dir}/upkeep"), dir)
        }
    };
    let place = if place.is_empty() { "/" } else { place };
    let content = format!(
        "# All programs are in one file that needs no other.
COPY upkeep {whole}
RUN [\"{whole}\", \"--install\", \"{place}\"]
COPY service {dir}
# CMD is the main command: its end is the end of the container, its code the code.
ENTRYPOINT [{before}]
# Without a main command:
# ENTRYPOINT [{alone}]
"
    );
    vec![Piece::file("Dockerfile", 0o644, content)]
}
