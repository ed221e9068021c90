//! Something wrong that lasts: for a moment it is no fault yet.

/// What is wrong, from turn to turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spell<W> {
    /// What, if anything is.
    pub(crate) wrong: Option<W>,
    /// How long it has been.
    passed: u64,
    touched: u64,
    told: bool,
}

impl<W> Default for Spell<W> {
    fn default() -> Self {
        Self { wrong: None, passed: 0, touched: 0, told: false }
    }
}

impl<W: Copy + PartialEq> Spell<W> {
    /// What is wrong now, so much time after the last look. It begins anew
    /// where `touched` is another time. Answers what has been wrong for longer
    /// than `limit` says, or at once where that is 0, and only once.
    pub(crate) fn look(
        &mut self,
        wrong: Option<W>,
        touched: u64,
        passed: u64,
        limit: impl Fn(W) -> u64,
    ) -> Option<W> {
        if wrong != self.wrong || touched != self.touched {
            self.told &= wrong == self.wrong;
            self.wrong = wrong;
            self.touched = touched;
            self.passed = 0;
        } else {
            self.passed += passed;
        }
        let wrong = wrong?;
        let limit = limit(wrong);
        let is_news = !self.told && (self.passed > limit || limit == 0);
        self.told |= is_news;
        is_news.then_some(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_to_last_and_is_told_once() {
        let mut spell = Spell::default();
        let mut look = |wrong, touched| spell.look(wrong, touched, 10, |_| 15);
        assert_eq!(look(Some('a'), 1), None);
        assert_eq!(look(Some('a'), 1), None);
        assert_eq!(look(Some('a'), 2), None);
        assert_eq!(look(Some('a'), 2), None);
        assert_eq!(look(Some('a'), 2), Some('a'));
        assert_eq!(look(Some('a'), 2), None);
        assert_eq!(look(Some('b'), 2), None);
        assert_eq!(look(None, 2), None);
        assert_eq!(spell.look(Some('c'), 2, 10, |_| 0), Some('c'));
    }
}
