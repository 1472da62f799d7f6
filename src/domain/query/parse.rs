//! The parser: one pass over the text, by recursive descent.
//!
//! ```text
//! any   = all { ("or" | "|") all }          all  = unary { ["and"] unary }
//! unary = { "-" } ( "(" any ")" | term )    term = FIELD (":" | ">" | ">=" | "<" | "<=" | "=") values | word | "phrase"
//! ```

use std::ops::Range;

use super::error::{QueryError, nearest};
use super::print::quote;
use super::value::Wrong;
use super::{FIELDS, Node, Side, Term, Word, fields};

/// How deep parentheses may nest: more than a person writes, and no danger to the stack.
const DEEPEST: usize = 40;

/// A longer text is not typed by a person, and would cost time everywhere after.
const LONGEST: usize = 20_000;

pub(super) type Parsed<T> = Result<T, QueryError>;

/// Parses a whole query.
pub(super) fn parse(text: &str) -> Parsed<Node> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    if text.len() > LONGEST {
        return Err(parser.wrong(0..0, "the query is too long", "Put many ids into a sample instead."));
    }
    parser.space();
    if parser.rest().is_empty() {
        return Ok(Node::And(Vec::new()));
    }
    let node = parser.any()?;
    match parser.peek() {
        None => Ok(node),
        // `any` stops only at the end and at a parenthesis.
        Some(_) => Err(parser.wrong(
            parser.at..parser.at + 1,
            "this closes nothing",
            "Remove it, or put it in quotes to search for it.",
        )),
    }
}

/// The text and how far it is read.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    depth: usize,
}

/// What stands between field and value.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Op {
    Is,
    Gt,
    Ge,
    Lt,
    Le,
    Eq,
}

impl<'a> Parser<'a> {
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    pub(super) fn wrong(
        &self,
        span: Range<usize>,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) -> QueryError {
        QueryError { query: self.text.to_owned(), span, what: what.into(), hint: hint.into() }
    }

    pub(super) fn at_value(&self, span: Range<usize>, (what, hint): Wrong) -> QueryError {
        self.wrong(span, what, hint)
    }

    /// Whether a bare word stands here, and its end.
    fn keyword(&self, words: &[&str]) -> Option<usize> {
        let run = bare_run(self.rest(), false);
        words.iter().any(|word| run.eq_ignore_ascii_case(word)).then_some(self.at + run.len())
    }

    fn any(&mut self) -> Parsed<Node> {
        let mut parts = vec![self.all()?];
        while let Some(end) = self.keyword(&["or", "|", "||"]) {
            let word = self.at..end;
            self.at = end;
            self.space();
            if self.ends() {
                return Err(self.missing(word));
            }
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Node::Or(parts) })
    }

    fn all(&mut self) -> Parsed<Node> {
        let mut parts = Vec::new();
        loop {
            self.space();
            if let Some(end) = self.keyword(&["and", "&", "&&"]) {
                let word = self.at..end;
                self.at = end;
                self.space();
                if parts.is_empty() || self.ends() {
                    return Err(self.missing(word));
                }
            }
            if self.ends() {
                break;
            }
            parts.push(self.unary()?);
        }
        match parts.len() {
            0 => {
                let end = self.keyword(&["or", "|", "||"]).unwrap_or(self.at);
                Err(self.missing(self.at..end))
            }
            1 => Ok(parts.remove(0)),
            _ => Ok(Node::And(parts)),
        }
    }

    fn ends(&self) -> bool {
        matches!(self.peek(), None | Some(')')) || self.keyword(&["or", "|", "||"]).is_some()
    }

    fn missing(&self, span: Range<usize>) -> QueryError {
        let (start, end) = (span.start, span.end);
        let word = self.text.get(start..end).unwrap_or("");
        if word.is_empty() {
            self.wrong(
                span,
                "a term is missing here",
                "Write a field and a value, such as feedback:down, or a word.",
            )
        } else {
            self.wrong(
                span,
                format!("`{word}` has nothing on one side"),
                format!("Put a term on both sides, or write {} to search for the word.", quote(word)),
            )
        }
    }

    fn unary(&mut self) -> Parsed<Node> {
        let start = self.at;
        let mut negated = false;
        while self.eat('-') {
            negated = !negated;
        }
        if self.at > start && self.peek().is_none_or(|c| c.is_whitespace() || c == ')') {
            return Err(self.wrong(
                start..self.at,
                "there is nothing to negate",
                "Put the minus right before a term: -status:error.",
            ));
        }
        let node = if self.peek() == Some('(') { self.group()? } else { Node::Term(self.term()?) };
        Ok(if negated { Node::Not(Box::new(node)) } else { node })
    }

    fn group(&mut self) -> Parsed<Node> {
        let open = self.at;
        self.eat('(');
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong(open..self.at, "this nests too deep", "Use fewer parentheses."));
        }
        self.space();
        let node = self.any()?;
        if !self.eat(')') {
            return Err(self.wrong(open..open + 1, "this is never closed", "Put a ) where the group ends."));
        }
        self.depth -= 1;
        Ok(node)
    }

    fn term(&mut self) -> Parsed<Term> {
        let start = self.at;
        if self.peek() == Some('"') {
            let (text, span) = self.quoted()?;
            let prefix = self.eat('*');
            return self.free(Word { text, prefix }, span);
        }
        let run = bare_run(self.rest(), false);
        let head = run.find([':', '<', '>', '=', '!']).map_or(run, |end| &run[..end]);
        let family =
            ["score.", "metadata."].into_iter().find(|family| starts_with_ignoring_case(head, family));
        let mut key = None;
        if let Some(family) = family {
            self.at += head.len();
            key = Some(head[family.len()..].to_owned());
            if head.len() == family.len() && self.peek() == Some('"') {
                key = Some(self.quoted()?.0);
            }
        } else if !head.starts_with(|c: char| c.is_ascii_alphabetic())
            || !head.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
            || head.len() == run.len()
        {
            self.at += run.len();
            let (text, prefix) = star(run);
            return self.free(Word { text: text.to_owned(), prefix }, start..self.at);
        } else {
            self.at += head.len();
        }
        let name = start..self.at;
        let Some(op) = self.op()? else {
            // `score.x` without an operator is a word like any other.
            let (text, prefix) = star(&self.text[start..self.at]);
            return self.free(Word { text: text.to_owned(), prefix }, start..self.at);
        };
        let Some(field) = fields::find(head) else {
            return Err(self.unknown_field(head, name));
        };
        self.field(field, key, name, op)
    }

    fn free(&self, word: Word, span: Range<usize>) -> Parsed<Term> {
        if word.text.trim().is_empty() {
            return Err(self.wrong(
                span,
                "there is no word here",
                "Write a word or a \"phrase\" to search for.",
            ));
        }
        Ok(Term::Text { side: Side::Any, any: vec![word] })
    }

    fn unknown_field(&self, name: &str, span: Range<usize>) -> QueryError {
        let end = span.start + bare_run(&self.text[span.start..], false).len();
        let word = quote(&self.text[span.start..end]);
        let hint = match nearest(name, fields::names()) {
            Some(near) => {
                let near = fields::find(near).map_or(near, |field| field.example);
                format!("Did you mean {near}? To search for the text, write {word}.")
            }
            None => {
                let names: Vec<&str> = FIELDS.iter().map(|field| field.name.trim_end_matches('.')).collect();
                format!("Fields are {}. To search for the text, write {word}.", names.join(", "))
            }
        };
        self.wrong(span, format!("`{name}` is not a field"), hint)
    }

    fn op(&mut self) -> Parsed<Option<Op>> {
        let at = self.at;
        if self.rest().starts_with("!=") || self.rest().starts_with('!') {
            return Err(self.wrong(
                at..at + 1,
                "`!` is not an operator",
                "Negate with a minus before the term: -status:error.",
            ));
        }
        let op = if self.eat(':') {
            // `latency:>3s` is how some write it elsewhere.
            self.order().unwrap_or(Op::Is)
        } else if let Some(op) = self.order() {
            op
        } else if self.eat('=') {
            Op::Eq
        } else {
            return Ok(None);
        };
        Ok(Some(op))
    }

    /// `<`, `<=`, `>` or `>=` at the cursor.
    fn order(&mut self) -> Option<Op> {
        let (strict, or_equal) = if self.eat('>') {
            (Op::Gt, Op::Ge)
        } else if self.eat('<') {
            (Op::Lt, Op::Le)
        } else {
            return None;
        };
        Some(if self.eat('=') { or_equal } else { strict })
    }

    /// A quoted text at the cursor, and its span with the quotes.
    pub(super) fn quoted(&mut self) -> Parsed<(String, Range<usize>)> {
        let start = self.at;
        self.eat('"');
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            match c {
                '"' => return Ok((text, start..self.at)),
                '\\' if matches!(self.peek(), Some('"' | '\\')) => {
                    text.extend(self.peek());
                    self.at += 1;
                }
                c => text.push(c),
            }
        }
        Err(self.wrong(
            start..self.text.len(),
            "this quote is never closed",
            "Put a \" where the phrase ends.",
        ))
    }
}

/// The longest run at the start that is one bare word; a comma ends it inside a list of values.
pub(super) fn bare_run(text: &str, in_list: bool) -> &str {
    let ends = |c: char| c.is_whitespace() || "()\"".contains(c) || (in_list && c == ',');
    text.find(ends).map_or(text, |end| &text[..end])
}

/// A word and whether a star after it asks for longer ones too.
pub(super) fn star(word: &str) -> (&str, bool) {
    word.strip_suffix('*').map_or((word, false), |text| (text, true))
}

pub(super) fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}
