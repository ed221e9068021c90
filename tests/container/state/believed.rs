//! What is in a place where anybody may put something, and who is believed.

use super::{code, colons, comes_up, ends, is_found, is_up_as, plan, said_of, up};
use crate::support::container::{Who, both};
use crate::support::{Dir, Service};

/// Another user may run what may not be looked into: it is not run a second
/// time, and the other services are.
#[test]
fn a_supervise_that_may_not_be_looked_into_may_live() {
    both(|who| {
        if who == Who::Root {
            return;
        }
        for (hide, show) in [
            ("mkdir -m 0 supervise", "chmod 755 scan/s/supervise"),
            (
                "mkdir supervise; mkfifo -m 0 supervise/ok; chmod 555 supervise",
                "chmod 600 scan/s/supervise/ok",
            ),
        ] {
            let dir = Dir::new();
            let mut service = Service::new(&dir, "scan/s", "");
            let mut other = Service::new(&dir, "scan/other", "");
            let here = service.path.display();
            let setup = format!("(cd {here}; {hide}; chmod 555 . ../other ..)");
            let mut container = plan(&dir, who).setup(&setup).start("svscan", ["scan"]);
            let expected = "supervise: fatal: unable to open s/supervise/ok: access denied, and \
                            another user may run it; remove its supervise if nobody does";
            container.process.complains(expected);
            up(&mut other);
            assert!(service.said.is_silent());
            // It does not help to begin by hand.
            let done = container.start("supervise", ["scan/s"]).finish();
            let expected = expected.replace(" s/", " scan/s/");
            assert_eq!((done.code, done.err()), (111, format!("{expected}\n")));
            // As soon as it can be seen that nobody does, it runs.
            assert_eq!(code(&container, "sh", &["-c", show]), 0);
            let pid = up(&mut service);
            is_found(&container, "scan/s", &mut service, pid);
            ends(container);
        }
    });
}

/// Who may not look is told so, and not that there is nothing.
#[test]
fn what_may_not_be_looked_into_is_said_to_whoever_asks() {
    both(|who| {
        if who == Who::Root {
            return;
        }
        let dir = Dir::new();
        dir.script("s/run", "");
        let make =
            format!("mkdir -m 0 {}/supervise; mkdir -m 700 /run/upkeep", dir.path("s").display());
        let container = plan(&dir, who).setup(&make).start("sleep", ["1000"]);
        for (tool, said) in [
            ("svstat", "s: unable to open supervise/ok: access denied\n"),
            ("svok", "svok: fatal: unable to open s/supervise/ok: access denied\n"),
        ] {
            let done = container.start(tool, ["s"]).finish();
            assert_eq!(done.out() + &done.err(), said);
        }
    });
}

/// Nobody is followed who has put something in the way, and nobody denied.
#[test]
fn a_stranger_is_passed_over_and_named() {
    both(|who| {
        let uid = if who == Who::Root { 0 } else { 65534 };
        for (squat, why) in [
            ("ln -s /root /run/upkeep", "it is a link"),
            ("mkfifo /run/upkeep", "not a directory"),
            ("mkdir -m 777 /run/upkeep", "others can write to it"),
            ("mkdir /run/upkeep; chown 1000 /run/upkeep", "it belongs to another user"),
            ("chmod 777 /run; mkdir -m 700 /run/upkeep", "others can remove or rename it"),
        ] {
            if uid != 0 && squat.contains("chown") {
                continue;
            }
            let dir = Dir::new();
            let mut service = Service::new(&dir, "scan/s", "");
            let plan = plan(&dir, who);
            let plan = plan.setup(squat).read_only(dir.path("scan"));
            let container = plan.start("svscan", ["scan"]);
            let pid = up(&mut service);
            // Of the two, the programs see the one that is believed.
            comes_up(&container, "scan/s");
            is_up_as(&container, "scan/s", pid);
            let said = said_of(&format!("/dev/shm/upkeep-{uid}"), &dir);
            let expected = format!("svscan: warning: unable to use /run/upkeep: {why}\n{said}");
            assert_eq!(ends(container), expected, "{squat}");
        }
    });
}

/// What looks like a living supervise is one only where it is believed.
#[test]
fn a_strangers_state_is_not_believed() {
    both(|who| {
        if who == Who::Nobody {
            // He cannot make anything a stranger's.
            return;
        }
        for (make, lives) in [
            ("chmod 700 $root", true),
            ("chmod 755 $root", true),
            ("chmod 775 $root", false),
            ("chown 1000 $root", false),
            ("mv $root /run/real; ln -s /run/real $root", false),
            ("chmod 777 /run", false),
            ("chown 1000 /run", false),
        ] {
            let dir = Dir::new();
            let service = dir.script("s/run", "").parent().unwrap().to_owned();
            let state = format!("$root/{}", colons(&service));
            let setup = format!(
                "root=/run/upkeep; mkdir -p {state}; mkfifo {state}/ok; {make}; exec 8<>{state}/ok"
            );
            let plan = plan(&dir, who).setup(&setup);
            let container = plan.start("sleep", ["1000"]);
            let code = container.start("svok", ["s"]).finish().code;
            assert_eq!(code, if lives { 0 } else { 100 }, "{make}");
        }
    });
}

/// The owner of a service decides where its state is, and of no other.
#[test]
fn an_owner_is_believed_of_his_own_services() {
    both(|who| {
        if who == Who::Nobody {
            return;
        }
        let dir = Dir::new();
        let names = ["his", "roots"];
        let mut setup = String::from("root=/tmpx; mkdir -p /dev/shm/upkeep-1000\n");
        for name in names {
            let service = dir.script(format!("{name}/run"), "").parent().unwrap().to_owned();
            let state = format!("/dev/shm/upkeep-1000/{}", colons(&service));
            setup += &format!("mkdir {state}; mkfifo {state}/ok; chown -R 1000 {state}\n");
        }
        setup += "chown 1000 /dev/shm/upkeep-1000\n";
        for (fd, name) in [(7, names[0]), (8, names[1])] {
            let state = format!("/dev/shm/upkeep-1000/{}", colons(&dir.path(name)));
            setup += &format!("exec {fd}<>{state}/ok\n");
        }
        setup += &format!("chown 1000 {}\n", dir.path("his").display());
        let plan = plan(&dir, who).setup(&setup.replace("root=/tmpx; ", ""));
        let container = plan.start("sleep", ["1000"]);
        let code = |name: &str| container.start("svok", [name]).finish().code;
        assert_eq!((code("his"), code("roots")), (0, 100));
        // Also by one program that has seen where his are.
        let done = container.start("svstat", names).finish();
        let expected = "his: unable to open supervise/status: file does not exist\n\
                        roots: unable to open supervise/ok: file does not exist\n";
        assert_eq!(done.out(), expected);
    });
}
