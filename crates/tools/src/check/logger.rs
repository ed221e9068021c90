//! The logger: whether it can write where it is told to.

use super::Check;
use super::chain::Chain;
use super::kinds::LOG_DIR;
use super::name::text;
use super::program::{name_of, type_of};
use super::rights::may;
use super::shell::Script;
use super::written;
use crate::accounts::Account;
use std::fs;
use std::path::Path;

const READ: u32 = 4;
const WRITE: u32 = 2;
const SEARCH: u32 = 1;

impl Check {
    /// Looks at the directories that the script's logger writes to.
    pub(super) fn log_directories(&mut self, shown: &str, script: &Script) {
        // What the script makes or hands over itself is not there yet.
        let has = |names: &[&str]| {
            let mut all = script.commands.iter().filter_map(|command| command.name());
            all.any(|name| names.contains(&name_of(name)))
        };
        if has(&["mkdir", "install", "chown", "chmod", "s6-mkdir", "s6-chown", "mount"]) {
            return;
        }
        for command in &script.commands {
            let chain = Chain::of(command);
            let Some((name, words)) = written::named(&chain) else { continue };
            let makes = name != "svlogd";
            let who = chain.account.map(|account| self.account(account));
            // An account that is not there was reported as that.
            let who = match who {
                Some(None) => continue,
                Some(Some(who)) => who,
                None => self.runner(),
            };
            for word in words {
                if let Some((what, advice)) = self.why_not_there(&word.text, who, makes) {
                    self.report.line(&LOG_DIR, shown, command.line, &what, &advice);
                }
            }
        }
    }

    /// Whom the tree is run by.
    const fn runner(&self) -> Account {
        Account { uid: self.owner, gid: self.owner_group }
    }

    fn why_not_there(&mut self, dir: &str, who: Account, makes: bool) -> Option<(String, String)> {
        let name = self.name_of_user(who.uid);
        let path = Path::new(dir);
        match fs::metadata(path) {
            Ok(stat) if !stat.is_dir() => {
                let what = format!("{dir} is {} and no directory", type_of(&stat));
                Some((what, "remove it, or name another one".to_owned()))
            }
            Ok(stat) if !may(&stat, who, READ | WRITE | SEARCH) => {
                let what = format!("{dir} cannot be written by {name}, for whom the logger runs");
                Some((what, format!("chown -R {name} {dir}")))
            }
            Ok(_) => way(path, who, &name),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound && makes => {
                let above = path.parent().filter(|above| !above.as_os_str().is_empty());
                let above = above.unwrap_or_else(|| Path::new("."));
                let Ok(stat) = fs::metadata(above) else {
                    let what = format!("{dir} is not there, nor is what it would be in");
                    return Some((what, format!("mkdir -p {dir}")));
                };
                if may(&stat, who, WRITE | SEARCH) {
                    return way(above, who, &name);
                }
                let what = format!("{dir} is not there, and {name} cannot make it");
                Some((what, format!("mkdir {dir} && chown {name} {dir}")))
            }
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
                let what = format!("{dir} is not there, and svlogd does not make it");
                Some((what, format!("mkdir {dir}")))
            }
            Err(_) => None,
        }
    }
}

/// What keeps it from being reached. A relative path begins where the logger
/// is put by its supervise.
fn way(path: &Path, who: Account, name: &str) -> Option<(String, String)> {
    let closed = path
        .ancestors()
        .skip(1)
        .find(|above| fs::metadata(above).is_ok_and(|stat| !may(&stat, who, SEARCH)))?;
    let what = format!("{name} cannot go through {}", text(closed));
    Some((what, format!("chmod a+x {}", text(closed))))
}
