//! What there is to be read in a directory, and what it is taken for.

use super::*;

/// One test, because the current directory is the whole process's.
#[test]
fn what_the_file_can_be() {
    let dir = std::env::temp_dir().join(format!("upkeep-kill-mode-{}", std::process::id()));
    std::fs::create_dir(&dir).unwrap();
    std::env::set_current_dir(&dir).unwrap();
    let write = |content: &[u8]| std::fs::write("kill-mode", content).unwrap();
    let malformed = || match Facts::look().kill_mode() {
        Err(FactTrouble::Malformed(value)) => value.line().to_vec(),
        other => panic!("{other:?}"),
    };

    assert_eq!(Facts::look().kill_mode(), Ok(KillMode::Process));
    write(b"tree\n");
    assert_eq!(Facts::look().kill_mode(), Ok(KillMode::Tree));
    write(b"group");
    assert_eq!(Facts::look().kill_mode(), Ok(KillMode::Group));
    write(b"all of it \nand more\n");
    assert_eq!(malformed(), b"all of it");
    write(b"");
    assert_eq!(malformed(), b"");
    write(&[b"tree".as_slice(), &[b' '; 1000]].concat());
    assert_eq!(malformed(), b"tree");
    write(&[b'x'; 1000]);
    assert_eq!(malformed(), [b'x'; SHOWN]);

    assert_eq!(Facts::look().timeout_kill(), Ok(None));
    for (content, said) in [("0", 0), ("2500\n", 2500), ("  7  \n", 7)] {
        std::fs::write("timeout-kill", content).unwrap();
        assert_eq!(Facts::look().timeout_kill(), Ok(Some(said)));
    }
    for content in ["", "soon", "-1", "1.5", "99999999999999999999"] {
        std::fs::write("timeout-kill", content).unwrap();
        assert!(
            matches!(Facts::look().timeout_kill(), Err(FactTrouble::Malformed(_))),
            "{content}"
        );
    }

    assert_eq!((Facts::look().down_signal(), Facts::look().reload_signal()), (Ok(None), Ok(None)));
    std::fs::write("down-signal", "SIGINT\n").unwrap();
    std::fs::write("reload-signal", "10").unwrap();
    assert_eq!(
        (Facts::look().down_signal(), Facts::look().reload_signal()),
        (Ok(Some(2)), Ok(Some(10)))
    );
    std::fs::write("down-signal", "now\n").unwrap();
    assert!(matches!(Facts::look().down_signal(), Err(FactTrouble::Malformed(_))));

    std::fs::write("restart-limit", "3 20\n").unwrap();
    std::fs::write("restart-never", "100\nTERM\n").unwrap();
    let facts = Facts::look();
    assert_eq!(facts.restart_limit(), Ok(Some(Limit { deaths: 3, seconds: 20 })));
    assert_eq!(facts.restart_never(), Ok(Ends::parse(b"100 TERM")));
    assert_eq!((facts.restart(), facts.restart_delay()), (Ok(None), Ok(None)));
    // What is made after the look is for the next one.
    std::fs::write("restart", "never").unwrap();
    assert_eq!(facts.restart(), Ok(None));
    assert_eq!(Facts::look().restart(), Ok(Some(When::Never)));
    // Among very many, each is looked for by itself.
    for n in 0..ENTRIES {
        std::fs::write(format!("{n}"), "").unwrap();
    }
    assert!(Facts::listed().is_none());
    assert_eq!(Facts::look().restart(), Ok(Some(When::Never)));
    assert_eq!(Facts::look().restart_delay(), Ok(None));
    for n in 0..ENTRIES {
        std::fs::remove_file(format!("{n}")).unwrap();
    }

    let guesses = |file: &str, is| {
        assert_eq!((Facts::look().guess(), Facts::UNKNOWN.guess()), (is, is), "{file}");
        assert_eq!(Facts::look().spoken(), is, "{file}");
    };
    let mode = |file: &str, mode| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(file, mode).unwrap();
    };
    for file in ["down-signal", "reload-signal", "timeout-kill"] {
        std::fs::remove_file(file).unwrap();
    }
    guesses("nothing", Dialect::Daemontools);
    for file in ["start", "stop", "notify", "log"] {
        std::fs::create_dir(file).unwrap();
        guesses(file, Dialect::Daemontools);
        std::fs::remove_dir(file).unwrap();
        std::fs::write(file, "").unwrap();
        guesses(file, Dialect::Daemontools);
        mode(file, 0o700);
        guesses(file, Dialect::Encore);
        std::fs::remove_file(file).unwrap();
    }
    std::fs::write("no-setsid", "").unwrap();
    guesses("no-setsid", Dialect::Encore);
    std::fs::write("finish", "").unwrap();
    guesses("finish", Dialect::Encore);
    mode("finish", 0o700);
    guesses("finish", Dialect::Runit);
    std::fs::write("type", "").unwrap();
    guesses("type", Dialect::S6);
    std::fs::write("dialect", "daemontools\n").unwrap();
    assert_eq!(Facts::look().dialect(), Ok(Some(Dialect::Daemontools)));
    assert_eq!(Facts::look().spoken(), Dialect::Daemontools);
    std::fs::write("dialect", "perp\n").unwrap();
    assert!(matches!(Facts::look().dialect(), Err(FactTrouble::Malformed(_))));
    assert_eq!(Facts::look().spoken(), Dialect::S6);

    assert_eq!(Facts::look().notification_fd(), Ok(None));
    std::fs::write("notification-fd", "3\n").unwrap();
    assert_eq!(Facts::look().notification_fd(), Ok(Some(3)));
    for content in ["", "2", "-3", "256", "three"] {
        std::fs::write("notification-fd", content).unwrap();
        assert!(
            matches!(Facts::look().notification_fd(), Err(FactTrouble::Malformed(_))),
            "{content}"
        );
    }

    std::fs::remove_file("kill-mode").unwrap();
    std::fs::create_dir("kill-mode").unwrap();
    assert_eq!(Facts::look().kill_mode(), Err(FactTrouble::Unreadable(Errno::ISDIR)));
    std::env::set_current_dir("/").unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
}
