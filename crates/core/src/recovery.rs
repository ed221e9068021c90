//! What to do with the files that the last multilog left in a log directory.
//! It looks at no file: the caller tells what it found, and gets a list.

/// A file of the log directory that recovery deals with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// What is being written.
    Current,
    /// What was current, waiting to be an old log or to be processed.
    Previous,
    /// What the processor made of previous.
    Processed,
    /// What the processor knows.
    State,
    /// What the processor will know.
    NewState,
}

/// How much can be said of an old log's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// `.s`: safely on the disk, and whole.
    Safe,
    /// `.u`: written when its multilog was killed.
    Unfinished,
}

/// Whether a file is there, and whether it is marked (the owner's execute
/// bit) as finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is not there.
    Nothing,
    /// It is there, and whoever wrote it did not finish.
    Open,
    /// It is there and finished.
    Finished,
}

impl Found {
    /// What a file with this mode is.
    #[must_use]
    pub const fn with_mode(mode: u32) -> Self {
        if mode & 0o100 == 0 { Self::Open } else { Self::Finished }
    }
}

/// One step of recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Action {
    /// Go on writing current where it ends.
    Append,
    /// Remove the file, if it is there.
    Remove(File),
    /// Make the file an old log, if it is there.
    Archive(File, Ending),
    /// Make the file anew and empty.
    Create(File),
}

/// All the steps, in order.
pub const fn plan(current: Found, processed: Found) -> &'static [Action] {
    use Action::{Append, Archive, Create, Remove};
    use File::{Current, NewState, Previous, Processed, State};

    match (current, processed) {
        (Found::Finished, _) => &[Append],
        // The processor was done: its result counts, what it read does not.
        (Found::Nothing | Found::Open, Found::Finished) => &[
            Remove(State),
            Remove(NewState),
            Remove(Previous),
            Archive(Processed, Ending::Safe),
            Archive(Current, Ending::Unfinished),
            Create(State),
            Create(Current),
        ],
        (Found::Nothing | Found::Open, Found::Nothing | Found::Open) => &[
            Remove(State),
            Remove(NewState),
            Remove(Processed),
            Archive(Previous, Ending::Unfinished),
            Archive(Current, Ending::Unfinished),
            Create(State),
            Create(Current),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::collections::BTreeMap;
    use std::vec::Vec;

    /// A directory of the mind: which files hold which text.
    #[derive(Clone, Default)]
    struct Model {
        files: BTreeMap<&'static str, &'static str>,
        old: Vec<(&'static str, &'static str)>,
        appending: bool,
    }

    fn name(file: File) -> &'static str {
        match file {
            File::Current => "current",
            File::Previous => "previous",
            File::Processed => "processed",
            File::State => "state",
            File::NewState => "newstate",
        }
    }

    impl Model {
        fn follow(&mut self, plan: &[Action]) {
            for action in plan {
                match *action {
                    Action::Append => self.appending = true,
                    Action::Remove(file) => drop(self.files.remove(name(file))),
                    Action::Archive(file, ending) => {
                        let code = if ending == Ending::Safe { "s" } else { "u" };
                        if let Some(text) = self.files.remove(name(file)) {
                            self.old.push((code, text));
                        }
                    }
                    Action::Create(file) => drop(self.files.insert(name(file), "")),
                }
            }
        }
    }

    /// The manual's words, as directly as they can be put.
    fn manual(before: &Model, clean: bool, done: bool) -> Model {
        let mut after = before.clone();
        if clean {
            after.appending = true;
            return after;
        }
        after.files.clear();
        let (first, code) = if done { ("processed", "s") } else { ("previous", "u") };
        after.old.extend(before.files.get(first).map(|text| (code, *text)));
        after.old.extend(before.files.get("current").map(|text| ("u", *text)));
        after.files.extend([("state", ""), ("current", "")]);
        after
    }

    #[test]
    fn every_combination_of_leftovers() {
        let all = [Found::Nothing, Found::Open, Found::Finished];
        for current in all {
            for processed in all {
                for others in 0..8 {
                    let mut before = Model::default();
                    for (bit, file) in ["previous", "state", "newstate"].iter().enumerate() {
                        if others >> bit & 1 == 1 {
                            before.files.insert(file, file);
                        }
                    }
                    if current != Found::Nothing {
                        before.files.insert("current", "current");
                    }
                    if processed != Found::Nothing {
                        before.files.insert("processed", "processed");
                    }
                    let mut after = before.clone();
                    after.follow(plan(current, processed));
                    let wanted =
                        manual(&before, current == Found::Finished, processed == Found::Finished);
                    let case = std::format!("{current:?} {processed:?} {others}");
                    assert_eq!(after.files, wanted.files, "{case}");
                    assert_eq!(after.old, wanted.old, "{case}");
                    assert_eq!(after.appending, wanted.appending, "{case}");
                }
            }
        }
    }

    #[test]
    fn modes() {
        assert_eq!(Found::with_mode(0o100_644), Found::Open);
        assert_eq!(Found::with_mode(0o100_744), Found::Finished);
        assert_eq!(Found::with_mode(0o100_655), Found::Open);
    }
}
