//! What is said of a handful of samples: the median and the two ends.

/// The sample of something that should have happened and did not.
pub(crate) const NEVER: f64 = f64::INFINITY;

/// A summary of at least one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) count: usize,
}

impl Summary {
    /// None when there are no samples. A sample that is not a number is none;
    /// one that is `NEVER` is larger than all others.
    pub(crate) fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted: Vec<f64> = samples.iter().copied().filter(|s| !s.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        let (count, middle) = (sorted.len(), sorted.len() / 2);
        let median = if count % 2 == 1 {
            sorted[middle]
        } else {
            sorted[middle - 1].midpoint(sorted[middle])
        };
        Some(Self { median, min, max, count })
    }
}

/// `ours` over `best`: 1 when both are nothing, none when only the best is or
/// one of them never came.
pub(crate) fn ratio(ours: f64, best: f64) -> Option<f64> {
    if !ours.is_finite() || !best.is_finite() {
        return None;
    }
    if best == 0.0 { (ours == 0.0).then_some(1.0) } else { Some(ours / best) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_even_and_alone() {
        let median = |samples: &[f64]| Summary::of(samples).map(|s| s.median);
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[7.0]), Some(7.0));
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 9.0, 2.0]), Some(3.0));
    }

    #[test]
    fn the_ends_and_the_count() {
        let summary = Summary::of(&[3.0, f64::NAN, -1.0, 8.0]);
        assert_eq!(summary, Some(Summary { median: 3.0, min: -1.0, max: 8.0, count: 3 }));
    }

    #[test]
    fn one_far_away_does_not_move_the_median() {
        let calm = Summary::of(&[1.0, 2.0, 3.0]).map(|s| s.median);
        assert_eq!(calm, Summary::of(&[1.0, 2.0, 3000.0]).map(|s| s.median));
    }

    #[test]
    fn what_never_came_is_the_largest() {
        let summary = Summary::of(&[NEVER, 3.0, 4.0]);
        assert_eq!(summary, Some(Summary { median: 4.0, min: 3.0, max: NEVER, count: 3 }));
        assert_eq!(Summary::of(&[NEVER, NEVER]).map(|s| s.median), Some(NEVER));
        assert_eq!(ratio(1.0, NEVER), None);
        assert_eq!(ratio(NEVER, NEVER), None);
    }

    #[test]
    fn ratios_with_nothing_in_them() {
        assert_eq!(ratio(1.0, 2.0), Some(0.5));
        assert_eq!(ratio(0.0, 0.0), Some(1.0));
        assert_eq!(ratio(1.0, 0.0), None);
    }
}
