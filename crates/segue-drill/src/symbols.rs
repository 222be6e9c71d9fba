//! The words of a script that stand for numbers: Linux's constants on x86_64.
mod table;

use table::{ERRNOS, SYMBOLS};

/// The value of a word.
pub(crate) fn lookup(word: &str) -> Option<i64> {
    match SYMBOLS.binary_search_by(|(name, _)| (*name).cmp(word)) {
        Ok(at) => Some(SYMBOLS[at].1),
        Err(_) => errno(word).map(i64::from),
    }
}

/// The number of an errno name.
pub(crate) fn errno(name: &str) -> Option<i32> {
    ERRNOS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

/// The name of an errno number.
pub(crate) fn errno_name(number: i32) -> String {
    let known = ERRNOS.iter().find(|(_, value)| *value == number);
    known.map_or_else(|| format!("errno {number}"), |(name, _)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::{SYMBOLS, errno, errno_name, lookup};

    #[test]
    fn words_are_found_because_they_are_sorted() {
        assert!(SYMBOLS.is_sorted_by(|a, b| a.0 < b.0));
        assert!(SYMBOLS.iter().all(|(name, value)| lookup(name) == Some(*value)));
    }

    #[test]
    fn a_word_of_one_error_number_is_shown_by_its_usual_name() {
        assert_eq!((errno("EWOULDBLOCK"), errno_name(11).as_str()), (Some(11), "EAGAIN"));
        assert_eq!((errno("ENOTSUP"), errno_name(95).as_str()), (Some(95), "EOPNOTSUPP"));
        assert_eq!((lookup("ETIMEDOUT"), lookup("EWIBBLE")), (Some(110), None));
    }
}
