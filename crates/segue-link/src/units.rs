//! Quantities as people write them: `20ms`, `0.1%`, `10mbit`, `64KiB`.
//!
//! Decides spelling, ranges and the words of the errors. A bare number is
//! refused, because its unit could be mistaken.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

/// Why a text is not a quantity. Says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitError {
    text: String,
    problem: Problem,
    quantity: Quantity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    NotANumber,
    NoUnit,
    UnknownUnit,
    BytesPerSecond,
    Negative,
    TooLarge,
    Zero,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantity {
    Duration,
    Probability,
    Rate,
    Bytes,
}

impl Quantity {
    fn noun(self) -> &'static str {
        match self {
            Quantity::Duration => "a duration",
            Quantity::Probability => "a probability",
            Quantity::Rate => "a rate",
            Quantity::Bytes => "a size",
        }
    }

    fn examples(self) -> &'static str {
        match self {
            Quantity::Duration => "20ms, 1.5s or 250us (units: ns, us, ms, s, min)",
            Quantity::Probability => "1% or 0.1%",
            Quantity::Rate => "10mbit, 1gbit or 512kbit (bits per second; units: bit, kbit, mbit, gbit)",
            Quantity::Bytes => "64KiB, 100kB or 1500B (units: B, kB, KiB, MB, MiB, GB, GiB)",
        }
    }

    fn largest(self) -> &'static str {
        match self {
            Quantity::Duration => "the longest is 1 day",
            Quantity::Probability => "the most is 100%",
            Quantity::Rate => "the highest is 1000gbit",
            Quantity::Bytes => "the largest is 1024GiB",
        }
    }
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UnitError { text, problem, quantity } = self;
        let (noun, examples) = (quantity.noun(), quantity.examples());
        match problem {
            Problem::NotANumber => write!(f, "'{text}' is not {noun}; write for example {examples}"),
            Problem::NoUnit => write!(f, "'{text}' has no unit; write for example {examples}"),
            Problem::UnknownUnit => {
                write!(f, "'{text}' has a unit that is not one of {noun}; write for example {examples}")
            }
            Problem::BytesPerSecond => {
                write!(
                    f,
                    "'{text}' could mean bits or bytes; rates are in bits per second: write for example {examples}"
                )
            }
            Problem::Negative => write!(f, "'{text}' is negative; the least is 0; write for example {examples}"),
            Problem::TooLarge => write!(f, "'{text}' is too large: {}", quantity.largest()),
            Problem::Zero => write!(
                f,
                "'{text}': a rate of 0 carries nothing; leave it out for no limit, or write for example {examples}"
            ),
        }
    }
}

impl std::error::Error for UnitError {}

/// A probability, 0 to 1, written as a percentage.
///
/// ```
/// use segue_link::Probability;
/// let loss: Probability = "0.1%".parse().unwrap();
/// assert_eq!(loss.fraction(), 0.001);
/// assert!("101%".parse::<Probability>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug, Default)]
pub struct Probability(f64);

impl Probability {
    /// Never.
    pub const NEVER: Probability = Probability(0.0);
    /// Always.
    pub const ALWAYS: Probability = Probability(1.0);

    /// From a fraction; `None` unless it is 0 to 1.
    pub fn from_fraction(fraction: f64) -> Option<Probability> {
        // Adding zero turns a negative zero into zero.
        (0.0..=1.0).contains(&fraction).then_some(Probability(fraction + 0.0))
    }

    /// The fraction, 0 to 1.
    pub fn fraction(self) -> f64 {
        self.0
    }

    /// Whether it is zero.
    pub fn is_never(self) -> bool {
        self.0 == 0.0
    }
}

impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Twelve digits are more than anybody writes and hide what multiplication by 100 adds.
        let percent = format!("{:.12}", self.0 * 100.0);
        write!(f, "{}%", percent.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl FromStr for Probability {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Probability, UnitError> {
        let quantity = Quantity::Probability;
        let fail = |problem| UnitError { text: text.to_owned(), problem, quantity };
        let (number, unit) = split(text, quantity)?;
        match unit {
            "%" => {}
            "" if number == 0.0 => {}
            "" => return Err(fail(Problem::NoUnit)),
            _ => return Err(fail(Problem::UnknownUnit)),
        }
        Probability::from_fraction(number / 100.0).ok_or(fail(Problem::TooLarge))
    }
}

/// A rate in bits per second, at least 1, at most 1000 Gbit/s. Counted over whole IP packets, headers included.
///
/// ```
/// use segue_link::Rate;
/// let rate: Rate = "10mbit".parse().unwrap();
/// assert_eq!(rate.bits_per_second(), 10_000_000);
/// assert!("0mbit".parse::<Rate>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Rate(NonZeroU64);

const MAX_RATE: u64 = 1_000_000_000_000;

impl Rate {
    /// From bits per second; `None` unless 1 to 1000 Gbit/s.
    pub fn from_bits_per_second(bits: u64) -> Option<Rate> {
        NonZeroU64::new(bits).filter(|bits| bits.get() <= MAX_RATE).map(Rate)
    }

    /// Bits per second.
    pub fn bits_per_second(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0.get();
        for (factor, unit) in [(1_000_000_000, "gbit"), (1_000_000, "mbit"), (1_000, "kbit")] {
            if bits.is_multiple_of(factor) {
                return write!(f, "{}{unit}", bits / factor);
            }
        }
        write!(f, "{bits}bit")
    }
}

impl FromStr for Rate {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Rate, UnitError> {
        let quantity = Quantity::Rate;
        let fail = |problem| UnitError { text: text.to_owned(), problem, quantity };
        let (number, unit) = split(text, quantity)?;
        let unit = unit.to_ascii_lowercase();
        let factor = match unit.strip_suffix("/s").unwrap_or(&unit) {
            "bit" => 1.0,
            "kbit" => 1e3,
            "mbit" => 1e6,
            "gbit" => 1e9,
            "" if number == 0.0 => return Err(fail(Problem::Zero)),
            "" => return Err(fail(Problem::NoUnit)),
            // To tc these are bytes per second, to everybody else bits.
            "bps" | "kbps" | "mbps" | "gbps" | "b" | "kb" | "mb" | "gb" | "k" | "m" | "g" => {
                return Err(fail(Problem::BytesPerSecond));
            }
            _ => return Err(fail(Problem::UnknownUnit)),
        };
        let bits = number * factor;
        if bits > MAX_RATE as f64 {
            return Err(fail(Problem::TooLarge));
        }
        Rate::from_bits_per_second(bits.round() as u64).ok_or(fail(Problem::Zero))
    }
}

/// Reads a duration: `20ms`, `1.5s`, `250us`, `10ns`, `2min`; `0` needs no unit. At most one day.
///
/// # Errors
/// [`UnitError`] says what is wrong and what to write.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let quantity = Quantity::Duration;
    let fail = |problem| UnitError { text: text.to_owned(), problem, quantity };
    let (number, unit) = split(text, quantity)?;
    let nanos = match unit {
        "ns" => 1.0,
        "us" | "µs" | "μs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "min" => 60e9,
        "" if number == 0.0 => 0.0,
        "" => return Err(fail(Problem::NoUnit)),
        _ => return Err(fail(Problem::UnknownUnit)),
    };
    let nanos = number * nanos;
    if nanos > 86_400e9 {
        return Err(fail(Problem::TooLarge));
    }
    Ok(Duration::from_nanos(nanos.round() as u64))
}

/// Reads a size in bytes: `64KiB` (1024 each), `100kB` (1000 each), `1500B`; `0` needs no unit. At most 1024 GiB.
///
/// # Errors
/// [`UnitError`] says what is wrong and what to write.
pub fn parse_bytes(text: &str) -> Result<u64, UnitError> {
    let quantity = Quantity::Bytes;
    let fail = |problem| UnitError { text: text.to_owned(), problem, quantity };
    let (number, unit) = split(text, quantity)?;
    let factor = match unit {
        "B" => 1.0,
        "kB" | "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        "" if number == 0.0 => 0.0,
        "" => return Err(fail(Problem::NoUnit)),
        _ => return Err(fail(Problem::UnknownUnit)),
    };
    let bytes = number * factor;
    if bytes > (1u64 << 40) as f64 {
        return Err(fail(Problem::TooLarge));
    }
    Ok(bytes.round() as u64)
}

/// The number in front and the unit behind it. Numbers are plain decimals: no exponent, no infinity.
fn split(text: &str, quantity: Quantity) -> Result<(f64, &str), UnitError> {
    let fail = |problem| UnitError { text: text.to_owned(), problem, quantity };
    let trimmed = text.trim();
    let (negative, unsigned) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (digits, unit) = unsigned.split_at(end);
    let number: f64 = digits.parse().map_err(|_| fail(Problem::NotANumber))?;
    if negative && number != 0.0 {
        return Err(fail(Problem::Negative));
    }
    Ok((number, unit.trim_start()))
}

#[cfg(test)]
mod tests;
