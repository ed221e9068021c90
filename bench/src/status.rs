//! How long it takes to learn the state of all services of a tree, with as
//! many commands as the suite needs for that.

use crate::bench::{answer, finish};
use crate::report::{Group, Measure, Report};
use crate::tree::Tree;
use crate::trees::services;
use crate::wait::milliseconds;
use upkeep_outside::failure::Failure;
use upkeep_outside::wait::now;

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
    for command in tree.suite.status(&tree.dirs) {
        let text = answer(command)?;
        up += text.lines().filter(|l| l.contains(tree.suite.says_up())).count();
    }
    if up == tree.dirs.len() {
        return Ok(());
    }
    Err(Failure::Failed(format!("{up} of {} are up, says its status", tree.dirs.len())))
}
