//! Long parts cut into pieces, so that a page of a conversation costs the lines of a page and not those of
//! five megabytes. Cutting looks at each byte once; laying out comes later, piece by piece, when one is seen.

use std::borrow::Cow;
use std::ops::Range;

use super::blocks::Part;
use crate::text::{Line, figures, json_piece, json_pieces, markdown, readable, wrap_line};

/// Bytes from which a text is cut where a paragraph ends.
const SOFT: usize = 16 * 1024;
/// Bytes that no piece of a text passes; as many are shown before it is shown whole.
pub const HARD: usize = 48 * 1024;
/// Lines of a piece of JSON, roughly.
const JSON_LINES: usize = 200;
/// So many pieces of JSON are shown before it is shown whole.
const JSON_CLIP: usize = 3;

/// A part with its pieces.
#[derive(Debug, Clone)]
pub struct Source {
    /// The text of a value; that of words is in the part.
    value: Option<String>,
    pieces: Vec<Piece>,
    /// So many of them are shown before all are.
    pub clip: usize,
}

/// A stretch of a part, laid out by itself.
#[derive(Debug, Clone)]
struct Piece {
    range: Range<usize>,
    how: How,
}

/// How a piece is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// A line of ours.
    Note,
    /// The text is not cut: as what it is.
    Whole,
    /// Markdown; it may begin behind an empty line, or inside a block of code.
    Markdown { gap: bool, fenced: bool },
    /// A stretch of JSON that begins so deep inside.
    Json { depth: usize, lines: usize },
}

impl Source {
    /// Cuts a part.
    pub fn of(part: &Part) -> Self {
        let (value, text) = match part {
            Part::Words(text) => (None, Cow::Borrowed(text.raw())),
            Part::Value(value) => (Some(value.to_string()), Cow::Borrowed("")),
            Part::Note(_) => {
                return Self { value: None, pieces: vec![Piece { range: 0..0, how: How::Note }], clip: 1 };
            }
        };
        let text = value.as_deref().unwrap_or(&text);
        // Short Markdown needs no second look; JSON takes many lines for few bytes.
        let json = if value.is_some() || text.len() > HARD || text.trim_start().starts_with(['{', '[']) {
            json_pieces(text, JSON_LINES, SOFT)
        } else {
            None
        };
        let (pieces, clip) = match json {
            Some(pieces) => {
                let piece = |of: crate::text::JsonPiece| Piece {
                    range: of.range,
                    how: How::Json { depth: of.depth, lines: of.lines },
                };
                (pieces.into_iter().map(piece).collect(), JSON_CLIP)
            }
            // A scalar.
            None if value.is_some() && text.len() <= HARD => {
                (vec![Piece { range: 0..text.len(), how: How::Json { depth: 0, lines: 1 } }], 1)
            }
            None if text.len() <= HARD => (vec![Piece { range: 0..text.len(), how: How::Whole }], 1),
            None => {
                let pieces = of_text(text);
                let clip = pieces.iter().take_while(|piece| piece.range.end <= HARD).count().max(1);
                (pieces, clip)
            }
        };
        Self { value, pieces, clip }
    }

    /// How many pieces it has.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    fn text<'a>(&'a self, part: &'a Part) -> &'a str {
        match part {
            Part::Words(text) => text.raw(),
            Part::Value(_) => self.value.as_deref().unwrap_or_default(),
            Part::Note(_) => "",
        }
    }

    /// What stands in a piece.
    pub fn piece<'a>(&'a self, part: &'a Part, at: usize) -> &'a str {
        let text = self.text(part);
        self.pieces.get(at).and_then(|piece| text.get(piece.range.clone())).unwrap_or_default()
    }

    /// How much comes from this piece on, for people.
    pub fn rest(&self, part: &Part, from: usize) -> String {
        let start = self.pieces.get(from).map_or(0, |piece| piece.range.start);
        figures::size((self.text(part).len() - start) as u64)
    }

    /// The lines of a piece.
    pub fn lines(&self, part: &Part, at: usize, room: usize) -> Vec<Line> {
        let Some(piece) = self.pieces.get(at) else { return Vec::new() };
        let text = self.piece(part, at);
        match (piece.how, part) {
            (How::Note, Part::Note(note)) => wrap_line(note, room, &[], &[]),
            (How::Note, _) => Vec::new(),
            (How::Whole, _) => readable(text, room),
            (How::Json { depth, .. }, _) => json_piece(text, depth, room),
            (How::Markdown { gap, fenced }, _) => {
                let mut lines =
                    if fenced { markdown(&format!("```\n{text}"), room) } else { markdown(text, room) };
                if gap {
                    lines.insert(0, Line::default());
                }
                lines
            }
        }
    }

    /// How many lines a piece will take, roughly and without laying it out.
    pub fn guess(&self, part: &Part, at: usize, room: usize) -> usize {
        let Some(piece) = self.pieces.get(at) else { return 0 };
        let text = self.piece(part, at);
        match piece.how {
            How::Json { lines, .. } => lines.max(text.len() / room),
            _ => text.lines().map(|line| line.len().div_ceil(room).max(1)).sum::<usize>().max(1),
        }
    }
}

/// Cuts a text: where a paragraph ends, else a line, else a word.
fn of_text(text: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let (mut start, mut gap, mut began_fenced, mut fenced, mut at) = (0, false, false, false, 0);
    for line in text.split_inclusive('\n') {
        let blank = line.trim().is_empty();
        let long = at - start;
        if long >= SOFT && (blank && !fenced || long + line.len() > HARD) {
            pieces.push(Piece { range: start..at, how: How::Markdown { gap, fenced: began_fenced } });
            (start, gap, began_fenced) = (at, blank && !fenced, fenced);
        }
        at += line.len();
        while at - start > HARD {
            let most = text.floor_char_boundary(start + HARD);
            let word = text[start..most].rfind([' ', '\n']).filter(|word| *word > HARD / 2);
            let end = word.map_or(most, |word| start + word + 1);
            pieces.push(Piece { range: start..end, how: How::Markdown { gap, fenced: began_fenced } });
            (start, gap, began_fenced) = (end, false, fenced);
        }
        if line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~") {
            fenced = !fenced;
        }
    }
    if start < text.len() {
        pieces.push(Piece { range: start..text.len(), how: How::Markdown { gap, fenced: began_fenced } });
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(part: &Part, room: usize) -> Vec<String> {
        let source = Source::of(part);
        let all = (0..source.len()).flat_map(|at| source.lines(part, at, room));
        all.map(|line| line.text()).collect()
    }

    proptest! {
        #[test]
        fn pieces_are_the_text_and_none_is_long(words in prop::collection::vec("[a-zäé` ]{0,900}\n{0,2}", 0..300)) {
            let text = words.concat();
            let pieces = of_text(&text);
            let joined: String = pieces.iter().map(|piece| &text[piece.range.clone()]).collect();
            prop_assert_eq!(&joined, &text);
            prop_assert!(pieces.iter().all(|piece| piece.range.len() <= HARD && !piece.range.is_empty()));
        }
    }

    #[test]
    fn cut_json_reads_as_json_in_one_piece() {
        let rows: Vec<_> = (0..900)
            .map(|n| serde_json::json!({"n": n, "tags": [1, 2, 3], "in": {"a": [], "b": {"c": "x y"}}, "s": "[1]"}))
            .collect();
        let value = serde_json::json!({"rows": rows, "last": true});
        let whole_at_once: Vec<String> = crate::text::json(&value, 60).iter().map(Line::text).collect();
        let part = Part::Value(value);
        assert!(Source::of(&part).len() > 5);
        assert_eq!(whole(&part, 60), whole_at_once);
    }

    #[test]
    fn paragraphs_keep_their_gap_and_code_its_look() {
        let paragraphs = Part::Words("one two three\n\n".repeat(4_000).as_str().into());
        let lines = whole(&paragraphs, 60);
        assert_eq!(lines.len(), 7_999);
        assert!(lines.iter().step_by(2).all(|line| line == "one two three"));
        let code = format!("```\n{}```\nafter **all**", "let x = *y*;\n".repeat(6_000));
        let lines = whole(&Part::Words(code.as_str().into()), 60);
        assert!(Source::of(&Part::Words(code.as_str().into())).len() > 1);
        assert_eq!(lines.iter().filter(|line| line.contains("let x = *y*;")).count(), 6_000);
        assert_eq!(lines.last().map(|line| line.trim()), Some("after all"));
    }
}
