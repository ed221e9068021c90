//! The service directories: made once, before svscan is started.

use crate::files;
use crate::kinds::{Kind, Make};
use crate::random::Random;
use crate::terms;
use crate::ties::Ties;
use crate::world::{Half, Service};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use upkeep_outside::failure::{Context, Failure};

/// Makes `count` services below `root`, which exists, as `seed` decides.
pub(crate) fn make(
    root: &Path,
    count: usize,
    container: bool,
    seed: u64,
) -> Result<Vec<Service>, Failure> {
    let exe = std::env::current_exe().unable("find myself")?;
    let mut random = Random::new(seed, 1);
    let makes: Vec<Make> = (0..count).map(|n| Make::up(n, container, &mut random)).collect();
    let names: Vec<String> = makes.iter().enumerate().map(name).collect();
    let all = Ties::all(&makes, seed);
    let services = makes.iter().zip(&names).zip(all).map(|((make, name), ties)| {
        let dir = root.join(files::SCAN).join(name);
        service(&dir, &exe, make, &ties, &mut random)
            .and_then(|()| tie(&dir, &ties, &names))
            .unable(format_args!("make {}", dir.display()))?;
        let log_name = format!("{name}/log");
        let log = make.logged.then(|| Half::new(dir.join("log"), log_name));
        Ok(Service::new(*make, ties, Half::new(dir, name.clone()), log))
    });
    services.collect()
}

fn name((n, make): (usize, &Make)) -> String {
    format!("{n:03}-{}", make.kind.name())
}

/// The number of the service that is called so.
pub(crate) fn number(name: &str) -> Option<u32> {
    name.split('-').next()?.parse().ok()
}

fn tie(dir: &Path, ties: &Ties, names: &[String]) -> io::Result<()> {
    let Ties { needs, wants, after, .. } = ties;
    for (file, all) in [(files::NEEDS, needs), (files::WANTS, wants), (files::AFTER, after)] {
        if !all.is_empty() {
            fs::create_dir(dir.join(file))?;
        }
        for &one in all {
            fs::write(dir.join(file).join(&names[one]), "")?;
        }
    }
    Ok(())
}

fn service(
    dir: &Path,
    exe: &Path,
    make: &Make,
    ties: &Ties,
    random: &mut Random,
) -> io::Result<()> {
    // Made in advance so that it can be watched.
    fs::create_dir_all(dir.join("supervise"))?;
    fs::write(dir.join(files::MAKE), make.encode())?;
    symlink(exe, dir.join(files::HELPER))?;
    for (file, content) in terms::files(make) {
        fs::write(dir.join(file), content)?;
    }
    // What goes slowly shows whether it is waited for.
    let slowly = make.kind.may_be_stopped() && (ties.is_needed() || !ties.needs.is_empty());
    if make.kind == Kind::Finish || slowly && make.kind != Kind::Oneshot {
        symlink(exe, dir.join(files::FINISH))?;
    }
    if make.kind == Kind::Check {
        symlink(exe, dir.join(files::CHECK))?;
    }
    if make.kind == Kind::Group {
        return Ok(());
    }
    if make.kind == Kind::Oneshot {
        symlink(exe, dir.join(files::DO))?;
        return symlink(exe, dir.join(files::UNDO));
    }
    if make.kind == Kind::Deaf {
        // What a shell ignores is ignored by what it becomes.
        symlink(exe, dir.join(files::SERVICE))?;
        script(&dir.join("run"), &format!("trap '' TERM\nexec ./{}", files::SERVICE))?;
    } else {
        symlink(exe, dir.join("run"))?;
    }
    if make.kind.begins_down() {
        fs::write(dir.join("down"), "")?;
    }
    if make.logged {
        let log = dir.join("log");
        fs::create_dir_all(log.join("supervise"))?;
        let stamp = if random.once_in(3) { "t " } else { "" };
        let size = random.one_of(&[4096, 16384, 16384, 65536]).copied().unwrap_or(16384);
        // More logs than there can be: none is ever removed.
        let main = files::LOGS;
        script(&log.join("run"), &format!("exec multilog {stamp}s{size} n100000000 ./{main}"))?;
    }
    Ok(())
}

fn script(path: &Path, body: &str) -> io::Result<()> {
    fs::write(path, format!("#!/bin/sh\n{body}\n"))?;
    fs::set_permissions(path, Permissions::from_mode(0o755))
}
