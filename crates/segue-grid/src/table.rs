//! How figures are written: fixed columns for people and for `diff`, ratios with their mean and their minimum.

/// Bits per second with three digits that mean something.
pub(crate) fn rate(bits: f64) -> String {
    let (value, unit) = match bits {
        bits if bits >= 1e9 => (bits / 1e9, "G"),
        bits if bits >= 1e6 => (bits / 1e6, "M"),
        bits => (bits / 1e3, "k"),
    };
    let digits = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$}{unit}")
}

/// The middle one; the mean of the two middle ones when there is an even number.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

/// Geometric mean and minimum of ratios; `None` when there are none. A ratio of zero counts as a thousandth.
pub(crate) fn mean_and_least(ratios: &[f64]) -> Option<(f64, f64)> {
    let least = ratios.iter().copied().min_by(f64::total_cmp)?;
    let logs: f64 = ratios.iter().map(|ratio| ratio.max(1e-3).ln()).sum();
    Some(((logs / ratios.len() as f64).exp(), least))
}

/// Jain's index of fairness: 1 when all have the same, 1/n when one has everything.
pub(crate) fn jain(shares: &[f64]) -> f64 {
    let sum: f64 = shares.iter().sum();
    let squares: f64 = shares.iter().map(|share| share * share).sum();
    if squares == 0.0 { 0.0 } else { sum * sum / (shares.len() as f64 * squares) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_exact() {
        assert_eq!(
            [9.651e6, 96.51e6, 965.1e6, 1.2345e9, 512.0].map(rate),
            ["9.65M", "96.5M", "965M", "1.23G", "0.51k"]
        );
    }

    #[test]
    fn medians_means_and_fairness_are_what_they_are_called() {
        assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0]), median(&[])), (Some(2.0), Some(2.5), None));
        let (mean, least) = mean_and_least(&[0.5, 2.0]).expect("some");
        assert!((mean - 1.0).abs() < 1e-12 && least == 0.5);
        assert!((jain(&[1.0, 1.0, 1.0]) - 1.0).abs() < 1e-12 && (jain(&[1.0, 0.0]) - 0.5).abs() < 1e-12);
    }
}
