//! Leap seconds. daemontools, runit and encore count none in their labels; s6
//! does, so its labels are ahead of theirs by as many as there have been. This
//! knows those up to 2017, after which none has been announced.

use crate::tai::Tai64n;

/// The Unix times of the seconds that follow a leap second.
const AFTER: [i64; 27] = [
    78_796_800,
    94_694_400,
    126_230_400,
    157_766_400,
    189_302_400,
    220_924_800,
    252_460_800,
    283_996_800,
    315_532_800,
    362_793_600,
    394_329_600,
    425_865_600,
    489_024_000,
    567_993_600,
    631_152_000,
    662_688_000,
    709_948_800,
    741_484_800,
    773_020_800,
    820_454_400,
    867_715_200,
    915_148_800,
    1_136_073_600,
    1_230_768_000,
    1_341_100_800,
    1_435_708_800,
    1_483_228_800,
];

/// The moment that a label of s6's means. In a leap second that is the one
/// after it.
#[must_use]
pub fn without(label: Tai64n) -> Tai64n {
    let counted = label.to_unix();
    let mut leaps = AFTER.len() as u64;
    for after in AFTER.iter().rev() {
        if counted >= after.saturating_add_unsigned(leaps) {
            break;
        }
        leaps -= 1;
    }
    Tai64n { seconds: label.seconds.wrapping_sub(leaps), ..label }
}

/// The label that s6 writes for a moment.
#[must_use]
pub fn with(moment: Tai64n) -> Tai64n {
    let unix = moment.to_unix();
    let leaps = AFTER.iter().rev().skip_while(|after| unix < **after).count() as u64;
    Tai64n { seconds: moment.seconds.wrapping_add(leaps), ..moment }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn today_it_is_27() {
        let now = Tai64n::from_unix(1_795_689_120, 5);
        assert_eq!(with(now), Tai64n::from_unix(1_795_689_147, 5));
        assert_eq!(without(with(now)), now);
    }

    #[test]
    fn around_each_of_them() {
        for (number, after) in (1..).zip(AFTER) {
            for (moment, leaps) in [(after - 1, number - 1), (after, number), (after + 1, number)] {
                let label = Tai64n::from_unix(moment + leaps, 0);
                assert_eq!(with(Tai64n::from_unix(moment, 0)), label, "{moment}");
                assert_eq!(without(label), Tai64n::from_unix(moment, 0), "{moment}");
            }
            // 23:59:60 itself.
            let leap = Tai64n::from_unix(after + number - 1, 0);
            assert_eq!(without(leap), Tai64n::from_unix(after, 0));
        }
    }

    #[test]
    fn there_were_none_before() {
        for unix in [i64::MIN, -1, 0, 78_796_799] {
            assert_eq!(without(Tai64n::from_unix(unix, 0)).to_unix(), unix);
            assert_eq!(with(Tai64n::from_unix(unix, 0)).to_unix(), unix);
        }
    }
}
