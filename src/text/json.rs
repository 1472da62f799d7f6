//! JSON laid out for reading. The text is checked once and then walked as it stands: numbers keep
//! their digits, members their order, and no depth can overflow a stack.

use std::ops::Range;

use super::clean::clean_line;
use super::line::{Line, Role, Span};
use super::width::wrap_line;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Columns by which a level is set in.
const INDENT: usize = 2;
/// How many times JSON is looked for in the strings of JSON.
const STRINGS_IN_STRINGS: usize = 3;

/// A JSON value in lines of at most `cols` columns (at least 4), each part with its role. A string that does not fit
/// goes on under its key, its line breaks shown as such; a string that itself holds a JSON object or
/// array (the arguments of a tool call) is laid out in its place.
pub fn json(value: &Value, cols: usize) -> Vec<Line> {
    lay_out(&value.to_string(), cols)
}

/// As [`json`] for text, if it is a JSON object or array from end to end.
pub fn json_text(text: &str, cols: usize) -> Option<Vec<Line>> {
    holds_json(text).then(|| lay_out(text, cols))
}

/// A stretch of JSON that can be laid out by itself: see [`json_pieces`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPiece {
    /// Its bytes in the text.
    pub range: Range<usize>,
    /// How many objects and arrays are open where it begins.
    pub depth: usize,
    /// The lines that it takes where none is too long.
    pub lines: usize,
}

/// The longest token of JSON that is cut into pieces, in bytes.
const LONGEST_TOKEN: usize = 64 << 10;

/// Cuts a JSON object or array into pieces of about so many lines, or bytes where those come first. Laid out
/// by [`json_piece`] they are the lines of [`json_text`]. `None` for what is no JSON from end to end, or holds a
/// text so long that it is better read as it stands.
pub fn json_pieces(text: &str, lines: usize, bytes: usize) -> Option<Vec<JsonPiece>> {
    if !holds_json(text) {
        return None;
    }
    let (mut pieces, mut open) = (Vec::new(), Vec::new());
    let mut piece = JsonPiece { range: 0..0, depth: 0, lines: 0 };
    let mut rest = text;
    while let Some((token, after)) = next_token(rest) {
        rest = after;
        let at = text.len() - rest.len();
        match token {
            "{" | "[" => {
                open.push(token);
                piece.lines += 1;
            }
            "}" | "]" => {
                open.pop();
                piece.lines += 1;
            }
            "," => {
                piece.lines += 1;
                let taken = at - piece.range.start;
                // A short array of scalars stands on one line, so it is not cut; a long one is none such.
                let parts = open.last() == Some(&"{")
                    || matches!(next_token(rest), Some(("{" | "[", _)))
                    || taken > 2 * bytes;
                if parts && (piece.lines >= lines || taken >= bytes) {
                    piece.range.end = at;
                    pieces.push(piece);
                    piece = JsonPiece { range: at..at, depth: open.len(), lines: 0 };
                }
            }
            long if long.len() > LONGEST_TOKEN => return None,
            _ => {}
        }
    }
    piece.range.end = text.len();
    pieces.push(piece);
    Some(pieces)
}

/// The lines of a piece of [`json_pieces`] that begins so deep, of at most `cols` columns.
pub fn json_piece(text: &str, depth: usize, cols: usize) -> Vec<Line> {
    let cols = cols.max(4);
    let mut layout = Layout { cols, lines: Vec::new(), line: Line::default(), depth, goes_on: false };
    layout.document(text, STRINGS_IN_STRINGS);
    layout.end_line();
    layout.lines
}

fn holds_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn lay_out(text: &str, cols: usize) -> Vec<Line> {
    json_piece(text, 0, cols)
}

struct Layout {
    cols: usize,
    lines: Vec<Line>,
    line: Line,
    depth: usize,
    /// The line goes on with a string from the line before.
    goes_on: bool,
}

impl Layout {
    /// Walks a text that is known to be JSON.
    fn document(&mut self, text: &str, strings: usize) {
        let mut rest = text;
        while let Some((token, after)) = next_token(rest) {
            rest = after;
            match token {
                "{" | "[" => match next_token(rest) {
                    Some((close @ ("}" | "]"), after)) => {
                        self.put(&format!("{token}{close}"), Role::JsonPunctuation);
                        rest = after;
                    }
                    _ if token == "[" && self.fits_on_line(rest) => rest = self.row(rest),
                    _ => {
                        self.put(token, Role::JsonPunctuation);
                        self.end_line();
                        self.depth += 1;
                    }
                },
                "}" | "]" => {
                    self.end_line();
                    self.depth = self.depth.saturating_sub(1);
                    self.put(token, Role::JsonPunctuation);
                }
                "," => {
                    self.put(",", Role::JsonPunctuation);
                    self.end_line();
                }
                ":" => self.put(": ", Role::JsonPunctuation),
                _ => self.scalar(token, rest, strings),
            }
        }
    }

    fn scalar(&mut self, token: &str, rest: &str, strings: usize) {
        let role = role_of(token);
        if role != Role::JsonString {
            self.put(token, role);
        } else if matches!(next_token(rest), Some((":", _))) {
            self.string(token, Role::JsonKey, 0);
        } else {
            self.string(token, role, strings);
        }
    }

    fn string(&mut self, token: &str, role: Role, strings: usize) {
        // A lone half of a surrogate pair is no text: the string is shown as it was written.
        let Ok(text) = serde_json::from_str::<String>(token) else {
            return self.put(token, role);
        };
        if strings > 0 && holds_json(&text) {
            self.put("(in a string) ", Role::Muted);
            return self.document(&text, strings - 1);
        }
        let quoted = format!("\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#));
        let mut parts = quoted.split('\n').map(|part| part.strip_suffix('\r').unwrap_or(part));
        self.put(parts.next().unwrap_or_default(), role);
        for part in parts {
            self.end_line();
            self.goes_on = true;
            self.put(part, role);
        }
    }

    /// Whether the array whose members stand in `rest` holds scalars only and fits on a short line.
    fn fits_on_line(&self, rest: &str) -> bool {
        let room = self.cols.saturating_sub(self.indent() + self.line.width() + 2);
        let mut used = 0;
        let mut rest = rest;
        while let Some((token, after)) = next_token(rest) {
            match token {
                "]" => return true,
                "{" | "[" => return false,
                _ => used += clean_line(token).as_str().len() + 1,
            }
            if used > room {
                return false;
            }
            rest = after;
        }
        false
    }

    /// Puts the rest of an array on this line; gives what stands behind it.
    fn row<'a>(&mut self, mut rest: &'a str) -> &'a str {
        self.put("[", Role::JsonPunctuation);
        while let Some((token, after)) = next_token(rest) {
            rest = after;
            match token {
                "]" => break,
                "," => self.put(", ", Role::JsonPunctuation),
                _ => self.put(token, role_of(token)),
            }
        }
        self.put("]", Role::JsonPunctuation);
        rest
    }

    fn put(&mut self, text: &str, role: Role) {
        self.line.push(Span::new(clean_line(text), role));
    }

    fn indent(&self) -> usize {
        self.depth.saturating_mul(INDENT).min(self.cols / 2)
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let goes_on = std::mem::take(&mut self.goes_on);
        if line.is_empty() && !goes_on {
            return;
        }
        let deep = |by: usize| match (self.indent() + by).min(self.cols / 2) {
            0 => Vec::new(),
            cols => vec![Span::new(" ".repeat(cols), Role::Plain)],
        };
        let first = deep(if goes_on { INDENT } else { 0 });
        self.lines.extend(wrap_line(&line, self.cols, &first, &deep(INDENT)));
    }
}

fn role_of(token: &str) -> Role {
    match token.as_bytes().first() {
        Some(b'"') => Role::JsonString,
        Some(b't' | b'f' | b'n') => Role::JsonLiteral,
        _ => Role::JsonNumber,
    }
}

/// The first token of valid JSON and what follows it.
fn next_token(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches([' ', '\n', '\r', '\t']);
    let bytes = text.as_bytes();
    let len = match bytes.first()? {
        b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
        b'"' => {
            let mut at = 1;
            while let Some(byte) = bytes.get(at) {
                at += match byte {
                    b'"' => break,
                    b'\\' => 2,
                    _ => 1,
                };
            }
            at + 1
        }
        _ => bytes
            .iter()
            .position(|b| matches!(b, b'{' | b'}' | b'[' | b']' | b',' | b':' | b' ' | b'\n' | b'\r' | b'\t'))
            .unwrap_or(bytes.len()),
    };
    text.split_at_checked(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, cols: usize) -> Vec<String> {
        json_text(text, cols).unwrap().iter().map(Line::text).collect()
    }

    #[test]
    fn members_keep_their_order_and_numbers_their_digits() {
        assert_eq!(
            shown(r#"{"z":12345678901234567890123,"a":[1,2.50,null],"o":{},"l":[{"x":true}],"z":"é"}"#, 40),
            [
                "{",
                r#"  "z": 12345678901234567890123,"#,
                r#"  "a": [1, 2.50, null],"#,
                r#"  "o": {},"#,
                r#"  "l": ["#,
                "    {",
                r#"      "x": true"#,
                "    }",
                "  ],",
                r#"  "z": "é""#,
                "}",
            ]
        );
    }

    #[test]
    fn a_long_string_goes_on_under_its_key() {
        assert_eq!(
            shown(r#"{"reason": "the salary arrived \"late\"\nand twice", "n": 1}"#, 22),
            [
                "{",
                r#"  "reason": "the"#,
                "    salary arrived",
                r#"    \"late\""#,
                r#"    and twice","#,
                r#"  "n": 1"#,
                "}"
            ]
        );
    }

    #[test]
    fn arguments_in_a_string_are_laid_out() {
        let lines = json_text(r#"{"arguments":"{\"user_id\": \"mia_li\"}"}"#, 60).unwrap();
        let text: Vec<String> = lines.iter().map(Line::text).collect();
        assert_eq!(
            text,
            ["{", r#"  "arguments": (in a string) {"#, r#"    "user_id": "mia_li""#, "  }", "}"]
        );
        let roles: Vec<Role> = lines[2].spans.iter().map(|span| span.style.role).collect();
        assert_eq!(roles, [Role::Plain, Role::JsonKey, Role::JsonPunctuation, Role::JsonString]);
    }

    #[test]
    fn only_objects_and_arrays_from_end_to_end_are_json() {
        for text in ["", "12", "\"text\"", "{\"a\":1} and more", "{", "[1,]", "{a:1}", "[see below]"] {
            assert!(json_text(text, 40).is_none(), "{text}");
        }
        assert_eq!(shown(" [ ] ", 40), ["[]"]);
    }

    #[test]
    fn half_a_surrogate_pair_is_shown_as_written() {
        assert_eq!(shown(r#"{"a":"\ud800"}"#, 40), ["{", r#"  "a": "\ud800""#, "}"]);
    }

    #[test]
    fn no_depth_is_too_deep() {
        let deep = 200_000;
        let text = "[".repeat(deep) + &"]".repeat(deep);
        assert_eq!(json_text(&text, 40).unwrap().len(), 2 * deep - 1);
    }
}
