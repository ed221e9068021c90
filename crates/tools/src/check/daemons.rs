//! Programs that put themselves into the background, and what keeps them from
//! it.

use super::chain::Chain;

/// Programs that do unless they are told not to, and by what they are.
const NEED: [(&str, &[&str]); 38] = [
    ("sshd", &["-D", "-d", "-i", "-De"]),
    ("cron", &["-f"]),
    ("crond", &["-f", "-n", "-d"]),
    ("atd", &["-f", "-d"]),
    ("dnsmasq", &["-k", "-d", "--keep-in-foreground", "--no-daemon"]),
    ("smbd", &["-F", "-i", "--foreground", "--interactive"]),
    ("nmbd", &["-F", "-i", "--foreground", "--interactive"]),
    ("winbindd", &["-F", "-i", "--foreground", "--interactive"]),
    ("apache2", &["-DFOREGROUND", "FOREGROUND", "-X"]),
    ("httpd", &["-DFOREGROUND", "FOREGROUND", "-X", "-f"]),
    ("ntpd", &["-n", "-d", "--nofork"]),
    ("chronyd", &["-n", "-d"]),
    ("rsyslogd", &["-n"]),
    ("syslogd", &["-n", "-d"]),
    ("acpid", &["-f", "-d", "--foreground"]),
    ("named", &["-f", "-g"]),
    ("lighttpd", &["-D"]),
    ("squid", &["-N", "--foreground"]),
    ("proftpd", &["-n", "--nodaemon"]),
    ("rpcbind", &["-f", "-d"]),
    ("rpc.statd", &["-F", "-d"]),
    ("dhclient", &["-d", "-f"]),
    ("dhcpcd", &["-B", "--nobackground", "-d"]),
    ("supervisord", &["-n", "--nodaemon"]),
    ("cupsd", &["-f"]),
    ("automount", &["-f", "--foreground"]),
    ("smartd", &["-n", "--no-fork", "-d"]),
    ("rngd", &["-f", "--foreground"]),
    ("irqbalance", &["-f", "--foreground", "-d"]),
    ("lircd", &["-n", "--nodaemon"]),
    ("dovecot", &["-F"]),
    ("snmpd", &["-f"]),
    ("privoxy", &["--no-daemon"]),
    ("vnstatd", &["-n", "--nodaemon"]),
    ("watchdog", &["-F", "--foreground"]),
    ("zabbix_agentd", &["-f", "--foreground"]),
    ("xinetd", &["-dontfork", "-d"]),
    ("inetd", &["-i", "-d", "-f"]),
];

/// Programs that do if they are told to.
const TOLD: [(&str, &[&str]); 12] = [
    ("haproxy", &["-D"]),
    ("memcached", &["-d"]),
    ("exim", &["-bd"]),
    ("exim4", &["-bd"]),
    ("apache2ctl", &["start", "restart"]),
    ("apachectl", &["start", "restart"]),
    ("postfix", &["start"]),
    ("pg_ctl", &["start"]),
    ("gunicorn", &["-D"]),
    ("wpa_supplicant", &["-B"]),
    ("hostapd", &["-B"]),
    ("ulogd", &["-d"]),
];

/// Programs that ask somebody else to start a daemon.
const ASK: [&str; 5] = ["systemctl", "service", "rc-service", "invoke-rc.d", "rcctl"];
/// What is told in many programs' words.
const FLAGS: [&str; 6] =
    ["--daemon", "--daemonize", "--daemonise", "--background", "--detach", "--fork"];
/// And what takes that back.
const STAY: [&str; 6] =
    ["--no-detach", "--nodetach", "--foreground", "--nodaemon", "--no-daemon", "--nofork"];

/// Why the command does not stay, and what would make it, if that is so.
pub(super) fn why(chain: &Chain<'_>) -> Option<(String, String)> {
    if chain.through.contains(&"fghack") {
        return None;
    }
    let name = chain.name()?;
    let arguments = || chain.rest[1..].iter().map(|word| word.text.as_str());
    let has = |words: &[&str]| arguments().any(|argument| words.contains(&argument));
    let stays = |option: &str| format!("drop {option}, or make a file follow");
    // Something that only the shell knows may be the option.
    let known = chain.rest.iter().all(|word| word.plain);
    if chain.rest[0].text.starts_with("/etc/init.d/") || ASK.contains(&name) && has(&["start"]) {
        let what = format!("{name} starts its daemon elsewhere, and exits");
        return Some((what, "run the daemon itself, in the foreground".to_owned()));
    }
    if name == "setsid" && !has(&["-w", "--wait", "-fw"]) {
        let what = "setsid forks here, since the service has a session already".to_owned();
        return Some((what, "drop it".to_owned()));
    }
    if let Some((_, options)) = NEED.iter().find(|(program, _)| *program == name) {
        let clustered = |argument: &str| {
            options.iter().any(|option| {
                option.len() == 2
                    && argument.starts_with('-')
                    && !argument.starts_with("--")
                    && argument.contains(&option[1..])
            })
        };
        if known && !has(options) && !arguments().any(clustered) {
            let what = format!("{name} puts itself into the background");
            return Some((what, format!("give it {}, or make a file follow", options[0])));
        }
        return None;
    }
    if let Some((_, options)) = TOLD.iter().find(|(program, _)| *program == name) {
        let option = arguments().find(|argument| options.contains(argument))?;
        return Some((format!("with {option} {name} goes into the background"), stays(option)));
    }
    if has(&STAY) {
        return None;
    }
    let mut words = arguments().peekable();
    while let Some(word) = words.next() {
        let (option, value) = word.split_once('=').unwrap_or((word, ""));
        let value = if value.is_empty() { words.peek().copied().unwrap_or("") } else { value };
        if FLAGS.contains(&option) && !["no", "off", "false", "0"].contains(&value) {
            return Some((format!("with {option} {name} goes into the background"), stays(option)));
        }
    }
    None
}

/// The option that keeps the program in the foreground, if it is told one.
pub(super) fn stays<'a>(chain: &Chain<'a>) -> Option<&'a str> {
    let name = chain.name()?;
    let own = NEED.iter().find(|(program, _)| *program == name).map_or(&[][..], |row| row.1);
    let is = |argument: &&str| {
        STAY.contains(argument) && *argument != "--no-detach" || own.contains(argument)
    };
    chain.rest[1..].iter().map(|word| word.text.as_str()).find(is)
}

#[cfg(test)]
mod tests {
    use super::super::shell::parse;
    use super::*;

    #[test]
    fn who_stays_and_who_does_not() {
        for text in [
            "exec sshd",
            "exec /usr/sbin/sshd -p 22",
            "exec cron",
            "exec rsync --daemon",
            "exec redis-server --daemonize yes",
            "exec x --daemonize=yes",
            "exec setsid x",
            "exec /etc/init.d/x start",
            "exec service x start",
            "exec haproxy -D -f x",
        ] {
            assert!(why(&Chain::of(&parse(text).unwrap().commands[0])).is_some(), "{text}");
        }
        for text in [
            "exec sshd -D",
            "exec sshd -eD",
            "exec sshd $options",
            "exec cron -f",
            "exec rsync --daemon --no-detach",
            "exec redis-server --daemonize no",
            "exec x --daemonize=no",
            "exec fghack sshd",
            "exec git daemon",
            "exec haproxy -f x",
            "exec $x",
            "exec",
        ] {
            assert_eq!(why(&Chain::of(&parse(text).unwrap().commands[0])), None, "{text}");
        }
    }
}
