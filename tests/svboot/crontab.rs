//! A user's crontab, which only its program may change.

use super::{done, svboot};
use crate::support::{Dir, testing_originals};
use std::fs;

/// A crontab that is a file beside it.
fn crontab(dir: &Dir) {
    dir.script(
        "bin/crontab",
        "case $1 in
         -l) [ ! -e broken ] || { echo input/output error >&2; exit 1; }
             [ -e table ] || { echo no crontab for me >&2; exit 1; }; cat table ;;
         -) [ ! -e refuse ] || exit 1; cat >table ;;
         esac",
    );
}

#[test]
fn a_crontab_is_changed_by_its_program() {
    if testing_originals() {
        return;
    }
    for before in ["", "MAILTO=me\n0 * * * * true\n"] {
        let dir = Dir::new();
        crontab(&dir);
        let table = || fs::read_to_string(dir.path("table")).unwrap();
        if !before.is_empty() {
            dir.file("table", before);
        }
        let warns = "svboot: warning: there is no /home/me/service\n";
        let first = svboot(&dir, &["-i", "crontab"]);
        let wrote = "wrote the crontab\n";
        assert_eq!((first.code, first.out().as_str(), first.err().as_str()), (0, wrote, warns));
        let line = done(&dir, &["crontab"]);
        let with = format!("{before}# BEGIN svboot\n{line}# END svboot\n");
        assert_eq!(table(), with);
        let again = svboot(&dir, &["-i", "crontab"]);
        assert_eq!((again.code, again.out().as_str()), (0, "crontab: it is there already\n"));
        assert_eq!(table(), with);
        // Who cannot read it does not write it either.
        dir.file("broken", "");
        for option in ["-i", "-r"] {
            let broken = svboot(&dir, &[option, "crontab"]);
            let words = "input/output error\n\
                         svboot: fatal: unable to read the crontab: crontab refuses\n";
            assert_eq!((broken.code, broken.err().as_str()), (111, words));
            assert_eq!(table(), with);
        }
        fs::remove_file(dir.path("broken")).unwrap();
        dir.file("refuse", "");
        let refused = svboot(&dir, &["-r", "crontab"]);
        let words = "svboot: fatal: unable to write the crontab: crontab refuses\n";
        assert_eq!((refused.code, refused.err().as_str()), (111, words));
        assert_eq!(table(), with);
        fs::remove_file(dir.path("refuse")).unwrap();
        assert_eq!(done(&dir, &["-r", "crontab"]), wrote);
        assert_eq!(table(), before);
        assert_eq!(done(&dir, &["-r", "crontab"]), "crontab: there is nothing of ours\n");
    }
}
