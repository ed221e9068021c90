//! Any text as a shell script: it is taken apart or it is not, and no command
//! is where there is none.

use upkeep_tools::check::shell::parse;
use upkeep_tools::check::spelling::{distance, meant};

/// Takes `data` apart as a script, and as a name.
pub fn shell_script(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(script) = parse(&text) {
        let lines = u32::try_from(text.split('\n').count()).unwrap();
        for command in &script.commands {
            assert!((1..=lines).contains(&command.line), "{command:?}");
            assert!(command.call().len() <= command.words.len());
            let _ = command.name();
        }
        let inner = script.commands.iter().filter(|command| command.depth > 0).count();
        // What is in another one is followed by that, unless a function has it.
        let is_done = script.commands.last().is_none_or(|command| command.depth == 0);
        assert!(is_done || inner > 0 && !script.functions.is_empty(), "{script:?}");
    }
    // As long as names mostly are.
    let data = &data[..data.len().min(32)];
    let (name, other) = data.split_at(data.len() / 2);
    assert_eq!(distance(name, other), distance(other, name));
    assert_eq!(distance(name, name), 0);
    let _ = meant(name, upkeep_servicedir::known());
}
