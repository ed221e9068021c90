//! What is lost when the programs are killed: nothing. `upkeep-chaos`, which
//! kills and judges, has its own folder; here it is run for a short while.

use crate::support::{Dir, Finished, Process, ours, testing_originals};

/// Runs it; it ends everything it started itself.
fn chaos(dir: &Dir, args: &[&str], refuse: Option<&str>) -> Finished {
    let program = ours().join("upkeep-chaos");
    assert!(program.exists(), "{} is not there: cargo build --workspace", program.display());
    let mut command = dir.command(program);
    command.arg("--programs").arg(ours()).args(["--services", "24"]).args(args);
    if let Some(what) = refuse {
        command.env("UPKEEP_REFUSE", what);
    }
    Process::start(&mut command).finish()
}

#[test]
fn nothing_that_is_killed_loses_a_service_or_a_line() {
    if testing_originals() {
        return;
    }
    let done = chaos(&Dir::new(), &["--seconds", "6", "--until-violation"], None);
    assert_eq!((done.code, done.err().as_str()), (0, ""), "{}", done.out());
}

#[test]
fn nothing_is_lost_in_a_container_until_its_command_ends() {
    if testing_originals() {
        return;
    }
    // Each of these seeds stands for another end, and for `-n`, both and `-L`.
    for seed in ["1", "2", "6"] {
        let args = ["--container", "--seconds", "4", "--until-violation", "--seed", seed];
        let done = chaos(&Dir::new(), &args, None);
        if done.code == 111 && done.out().contains("unable to make a pid namespace") {
            eprintln!("left out: {}", done.out());
            return;
        }
        assert_eq!((done.code, done.err().as_str()), (0, ""), "{}", done.out());
    }
}

#[test]
fn a_supervise_that_adopts_nothing_is_found_out() {
    if testing_originals() {
        return;
    }
    let args = ["--seconds", "30", "--expect-violation"];
    let done = chaos(&Dir::new(), &args, Some("adopt"));
    assert_eq!(done.code, 0, "{}", done.out());
}
