//! Everything that can start svscan, by name.

use super::{Piece, Setting, lines, scripts, units};

/// One of them.
pub struct Kind {
    /// What it is called.
    pub name: &'static str,
    /// What it is, in a few words.
    pub what: &'static str,
    /// Whether it is a user's own.
    pub user: bool,
    /// The scan directory if none is given, below the home of a user whose own it
    /// is.
    pub dir: &'static str,
    /// What it consists of.
    pub pieces: fn(&Setting) -> Vec<Piece>,
    /// What starts it now, and what ends it when it has been removed, with what
    /// is there then; nothing where there is no such command.
    pub commands: [&'static str; 2],
}

impl Kind {
    /// The one of that name.
    #[must_use]
    pub fn named(name: &[u8]) -> Option<&'static Self> {
        ALL.iter().find(|kind| kind.name.as_bytes() == name)
    }
}

const USUAL: &str = "/etc/service";
/// Where the init itself has services in the usual directory, or may have.
const BESIDE: &str = "/service";
const OWN: &str = "service";

/// All of them.
pub const ALL: [Kind; 13] = [
    Kind {
        name: "systemd",
        what: "a unit of systemd",
        user: false,
        dir: USUAL,
        pieces: units::systemd,
        commands: [
            "systemctl daemon-reload && systemctl start svscan",
            "systemctl stop svscan; systemctl daemon-reload",
        ],
    },
    Kind {
        name: "systemd-user",
        what: "a unit of a user's own systemd",
        user: true,
        dir: OWN,
        pieces: units::systemd_user,
        commands: [
            "systemctl --user daemon-reload && systemctl --user start svscan && loginctl enable-linger \"$(id -un)\"",
            "systemctl --user stop svscan; systemctl --user daemon-reload",
        ],
    },
    Kind {
        name: "openrc",
        what: "a service of OpenRC",
        user: false,
        dir: USUAL,
        pieces: scripts::openrc,
        commands: ["rc-service svscan start", "RC_SVCNAME=svscan supervise-daemon svscan --stop"],
    },
    Kind {
        name: "sysv",
        what: "a script in /etc/init.d",
        user: false,
        dir: USUAL,
        pieces: scripts::sysv,
        commands: ["/etc/init.d/svscan start", "kill \"$(cat /run/svscan.pid)\""],
    },
    Kind {
        name: "inittab",
        what: "a line in the /etc/inittab of System V's init",
        user: false,
        dir: USUAL,
        pieces: lines::inittab,
        commands: ["telinit q", "telinit q"],
    },
    Kind {
        name: "busybox",
        what: "a line in the /etc/inittab of busybox's init",
        user: false,
        dir: USUAL,
        pieces: lines::busybox,
        commands: ["kill -HUP 1", "kill -HUP 1"],
    },
    Kind {
        name: "runit",
        what: "a service of runit",
        user: false,
        dir: BESIDE,
        pieces: scripts::runit,
        commands: ["", "sv exit /etc/sv/svscan"],
    },
    Kind {
        name: "s6",
        what: "a service directory for s6",
        user: false,
        dir: BESIDE,
        pieces: scripts::s6,
        commands: [
            "ln -s /etc/s6/sv/svscan /run/service/ && s6-svscanctl -a /run/service",
            "rm /run/service/svscan; s6-svscanctl -an /run/service",
        ],
    },
    Kind {
        name: "launchd",
        what: "a daemon of launchd",
        user: false,
        dir: USUAL,
        pieces: units::launchd,
        commands: [
            "launchctl bootstrap system /Library/LaunchDaemons/org.upkeep.svscan.plist",
            "launchctl bootout system/org.upkeep.svscan",
        ],
    },
    Kind {
        name: "docker",
        what: "the lines of a Dockerfile; printed only",
        user: false,
        dir: USUAL,
        pieces: units::docker,
        commands: ["", ""],
    },
    Kind {
        name: "cron",
        what: "a file in /etc/cron.d",
        user: false,
        dir: USUAL,
        pieces: lines::cron,
        commands: ["", ""],
    },
    Kind {
        name: "crontab",
        what: "a line in a user's own crontab",
        user: true,
        dir: OWN,
        pieces: lines::crontab,
        commands: ["", ""],
    },
    Kind {
        name: "profile",
        what: "lines in a user's own .profile, with a lock",
        user: true,
        dir: OWN,
        pieces: lines::profile,
        commands: [". ~/.profile", ""],
    },
];
