//! runit's `sv` drives supervise as it drives runsv, and ours does what runit's
//! does: the same commands, the same answers, the same exit codes, and the
//! service sees the same.

mod words;

use crate::support::{
    Changes, Dir, Process, Service, originals, ours, readable, supervised, testing_originals,
};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const SV: &str = "/usr/bin/sv";

/// What sv is told, what the service and its scripts say then, and where the
/// service is in the end, if that is not left open.
type Step = (&'static str, &'static str, &'static str);

/// A service directory.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    /// More files, as `make` knows them.
    files: &'static [&'static str],
    /// Whether the service ends on TERM.
    obeys: bool,
    steps: &'static [&'static [Step]],
}

const SIGNALS: &[Step] = &[
    ("status", "", "run u"),
    ("-v status", "", "run u"),
    ("-v up", "", "run u"),
    ("pause", "", "run p u"),
    ("-v pause", "", "run p u"),
    ("cont", "CONT", "run u"),
    ("-v cont", "CONT", "run u"),
    ("hup", "HUP", "run u"),
    ("-v hup", "HUP", "run u"),
    ("alarm", "ALRM", "run u"),
    ("interrupt", "INT", "run u"),
    ("quit", "QUIT", "run u"),
    ("1", "USR1", "run u"),
    ("2", "USR2", "run u"),
    ("reload", "HUP", "run u"),
    ("check", "", "run u"),
    ("start", "", "run u"),
    ("nonsense", "", "run u"),
    ("-w 1 status", "", "run u"),
    ("-v kill", "KILL up", "run u"),
];

const STOPS: &[Step] = &[
    ("down", "TERM", "down d"),
    ("-v down", "", "down d"),
    ("status", "", "down d"),
    ("check", "", "down d"),
    ("term", "", "down d"),
    ("hup", "", "down d"),
    ("try-restart", "", "down d"),
    ("-v up", "up", "run u"),
    ("stop", "TERM", "down d"),
    ("start", "up", "run u"),
    ("force-stop", "TERM", "down d"),
    ("up", "up", "run u"),
];

const RESTARTS: &[Step] = &[
    ("-v term", "TERM up", "run u"),
    ("restart", "TERM up", "run u"),
    ("force-restart", "TERM up", "run u"),
    ("try-restart", "TERM up", "run u"),
    ("force-reload", "TERM up", "run u"),
];

const ONCE: &[Step] = &[
    ("once", "", "run d"),
    ("-v once", "", "run d"),
    ("status", "", "run d"),
    ("up", "", "run u"),
    ("once", "", "run d"),
    ("kill", "KILL", "down d"),
    ("-v once", "up", "run d"),
    ("up", "", "run u"),
];

const NORMALLY_DOWN: &[Step] =
    &[("status", "", "down d"), ("check", "", "down d"), ("start", "up", "run u")];

const UNAVAILABLE: &[Step] = &[
    ("-w 1 start", "", "run u"),
    ("-w 1 check", "", "run u"),
    ("-v -w 1 up", "", "run u"),
    ("-w 1 restart", "TERM up", "run u"),
    ("-w 2 stop", "TERM", "down d"),
];

const SUPPRESSED: &[Step] = &[
    ("hup", "script h", "run u"),
    ("reload", "script h", "run u"),
    ("-w 1 term", "script t", "run u"),
    ("-w 1 restart", "script t CONT", "run u"),
    ("-w 1 down", "script t CONT script d", "run d"),
    ("-w 1 stop", "script t CONT script d", "run d"),
    ("up", "", "run u"),
];

const SCRIPTS_FAIL: &[Step] = &[
    ("hup", "script h HUP", "run u"),
    ("-v term", "script t TERM up", "run u"),
    ("down", "script t TERM script d", "down d"),
    ("-v up", "up", "run u"),
    ("restart", "script t TERM up", "run u"),
    ("force-stop", "script t TERM script d", "down d"),
    ("start", "up", "run u"),
    ("-v kill", "script k KILL up", "run u"),
];

const DISOBEYED: &[Step] = &[
    ("-w 1 term", "TERM", "run t u"),
    ("-w 1 stop", "TERM CONT", "run t d"),
    ("up", "", "run t u"),
    ("-w 1 restart", "TERM CONT", "run t u"),
    ("-w 1 force-stop", "TERM CONT KILL", "down d"),
    ("start", "up", "run u"),
    ("-w 1 force-restart", "TERM CONT KILL up", "run u"),
];

const EXIT: &[Step] = &[("exit", "script t TERM script x", "down d")];
const SHUTDOWN: &[Step] = &[("shutdown", "script t TERM script x", "down d")];
const FORCE_SHUTDOWN: &[Step] =
    &[("-w 1 force-shutdown", "script t TERM CONT script x script k KILL", "")];

const LOGGER: &[Step] = &[
    ("status", "", "run u"),
    ("-v hup s/log", "log HUP", "run u"),
    ("-v term", "TERM up", "run u"),
    ("-v term s/log", "log up", "run u"),
];
const LOGGER_DOWN: &[Step] = &[
    ("status", "", "run u"),
    ("-v status s/log", "", "run u"),
    ("-v term", "TERM up", "run u"),
    ("-v up s/log", "log up", "run u"),
    ("status", "", "run u"),
];

const fn kind(
    name: &'static str,
    files: &'static [&'static str],
    steps: &'static [&'static [Step]],
) -> Kind {
    Kind { name, files, obeys: true, steps }
}

const KINDS: &[Kind] = &[
    kind("plain", &[], &[SIGNALS, STOPS, RESTARTS]),
    kind("finish", &["finish"], &[SIGNALS, STOPS, RESTARTS, ONCE]),
    kind("down", &["down"], &[NORMALLY_DOWN]),
    kind("available", &["check 0"], &[SIGNALS, STOPS, RESTARTS, ONCE]),
    kind("unavailable", &["check 1"], &[UNAVAILABLE]),
    kind("suppressed", &["control tdh 0"], &[SUPPRESSED]),
    kind("scripts fail", &["control tdhkx 1"], &[SCRIPTS_FAIL, EXIT, SHUTDOWN]),
    Kind { obeys: false, ..kind("killed", &["control tdhkx 1"], &[FORCE_SHUTDOWN]) },
    Kind { obeys: false, ..kind("disobedient", &[], &[DISOBEYED]) },
    kind("logged", &["log"], &[SIGNALS, STOPS, LOGGER]),
    kind("logger down", &["log", "log/down"], &[LOGGER_DOWN]),
    kind("logger with finish", &["log", "log/finish"], &[LOGGER]),
];

const LEAVES: &[Step] = &[
    ("shutdown", "TERM", "down d"),
    ("status", "", "down d"),
    ("shutdown", "", "down d"),
    ("start", "", "down d"),
];
const IS_TOLD_TO_LEAVE: &[Step] = &[("exit", "TERM", "down d")];
const LEAVES_FROM_DOWN: &[Step] = &[("stop", "TERM", "down d"), ("-v exit", "", "down d")];
const IS_ASKED_TO_LEAVE: &[Step] = &[("-w 1 shutdown", "TERM CONT", "run t d")];
const IS_MADE_TO_LEAVE: &[Step] = &[("-w 1 force-shutdown", "TERM CONT KILL", "")];

/// Directories that are not for runit; where a supervise of ours means something
/// else by `o` and `x` there, runit's sv is not what is compared.
const PLAIN: &[Kind] = &[
    kind("plain", &[], &[ONCE, LEAVES, IS_TOLD_TO_LEAVE, LEAVES_FROM_DOWN]),
    kind("finish", &["finish"], &[LEAVES, IS_TOLD_TO_LEAVE, LEAVES_FROM_DOWN]),
    kind("available", &["check 0"], &[LEAVES]),
    Kind { obeys: false, ..kind("disobedient", &[], &[IS_ASKED_TO_LEAVE, IS_MADE_TO_LEAVE]) },
];

/// Who runs the service.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Runner {
    Runsv,
    Ours,
}

/// Who tells the service what to do.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Client {
    Theirs,
    Ours,
}

impl Client {
    fn command(self, dir: &Dir) -> Command {
        dir.command(self.path())
    }

    fn path(self) -> PathBuf {
        match self {
            Self::Theirs => SV.into(),
            Self::Ours => ours().join("sv"),
        }
    }
}

fn make(dir: &Dir, service: &Service, file: &str) {
    let said = service.said.path().display();
    let mut words = file.split(' ');
    match words.next().unwrap() {
        "finish" => {
            dir.script("scan/s/finish", &format!("echo finish $1 $2 >{said}"));
        }
        "down" => drop(dir.file("scan/s/down", "")),
        "check" => drop(dir.script("scan/s/check", &format!("exit {}", words.next().unwrap()))),
        "control" => {
            let (letters, code) = (words.next().unwrap(), words.next().unwrap());
            for letter in letters.chars() {
                let body = format!("echo script {letter} >{said}; exit {code}");
                dir.script(format!("scan/s/control/{letter}"), &body);
            }
        }
        "log" => {
            let body = format!(
                "trap 'echo log HUP >{said}' HUP\nexec 3<>../../s.hold\necho log up >{said}
                while :; do read nothing <&3; done"
            );
            dir.script("scan/s/log/run", &body);
        }
        "log/down" => drop(dir.file("scan/s/log/down", "")),
        "log/finish" => drop(dir.script("scan/s/log/finish", "exit 0")),
        other => panic!("{other}"),
    }
}

/// What the status says: state, paused, TERM, want.
pub(crate) fn state(service: &Path) -> Option<String> {
    let record = fs::read(service.join("supervise/status")).ok()?;
    let mut text = ["down", "run", "finish"].get(usize::from(*record.get(19)?))?.to_string();
    text.push_str(if record[16] != 0 { " p" } else { "" });
    text.push_str(if record[18] != 0 { " t" } else { "" });
    write!(text, " {}", char::from(record[17])).unwrap();
    Some(text)
}

fn until_state(service: &Service, then: &str, what: &str) {
    // Where the directory is not for runit, there is a zero byte after `once`.
    let now = || state(&service.path).map(|now| now.replace('\0', "d"));
    let is = || now().filter(|now| then.is_empty() || now == then);
    let changes = Changes::of(&[&service.path.join("supervise")]);
    changes.until(&format!("{what}: {then}"), is);
}

/// sv counts in seconds of the clock, so what is older than a command has to
/// be so by one of them.
fn until_another_second(service: &Path) {
    const TAI: u64 = (1 << 62) + 10;
    let record = fs::read(service.join("supervise/status")).unwrap();
    let since = u64::from_be_bytes(record[..8].try_into().unwrap()) - TAI;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let next = Duration::from_secs(since + 1).saturating_sub(now);
    let (never, _writer) = std::io::pipe().unwrap();
    readable(&never, Instant::now() + next);
}

/// The same words with the numbers left out.
pub(crate) fn masked(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' if out.ends_with('N') => {}
            '0'..='9' => out.push('N'),
            c => out.push(c),
        }
    }
    out
}

/// Goes through the steps, and tells what was answered.
fn answers(runner: Runner, client: Client, kind: &Kind, steps: &[Step]) -> String {
    let dir = Dir::new();
    let signals = ["HUP", "ALRM", "INT", "QUIT", "USR1", "USR2", "CONT"];
    let mut more: String = signals.map(|s| format!("trap 'echo {s} >$said' {s}\n")).concat();
    // With a CONT that comes together with it, it ends and says nothing of that.
    let term = "trap \"trap '' CONT; echo TERM >$said; exit 0\" TERM";
    more.push_str(if kind.obeys { term } else { "trap 'echo TERM >$said' TERM" });
    let mut service = Service::new(&dir, "scan/s", &more);
    kind.files.iter().for_each(|file| make(&dir, &service, file));
    let logged = kind.files.contains(&"log");
    let mut command = match runner {
        Runner::Runsv => dir.command("/usr/bin/runsv"),
        Runner::Ours if logged => dir.tool("svscan", ["."]),
        Runner::Ours => dir.tool("supervise", [""; 0]),
    };
    if runner == Runner::Runsv || !logged {
        command.arg("s");
    }
    let process = Process::start(command.current_dir(dir.path("scan")));
    let starts_logger = logged && !kind.files.contains(&"log/down");
    let starts = usize::from(!kind.files.contains(&"down")) + usize::from(starts_logger);
    for _ in 0..starts {
        service.said.line();
    }
    supervised(&service.path);
    if logged {
        supervised(&service.path.join("log"));
    }
    let begins = if kind.files.contains(&"down") { "down d" } else { "run u" };
    until_state(&service, begins, &format!("{runner:?} {}", kind.name));
    let mut all = String::new();
    for (args, said, then) in steps {
        let (options, name) = match args.strip_suffix(" s/log") {
            Some(options) => (options, "s/log"),
            None => (*args, "s"),
        };
        until_another_second(&service.path);
        let mut sv = client.command(&dir);
        sv.args(options.split(' ')).arg(name).env("SVDIR", dir.path("scan"));
        let done = Process::start(&mut sv).finish();
        // To sv a finish that runs is a process that was started since; whether
        // it sees one is chance.
        let answer = masked(&format!("{}{}", done.out(), done.err())).replace("finish:", "run:");
        writeln!(all, "{} {args}: {} {answer:?}", kind.name, done.code).unwrap();
        let mut expected = expected(kind, said);
        // One that obeys may hear the CONT behind its TERM before it is deaf.
        let heeds = expected.iter().any(|line| line == "CONT");
        let mut lines = Vec::new();
        while lines.len() < expected.len() {
            let line = masked(&service.said.line());
            if heeds || line != "CONT" {
                lines.push(line);
            }
        }
        lines.sort();
        expected.sort();
        let what = format!("{client:?} on {runner:?} {} {args}", kind.name);
        assert_eq!(lines, expected, "{what}: {answer}");
        until_state(&service, then, &what);
        assert!(service.said.is_silent(), "{what}: {}", service.said.line());
    }
    drop(process);
    all
}

/// What is said, line by line; a death leads to `finish` where there is one.
fn expected(kind: &Kind, said: &str) -> Vec<String> {
    let finishes = kind.files.contains(&"finish");
    let mut lines = Vec::new();
    let mut words = said.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "script" | "log" => lines.push(format!("{word} {}", words.next().unwrap())),
            "up" => lines.push("up N".to_string()),
            "TERM" if finishes => lines.extend(["TERM".to_string(), "finish N N".to_string()]),
            "KILL" if finishes => lines.push("finish -N N".to_string()),
            "KILL" => {}
            other => lines.push(masked(other)),
        }
    }
    lines
}

#[test]
fn sv_gets_the_same_answers_as_from_runsv() {
    if testing_originals() || originals().is_none() || !Path::new(SV).exists() {
        return;
    }
    std::thread::scope(|scope| {
        let mut all = Vec::new();
        let kinds = KINDS.iter().map(|kind| (kind, true));
        for (kind, is_for_theirs) in kinds.chain(PLAIN.iter().map(|kind| (kind, false))) {
            for steps in kind.steps {
                let run =
                    |runner, client| scope.spawn(move || answers(runner, client, kind, steps));
                let reference = run(Runner::Runsv, Client::Theirs);
                let mut others = vec![(Runner::Ours, Client::Ours), (Runner::Runsv, Client::Ours)];
                if is_for_theirs {
                    others.push((Runner::Ours, Client::Theirs));
                }
                let others = others.into_iter();
                let others = others.map(|(runner, client)| (runner, client, run(runner, client)));
                all.push((reference, others.collect::<Vec<_>>()));
            }
        }
        for (reference, others) in all {
            let reference = reference.join().unwrap();
            for (runner, client, answers) in others {
                let answers = answers.join().unwrap();
                for (answer, meant) in answers.lines().zip(reference.lines()) {
                    assert_eq!(answer, meant, "left is {client:?} on {runner:?}");
                }
            }
        }
    });
}

/// `o` and `x` mean what they mean in daemontools where nothing says that the
/// directory is for runit. Our sv knows what `o` looks like there, and says `d`
/// before `x`.
#[test]
fn what_is_otherwise_in_a_plain_directory() {
    if testing_originals() || !Path::new(SV).exists() {
        return;
    }
    let dir = Dir::new();
    let mut service = Service::new(&dir, "s", "");
    let supervise = service.supervise(&dir);
    service.up();
    supervised(&service.path);
    for (client, command, code, answer, more) in [
        (Client::Theirs, "once", 1, "timeout", ""),
        (Client::Ours, "once", 0, "ok", ", want down"),
        (Client::Theirs, "exit", 1, "timeout", ""),
    ] {
        let mut sv = client.command(&dir);
        sv.args(["-w", "1", command, "s"]).env("SVDIR", dir.path(""));
        let done = Process::start(&mut sv).finish();
        let answer = format!("{answer}: run: s: (pid N) Ns{more}\n");
        assert_eq!((done.code, masked(&done.out())), (code, answer), "{client:?} {command}");
    }
    service.svc(&dir, "-k");
    assert_eq!(supervise.finish().code, 0);
}
