//! What is a shell script: of OpenRC, of System V's init, of runit and s6.

use super::{GRACE, MARK, PATIENCE, Piece, Root, Setting};

pub(super) fn openrc(setting: &Setting) -> Vec<Piece> {
    let words = setting.words("svscan");
    let (program, more) = (&words[0], words[1..].iter());
    let before: String = more.map(|word| format!("{word} ")).collect();
    let dir = &setting.dir;
    let content = format!(
        r#"#!/sbin/openrc-run
# {MARK}

name="svscan"
description="Services in {dir}"
supervisor="supervise-daemon"
command="{program}"
command_args="{before}-t {GRACE} {dir}"
respawn_delay=1
respawn_max=0
retry="TERM/{PATIENCE}/KILL/5"
extra_started_commands="reload"
description_reload="Take down the services that are no longer in {dir}"

depend() {{
	need localmount
	use net logger
	after bootmisc
}}

reload() {{
	ebegin "Reloading $RC_SVCNAME"
	supervise-daemon "$RC_SVCNAME" --signal HUP
	eend $?
}}
"#
    );
    vec![
        Piece::file("/etc/init.d/svscan", 0o755, content),
        Piece::link("/etc/runlevels/default/svscan", "/etc/init.d/svscan"),
    ]
}

/// The lock says whether svscan runs, since only svscan keeps it open, and is
/// what the script waits for when it has told svscan to end.
pub(super) fn sysv(setting: &Setting) -> Vec<Piece> {
    let dir = &setting.dir;
    let [svscan, setlock, chpst] = ["svscan", "setlock", "chpst"].map(|name| setting.command(name));
    let content = format!(
        r#"#!/bin/sh
# {MARK}
### BEGIN INIT INFO
# Provides:          svscan
# Required-Start:    $local_fs $remote_fs
# Required-Stop:     $local_fs $remote_fs
# Should-Start:      $network $syslog
# Should-Stop:       $network $syslog
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: Services in {dir}
### END INIT INFO

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
run=/run
[ -d /run ] || run=/var/run
lock=$run/svscan.lock
pid=$run/svscan.pid

# svscan has the lock as long as it runs, and nobody else.
runs() {{
	[ -e "$lock" ] && ! {setlock} -n "$lock" true 2>/dev/null
}}

start() {{
	runs && return
	# One process becomes one program after the other, with the lock. The shell
	# reads until svscan has let go of its output.
	: "$({setlock} -n "$lock" sh -c 'echo $$ >"$0" && exec "$@" >/dev/null' "$pid" \
		{chpst} -P {svscan} -t {GRACE} {dir} </dev/null 2>/dev/null &)"
	runs
}}

stop() {{
	runs || return 0
	kill -TERM "$(cat "$pid")" || return
	{setlock} -N "$lock" true
	rm -f "$pid"
}}

case ${{1-}} in
start) start ;;
stop) stop ;;
restart | force-reload) stop && start ;;
reload) runs && kill -HUP "$(cat "$pid")" ;;
status)
	if runs; then
		echo "svscan is running (pid $(cat "$pid"))"
	else
		echo "svscan is not running"
		exit 3
	fi
	;;
*)
	echo "usage: $0 start|stop|restart|reload|force-reload|status" >&2
	exit 2
	;;
esac
"#
    );
    let link = |level: char| {
        let path = match level {
            '2'..='5' => format!("/etc/rc{level}.d/S20svscan"),
            _ => format!("/etc/rc{level}.d/K20svscan"),
        };
        Piece::link(path, "../init.d/svscan")
    };
    let mut pieces = vec![Piece::file("/etc/init.d/svscan", 0o755, content)];
    pieces.extend("0123456".chars().map(link));
    pieces
}

fn run(setting: &Setting) -> String {
    let (svscan, dir) = (setting.command("svscan"), &setting.dir);
    format!("#!/bin/sh\n# {MARK}\nexec 2>&1\nexec {svscan} -t {GRACE} {dir}\n")
}

/// Where runit may have its services: the first that is there, or the last.
const RUNSVDIRS: [&str; 2] = ["/etc/runit/runsvdir/default", "/etc/service"];
const OF_RUNIT: &str = "/etc/sv/svscan";

/// Where it has them.
pub fn runsvdir(root: &Root) -> &'static str {
    if root.has(RUNSVDIRS[0]) { RUNSVDIRS[0] } else { RUNSVDIRS[1] }
}

/// Whether `dir` is where it has them, by whatever name.
pub fn is_runits_own(root: &Root, dir: &str) -> bool {
    let own = runsvdir(root);
    // Where runit does not run, a link of its may lead nowhere.
    let leads_there = || root.leads_to(dir).is_some_and(|to| to.contains("/runsvdir/"));
    dir == own || root.is_same(dir, own) || leads_there()
}

/// A link that was made before runit had the directory in which it is now.
pub fn old_links(root: &Root) -> Vec<Piece> {
    let own = runsvdir(root);
    let others = RUNSVDIRS.into_iter().filter(|dir| *dir != own && !root.is_same(dir, own));
    let links = others.map(|dir| format!("{dir}/svscan"));
    let links = links.filter(|path| root.leads_to(path).as_deref() == Some(OF_RUNIT));
    links.map(|path| Piece::link(path, OF_RUNIT)).collect()
}

pub(super) fn runit(setting: &Setting) -> Vec<Piece> {
    vec![
        Piece::file(format!("{OF_RUNIT}/run"), 0o755, run(setting)).owning(1),
        Piece::link(format!("{}/svscan", setting.runsvdir), OF_RUNIT),
    ]
}

pub(super) fn s6(setting: &Setting) -> Vec<Piece> {
    vec![Piece::file("/etc/s6/sv/svscan/run", 0o755, run(setting)).owning(1)]
}
