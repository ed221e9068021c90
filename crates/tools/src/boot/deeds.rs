//! Putting pieces in their place, and taking them away. Whatever is not ours
//! stays as it is, and nothing is done before everything was looked at.

use super::block::{self, Rest, Torn};
use super::{MARK, Piece, Root, Trouble, What, Why, crontab};
use rustix::fs::{self, AtFlags, Stat};

/// What is to be done to one piece.
enum Deed<'a> {
    Nothing,
    Write { path: String, content: Vec<u8>, mode: u32 },
    Link(&'a str),
    Unlink { path: String },
    Crontab(&'a str),
    CrontabWithout,
}

impl Root {
    /// Puts all pieces in their places, and answers with what it has done.
    pub fn install(&self, pieces: &[Piece]) -> Result<Vec<String>, Trouble> {
        self.all(pieces.iter(), Self::for_install)
    }

    /// Takes all pieces away, and answers with what it has done.
    pub fn remove(&self, pieces: &[Piece]) -> Result<Vec<String>, Trouble> {
        // What leads to a file goes before it.
        self.all(pieces.iter().rev(), Self::for_removal)
    }

    fn all<'a>(
        &self,
        pieces: impl Iterator<Item = &'a Piece>,
        judge: impl Fn(&Self, &'a Piece) -> Result<Deed<'a>, Trouble>,
    ) -> Result<Vec<String>, Trouble> {
        let deeds: Result<Vec<_>, Trouble> =
            pieces.map(|piece| Ok((piece, judge(self, piece)?))).collect();
        let mut said = Vec::new();
        for (piece, deed) in deeds? {
            said.extend(self.carry_out(piece, deed)?);
        }
        Ok(said)
    }

    fn for_install<'a>(&self, piece: &'a Piece) -> Result<Deed<'a>, Trouble> {
        let trouble = |why| Trouble::new("read", &piece.path, why);
        match &piece.what {
            What::Crontab(lines) => Ok(Deed::Crontab(lines)),
            What::Link(to) => match self.leads_to(&piece.path) {
                Some(there) if there == *to => Ok(Deed::Nothing),
                None if !self.is_taken(&piece.path) => Ok(Deed::Link(to)),
                _ => Err(foreign(piece)),
            },
            What::File { content, mode } => {
                // A mode may have been changed on purpose, but a script has to run.
                let runs = |stat: &Stat| *mode & 0o111 & !stat.st_mode == 0;
                let is_same =
                    |(old, stat): (Vec<u8>, Stat)| old == content.as_bytes() && runs(&stat);
                if self.own_file(piece)?.is_some_and(is_same) {
                    return Ok(Deed::Nothing);
                }
                let (path, content) = (piece.path.clone(), content.clone().into_bytes());
                Ok(Deed::Write { path, content, mode: *mode })
            }
            What::Lines(lines, side) => {
                let path = self.resolved(&piece.path).map_err(trouble)?;
                let old = self.read(&path).map_err(trouble)?;
                let mode = old.as_ref().map_or(0o644, |(_, stat)| stat.st_mode);
                let old = old.map(|(content, _)| content);
                let content =
                    block::put(old.as_deref(), lines, *side).map_err(|Torn| torn(piece))?;
                let same = Some(&content) == old.as_ref();
                Ok(if same { Deed::Nothing } else { Deed::Write { path, content, mode } })
            }
        }
    }

    fn for_removal<'a>(&self, piece: &'a Piece) -> Result<Deed<'a>, Trouble> {
        let trouble = |why| Trouble::new("read", &piece.path, why);
        match &piece.what {
            What::Crontab(_) => Ok(Deed::CrontabWithout),
            What::Link(to) => match self.leads_to(&piece.path) {
                Some(there) if there == *to => Ok(Deed::Unlink { path: piece.path.clone() }),
                None if !self.is_taken(&piece.path) => Ok(Deed::Nothing),
                _ => Err(foreign(piece)),
            },
            What::File { .. } => Ok(match self.own_file(piece)? {
                Some(_) => Deed::Unlink { path: piece.path.clone() },
                None => Deed::Nothing,
            }),
            What::Lines(..) => {
                let path = self.resolved(&piece.path).map_err(trouble)?;
                let Some((old, stat)) = self.read(&path).map_err(trouble)? else {
                    return Ok(Deed::Nothing);
                };
                Ok(match block::take(&old).map_err(|Torn| torn(piece))? {
                    Rest::Same => Deed::Nothing,
                    Rest::Nothing => Deed::Unlink { path },
                    Rest::Text(content) => Deed::Write { path, content, mode: stat.st_mode },
                })
            }
        }
    }

    /// What is in a file, which has to be ours, and its mode.
    fn own_file(&self, piece: &Piece) -> Result<Option<(Vec<u8>, Stat)>, Trouble> {
        // Whoever put a link there has meant something by it.
        if self.leads_to(&piece.path).is_some() {
            return Err(foreign(piece));
        }
        let read = self.read(&piece.path);
        let Some((content, stat)) = read.map_err(|why| Trouble::new("read", &piece.path, why))?
        else {
            return Ok(None);
        };
        let marked = content.windows(MARK.len()).any(|part| part == MARK.as_bytes());
        if marked { Ok(Some((content, stat))) } else { Err(foreign(piece)) }
    }

    fn carry_out(&self, piece: &Piece, deed: Deed<'_>) -> Result<Option<String>, Trouble> {
        let path = &piece.path;
        Ok(Some(match deed {
            Deed::Nothing => return Ok(None),
            Deed::Write { path, content, mode } => {
                let written = self.write(&path, &content, mode);
                written.map_err(|why| Trouble::new("write", &path, why))?;
                format!("wrote {path}")
            }
            Deed::Link(to) => {
                let made = self.made_spot(path);
                let made = made.and_then(|(dir, name)| fs::symlinkat(to, dir, name));
                made.map_err(|why| Trouble::new("create", path, why))?;
                format!("linked {path}")
            }
            Deed::Unlink { path: file } => {
                let gone = self.spot(&file);
                let gone = gone.and_then(|(dir, name)| fs::unlinkat(dir, name, AtFlags::empty()));
                gone.map_err(|why| Trouble::new("remove", &file, why))?;
                self.remove_own_directories(piece);
                format!("removed {file}")
            }
            Deed::Crontab(lines) if crontab::install(lines)? => "wrote the crontab".to_owned(),
            Deed::CrontabWithout if crontab::remove()? => "wrote the crontab".to_owned(),
            Deed::Crontab(_) | Deed::CrontabWithout => return Ok(None),
        }))
    }

    /// What else is in one of them keeps it.
    fn remove_own_directories(&self, piece: &Piece) {
        let mut path = piece.path.as_str();
        for _ in 0..piece.own {
            let Some((above, _)) = path.rsplit_once('/') else { return };
            path = above;
            let gone = self.spot(path);
            let gone = gone.and_then(|(dir, name)| fs::unlinkat(dir, name, AtFlags::REMOVEDIR));
            if gone.is_err() {
                return;
            }
        }
    }
}

fn foreign(piece: &Piece) -> Trouble {
    Trouble { verb: "change", path: piece.path.clone(), why: Why::Foreign }
}

fn torn(piece: &Piece) -> Trouble {
    Trouble { verb: "change", path: piece.path.clone(), why: Why::Torn }
}
