//! How long it takes to learn the state of all services of a tree, with as
//! many commands as the suite needs for that.

use crate::bench::finish;
use crate::failure::{Context, Failure};
use crate::report::{Group, Measure, Report};
use crate::tree::Tree;
use crate::trees::services;
use crate::wait::{milliseconds, now};
use std::io::Read;

/// Samples for each tree; with the rounds there are at least 15.
const TIMES: usize = 5;

/// Some samples, after one run to see that the answer is right.
pub(crate) fn measure(tree: &Tree<'_>, report: &mut Report) -> Result<(), Failure> {
    check(tree)?;
    let name = format!("svstat of {}", services(tree.dirs.len()));
    let measure = Measure::less(Group::Status, name, "ms");
    for _ in 0..TIMES {
        let commands = tree.suite.status(&tree.dirs);
        let began = now();
        for mut command in commands {
            finish(&mut command)?;
        }
        report.add(&measure, tree.suite.column, milliseconds(now() - began));
    }
    Ok(())
}

fn check(tree: &Tree<'_>) -> Result<(), Failure> {
    let mut up = 0;
    for mut command in tree.suite.status(&tree.dirs) {
        let (mut out, end) = std::io::pipe().unable("make a pipe")?;
        command.stdout(end);
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            out.read_to_string(&mut text).map(|_| text)
        });
        finish(&mut command)?;
        // The pipe ends when the last holder of its other end is gone.
        drop(command);
        let text = reader.join().map_err(|_| "it panicked").unable("read status")?;
        let text = text.unable("read status")?;
        up += text.lines().filter(|l| l.contains(tree.suite.says_up())).count();
    }
    if up == tree.dirs.len() {
        return Ok(());
    }
    Err(Failure::Failed(format!("{up} of {} are up, says its status", tree.dirs.len())))
}
