//! An environment that is changed before a program gets it. The order of the
//! variables can be seen, so it is daemontools' own: a variable that is
//! replaced or removed leaves its place to the last one, and what is set goes
//! to the end. Changes nothing of this process.

use std::ffi::CString;
use upkeep_sys::exec;

/// The variables, each as `NAME=value`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Environment(Vec<CString>);

impl Environment {
    /// A copy of this process's own.
    #[must_use]
    pub fn inherited() -> Self {
        Self(exec::variables().map(CString::from).collect())
    }

    /// Sets the variable of an entry `NAME=value`; removes that of an entry
    /// without `=`. Of several with the same name only the first goes.
    pub fn change(&mut self, entry: CString) {
        let bytes = entry.to_bytes();
        let equals = memchr::memchr(b'=', bytes);
        let name = &bytes[..equals.unwrap_or(bytes.len())];
        let is_it = |old: &CString| {
            old.to_bytes().strip_prefix(name).is_some_and(|rest| rest.first() == Some(&b'='))
        };
        if let Some(place) = self.0.iter().position(is_it) {
            self.0.swap_remove(place);
        }
        if equals.is_some() {
            self.0.push(entry);
        }
    }

    /// The variables in their order.
    #[must_use]
    pub fn variables(&self) -> &[CString] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: &[&str], changes: &[&str]) -> Vec<String> {
        let mut all = Environment(start.iter().map(|v| CString::new(*v).unwrap()).collect());
        for change in changes {
            all.change(CString::new(*change).unwrap());
        }
        all.0.into_iter().map(|v| v.into_string().unwrap()).collect()
    }

    #[test]
    fn new_variables_go_to_the_end() {
        assert_eq!(after(&["A=1", "B=2"], &["C=3", "D="]), ["A=1", "B=2", "C=3", "D="]);
    }

    #[test]
    fn the_last_one_takes_the_place_of_one_that_goes() {
        assert_eq!(after(&["A=1", "B=2", "C=3"], &["A=9"]), ["C=3", "B=2", "A=9"]);
        assert_eq!(after(&["A=1", "B=2", "C=3"], &["A"]), ["C=3", "B=2"]);
        assert_eq!(after(&["A=1", "B=2", "C=3"], &["C"]), ["A=1", "B=2"]);
    }

    #[test]
    fn only_the_first_of_the_same_name_goes() {
        assert_eq!(after(&["A=1", "A=2", "B=3"], &["A"]), ["B=3", "A=2"]);
    }

    #[test]
    fn a_name_is_whole() {
        assert_eq!(after(&["AB=1", "A", "=2"], &["A"]), ["AB=1", "A", "=2"]);
        assert_eq!(after(&["AB=1"], &["A=2"]), ["AB=1", "A=2"]);
        assert_eq!(after(&["A=1"], &["A=B=2"]), ["A=B=2"]);
        assert_eq!(after(&["=1", "A=2"], &["=3"]), ["A=2", "=3"]);
    }
}
