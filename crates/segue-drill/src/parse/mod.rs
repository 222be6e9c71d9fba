//! From text to [`Script`]: the whole file is read before anything runs.
//!
//! Decides what is well-formed, including what depends on the direction of a packet and the order of times.
mod cursor;
mod encapsulation;
mod event;
mod expression;
mod icmp;
mod options;
mod packet;
mod tcp_options;
#[cfg(test)]
mod tests;

pub(crate) use cursor::{Cursor, Define, Defines, Parsed};
pub(crate) use options::{parse_command_line_define, parse_options};

use crate::ast::Script;
use crate::source::Diagnostic;

/// Read a file. `defines` come from the command line and win over those in the file.
pub(crate) fn parse(text: &str, defines: &Defines) -> Parsed<Script> {
    let mut cursor = Cursor::new(text, Defines::new());
    let mut script = Script { options: parse_options(&mut cursor)?, ..Script::default() };
    cursor.defines.extend(defines.iter().map(|(name, define)| (name.clone(), define.clone())));
    if cursor.peek("`")? {
        script.init = Some(event::command(&mut cursor)?);
    }
    while !cursor.is_end()? {
        if cursor.peek("`")? {
            script.cleanup = Some(event::command(&mut cursor)?);
            if !cursor.is_end()? {
                return Err(cursor.unexpected("the end of the file after the cleanup command"));
            }
            break;
        }
        script.events.push(event::event(&mut cursor)?);
    }
    if script.events.is_empty() {
        return Err(Diagnostic::whole(
            "the script has no event: expected a time and an action, such as `0 socket(...) = 3`",
        ));
    }
    event::check_times(&script.events)?;
    Ok(script)
}
