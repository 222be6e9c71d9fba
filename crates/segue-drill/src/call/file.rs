//! Pipes and files: what is spliced and sent without passing through the program.
use super::value::arguments;
use super::{Check, Kind};
use crate::ast::{Expression, SystemCall, Value};
use crate::host::Call;
use crate::run::Interpreter;
use crate::source::Diagnostic;

type Prepared = Result<(Call, Check), Diagnostic>;

impl Interpreter<'_> {
    /// `pipe([r, w])`: the list names both ends.
    pub(super) fn call_pipe(&mut self, call: &SystemCall) -> Prepared {
        let ends = &arguments(call, 1, 2)?[0];
        let wrong = || Diagnostic::at(ends.span, "expected the names of both ends, such as [5, 6]");
        let Value::List(names) = &ends.value else { return Err(wrong()) };
        let [reader, writer] = names.as_slice() else { return Err(wrong()) };
        let names = (self.integer(reader)?, self.integer(writer)?);
        let flags = call.arguments.get(1).map_or(Ok(0), |flags| self.integer(flags))? as i32;
        Ok((Call::Pipe { flags }, Check::Pipe(names)))
    }

    pub(super) fn call_open(&mut self, call: &SystemCall) -> Prepared {
        let arguments = arguments(call, 2, 3)?;
        let Value::Text(path) = &arguments[0].value else {
            return Err(Diagnostic::at(arguments[0].span, "expected a path in quotes"));
        };
        let path = String::from_utf8(path.clone()).map_err(|_| Diagnostic::at(arguments[0].span, "a path is text"))?;
        let flags = self.integer(&arguments[1])? as i32;
        Ok((Call::Open { path, flags }, Check::Opened(Kind::File)))
    }

    /// A file offset: `NULL` or `...` is none, `[n]` is one.
    fn offset(&self, offset: &Expression) -> Result<Option<i64>, Diagnostic> {
        match &offset.value {
            Value::Ellipsis => Ok(None),
            Value::List(values) => match values.as_slice() {
                [one] => self.integer(one).map(Some),
                _ => Err(Diagnostic::at(offset.span, "an offset is one number in brackets")),
            },
            _ if self.integer(offset)? == 0 => Ok(None),
            _ => Err(Diagnostic::at(offset.span, "an offset is NULL, or a number in brackets: [100]")),
        }
    }

    pub(super) fn call_splice(&mut self, call: &SystemCall) -> Prepared {
        let arguments = arguments(call, 6, 6)?;
        let input = (self.descriptor_argument(&arguments[0])?.1.live, self.offset(&arguments[1])?);
        let output = (self.descriptor_argument(&arguments[2])?.1.live, self.offset(&arguments[3])?);
        let length = self.size(&arguments[4])?;
        let flags = self.integer(&arguments[5])? as u32;
        Ok((Call::Splice { input, output, length, flags }, Check::Result))
    }

    pub(super) fn call_sendfile(&mut self, call: &SystemCall) -> Prepared {
        let arguments = arguments(call, 4, 4)?;
        let output = self.descriptor_argument(&arguments[0])?.1.live;
        let input = self.descriptor_argument(&arguments[1])?.1.live;
        let offset = self.offset(&arguments[2])?;
        let count = self.size(&arguments[3])?;
        Ok((Call::SendFile { output, input, offset, count }, Check::Result))
    }

    /// `cap_set(CAP_EFFECTIVE, CAP_NET_ADMIN, CAP_CLEAR)`.
    pub(super) fn call_capability(&mut self, call: &SystemCall) -> Prepared {
        let arguments = arguments(call, 3, 3)?;
        self.integer(&arguments[0])?;
        let capability = self.integer(&arguments[1])?;
        let is_on = self.integer(&arguments[2])? != 0;
        let capability = u32::try_from(capability).ok().filter(|capability| *capability < 64);
        let capability = capability
            .ok_or_else(|| Diagnostic::at(arguments[1].span, "expected a capability such as CAP_NET_ADMIN"))?;
        Ok((Call::Capability { capability, is_on }, Check::Result))
    }
}
