//! One block as it is shown: pieces under each other, laid out when they are seen.

use super::blocks::{Block, Head};
use super::cut::Source;
use crate::text::{Hit as FindHit, Line, Role, count, find, truncate_line};
use crate::tui::words::{span, words};

/// Columns at the end of a folded line that are kept for the key that unfolds it.
const KEY: usize = 7;
/// Columns by which what was folded is set in.
const INDENT: usize = 2;

/// How much of a block is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Only its head.
    pub folded: bool,
    /// Its long parts too, to their ends.
    pub whole: bool,
}

/// A block with what of it is shown at the present width.
#[derive(Debug, Clone)]
pub struct Laid {
    pub block: Block,
    pub shown: Shown,
    /// One a part.
    sources: Vec<Source>,
    pub pieces: Vec<Piece>,
    /// Which piece says that there is more.
    pub more: Option<usize>,
    /// The line of the conversation at which it begins: the role above it, or its first own line.
    pub start: usize,
    /// Whether the role stands on a line above.
    pub above: bool,
}

/// A piece of a block.
#[derive(Debug, Clone)]
pub struct Piece {
    what: What,
    /// Its lines, once it was laid out.
    pub lines: Option<Vec<Line>>,
    /// How many lines it has, or will have, roughly.
    pub height: usize,
    /// Where the words that are looked for stand in its lines; of one that is not laid out how often they
    /// stand in its text.
    pub hits: Hits,
}

/// What a piece shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// A line that is laid out with the block: its head, or that there is more.
    Own,
    /// This piece of this part.
    Of(usize, usize),
}

/// Words found in a piece.
#[derive(Debug, Clone, PartialEq)]
pub enum Hits {
    Guessed(usize),
    Found(Vec<FindHit>),
}

impl Hits {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::Guessed(count) => *count,
            Self::Found(hits) => hits.len(),
        }
    }

    /// Where they stand, in a piece that was laid out.
    pub fn found(&self) -> &[FindHit] {
        match self {
            Self::Guessed(_) => &[],
            Self::Found(hits) => hits,
        }
    }
}

impl Laid {
    /// A block, nothing of it laid out yet.
    pub fn new(block: Block) -> Self {
        Self {
            shown: Shown { folded: block.head.is_some(), whole: false },
            sources: block.parts.iter().map(Source::of).collect(),
            block,
            pieces: Vec::new(),
            more: None,
            start: 0,
            above: false,
        }
    }

    /// Sets how much is shown, of a block that can be folded at all.
    pub fn show(&mut self, folded: bool, whole: bool) {
        self.shown = Shown { folded: folded && self.block.head.is_some(), whole };
    }

    /// The lines it takes.
    pub fn height(&self) -> usize {
        self.pieces.iter().map(|piece| piece.height).sum::<usize>() + usize::from(self.above)
    }

    /// The line of the conversation at which a piece begins.
    pub fn start_of(&self, piece: usize) -> usize {
        let before = self.pieces.iter().take(piece).map(|piece| piece.height).sum::<usize>();
        self.start + usize::from(self.above) + before
    }

    /// The piece in which a line stands, counted from the block's first own line, and the line within it.
    pub fn piece_at(&self, mut row: usize) -> Option<(usize, usize)> {
        for (at, piece) in self.pieces.iter().enumerate() {
            if row < piece.height {
                return Some((at, row));
            }
            row -= piece.height;
        }
        None
    }

    /// The pieces anew for this many columns, none of a part laid out.
    pub fn again(&mut self, room: usize) {
        self.pieces.clear();
        self.more = None;
        let own = |line: Line| Piece {
            what: What::Own,
            lines: Some(vec![line]),
            height: 1,
            hits: Hits::Found(Vec::new()),
        };
        if let Some(head) = &self.block.head {
            let width = room.saturating_sub(KEY);
            if self.shown.folded {
                self.pieces.push(own(folded(head, width)));
                return;
            }
            let open = words().muted("▾ ").line(&head.name).line(&head.result).done();
            self.pieces.push(own(truncate_line(&open, width)));
        }
        let inner = self.inner(room);
        for (part, (of, source)) in self.block.parts.iter().zip(&self.sources).enumerate() {
            let shown = if self.shown.whole { source.len() } else { source.len().min(source.clip) };
            self.pieces.extend((0..shown).map(|at| Piece {
                what: What::Of(part, at),
                lines: None,
                height: source.guess(of, at, inner).max(1),
                hits: Hits::Guessed(0),
            }));
            if shown < source.len() {
                self.more = Some(self.pieces.len());
                let indent = if self.block.head.is_some() { INDENT } else { 0 };
                let text = format!("{}… {} more", " ".repeat(indent), source.rest(of, shown));
                self.pieces.push(own(words().put(Role::Unsure, text).done()));
                // One line says it for what comes after, too.
                break;
            }
        }
        if self.pieces.is_empty() {
            self.pieces.push(own(Line::default()));
        }
    }

    fn inner(&self, room: usize) -> usize {
        let indent = if self.block.head.is_some() { INDENT } else { 0 };
        room.saturating_sub(indent).max(1)
    }

    /// The bytes of the text in a piece.
    pub fn bytes(&self, at: usize) -> usize {
        let Some(Piece { what: What::Of(part, of), .. }) = self.pieces.get(at) else { return 0 };
        let text = self.sources.get(*part).zip(self.block.parts.get(*part));
        text.map_or(0, |(source, part)| source.piece(part, *of).len())
    }

    /// Lays a piece out, if it is not, and looks for words in it.
    pub fn lay(&mut self, at: usize, room: usize, needle: Option<&str>) {
        let inner = self.inner(room);
        let Some(piece) = self.pieces.get_mut(at) else { return };
        let (What::Of(part, of), None) = (piece.what, &piece.lines) else { return };
        let (Some(source), Some(of_part)) = (self.sources.get(part), self.block.parts.get(part)) else {
            return;
        };
        let mut lines = source.lines(of_part, of, inner);
        if self.block.head.is_some() {
            for line in &mut lines {
                line.spans.insert(0, span(Role::Plain, " ".repeat(INDENT)));
            }
        }
        piece.height = lines.len();
        piece.hits = Hits::Found(needle.map_or_else(Vec::new, |needle| find(&lines, needle)));
        piece.lines = Some(lines);
    }

    /// Looks for words again in what is shown.
    pub fn search(&mut self, needle: &str) {
        for piece in &mut self.pieces {
            piece.hits = match (&piece.lines, piece.what) {
                (Some(lines), _) => Hits::Found(find(lines, needle)),
                (None, What::Of(part, at)) => {
                    let text = self.sources.get(part).zip(self.block.parts.get(part));
                    Hits::Guessed(text.map_or(0, |(source, part)| count(source.piece(part, at), needle)))
                }
                (None, What::Own) => Hits::Guessed(0),
            };
        }
    }

    /// Whether words stand in what is folded or clipped away. What is short is laid out to see: marks of
    /// Markdown may stand between the words of a text.
    pub fn hides(&self, needle: &str, room: usize, budget: &mut usize) -> bool {
        if !self.shown.folded && self.more.is_none() {
            return false;
        }
        let inner = self.inner(room);
        let clipped = |source: &Source| if self.shown.folded { 0 } else { source.clip };
        self.block.parts.iter().zip(&self.sources).any(|(part, source)| {
            (clipped(source)..source.len()).any(|at| {
                let text = source.piece(part, at);
                if text.len() <= *budget {
                    *budget -= text.len();
                    return !find(&source.lines(part, at, inner), needle).is_empty();
                }
                count(text, needle) > 0
            })
        })
    }
}

/// `▸ tool get_account(user_id: 7, op…) → 14 fields`: the gist is cut before the result is.
fn folded(head: &Head, room: usize) -> Line {
    let fixed = 2 + head.name.width() + head.result.width();
    let gist = truncate_line(&head.gist, room.saturating_sub(fixed));
    truncate_line(&words().muted("▸ ").line(&head.name).line(&gist).line(&head.result).done(), room)
}
