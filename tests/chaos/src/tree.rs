//! The service directories: made once, before svscan is started.

use crate::files;
use crate::kinds::{Kind, Make};
use crate::random::Random;
use crate::terms;
use crate::world::{Half, Service};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use upkeep_outside::failure::{Context, Failure};

/// Makes `count` services below `root`, which exists, as `seed` decides.
pub(crate) fn make(root: &Path, count: usize, seed: u64) -> Result<Vec<Service>, Failure> {
    let exe = std::env::current_exe().unable("find myself")?;
    let mut random = Random::new(seed, 1);
    (0..count)
        .map(|n| {
            let make = Make::up(n, &mut random);
            let name = format!("{n:03}-{}", make.kind.name());
            let dir = root.join(files::SCAN).join(&name);
            service(&dir, &exe, &make, &mut random)
                .unable(format_args!("make {}", dir.display()))?;
            let log_name = format!("{name}/log");
            let log = make.logged.then(|| Half::new(dir.join("log"), log_name));
            Ok(Service::new(make, Half::new(dir, name), log))
        })
        .collect()
}

fn service(dir: &Path, exe: &Path, make: &Make, random: &mut Random) -> io::Result<()> {
    // Made in advance so that it can be watched.
    fs::create_dir_all(dir.join("supervise"))?;
    fs::write(dir.join(files::MAKE), make.encode())?;
    symlink(exe, dir.join(files::HELPER))?;
    for (file, content) in terms::files(make) {
        fs::write(dir.join(file), content)?;
    }
    if make.kind == Kind::Finish {
        symlink(exe, dir.join(files::FINISH))?;
    }
    if make.kind == Kind::Check {
        symlink(exe, dir.join(files::CHECK))?;
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
