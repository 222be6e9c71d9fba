//! How far a packet's delay is from the mean.
//!
//! Decides the shapes. The two with long tails are netem's: quantiles of 4096 steps, in
//! units of the jitter, cut off at four of them (iproute2's `pareto` and `paretonormal`). They are
//! computed here, by additions, multiplications and divisions only, so that every machine has the same.

use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Duration;

use super::random::Random;
use super::spec::SpecError;

/// How the jitter is spread around the delay.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum JitterShape {
    /// Evenly from `delay - jitter` to `delay + jitter`, as netem without a distribution.
    #[default]
    Uniform,
    /// Bell-shaped with `jitter` as the standard deviation, at most six of them
    /// away. It is the sum of twelve uniform values, which needs no floating
    /// point and so gives the same run on every machine.
    Normal,
    /// Mostly a little early, sometimes very late: Pareto with the exponent 3, as netem's
    /// `distribution pareto`. From two thirds of `jitter` early to four times `jitter` late.
    Pareto,
    /// A quarter normal, three quarters Pareto, as netem's `distribution paretonormal`: what measured paths look like.
    ParetoNormal,
}

impl FromStr for JitterShape {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<JitterShape, SpecError> {
        match text {
            "uniform" => Ok(JitterShape::Uniform),
            "normal" => Ok(JitterShape::Normal),
            "pareto" => Ok(JitterShape::Pareto),
            "paretonormal" => Ok(JitterShape::ParetoNormal),
            _ => Err(SpecError::new(format!(
                "'{text}' is not a shape of jitter; there are uniform, normal, pareto and paretonormal"
            ))),
        }
    }
}

/// Steps of a table.
const STEPS: usize = 4096;
/// Table units per jitter.
const SCALE: i64 = 8192;
/// The latest value of a table: netem's tables hold 16-bit numbers.
const LATEST: f64 = 32_767.0;

type Table = [i16; STEPS];

/// A delay's deviation: nanoseconds, negative when a packet is early.
#[derive(Clone, Copy)]
pub(crate) struct Jitter {
    nanos: i64,
    shape: Shape,
}

#[derive(Clone, Copy)]
enum Shape {
    Uniform,
    Normal,
    Table(&'static Table),
}

impl Jitter {
    pub(crate) fn new(spread: Duration, shape: JitterShape) -> Jitter {
        let nanos = i64::try_from(spread.as_nanos()).unwrap_or(i64::MAX);
        let shape = match shape {
            _ if nanos == 0 => Shape::Uniform,
            JitterShape::Uniform => Shape::Uniform,
            JitterShape::Normal => Shape::Normal,
            JitterShape::Pareto => Shape::Table(pareto()),
            JitterShape::ParetoNormal => Shape::Table(pareto_normal()),
        };
        Jitter { nanos, shape }
    }

    /// How early a packet can be at most, in nanoseconds.
    pub(crate) fn earliest(self) -> u64 {
        match self.shape {
            Shape::Uniform => self.nanos.unsigned_abs(),
            Shape::Normal => self.nanos.unsigned_abs().saturating_mul(6),
            Shape::Table(table) => scaled_by(self.nanos, table[0]).min(0).unsigned_abs(),
        }
    }

    pub(crate) fn draw(self, random: &mut Random) -> i64 {
        if self.nanos == 0 {
            return 0;
        }
        match self.shape {
            Shape::Uniform => within(random.next(), self.nanos),
            Shape::Normal => {
                // Twelve uniform numbers in ±1/2 have a variance of twelve twelfths. Each draw gives two of them.
                let mut sum: i64 = 0;
                for _ in 0..6 {
                    let draw = random.next();
                    sum += (draw >> 32) as i64 + (draw & 0xffff_ffff) as i64;
                }
                let centred = sum - 6 * (1 << 32);
                ((i128::from(centred) * i128::from(self.nanos)) >> 32) as i64
            }
            Shape::Table(table) => scaled_by(self.nanos, table[(random.next() >> 52) as usize % STEPS]),
        }
    }
}

/// A draw as a number in -spread..=spread.
fn within(draw: u64, spread: i64) -> i64 {
    let width = 2 * i128::from(spread) + 1;
    ((i128::from(draw) * width) >> 64) as i64 - spread
}

/// A table's value in nanoseconds, rounded. The longest jitter is 3.6e12 ns: no overflow.
fn scaled_by(nanos: i64, value: i16) -> i64 {
    let product = nanos * i64::from(value);
    (product + product.signum() * (SCALE / 2)) / SCALE
}

fn pareto() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| std::array::from_fn(|step| pareto_value(step as f64 / STEPS as f64) as i16))
}

fn pareto_normal() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut from = -5.0;
        std::array::from_fn(|step| {
            let below = step as f64 / STEPS as f64;
            // Between the steps of a table of 16384, so that the first is not minus infinity.
            from = normal_quantile(below + 0.5 / 16_384.0, from);
            ((from * SCALE as f64 + 3.0 * pareto_value(below)) / 4.0) as i16
        })
    })
}

/// The Pareto deviation that a share of `below` is smaller than, in table units.
fn pareto_value(below: f64) -> f64 {
    let deviation = 1.0 / cube_root(1.0 - below) - 1.5;
    (deviation * (4.0 / 3.0) * SCALE as f64).min(LATEST).round()
}

/// By Newton's method: the libraries' may differ in the last bit.
fn cube_root(value: f64) -> f64 {
    let mut root = 1.0;
    for _ in 0..40 {
        root -= (root * root * root - value) / (3.0 * root * root);
    }
    root
}

/// Where the normal distribution reaches `share`, by bisection upwards from a place that is known to lie below.
fn normal_quantile(share: f64, from: f64) -> f64 {
    let (mut low, mut high) = (from, 5.0);
    while high - low > 1.0 / 65_536.0 {
        let middle = (low + high) / 2.0;
        if normal_share(middle) < share { low = middle } else { high = middle }
    }
    low
}

/// Share of the normal distribution below `x`, by its power series; good to ten digits within ±5.
fn normal_share(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    let mut n = 0.0;
    while n < 100.0 {
        n += 1.0;
        term *= -x * x / (2.0 * n);
        sum += term / (2.0 * n + 1.0);
    }
    0.5 + sum * 0.398_942_280_401_432_7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_netems() {
        // First, quarter, half, three quarters and last value of iproute2's files, worked out from the formulas.
        let at = [0, 1024, 2048, 3072, 4095];
        let expected = |share: f64| (((1.0 - share).powf(-1.0 / 3.0) - 1.5) * 4.0 / 3.0 * 8192.0).min(32_767.0);
        for step in at {
            let exact = expected(step as f64 / 4096.0);
            assert!((f64::from(pareto()[step]) - exact).abs() <= 0.51, "{step}: {} {exact}", pareto()[step]);
        }
        assert_eq!((pareto()[0], pareto()[4095]), (-5461, 32_767));
        // Quantiles of the normal distribution: 0.25 and 0.75 lie 0.6745 deviations out, 0.5 in the middle.
        for (step, normal) in [(1024, -0.674_49), (2048, 0.0), (3072, 0.674_49)] {
            let exact = (normal * 8192.0 + 3.0 * expected(f64::from(step) / 4096.0)) / 4.0;
            let value = pareto_normal()[step as usize];
            assert!((f64::from(value) - exact).abs() <= 1.5, "{step}: {value} {exact}");
        }
        assert!(pareto_normal().is_sorted() && pareto().is_sorted());
    }
}
