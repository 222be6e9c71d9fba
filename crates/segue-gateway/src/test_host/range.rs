//! Which bytes of a file a request asks for: `Range` and `If-Range`, RFC 9110
//! sections 14.2 and 13.1.5.
//!
//! One range is served. A list of several is answered with the whole file,
//! which section 14.2 allows, so that no request makes the host build multipart.

use hyper::HeaderMap;
use hyper::header::{IF_NONE_MATCH, IF_RANGE, RANGE};

/// What part of the file to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it, status 200.
    Whole,
    /// The bytes `start..end`, status 206; never empty.
    Range {
        /// First byte.
        start: u64,
        /// One past the last byte.
        end: u64,
    },
    /// Nothing the file has, status 416.
    Unsatisfiable,
}

/// The part of a file of `size` bytes with entity tag `etag` that a GET asks for.
pub(super) fn requested(headers: &HeaderMap, size: u64, etag: &str) -> Part {
    let Some(range) = single(headers, RANGE) else {
        return Part::Whole;
    };
    // RFC 9110 13.1.5: a tag that is not ours means the client's copy is of
    // something else; a date can never match, as a file here has none.
    if headers.contains_key(IF_RANGE) && single(headers, IF_RANGE) != Some(etag) {
        return Part::Whole;
    }
    parse(range, size)
}

/// Whether `If-None-Match` says that the client has the file already
/// (RFC 9110 13.1.2, weak comparison).
pub(super) fn client_has(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim())
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

fn single(headers: &HeaderMap, name: hyper::header::HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok().map(str::trim),
        _ => None,
    }
}

/// RFC 9110 14.1.1 and 14.1.2. A field that does not parse is ignored (14.2).
fn parse(value: &str, size: u64) -> Part {
    let Some((unit, ranges)) = value.split_once('=') else {
        return Part::Whole;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") || ranges.contains(',') {
        return Part::Whole;
    }
    let Some((first, last)) = ranges.trim().split_once('-') else {
        return Part::Whole;
    };
    match (number(first), number(last)) {
        (Some(start), Some(last)) if last < start => Part::Whole,
        (Some(start), _) if start >= size && (last.is_empty() || number(last).is_some()) => Part::Unsatisfiable,
        (Some(start), Some(last)) => Part::Range { start, end: last.saturating_add(1).min(size) },
        (Some(start), None) if last.is_empty() => Part::Range { start, end: size },
        // The last N bytes.
        (None, Some(length)) if first.is_empty() => match length.min(size) {
            0 => Part::Unsatisfiable,
            length => Part::Range { start: size - length, end: size },
        },
        _ => Part::Whole,
    }
}

/// A run of digits; too large a number is as good as the largest.
fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn headers(pairs: &[(hyper::header::HeaderName, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(name.clone(), HeaderValue::from_static(value));
        }
        map
    }

    fn ask(value: &'static str) -> Part {
        requested(&headers(&[(RANGE, value)]), 1000, "\"tag\"")
    }

    #[test]
    fn a_single_range_selects_its_bytes() {
        let range = |start, end| Part::Range { start, end };
        assert_eq!(ask("bytes=0-0"), range(0, 1));
        assert_eq!(ask("bytes=0-499"), range(0, 500));
        assert_eq!(ask("bytes=500-"), range(500, 1000));
        assert_eq!(ask("bytes=-1"), range(999, 1000));
        assert_eq!(ask("bytes=-5000"), range(0, 1000));
        assert_eq!(ask("bytes=999-99999999999999999999999"), range(999, 1000));
        assert_eq!(ask("Bytes = 1-2"), range(1, 3));
    }

    #[test]
    fn a_range_beyond_the_end_is_unsatisfiable() {
        assert_eq!(ask("bytes=1000-"), Part::Unsatisfiable);
        assert_eq!(ask("bytes=1000-1001"), Part::Unsatisfiable);
        assert_eq!(ask("bytes=-0"), Part::Unsatisfiable);
        let empty = requested(&headers(&[(RANGE, "bytes=0-")]), 0, "\"tag\"");
        assert_eq!(empty, Part::Unsatisfiable);
    }

    #[test]
    fn what_is_not_a_range_of_bytes_is_ignored() {
        for value in [
            "bytes=5-4",
            "bytes=a-b",
            "bytes=-",
            "bytes=",
            "bytes",
            "items=0-1",
            "bytes=0-1,5-6",
            "bytes=1-x",
            "bytes=2000-x",
            "bytes=+1-2",
        ] {
            assert_eq!(ask(value), Part::Whole, "{value}");
        }
    }

    #[test]
    fn if_range_with_another_tag_or_a_date_gives_the_whole() {
        let ask = |tag| {
            let both = headers(&[(RANGE, "bytes=1-2"), (IF_RANGE, tag)]);
            requested(&both, 1000, "\"tag\"")
        };
        assert_eq!(ask("\"tag\""), Part::Range { start: 1, end: 3 });
        assert_eq!(ask("\"other\""), Part::Whole);
        assert_eq!(ask("W/\"tag\""), Part::Whole);
        assert_eq!(ask("Sat, 29 Oct 1994 19:43:31 GMT"), Part::Whole);
    }

    #[test]
    fn if_none_match_finds_the_tag_in_a_list() {
        let has = |value| client_has(&headers(&[(IF_NONE_MATCH, value)]), "\"tag\"");
        assert!(has("\"a\", W/\"tag\""));
        assert!(has("*"));
        assert!(!has("\"a\""));
        assert!(!client_has(&HeaderMap::new(), "\"tag\""));
    }
}
