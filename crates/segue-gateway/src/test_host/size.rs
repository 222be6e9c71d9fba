//! How a path names a size: `/1000`, `/1k`, `/10MB`, `/64MiB`.
//!
//! A whole number and a unit. `k M G T` and `kB MB GB TB` are powers of 1000,
//! `Ki Mi Gi Ti` and `KiB MiB GiB TiB` powers of 1024, in any case of letters.

/// The largest test file: 1 TiB.
pub(super) const MAX_SIZE: u64 = 1 << 40;

/// Why a path names no test file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SizeError {
    /// It is not a number with a unit.
    NotASize,
    /// It is one, but larger than [`MAX_SIZE`].
    TooLarge,
}

/// The size that `text` (a path without its first slash) stands for, in bytes.
pub(super) fn parse(text: &str) -> Result<u64, SizeError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(SizeError::NotASize);
    }
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "ki" | "kib" => 1 << 10,
        "mi" | "mib" => 1 << 20,
        "gi" | "gib" => 1 << 30,
        "ti" | "tib" => 1 << 40,
        _ => return Err(SizeError::NotASize),
    };
    // Only digits are left, so the one way to fail is to be too large.
    let number: u64 = number.parse().map_err(|_| SizeError::TooLarge)?;
    match number.checked_mul(factor) {
        Some(size) if size <= MAX_SIZE => Ok(size),
        _ => Err(SizeError::TooLarge),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_decimal_and_binary_units_are_sizes() {
        for (text, size) in [
            ("0", 0),
            ("1000", 1000),
            ("1k", 1000),
            ("1K", 1000),
            ("3kb", 3000),
            ("1KiB", 1024),
            ("10MB", 10_000_000),
            ("64MiB", 64 << 20),
            ("2G", 2_000_000_000),
            ("1TiB", MAX_SIZE),
            ("7b", 7),
        ] {
            assert_eq!(parse(text), Ok(size), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        for text in ["", "x", "k", "1x", "1 k", "-1", "+1", "1.5M", "1kk", "0x10", "１k"] {
            assert_eq!(parse(text), Err(SizeError::NotASize), "{text}");
        }
        for text in ["2TiB", "1099511627777", "99999999999999999999999", "18446744073709551615k"] {
            assert_eq!(parse(text), Err(SizeError::TooLarge), "{text}");
        }
    }
}
