//! A conversation to read: roles at the left, Markdown and JSON laid out, tool calls and retrieved context
//! folded to a line, words found and marked. Used wherever a trace is shown whole.
//!
//! ```text
//!  user        I was charged a €35 overdraft fee but my salary arrived the same
//!              day. Can you take it back?
//!
//!  assistant   I understand, that is annoying! …
//!              ▸ tool get_account(user_id) → 14 fields                      space
//! ```
//!
//! Call [`Talk::lay`] from the screen's `settle` with the pane's width; pass it the commands of moving,
//! folding and finding.

mod blocks;

use ratatui::layout::Rect;

use self::blocks::{Block, Part};
use super::scroll::Scroll;
use crate::command::Id;
use crate::command::table::talk as rows;
use crate::domain::Trace;
use crate::text::{Hit as FindHit, Line, Role, Span, find, json, mark, readable, wrap_line};
use crate::tui::canvas::{Canvas, Hit, Pane};
use crate::tui::words::{line, span, words};

/// Columns of the roles at the left.
const ROLES: usize = 12;
/// Text wider than this is hard to read.
const WIDEST: usize = 100;
/// Below this width the roles stand above what is said.
const NARROW: usize = 50;
/// Characters of a part that are laid out before it is unfolded, and lines that are shown of them.
const CLIP: usize = 48 * 1024;
const CLIP_LINES: usize = 600;

/// A conversation and where one is in it.
#[derive(Debug, Clone, Default)]
pub struct Talk {
    blocks: Vec<Block>,
    /// Blocks whose long parts are shown whole.
    whole: Vec<bool>,
    cols: usize,
    lines: Vec<Line>,
    /// Where each block begins in the lines.
    starts: Vec<usize>,
    scroll: Scroll,
    found: Option<Found>,
}

/// Words that were looked for.
#[derive(Debug, Clone, Default)]
struct Found {
    needle: String,
    hits: Vec<FindHit>,
    current: usize,
}

impl Talk {
    /// The conversation of a trace, laid out for this many columns.
    pub fn new(trace: &Trace, cols: usize) -> Self {
        let blocks = blocks::of_trace(trace);
        let mut talk = Self { whole: vec![false; blocks.len()], blocks, ..Self::default() };
        talk.lay(cols);
        talk
    }

    /// Lays it out for this many columns, if it is not. The line at the top stays.
    pub fn lay(&mut self, cols: usize) {
        if self.cols != cols {
            self.cols = cols;
            self.lay_again();
        }
    }

    fn lay_again(&mut self) {
        let anchor = self.anchor();
        let narrow = self.cols < NARROW;
        let margin = if narrow { 2 } else { ROLES + 1 };
        // The last columns are the scroll bar's.
        let room = self.cols.saturating_sub(margin + 2).clamp(12, WIDEST);
        let (mut lines, mut starts) = (Vec::new(), Vec::new());
        let mut last_folded = false;
        for (at, block) in self.blocks.iter().enumerate() {
            let whole = self.whole.get(at).copied().unwrap_or(false);
            let folded = block.head.is_some() && block.folded;
            let close = folded && last_folded;
            if !lines.is_empty() && !close {
                lines.push(Line::default());
            }
            last_folded = folded;
            starts.push(lines.len());
            let first = lines.len();
            if let Some(head) = &block.head {
                lines.push(words().muted(if block.folded { "▸ " } else { "▾ " }).line(head).done());
            }
            if !folded {
                for part in &block.parts {
                    lay_part(part, room, whole, &mut lines);
                }
            }
            let mut who = block.who.clone();
            let who_wide = who.width();
            if narrow {
                for line in &mut lines[first..] {
                    line.spans.insert(0, span(Role::Plain, "  "));
                }
                if who_wide > 0 {
                    who.spans.insert(0, span(Role::Plain, " "));
                    lines.insert(first, who);
                }
            } else {
                for (row, line) in lines[first..].iter_mut().enumerate() {
                    let mut spans = vec![span(Role::Plain, " ")];
                    if row == 0 && who_wide > 0 {
                        let who = crate::text::truncate_line(&who, ROLES - 2);
                        let gap = ROLES - who.width();
                        spans.extend(who.spans);
                        spans.push(span(Role::Plain, " ".repeat(gap)));
                    } else {
                        spans[0] = span(Role::Plain, " ".repeat(margin));
                    }
                    spans.append(&mut line.spans);
                    line.spans = spans;
                }
            }
        }
        self.lines = lines;
        self.starts = starts;
        self.return_to(anchor);
        if let Some(found) = self.found.take() {
            let hits = find(&self.lines, &found.needle);
            let current = found.current.min(hits.len().saturating_sub(1));
            self.found = Some(Found { hits, current, ..found });
        }
    }

    /// The block at the top of the page, and how far into it.
    fn anchor(&self) -> (usize, usize) {
        let block = self.starts.partition_point(|start| *start <= self.scroll.top).saturating_sub(1);
        (block, self.scroll.top.saturating_sub(self.starts.get(block).copied().unwrap_or(0)))
    }

    fn return_to(&mut self, (block, rows): (usize, usize)) {
        if self.scroll.top == 0 {
            return;
        }
        let start = self.starts.get(block).copied().unwrap_or(0);
        let end = self.starts.get(block + 1).copied().unwrap_or(self.lines.len());
        self.scroll.top = (start + rows).min(end.saturating_sub(1).max(start));
    }

    /// The lines, and which of them is at the top.
    pub fn position(&self) -> (usize, usize) {
        (self.scroll.top, self.lines.len())
    }

    /// Moves, folds or goes among what was found, as a command says; false for another command.
    pub fn command(&mut self, id: Id, page: usize) -> bool {
        match id {
            rows::FOLD => self.toggle_in_view(page),
            rows::FOLD_ALL => self.toggle_all(page),
            rows::NEXT_MATCH => self.next_match(1, page),
            rows::PREVIOUS_MATCH => self.next_match(-1, page),
            other => return self.scroll.command(other, self.lines.len(), page),
        }
        true
    }

    /// Whether something can be folded or unfolded.
    pub fn foldable(&self) -> bool {
        self.blocks.iter().any(|block| block.head.is_some()) || self.clipped()
    }

    /// Whether words were looked for and found.
    pub fn has_matches(&self) -> bool {
        self.found.as_ref().is_some_and(|found| !found.hits.is_empty())
    }

    /// Scrolls by rows.
    pub fn wheel(&mut self, rows: i32, page: usize) {
        self.scroll.by(i64::from(rows), self.lines.len(), page);
    }

    /// Unfolds or folds one block, such as one that was clicked.
    pub fn toggle(&mut self, block: usize, page: usize) {
        if let Some(block) = self.blocks.get_mut(block).filter(|block| block.head.is_some()) {
            block.folded = !block.folded;
            self.lay_again();
            self.scroll.clamp(self.lines.len(), page);
        }
    }

    /// Unfolds what is folded on the page; folds it again when nothing is.
    fn toggle_in_view(&mut self, page: usize) {
        let (from, to) = (self.scroll.top, self.scroll.top + page);
        let ends = self.starts.iter().skip(1).copied().chain([self.lines.len()]);
        let seen: Vec<usize> = self
            .starts
            .iter()
            .copied()
            .zip(ends)
            .enumerate()
            .filter(|(_, (start, end))| *start < to && *end > from)
            .map(|(at, _)| at)
            .collect();
        let of = |with_tools: bool| {
            let fits =
                |at: &usize| self.blocks[*at].head.is_some() && self.blocks[*at].with_tools == with_tools;
            seen.iter().copied().filter(fits).collect::<Vec<usize>>()
        };
        let mut wanted = of(true);
        if wanted.is_empty() {
            wanted = of(false);
        }
        let clipped: Vec<usize> = seen.iter().copied().filter(|at| self.clipped_block(*at)).collect();
        let fold =
            !wanted.is_empty() && wanted.iter().all(|at| !self.blocks[*at].folded) && clipped.is_empty();
        for at in wanted {
            self.blocks[at].folded = fold;
        }
        for at in clipped {
            self.whole[at] = true;
        }
        self.lay_again();
        self.scroll.clamp(self.lines.len(), page);
    }

    fn toggle_all(&mut self, page: usize) {
        let fold = self.blocks.iter().all(|block| block.head.is_none() || !block.folded) && !self.clipped();
        for block in &mut self.blocks {
            block.folded = fold;
        }
        self.whole.fill(!fold);
        self.lay_again();
        self.scroll.clamp(self.lines.len(), page);
    }

    fn clipped(&self) -> bool {
        (0..self.blocks.len()).any(|at| self.clipped_block(at))
    }

    fn clipped_block(&self, at: usize) -> bool {
        let long = |part: &Part| match part {
            Part::Words(text) => text.raw().len() > CLIP,
            _ => false,
        };
        !self.whole[at] && self.blocks[at].parts.iter().any(long)
    }

    /// Looks for words, unfolding where they stand, and goes to the first from the page's top on. Gives
    /// how many places there are. Empty words end the search.
    pub fn find(&mut self, needle: &str, page: usize) -> usize {
        self.found = None;
        if needle.trim().is_empty() {
            return 0;
        }
        let before: Vec<bool> = self.blocks.iter().map(|block| block.folded).collect();
        for block in &mut self.blocks {
            block.folded = false;
        }
        self.whole.fill(true);
        self.lay_again();
        let hits = find(&self.lines, needle);
        // What was unfolded in vain is folded again.
        let mut lines: Vec<usize> = hits.iter().map(|hit| hit.line).collect();
        lines.dedup();
        for (at, folded) in before.into_iter().enumerate() {
            let start = self.starts[at];
            let end = self.starts.get(at + 1).copied().unwrap_or(self.lines.len());
            let hit = lines.iter().any(|line| (start..end).contains(line));
            self.blocks[at].folded = folded && !hit;
        }
        self.found = Some(Found { needle: needle.to_owned(), hits: Vec::new(), current: 0 });
        self.lay_again();
        let Some(found) = &mut self.found else { return 0 };
        let top = self.scroll.top;
        found.current = found.hits.iter().position(|hit| hit.line >= top).unwrap_or(0);
        let count = found.hits.len();
        self.next_match(0, page);
        count
    }

    fn next_match(&mut self, step: isize, page: usize) {
        if let Some(found) = &mut self.found
            && !found.hits.is_empty()
        {
            let count = found.hits.len();
            found.current = (found.current + count).wrapping_add_signed(step) % count;
            let to = found.hits[found.current].line;
            self.scroll.reveal(to, self.lines.len(), page);
        }
    }

    /// `3 of 12 "fee"`, when words were looked for.
    pub fn search_words(&self) -> Option<Line> {
        let found = self.found.as_ref()?;
        let words = match found.hits.len() {
            0 => words().put(Role::Unsure, "not here: "),
            count => words().put(Role::Match, format!("{} of {count}", found.current + 1)).plain(" "),
        };
        Some(words.plain(format!("\"{}\"", found.needle)).done())
    }

    /// Draws it. `fold_key` is the key that unfolds what is on the page.
    pub fn view(&self, canvas: &mut Canvas<'_>, area: Rect, pane: Pane, fold_key: &str) {
        canvas.pane(area, pane);
        let page = usize::from(area.height);
        let top = self.scroll.top.min(self.lines.len().saturating_sub(1));
        let visible = &self.lines[top..(top + page).min(self.lines.len())];
        let marked;
        let visible = match &self.found {
            Some(found) => {
                marked = mark(visible, top, &found.hits, Some(found.current));
                &marked[..]
            }
            None => visible,
        };
        let long = self.lines.len() > page;
        let text = Rect { width: area.width.saturating_sub(if long { 2 } else { 0 }), ..area };
        for (row, (area, line)) in text.rows().zip(visible).enumerate() {
            let block = self.starts.binary_search(&(top + row)).ok();
            let folded = block.is_some_and(|at| self.blocks[at].head.is_some() && self.blocks[at].folded);
            if let Some(at) = block.filter(|at| self.blocks[*at].head.is_some()) {
                canvas.hit(area, Hit::Row { pane, index: at });
            }
            if folded && line.width() + fold_key.len() + 2 < usize::from(area.width) {
                canvas.line_right(area, &super::super::words::line(Role::Muted, fold_key));
            }
            canvas.line(area, line);
        }
        if long {
            super::scroll::bar(canvas, area, top, page, self.lines.len());
        }
    }
}

fn lay_part(part: &Part, room: usize, whole: bool, lines: &mut Vec<Line>) {
    match part {
        Part::Words(text) => {
            let raw = text.raw();
            let cut = if whole || raw.len() <= CLIP { raw.len() } else { raw.floor_char_boundary(CLIP) };
            let mut laid = readable(&raw[..cut], room);
            let hidden = laid.len().saturating_sub(if whole { usize::MAX } else { CLIP_LINES });
            if cut < raw.len() && hidden > 0 {
                laid.truncate(CLIP_LINES);
            }
            lines.append(&mut laid);
            if cut < raw.len() {
                let size = crate::text::figures::size((raw.len() - cut) as u64);
                lines.push(
                    words().put(Role::Unsure, format!("… {size} more")).muted(" (unfold to see it)").done(),
                );
            }
        }
        Part::Value(value) => lines.extend(json(value, room)),
        Part::Note(note) => lines.extend(wrap_line(note, room, &[] as &[Span], &[])),
    }
    if lines.is_empty() {
        lines.push(line(Role::Plain, ""));
    }
}

#[cfg(test)]
mod tests;
