//! The figures at the end, and what the programs under test said meanwhile.

use crate::files;
use crate::kinds::Kind;
use crate::logs::Verdict;
use crate::report::{Figures, say, without_numbers};
use crate::shown::speaker;
use crate::world::World;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use upkeep_outside::failure::{Context, Failure};
use upkeep_outside::wait::MILLISECOND;

/// What may be said without a reason, and for each service, and for each kill.
const FREE: u64 = 20;
const EACH_SERVICE: u64 = 2;
const EACH_KILL: u64 = 3;

/// What was said, by program, and what most often.
pub(crate) struct Said {
    programs: BTreeMap<String, u64>,
    often: Vec<(u64, String)>,
}

/// Reads what was said.
pub(crate) fn said(world: &World) -> Result<Said, Failure> {
    let path = world.root.join(files::SAID);
    let text = fs::read(&path).unable(format_args!("read {}", path.display()))?;
    let (mut programs, mut lines) = (BTreeMap::new(), BTreeMap::new());
    for line in text.split(|&b| b == b'\n') {
        let Some(line) = message(line, world) else { continue };
        let program = line.split(':').next().unwrap_or("").to_owned();
        *programs.entry(program).or_insert(0) += 1;
        // The same for each service, and however often.
        let kind = without_numbers(&line);
        *lines.entry(kind).or_insert(0) += 1;
    }
    let mut often: Vec<(u64, String)> = lines.into_iter().map(|(l, n)| (n, l)).collect();
    often.sort_by_key(|l| std::cmp::Reverse(l.0));
    often.truncate(5);
    Ok(Said { programs, often })
}

/// What a line says, if it is not what a service has written.
fn message<'a>(line: &'a [u8], world: &World) -> Option<Cow<'a, str>> {
    let mut line = line;
    if let Some((name, text)) = speaker(line)
        && world.services.iter().any(|service| service.name() == name)
    {
        line = speaker(text).map(|_| text)?;
    }
    (!line.is_empty()).then(|| String::from_utf8_lossy(line))
}

/// Whether they said more than there was reason to.
pub(crate) fn judge_said(said: &Said, world: &World) {
    let of = |name| said.programs.get(name).copied().unwrap_or(0);
    let count = of("svscan") + of("supervise");
    let kills: u64 = world.report.figures().kills.values().sum();
    let services = u64::try_from(world.services.len()).unwrap_or(0);
    let Figures { late, silent, given_up, .. } = *world.report.figures();
    // One for each of these is due, and another one if it is killed meanwhile.
    let due = 2 * (late + silent + given_up);
    let most = due + FREE + EACH_SERVICE * services + EACH_KILL * kills;
    if count > most {
        let facts = format!("{count} messages after {kills} kills; {most} would be many");
        world.report.violation("svscan and supervise", &facts);
    }
}

/// Prints it all.
pub(crate) fn print(world: &World, said: &Said, verdicts: &[(&str, Verdict)]) {
    let figures = world.report.figures();
    let kills: Vec<String> = figures.kills.iter().map(|(k, n)| format!("{k} {n}")).collect();
    let total: u64 = figures.kills.values().sum();
    say(&format!("kills: {total} ({})", kills.join(", ")));
    let Figures { starts, letters, scanners, .. } = *figures;
    say(&format!("starts of services: {starts}, of svscan: {scanners}; letters heeded: {letters}"));
    let Figures { finishes, unseen_ends, ready, late, silent, .. } = *figures;
    say(&format!("finishes: {finishes}, {unseen_ends} after an end that nobody saw"));
    say(&format!(
        "services that said that they are ready: {ready}; ended: {late} late, {silent} silent"
    ));
    let Figures { delays, given_up, .. } = *figures;
    say(&format!("starts after a delay: {delays}; services given up: {given_up}"));
    order(world, &figures);
    for (place, verdict) in verdicts {
        let Verdict { lines, lost, torn, disordered, invented, doubled, cut, .. } = verdict;
        say(&format!(
            "lines: {lines} {place}, {lost} lost, {torn} torn, {disordered} out of order, \
             {invented} nobody's, {doubled} doubled, {cut} cut short by a kill"
        ));
    }
    say(&format!("take-over after a kill of supervise: {}", spread(&figures.takeovers)));
    say(&format!("svscan's return, to the last service: {}", spread(&figures.returns)));
    let programs: Vec<String> = said.programs.iter().map(|(p, n)| format!("{p} {n}")).collect();
    let programs = if programs.is_empty() { "none".to_owned() } else { programs.join(", ") };
    say(&format!("messages: {programs}"));
    for (count, line) in &said.often {
        say(&format!("  {count} times: {line}"));
    }
    say(&format!("violations: {}", world.report.violations()));
    for (facts, count) in world.report.kinds() {
        say(&format!("  {count} times: {facts}"));
    }
}

/// Who depended on whom, and what came of it.
fn order(world: &World, figures: &Figures) {
    let ties = || world.services.iter().map(|s| &s.ties);
    let (needs, wants): (usize, usize) =
        (ties().map(|t| t.needs.len()).sum(), ties().map(|t| t.wants.len()).sum());
    let after: usize = ties().map(|t| t.after.len()).sum();
    let of = |kind| world.services.iter().filter(|s| s.make.kind == kind).count();
    let (groups, oneshots) = (of(Kind::Group), of(Kind::Oneshot));
    say(&format!(
        "order: {needs} needs, {wants} wants, {after} after, {groups} groups, {oneshots} oneshots"
    ));
    let Figures { waits, asides, done, undone, ends, judged_ends, .. } = figures;
    say(&format!(
        "waited for another: {waits} times, {asides} after stepping aside; done once: {done}, \
         undone: {undone}; ends of what others need: {ends}, {judged_ends} judged"
    ));
}

/// Median, 95 % and largest of lengths of time.
fn spread(samples: &[u64]) -> String {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let at = |percent: usize| {
        let value = sorted.get((sorted.len().saturating_sub(1) * percent).div_ceil(100));
        let value = value.copied().unwrap_or(0);
        format!("{}.{} ms", value / MILLISECOND, value % MILLISECOND * 10 / MILLISECOND)
    };
    if sorted.is_empty() {
        return "never seen".to_owned();
    }
    let count = sorted.len();
    format!("median {}, 95 % {}, max {} ({count} times)", at(50), at(95), at(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads() {
        assert_eq!(spread(&[]), "never seen");
        let one = "median 1.5 ms, 95 % 1.5 ms, max 1.5 ms (1 times)";
        assert_eq!(spread(&[1_500_000]), one);
        let many: Vec<u64> = (0..=100).rev().map(|n| n * MILLISECOND).collect();
        let expected = "median 50.0 ms, 95 % 95.0 ms, max 100.0 ms (101 times)";
        assert_eq!(spread(&many), expected);
    }
}
