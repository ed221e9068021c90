//! How long it takes to find what is wrong with the order of very many
//! services: circles and names that nobody has.

use crate::bench::{Bench, progress};
use crate::report::{Column, Group, Measure, Report};
use crate::suites::Suite;
use crate::wait::{deadline, milliseconds};
use rustix::fd::{AsFd, OwnedFd};
use std::fs::{self, File};
use std::hint::black_box;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use upkeep_core::graph::{Edge, Node, circles};
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::processes::end_all;
use upkeep_outside::wait::{first, now};

/// Needs of each service, but of those in circles.
const NEEDS: u32 = 10;
/// Circles of two, and services that need somebody who is not there.
const FAULTS: u32 = 100;
/// What svscan says of a circle.
const SAYS: &str = "none of these is started";

/// Services with needs: circles first, and then each needs some of those
/// before it.
struct Graph {
    count: u32,
    edges: Vec<Edge>,
}

impl Graph {
    fn new(count: u32) -> Self {
        let mut seed = Seed::new();
        let mut edges = Vec::new();
        for from in 0..2 * FAULTS {
            edges.push(Edge { from, to: from ^ 1 });
        }
        for from in 2 * FAULTS..count {
            let needs = seed.some(NEEDS as usize, from as usize);
            edges.extend(needs.into_iter().map(|to| Edge { from, to: to as u32 }));
        }
        for fault in 0..FAULTS {
            edges.push(Edge { from: count - 1 - fault, to: count + fault });
        }
        Self { count, edges }
    }

    fn what(&self) -> String {
        format!("{} services with {} needs", self.count, self.edges.len())
    }
}

/// Numbers that are the same every time.
pub(crate) struct Seed(u64);

impl Seed {
    pub(crate) const fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    /// `count` different numbers below `below`, or as many as there are.
    pub(crate) fn some(&mut self, count: usize, below: usize) -> Vec<usize> {
        let mut all = Vec::with_capacity(count);
        while all.len() < count.min(below) {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            let one = (self.0 % below as u64) as usize;
            if !all.contains(&one) {
                all.push(one);
            }
        }
        all
    }
}

/// The search alone, and all of what svscan does until it has said everything.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), Failure> {
    let graph = Graph::new(if bench.quick { 1000 } else { 10_000 });
    let name = format!("circles found, {}", graph.what());
    let search = Measure::less(Group::Order, name, "ms");
    let name = format!("svscan until it says what is wrong, {}", graph.what());
    let said = Measure::less(Group::Order, name, "ms");
    progress(&format!("order: {}", graph.what()));
    let suite = bench.suite(Column::Ours)?;
    let files = Files::new(bench.work.join("wrong"), &graph)?;
    for _ in 0..bench.rounds(7, 3) {
        report.add(&search, Column::Ours, milliseconds(find(&graph)?));
        report.add(&said, Column::Ours, milliseconds(scan(suite, &files.0)?));
    }
    Ok(())
}

/// Sorts the needs and finds the circles.
fn find(graph: &Graph) -> Result<u64, Failure> {
    let mut edges = graph.edges.clone();
    let mut nodes = vec![Node::default(); graph.count as usize];
    let mut found = 0;
    let began = now();
    edges.sort_unstable();
    circles(&edges, &mut nodes, &mut |circle| found += u32::from(circle.iter().count() == 2));
    let time = now() - began;
    black_box(&nodes);
    all(found)?;
    Ok(time)
}

fn all(found: u32) -> Result<(), Failure> {
    if found == FAULTS {
        return Ok(());
    }
    Err(Failure::Failed(format!("{found} of {FAULTS} circles found")))
}

/// The service directories, without anything to run.
struct Files(PathBuf);

impl Files {
    fn new(root: PathBuf, graph: &Graph) -> Result<Self, Failure> {
        let files = Self(root);
        let name = |one: u32| format!("service-{one:05}");
        for one in 0..graph.count {
            let dir = files.0.join(name(one)).join("needs");
            fs::create_dir_all(&dir).unable(format_args!("make {}", dir.display()))?;
        }
        for Edge { from, to } in &graph.edges {
            let path = files.0.join(name(*from)).join("needs").join(name(*to));
            File::create(&path).unable(format_args!("make {}", path.display()))?;
        }
        Ok(files)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = end_all(deadline());
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Until svscan has said the last circle. It finds no supervise to start.
fn scan(suite: &Suite, dir: &Path) -> Result<u64, Failure> {
    let mut command = suite.scan(dir);
    command.env("PATH", "/nonexistent").stderr(Stdio::piped());
    let began = now();
    let mut child = command.spawn().unable(format_args!("run {command:?}"))?;
    let pipe = child.stderr.take().ok_or("no pipe").unable("hear svscan")?;
    let heard = hear(&pipe.into());
    let time = now() - began;
    let _ = child.kill();
    let _ = child.wait();
    end_all(deadline())?;
    heard.and_then(all)?;
    Ok(time)
}

/// Counts the circles in what is said, as long as some are missing.
fn hear(pipe: &OwnedFd) -> Result<u32, Failure> {
    let limit = deadline();
    let mut reader = File::from(pipe.try_clone().unable("share a pipe")?);
    let (mut found, mut line, mut buffer) = (0, Vec::new(), [0; 4096]);
    while found < FAULTS {
        first(&[pipe.as_fd()], limit)?.ok_or("it says nothing").unable("hear svscan")?;
        let count = reader.read(&mut buffer).unable("hear svscan")?;
        if count == 0 {
            break;
        }
        for &byte in &buffer[..count] {
            line.push(byte);
            if byte == b'\n' {
                found += u32::from(String::from_utf8_lossy(&line).contains(SAYS));
                line.clear();
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_different_and_the_same_every_time() {
        let some = Seed::new().some(3, 100);
        assert_eq!(some, Seed::new().some(3, 100));
        assert!(some.iter().all(|&one| one < 100));
        assert!(some[0] != some[1] && some[1] != some[2] && some[0] != some[2]);
        let mut all = Seed::new().some(9, 4);
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3]);
    }

    #[test]
    fn every_circle_is_found() {
        assert!(find(&Graph::new(1000)).is_ok());
    }
}
