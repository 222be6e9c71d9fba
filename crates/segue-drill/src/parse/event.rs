//! One event: its time, and which action follows.
use super::cursor::{Cursor, Define, Parsed};
use super::{expression, packet};
use crate::ast::{Action, Command, Direction, Event, EventTime, Point};
use crate::source::{Diagnostic, Span};

/// A back-quoted command.
pub(super) fn command(cursor: &mut Cursor<'_>) -> Parsed<Command> {
    let (text, span) = cursor.delimited("`", "`", "command")?;
    Ok(Command { text: text.to_owned(), span })
}

pub(super) fn event(cursor: &mut Cursor<'_>) -> Parsed<Event> {
    cursor.skip()?;
    let start = cursor.at;
    let time = time(cursor)?;
    let time_span = Span { start, end: cursor.last_end };
    let action = action(cursor)?;
    let is_outbound = matches!(&action, Action::Packet(packet) if packet.direction == Direction::Outbound);
    match time {
        EventTime::Any if !is_outbound => {
            return Err(Diagnostic::at(time_span, "`*` is a time for outbound packets only"));
        }
        EventTime::Window(..) if !is_outbound => {
            return Err(Diagnostic::at(time_span, "a window of time is for outbound packets only"));
        }
        EventTime::Blocking { .. } if !matches!(action, Action::Call(_)) => {
            return Err(Diagnostic::at(time_span, "a start and an end with `...` are for system calls only"));
        }
        _ => {}
    }
    Ok(Event { time, action, span: Span { start, end: cursor.last_end } })
}

fn action(cursor: &mut Cursor<'_>) -> Parsed<Action> {
    let what = "a packet (`<` or `>`), a system call, a `command` or %{ code }%";
    Ok(match cursor.peek_char()? {
        Some('<' | '>') => Action::Packet(Box::new(packet::packet(cursor)?)),
        Some('`') => Action::Command(command(cursor)?.text),
        Some('%') => {
            let (text, span) = cursor.delimited("%{", "}%", "code")?;
            Action::Code(Command { text: text.to_owned(), span })
        }
        Some(c) if c.is_ascii_alphabetic() || c == '_' => {
            let word = cursor.peek_word()?.unwrap_or_default();
            if let Some(Define::Command(text)) = cursor.defines.get(word).cloned() {
                cursor.word(what)?;
                Action::Command(text)
            } else {
                Action::Call(Box::new(expression::system_call(cursor)?))
            }
        }
        _ => return Err(cursor.unexpected(what)),
    })
}

fn time(cursor: &mut Cursor<'_>) -> Parsed<EventTime> {
    if cursor.eat("*")? {
        return Ok(EventTime::Any);
    }
    let start = cursor.at;
    let first = point(cursor, "the time of an event")?;
    if cursor.eat("~")? {
        let second = point(cursor, "the end of the window of time")?;
        let span = Span { start, end: cursor.last_end };
        let is_backwards = match (first, second) {
            (Point::Absolute(a), Point::Absolute(b)) | (Point::Relative(a), Point::Relative(b)) => b < a,
            _ => {
                let message = "both ends of a window of time must be of one kind: write `1.0~1.2` or `+.1~+.3`";
                return Err(Diagnostic::at(span, message));
            }
        };
        if is_backwards {
            return Err(Diagnostic::at(span, "this window of time ends before it begins"));
        }
        return Ok(EventTime::Window(first, second));
    }
    if cursor.eat("...")? {
        cursor.eat("+")?;
        let end = seconds(cursor, "the time at which the call returns")?;
        let (Point::Absolute(begin) | Point::Relative(begin)) = first;
        if end < begin {
            let span = Span { start, end: cursor.last_end };
            return Err(Diagnostic::at(span, "this call returns before it is made"));
        }
        return Ok(EventTime::Blocking { start: first, end });
    }
    Ok(EventTime::At(first))
}

fn point(cursor: &mut Cursor<'_>, what: &str) -> Parsed<Point> {
    let is_relative = cursor.eat("+")?;
    let time = seconds(cursor, what)?;
    Ok(if is_relative { Point::Relative(time) } else { Point::Absolute(time) })
}

/// A number of seconds as microseconds.
fn seconds(cursor: &mut Cursor<'_>, what: &str) -> Parsed<u64> {
    cursor.skip()?;
    let start = cursor.at;
    let rest = cursor.rest();
    if rest.starts_with('-') {
        return Err(Diagnostic::at(Span { start, end: start + 1 }, format!("{what} cannot be negative")));
    }
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let whole = digits(rest);
    let mut length = whole;
    let mut fraction = "";
    if let Some(tail) = rest[whole..].strip_prefix('.') {
        fraction = &tail[..digits(tail)];
        if !fraction.is_empty() {
            length += 1 + fraction.len();
        }
    }
    if length == 0 {
        return Err(cursor.unexpected(&format!("{what}, in seconds")));
    }
    cursor.at += length;
    cursor.last_end = cursor.at;
    let span = cursor.span_from(start);
    // The resolution is one microsecond: further digits are cut.
    let micros: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let too_large = || Diagnostic::at(span, format!("{what} is too large: at most 1000000000 seconds"));
    let whole: u64 = if whole == 0 { 0 } else { rest[..whole].parse().map_err(|_| too_large())? };
    if whole > 1_000_000_000 {
        return Err(too_large());
    }
    Ok(whole * 1_000_000 + micros.parse::<u64>().map_err(|_| too_large())?)
}

/// The first event is at zero, and absolute times in a row do not go backwards.
pub(super) fn check_times(events: &[Event]) -> Parsed<()> {
    let mut previous = None;
    for (index, event) in events.iter().enumerate() {
        let point = match event.time {
            EventTime::At(point) | EventTime::Window(point, _) | EventTime::Blocking { start: point, .. } => {
                Some(point)
            }
            EventTime::Any => None,
        };
        if index == 0 && !matches!(point, None | Some(Point::Absolute(0) | Point::Relative(0))) {
            return Err(Diagnostic::at(event.span, "first event should be at time 0"));
        }
        let absolute = match point {
            Some(Point::Absolute(time)) => Some(time),
            _ => None,
        };
        if let (Some(before), Some(now)) = (previous, absolute)
            && now < before
        {
            let (before, now) = (before as f64 / 1e6, now as f64 / 1e6);
            let message = format!("time goes backwards: this event is at {now:.6} s, the one before at {before:.6} s");
            return Err(Diagnostic::at(event.span, message));
        }
        previous = absolute;
    }
    Ok(())
}
