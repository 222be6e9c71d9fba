//! Whole numbers on the command line.
//!
//! Decides what is said of one that is none, or out of its range: what may be written.
use core::ops::RangeInclusive;

/// Reads a whole number of this range.
pub(crate) fn whole<T: TryFrom<u64>>(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| match *range.end() {
            u64::MAX => format!("give a whole number, at least {}", range.start()),
            most => format!("give a whole number from {} to {most}", range.start()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn what_is_no_number_of_the_range_is_told_the_range() {
        assert_eq!(whole::<u16>(1..=9)("9"), Ok(9));
        for text in ["0", "10", "x", "", "-1", "1.5"] {
            assert_eq!(whole::<u16>(1..=9)(text), Err("give a whole number from 1 to 9".to_owned()), "{text}");
        }
        assert_eq!(whole::<u64>(0..=u64::MAX)("x"), Err("give a whole number, at least 0".to_owned()));
    }
}
