//! svboot: what starts svscan on a machine that has another init.

use crate::boot::kinds::{ALL, Kind};
use crate::boot::scripts::{is_runits_own, old_links, runsvdir};
use crate::boot::{Piece, Programs, Root, Setting, Trouble, What, Why, detect};
use core::ffi::CStr;
use upkeep_cli::{Exit, Options, Out, Tool};
use upkeep_sys::{Args, exec};

const TOOL: Tool = Tool {
    name: "svboot",
    help: "\
usage: svboot [-i | -r] [-b path] [-d dir] [-R root] [kind]

Prints what starts svscan on a machine that has another init, or puts it in its
place. kind is one of those that -l lists; without it, what the machine has, or,
for anybody but root, what the user can have of his own.

  -i, --install    put it in its place
  -r, --remove     take away what -i has put there, and nothing else
  -b, --bin path   the directory where svscan is, or the one file that is all
                   programs; without it, where svboot is
  -d, --dir dir    the scan directory; without it /etc/service, for runit and s6
                   /service, for a user ~/service
  -R, --root root  below this directory instead of /
  -l, --list       list the kinds
  -h, --help       print this
      --version    print the version

    svboot systemd | less
    svboot -i

exit: 0 done, or there was nothing to do, 100 usage, 111 it could not be done:
nothing is changed that somebody else wrote.
",
};
const SYNOPSIS: &str = "svboot [-i | -r] [-b path] [-d dir] [-R root] [kind]";
const LETTERS: &str = "irb:d:R:l";
const WORDS: &[(&str, u8)] = &[
    ("bin", b'b'),
    ("dir", b'd'),
    ("install", b'i'),
    ("list", b'l'),
    ("remove", b'r'),
    ("root", b'R'),
];

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Print,
    Install,
    Remove,
}

struct Asked {
    act: Act,
    list: bool,
    bin: Option<&'static CStr>,
    dir: Option<&'static CStr>,
    root: Option<&'static CStr>,
    kind: Option<&'static CStr>,
}

/// Runs it.
#[must_use]
pub fn run(args: Args) -> Exit {
    if let Some(exit) = TOOL.answer(args) {
        return exit;
    }
    match Asked::read(args).and_then(|asked| asked.answer()) {
        Ok(exit) | Err(exit) => exit,
    }
}

impl Asked {
    fn read(args: Args) -> Result<Self, Exit> {
        let mut asked =
            Self { act: Act::Print, list: false, bin: None, dir: None, root: None, kind: None };
        let mut options = Options::with_words(args, LETTERS, WORDS);
        for option in options.by_ref() {
            let option = option.map_err(|bad| TOOL.bad_option(bad, SYNOPSIS))?;
            match option.letter {
                b'i' if asked.act != Act::Remove => asked.act = Act::Install,
                b'r' if asked.act != Act::Install => asked.act = Act::Remove,
                b'b' => asked.bin = option.value,
                b'd' => asked.dir = option.value,
                b'R' => asked.root = option.value,
                b'l' => asked.list = true,
                _ => return Err(TOOL.usage(SYNOPSIS)),
            }
        }
        let rest = options.rest();
        if rest.len() > 1 {
            return Err(TOOL.usage(SYNOPSIS));
        }
        asked.kind = rest.get(0);
        Ok(asked)
    }

    fn answer(&self) -> Result<Exit, Exit> {
        if self.list {
            let lines = ALL.iter().map(|kind| format!("{:12}  {}\n", kind.name, kind.what));
            return Ok(say(lines));
        }
        let path = self.root.unwrap_or(c"/");
        let root = Root::open(path)
            .map_err(|why| TOOL.fatal_os(&[b"unable to open ", path.to_bytes(), b": "], why))?;
        let kind = self.kind(&root)?;
        let setting = self.setting(kind, &root)?;
        let mut pieces = (kind.pieces)(&setting);
        if self.act == Act::Remove && kind.name == "runit" {
            pieces.extend(old_links(&root));
        }
        match self.act {
            Act::Print => Ok(say(text(&pieces).into_iter())),
            Act::Install | Act::Remove => self.change(&root, kind, &setting, &pieces),
        }
    }

    fn kind(&self, root: &Root) -> Result<&'static Kind, Exit> {
        if let Some(name) = self.kind {
            return Kind::named(name.to_bytes()).ok_or_else(|| {
                let _ = TOOL.fatal(&[b"there is no kind ", name.to_bytes(), b": see svboot -l"]);
                Exit::Usage
            });
        }
        let user = self.root.is_none() && !rustix::process::geteuid().is_root();
        detect(root, user, in_path("crontab")).ok_or_else(|| {
            TOOL.fatal(&[b"unable to tell which init there is: name one of svboot -l"])
        })
    }

    fn setting(&self, kind: &Kind, root: &Root) -> Result<Setting, Exit> {
        let programs = match self.bin {
            Some(path) => {
                let path = plain(path)?;
                if root.has_program(&path) { Programs::Whole(path) } else { Programs::In(path) }
            }
            None => own_programs()?,
        };
        let home = if kind.user { home()? } else { String::new() };
        let dir = match self.dir {
            Some(dir) => plain(dir)?,
            None if kind.user => format!("{home}/{}", kind.dir),
            None => kind.dir.to_owned(),
        };
        let runsvdir = runsvdir(root);
        if kind.name == "runit" && is_runits_own(root, &dir) {
            return Err(TOOL.fatal(&[b"unable to use ", dir.as_bytes(), b": it is runit's own"]));
        }
        Ok(Setting { programs, dir, home, runsvdir })
    }

    fn change(
        &self,
        root: &Root,
        kind: &Kind,
        setting: &Setting,
        pieces: &[Piece],
    ) -> Result<Exit, Exit> {
        let name = kind.name.as_bytes();
        if kind.name == "docker" {
            let _ = TOOL.fatal(&[b"unable to install ", name, b": it can be printed only"]);
            return Err(Exit::Usage);
        }
        let is_crontab = |piece: &Piece| matches!(piece.what, What::Crontab(_));
        if self.root.is_some() && pieces.iter().any(is_crontab) {
            let _ = TOOL.fatal(&[b"unable to change ", name, b" below another root"]);
            return Err(Exit::Usage);
        }
        let install = self.act == Act::Install;
        let done = if install { root.install(pieces) } else { root.remove(pieces) };
        let mut lines = done.map_err(|trouble| report(&trouble))?;
        let command = kind.commands[usize::from(!install)];
        if lines.is_empty() {
            let nothing = if install { "it is there already" } else { "there is nothing of ours" };
            lines.push(format!("{}: {nothing}", kind.name));
        } else if self.root.is_none() && !command.is_empty() {
            let when = if install { "to start it now" } else { "if it still runs" };
            lines.push(format!("{when}: {command}"));
        }
        if install {
            let program = setting.program();
            for (path, there) in
                [(&program, root.has_program(&program)), (&setting.dir, root.has(&setting.dir))]
            {
                if !there {
                    TOOL.warn(&[b"there is no ", path.as_bytes()]);
                }
            }
        }
        Ok(say(lines.into_iter().map(|line| line + "\n")))
    }
}

/// The texts, with a line before each where there are several.
fn text(pieces: &[Piece]) -> Vec<String> {
    let texts: Vec<_> = pieces.iter().filter_map(|p| Some((&p.path, p.text()?))).collect();
    let one = texts.len() == 1;
    let heading = |path: &str| if one { String::new() } else { format!("# {path}\n") };
    texts.into_iter().map(|(path, text)| heading(path) + text).collect()
}

/// A path that means itself in all that is written: in a unit, a shell, an
/// inittab. Others are refused rather than quoted in nine ways.
fn plain(path: &CStr) -> Result<String, Exit> {
    let bytes = path.to_bytes();
    let means_itself = |&byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+,@".contains(&byte);
    if !bytes.starts_with(b"/") || !bytes.iter().all(means_itself) {
        let why = b": it has to begin with / and to have letters, digits and ._-+,@ only";
        let _ = TOOL.fatal(&[b"unable to use ", bytes, why]);
        return Err(Exit::Usage);
    }
    let text: String = bytes.iter().copied().map(char::from).collect();
    let parts = text.split('/').filter(|part| !matches!(*part, "" | "."));
    let path: String = parts.flat_map(|part| ["/", part]).collect();
    Ok(if path.is_empty() { "/".to_owned() } else { path })
}

/// Where the other programs are: beside this one, or in it.
fn own_programs() -> Result<Programs, Exit> {
    let Some(path) = exec::own_path() else {
        let _ = TOOL.fatal(&[b"unable to find out where svscan is: say it with -b"]);
        return Err(Exit::Usage);
    };
    let path = plain(&path)?;
    Ok(match path.rsplit_once('/') {
        Some((dir, "svboot")) => Programs::In(dir.to_owned()),
        _ => Programs::Whole(path),
    })
}

fn home() -> Result<String, Exit> {
    let home = exec::variable(b"HOME").and_then(|home| std::ffi::CString::new(home).ok());
    match home {
        Some(home) if !home.is_empty() => plain(&home),
        _ => Err(TOOL.fatal(&[b"unable to find the home directory: HOME is not set"])),
    }
}

fn in_path(program: &str) -> bool {
    let path = exec::variable(b"PATH").unwrap_or(b"/bin:/usr/bin");
    let path = String::from_utf8_lossy(path);
    path.split(':').any(|dir| std::path::Path::new(dir).join(program).exists())
}

fn report(trouble: &Trouble) -> Exit {
    let (verb, path) = (trouble.verb.as_bytes(), trouble.path.as_bytes());
    let parts: [&[u8]; 5] = [b"unable to ", verb, b" ", path, b": "];
    let own: &[u8] = match trouble.why {
        Why::System(why) => return TOOL.fatal_os(&parts, why),
        Why::Foreign => b"svboot did not write it",
        Why::Torn => b"the lines of svboot have lost their beginning or their end",
        Why::Refused => b"crontab refuses",
    };
    TOOL.fatal(&[parts[0], parts[1], parts[2], parts[3], parts[4], own])
}

fn say(lines: impl Iterator<Item = String>) -> Exit {
    let mut out = Out::to(rustix::stdio::stdout());
    let mut lines = lines;
    let pushed = lines.try_for_each(|line| out.push(line.as_bytes()));
    match pushed.and_then(|()| out.flush()) {
        Ok(()) => Exit::Success,
        Err(why) => TOOL.unwritable(why),
    }
}
