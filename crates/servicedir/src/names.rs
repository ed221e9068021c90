//! What the files are called.

use core::ffi::CStr;

/// The program that is the service.
pub const RUN: &CStr = c"./run";
/// The program that tidies up after the service.
pub const FINISH: &CStr = c"./finish";
/// How many milliseconds it may take.
pub const TIMEOUT_FINISH: &CStr = c"timeout-finish";
/// If it exists, the service starts out down.
pub const DOWN: &CStr = c"down";
/// Whom a stop and its signals reach.
pub const KILL_MODE: &CStr = c"kill-mode";
/// After how many milliseconds a service that was told to be down is killed.
pub const TIMEOUT_KILL: &CStr = c"timeout-kill";
/// The service that reads this one's output, a directory or, as in encore, a
/// program.
pub const LOG: &CStr = c"log";
/// That program.
pub const LOG_FILE: &CStr = c"./log";
/// Where supervise keeps what follows.
pub const SUPERVISE: &CStr = c"supervise";
/// Locked as long as a supervise lives.
pub const LOCK: &CStr = c"supervise/lock";
/// The FIFO that takes commands.
pub const CONTROL: &CStr = c"supervise/control";
/// The FIFO that is open for reading as long as a supervise lives.
pub const OK: &CStr = c"supervise/ok";
/// The status record.
pub const STATUS: &CStr = c"supervise/status";
/// The status record that is about to replace it.
pub const STATUS_NEW: &CStr = c"supervise/status.new";

/// A link that is called like the identity of the service directory, where all
/// this is elsewhere.
pub const OWNER: &CStr = c"supervise/owner";

/// runit's words for the status.
pub const STAT: &CStr = c"supervise/stat";
/// Those that are about to replace them.
pub const STAT_NEW: &CStr = c"supervise/stat.new";
/// The process, for runit's scripts.
pub const PID: &CStr = c"supervise/pid";
/// The one that is about to replace it.
pub const PID_NEW: &CStr = c"supervise/pid.new";
/// What runit executes instead of a signal.
pub const SCRIPTS: &CStr = c"control";
/// How many milliseconds one of them may take.
pub const TIMEOUT_CONTROL: &CStr = c"timeout-control";
/// What runit's `sv` executes to see whether the service is available.
pub const CHECK: &CStr = c"check";

/// The FIFO through which a service's output reaches its logger.
pub const OUTPUT: &CStr = c"supervise/output";
/// The same, seen from the logger's directory.
pub const INPUT: &CStr = c"../supervise/output";
/// The FIFO through which the output of a service without a logger reaches
/// svlines.
pub const STDOUT: &CStr = c"supervise/stdout";
/// The same for what a service complains of.
pub const STDERR: &CStr = c"supervise/stderr";
/// How the service ended whose supervise was dead, from whoever waited for it.
pub const REAPED: &CStr = c"supervise/reaped";

/// The descriptor on which the service says that it is ready.
pub const NOTIFICATION_FD: &CStr = c"notification-fd";
/// The FIFO behind that descriptor.
pub const NOTIFY: &CStr = c"supervise/notify";
/// The socket on which the service says how it does.
pub const SOCKET: &CStr = c"supervise/notify-socket";
/// The one that is about to replace it.
pub const SOCKET_NEW: &CStr = c"supervise/notify-socket.new";
/// Those that have said that they depend on this service, an entry each.
pub const NEEDED: &CStr = c"supervise/needed";
/// Those of them that were told to be up, until this service has heard of it.
pub const CALLED: &CStr = c"supervise/called";
/// A link that is called like what the service waits for, for people.
pub const WAITS_FOR: &CStr = c"supervise/waits-for";
/// What it has said there for people.
pub const SAID: &CStr = c"supervise/said";
/// What is about to replace that.
pub const SAID_NEW: &CStr = c"supervise/said.new";
/// How it is known that the service is ready.
pub const READY_BY: &CStr = c"ready-by";
/// Within how many milliseconds it has to be.
pub const TIMEOUT_READY: &CStr = c"timeout-ready";
/// How often it has to give a sign of life, in milliseconds.
pub const WATCHDOG: &CStr = c"watchdog";
/// How often the check is made, in milliseconds.
pub const CHECK_INTERVAL: &CStr = c"check-interval";
/// How many milliseconds it may take.
pub const TIMEOUT_CHECK: &CStr = c"timeout-check";
/// After how many that failed in a row the service is ended.
pub const CHECK_FAILURES: &CStr = c"check-failures";
/// The check, where it may be.
pub const CHECKS: [&CStr; 2] = [c"./check", c"./data/check"];
/// The signal that ends the service.
pub const DOWN_SIGNAL: &CStr = c"down-signal";
/// The signal that has it read its configuration again.
pub const RELOAD_SIGNAL: &CStr = c"reload-signal";
/// After which ends the service is started again.
pub const RESTART: &CStr = c"restart";
/// Which ends are a success.
pub const RESTART_SUCCESS: &CStr = c"restart-success";
/// After which ends it is never started again.
pub const RESTART_NEVER: &CStr = c"restart-never";
/// How many milliseconds after its end it is.
pub const RESTART_DELAY: &CStr = c"restart-delay";
/// What that grows to.
pub const RESTART_DELAY_MAX: &CStr = c"restart-delay-max";
/// How many ends within how many seconds are too many.
pub const RESTART_LIMIT: &CStr = c"restart-limit";
/// If it exists, a service that does not go down in time is killed with its
/// process group.
pub const FLAG_TIMEOUT_KILLPG: &CStr = c"flag-timeout-killpg";
/// How many of its ends are kept on record for s6's programs.
pub const MAX_DEATH_TALLY: &CStr = c"max-death-tally";
/// Where they are.
pub const DEATH_TALLY: &CStr = c"supervise/death_tally";
/// Those that are about to replace them.
pub const DEATH_TALLY_NEW: &CStr = c"supervise/death_tally.new";
/// If it exists, the service has a pid name space of its own.
pub const FLAG_NEWPIDNS: &CStr = c"flag-newpidns";
/// How the service is found that `run` has left behind.
pub const FOLLOW: &CStr = c"follow";
/// How many milliseconds it is looked for.
pub const TIMEOUT_FOLLOW: &CStr = c"timeout-follow";
/// The descriptor behind which the service has its lock.
pub const LOCK_FD: &CStr = c"lock-fd";
/// What is locked there.
pub const SERVICE_LOCK: &CStr = c"supervise/service-lock";
/// The variable that says where the directories `supervise` are instead.
pub const SUPERVISEDIR: &[u8] = b"SUPERVISEDIR";
/// What runit executes before each start.
pub const UP: &CStr = c"./control/u";
/// For which suite the directory was written.
pub const DIALECT: &CStr = c"dialect";
/// What encore runs before the service comes up.
pub const START: &CStr = c"./start";
/// What encore runs after the service has gone down.
pub const STOP: &CStr = c"./stop";
/// What encore runs when a process was started or has ended.
pub const TELL: &CStr = c"./notify";
/// If it exists, what runs does not get a session of its own.
pub const NO_SETSID: &CStr = c"no-setsid";
/// If it exists, everything ends when the service is over.
pub const ESSENTIAL: &CStr = c"essential";
/// What the service is: `longrun` or `oneshot`.
pub const TYPE: &CStr = c"type";
/// What a oneshot does.
pub const DO: &CStr = c"./up";
/// What undoes it.
pub const UNDO: &CStr = c"./down";
/// Files that only service directories for s6 have.
pub const OF_S6: [&CStr; 10] = [
    NOTIFICATION_FD,
    TIMEOUT_FINISH,
    TIMEOUT_KILL,
    DOWN_SIGNAL,
    RELOAD_SIGNAL,
    MAX_DEATH_TALLY,
    FLAG_TIMEOUT_KILLPG,
    FLAG_NEWPIDNS,
    LOCK_FD,
    TYPE,
];

/// The services of the same scan directory that are started, and have to be
/// ready, before this one is: an entry each.
pub const NEEDS: &CStr = c"needs";
/// Those that are started, and have to be ready or to have failed.
pub const WANTS: &CStr = c"wants";
/// Those that are waited for if they are wanted up anyway.
pub const AFTER: &CStr = c"after";

/// Where services are looked for by name, after `$SVDIR`.
pub const SCAN_DIRS: [&[u8]; 2] = [b"/etc/service", b"/service"];
/// The variable that names the directory to look in first.
pub const SVDIR: &[u8] = b"SVDIR";
