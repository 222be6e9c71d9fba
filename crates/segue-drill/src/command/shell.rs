//! The grammar of commands: lists of pipelines of words, as sh(1) reads them.
//!
//! Decides where words, commands and redirections begin and end. Words keep their quotes; `expand` takes them off.

/// One command with its place in the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Pipeline {
    /// Run only if what ran before ended so: `Some(true)` after `&&`, `Some(false)` after `||`.
    pub(super) after: Option<bool>,
    pub(super) is_negated: bool,
    pub(super) commands: Vec<Simple>,
}

/// Words and redirections, quotes included.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Simple {
    pub(super) words: Vec<String>,
    pub(super) redirections: Vec<Redirection>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Redirection {
    /// Whether it is about what the command says (and not about its complaints or its input).
    pub(super) is_output: bool,
    pub(super) target: String,
}

/// What stands between words: the shell's blanks (POSIX.1-2024 §2.3), not Unicode's. Anything else belongs to a word.
const BLANKS: [char; 3] = [' ', '\t', '\r'];

/// Words of the shell's own that are not understood.
const COMPOUND: &[&str] = &["if", "for", "while", "until", "case", "function", "select", "{", "(", "[["];

pub(super) fn parse(text: &str) -> Result<Vec<Pipeline>, String> {
    let mut parser = Parser { rest: text };
    let mut list = Vec::new();
    let mut after = None;
    loop {
        parser.blanks_and_lines();
        if parser.rest.is_empty() {
            return match after {
                Some(is_and) => Err(format!("a command is expected after `{}`", if is_and { "&&" } else { "||" })),
                None => Ok(list),
            };
        }
        let pipeline = parser.pipeline(after)?;
        list.push(pipeline);
        parser.blanks();
        after = if parser.eat("&&") {
            Some(true)
        } else if parser.eat("||") {
            Some(false)
        } else if parser.eat(";") || parser.eat("&") || parser.eat("\n") || parser.rest.is_empty() {
            None
        } else {
            return Err(format!("`{}` is not expected here", parser.rest.lines().next().unwrap_or_default()));
        };
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn eat(&mut self, token: &str) -> bool {
        let tail = self.rest.strip_prefix(token);
        self.rest = tail.unwrap_or(self.rest);
        tail.is_some()
    }

    /// Blanks, continued lines and comments within a line.
    fn blanks(&mut self) {
        loop {
            let trimmed = self.rest.trim_start_matches(BLANKS);
            if let Some(tail) = trimmed.strip_prefix("\\\n") {
                self.rest = tail;
            } else if trimmed.starts_with('#') {
                self.rest = &trimmed[trimmed.find('\n').unwrap_or(trimmed.len())..];
            } else {
                self.rest = trimmed;
                return;
            }
        }
    }

    fn blanks_and_lines(&mut self) {
        loop {
            self.blanks();
            if !self.eat("\n") && !self.eat(";") {
                return;
            }
        }
    }

    fn pipeline(&mut self, after: Option<bool>) -> Result<Pipeline, String> {
        let mut pipeline = Pipeline { after, is_negated: false, commands: Vec::new() };
        loop {
            let mut command = self.simple()?;
            if pipeline.commands.is_empty() && command.words.first().is_some_and(|word| word == "!") {
                pipeline.is_negated = true;
                command.words.remove(0);
            }
            if let Some(word) = command.words.first().filter(|word| COMPOUND.contains(&word.as_str())) {
                return Err(format!("`{word}` of the shell is not understood: write the commands one after the other"));
            }
            pipeline.commands.push(command);
            if self.rest.starts_with("||") || !self.eat("|") {
                return Ok(pipeline);
            }
        }
    }

    fn simple(&mut self) -> Result<Simple, String> {
        let mut simple = Simple::default();
        loop {
            self.blanks();
            if self.rest.is_empty() || self.rest.starts_with(['\n', ';', '|']) {
                break;
            }
            if self.rest.starts_with('&') && !self.rest.starts_with("&>") {
                break;
            }
            if let Some(redirection) = self.redirection()? {
                simple.redirections.extend(redirection);
                continue;
            }
            let word = self.word()?;
            simple.words.push(word);
        }
        if simple == Simple::default() {
            let found = self.rest.lines().next().unwrap_or_default();
            return Err(format!("a command is expected in front of `{found}`"));
        }
        Ok(simple)
    }

    /// `>`, `2>`, `&>`, `2>&1`, `<` with its file. `Some(None)` is one without effect.
    fn redirection(&mut self) -> Result<Option<Option<Redirection>>, String> {
        let digits = self.rest.len() - self.rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = self.rest.split_at(digits);
        let is_both = tail.starts_with("&>") && digits == 0;
        let tail = if is_both { &tail[1..] } else { tail };
        let Some(direction) = tail.chars().next().filter(|c| matches!(c, '<' | '>')) else { return Ok(None) };
        let tail = &tail[1..];
        let tail = tail.strip_prefix(['>', '|']).unwrap_or(tail);
        if let Some(to) = tail.strip_prefix('&') {
            // `2>&1`
            self.rest = to.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
            return Ok(Some(None));
        }
        self.rest = tail;
        self.blanks();
        let target = self.word()?;
        if target.is_empty() {
            return Err(format!("a file is expected after `{direction}`"));
        }
        let is_output = direction == '>' && matches!(number, "" | "1");
        Ok(Some(Some(Redirection { is_output, target })))
    }

    /// One word with its quotes, `$(…)` and `$((…))` in one piece.
    fn word(&mut self) -> Result<String, String> {
        let mut length = 0;
        let mut chars = self.rest.char_indices().peekable();
        let mut quote = None;
        let mut depth = 0usize;
        while let Some((at, c)) = chars.next() {
            let ends_word = BLANKS.contains(&c) || matches!(c, '\n' | ';' | '|' | '&' | '<' | '>');
            if ends_word && quote.is_none() && depth == 0 {
                break;
            }
            length = at + c.len_utf8();
            match (c, quote) {
                ('\\', None | Some('"')) => {
                    if let Some((at, escaped)) = chars.next() {
                        length = at + escaped.len_utf8();
                    }
                }
                ('\'' | '"', None) => quote = Some(c),
                (c, Some(open)) if c == open => quote = None,
                ('$', None | Some('"')) if chars.peek().is_some_and(|(_, next)| *next == '(') => {
                    chars.next();
                    length += 1;
                    depth += 1;
                }
                ('(', _) if depth > 0 => depth += 1,
                (')', _) if depth > 0 => depth -= 1,
                _ => {}
            }
        }
        if let Some(open) = quote {
            return Err(format!("the quote {open} has no end"));
        }
        if depth > 0 {
            return Err("`$(` has no end".into());
        }
        let (word, rest) = self.rest.split_at(length);
        self.rest = rest;
        Ok(word.to_owned())
    }
}
