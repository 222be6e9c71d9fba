//! Sets of numbers that are written as Linux writes its bitmaps: `8080,9000-9010`.
use core::fmt;

/// A set of numbers from 0 to 65535.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Ranges {
    /// Sorted; no two touch.
    ranges: Vec<(u16, u16)>,
}

impl Ranges {
    /// Reads `1,2,10-20`; blanks around it do not matter, and nothing is the empty set. `None`: not of this form, a range
    /// that ends before it begins, or a number above `most`.
    pub fn parse(text: &str, most: u16) -> Option<Ranges> {
        let number = |word: &str| -> Option<u16> {
            let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
            word.parse().ok().filter(|number| is_number && *number <= most)
        };
        let words = text.trim().split(',').filter(|_| !text.trim().is_empty());
        let mut given = words
            .map(|word| {
                let (low, high) = word.split_once('-').unwrap_or((word, word));
                Some((number(low)?, number(high)?)).filter(|(low, high)| low <= high)
            })
            .collect::<Option<Vec<_>>>()?;
        given.sort_unstable();
        let mut ranges: Vec<(u16, u16)> = Vec::with_capacity(given.len());
        for (low, high) in given {
            match ranges.last_mut() {
                Some(last) if u32::from(low) <= u32::from(last.1) + 1 => last.1 = last.1.max(high),
                _ => ranges.push((low, high)),
            }
        }
        Some(Ranges { ranges })
    }

    /// The numbers from `low` to `high`, both included.
    pub fn of(ranges: &[(u16, u16)]) -> Ranges {
        Ranges { ranges: ranges.to_vec() }
    }

    /// Whether a number is in it.
    pub fn contains(&self, number: u16) -> bool {
        let after = self.ranges.partition_point(|(low, _)| *low <= number);
        after.checked_sub(1).is_some_and(|at| number <= self.ranges[at].1)
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (low, high)) in self.ranges.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            match low == high {
                true => write!(f, "{comma}{low}")?,
                false => write!(f, "{comma}{low}-{high}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_sorted_and_joined() {
        for (given, shown) in [
            ("", ""),
            (" 8080 \n", "8080"),
            ("5,1-3,4", "1-5"),
            ("10-20,15-30,40", "10-30,40"),
            ("0-1,3-127", "0-1,3-127"),
        ] {
            assert_eq!(Ranges::parse(given, u16::MAX).unwrap().to_string(), shown, "{given:?}");
        }
        for wrong in ["x", "1,", "3-1", "1-", "-1", "70000", "1 2", "+1", "1--2"] {
            assert_eq!(Ranges::parse(wrong, u16::MAX), None, "{wrong:?}");
        }
        assert_eq!(Ranges::parse("256", 255), None);
    }

    #[test]
    fn a_set_contains_what_lies_within_its_ranges() {
        let set = Ranges::parse("0-1,3-127,65535", u16::MAX).unwrap();
        let within: Vec<u16> = (0..=u16::MAX).filter(|number| set.contains(*number)).collect();
        let expected: Vec<u16> = [0, 1].into_iter().chain(3..=127).chain([65_535]).collect();
        assert_eq!(within, expected);
    }
}
