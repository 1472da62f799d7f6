//! A conversation to read: roles at the left, Markdown and JSON laid out, tool calls and retrieved context
//! folded to a line, words found and marked. Used wherever messages are shown: Review, a trace, an eval
//! case.
//!
//! ```text
//!  user        I was charged a €35 overdraft fee but my salary arrived the same
//!              day. Can you take it back?
//!
//!              ▸ tool get_account(user_id: u-7) → 14 fields  space
//!              ▸ tool get_fees(month: November) → 2 items
//!
//!  assistant   I understand, that is annoying! …
//! ```
//!
//! One folded line is pointed at, by the key that unfolds it; other keys point at the next one.
//!
//! Call [`Talk::lay`] from the screen's `settle` with the pane's size; pass it the commands of moving,
//! folding and finding; draw [`Talk::caption`] into a rule beside it. `blocks` makes blocks of what is to
//! be read, `cut` cuts long parts into pieces, `lay` makes lines of a piece. A piece is laid out once, when it
//! comes on the page; until then its height is a guess. A conversation of a usual length is laid out at once,
//! so that nothing in it is guessed.

mod blocks;
mod cut;
mod lay;
mod search;

use self::lay::Laid;
use self::view::BAR;
use super::scroll::Scroll;
use crate::command::table::{app, talk as rows};
use crate::command::{Id, When};
use crate::domain::Trace;
use crate::text::figures;

pub use self::blocks::{Block, Part, of_content};

/// Columns of the roles at the left, with the margin before them.
const ROLES: usize = 13;
/// Text wider than this is hard to read.
const WIDEST: usize = 100;
/// Below this width the roles stand above what is said.
const NARROW: usize = 50;
/// The first so many bytes are laid out at once, seen or not.
const AT_ONCE: usize = 96 * 1024;

/// A conversation and where one is in it.
#[derive(Debug, Clone, Default)]
pub struct Talk {
    laid: Vec<Laid>,
    cols: usize,
    /// Lines in all.
    height: usize,
    scroll: Scroll,
    /// What was pointed at last: it counts while it is on the page.
    pointed: Option<Spot>,
    found: Option<Found>,
}

/// A line that can be unfolded, folded, or shows that there is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spot {
    Head(usize),
    More(usize),
}

/// Words that were looked for, and the place where the reader is among them.
#[derive(Debug, Clone)]
struct Found {
    needle: String,
    current: Place,
}

/// A place where words were found: a block, a piece of it, and one of the hits there.
type Place = (usize, usize, usize);

/// A line at the top of the page: its block, the piece of it, and the line there.
type Anchor = (usize, usize, usize);

impl Talk {
    /// The conversation of a trace, laid out for this many columns. Of several turns the last one is on
    /// top, question and answer: that answer is what one came for, and the others are how it came about.
    pub fn new(trace: &Trace, cols: u16) -> Self {
        let (blocks, question) = blocks::of_trace(trace);
        let mut talk = Self::of(blocks, cols);
        let (before, from) = talk.laid.split_at(question);
        if let (Some(question), true) = (from.first(), before.iter().any(|laid| !laid.block.standing)) {
            talk.scroll.top = question.start;
        }
        talk
    }

    /// These blocks, laid out for this many columns.
    pub fn of(blocks: Vec<Block>, cols: u16) -> Self {
        let laid = blocks.into_iter().map(Laid::new).collect();
        let mut talk = Self { laid, ..Self::default() };
        talk.again(cols);
        talk
    }

    /// Whether these are its blocks.
    pub fn is_of(&self, blocks: &[Block]) -> bool {
        self.laid.iter().map(|laid| &laid.block).eq(blocks)
    }

    /// Scrolled as far as another one was.
    pub fn scrolled_as(self, other: &Self) -> Self {
        Self { scroll: other.scroll, ..self }
    }

    /// Lays it out for this many columns, if it is not, and keeps a page of so many rows full. The line at
    /// the top stays.
    pub fn lay(&mut self, cols: u16, page: u16) {
        if self.cols != usize::from(cols) {
            self.again(cols);
        }
        self.fill(usize::from(page));
    }

    fn again(&mut self, cols: u16) {
        let anchor = self.anchor();
        self.cols = usize::from(cols);
        let room = self.room();
        for laid in &mut self.laid {
            laid.above = self.cols < NARROW && !laid.block.who.is_empty();
            laid.again(room);
        }
        self.lay_first(room);
        self.search_again();
        self.stack(anchor);
    }

    /// Lays out what is first, as much as is laid out at once.
    fn lay_first(&mut self, room: usize) {
        let mut left = AT_ONCE;
        for laid in &mut self.laid {
            for at in 0..laid.pieces.len() {
                left = left.saturating_sub(laid.bytes(at));
                if left == 0 {
                    return;
                }
                laid.lay(at, room, None);
            }
        }
    }

    /// Lays out what is on a page of so many rows.
    fn fill(&mut self, page: usize) {
        let room = self.room();
        self.scroll.clamp(self.height, page);
        // At the end one stays at the end, however wrong the guesses were.
        let at_end = self.height > page && self.scroll.top + page >= self.height;
        // Each turn lays out a piece or is the last.
        loop {
            let (top, end) = (self.scroll.top, self.scroll.top + page);
            let needle = self.found.as_ref().map(|found| found.needle.as_str());
            let (first, mut anchor, mut changed) = (self.block_at(top), None, false);
            'page: for block in first..self.laid.len() {
                let mut start = self.laid[block].start_of(0);
                for at in 0..self.laid[block].pieces.len() {
                    if start >= end {
                        break 'page;
                    }
                    let piece = &self.laid[block].pieces[at];
                    if start + piece.height > top && piece.lines.is_none() {
                        anchor.get_or_insert_with(|| self.anchor());
                        self.laid[block].lay(at, room, needle);
                        changed = true;
                    }
                    start += self.laid[block].pieces[at].height;
                }
            }
            let Some(anchor) = anchor.filter(|_| changed) else { return };
            self.stack(anchor);
            if at_end {
                self.scroll.top = self.height.saturating_sub(page);
            }
            self.scroll.clamp(self.height, page);
        }
    }

    fn room(&self) -> usize {
        let margin = if self.cols < NARROW { 2 } else { ROLES };
        self.cols.saturating_sub(margin + usize::from(BAR)).clamp(12, WIDEST)
    }

    /// Puts the blocks under each other, and what was at the top there again.
    fn stack(&mut self, (top, piece, row): Anchor) {
        let (mut at, mut folded_before) = (0, false);
        for laid in &mut self.laid {
            let folded = laid.block.head.is_some() && laid.shown.folded;
            if at > 0 && !laid.block.close && !(folded && folded_before) {
                at += 1;
            }
            laid.start = at;
            at += laid.height();
            folded_before = folded;
        }
        self.height = at;
        if self.scroll.top > 0
            && let Some(laid) = self.laid.get(top)
        {
            let last = laid.start + laid.height().saturating_sub(1);
            let height = laid.pieces.get(piece).map_or(0, |piece| piece.height);
            self.scroll.top = (laid.start_of(piece) + row.min(height.saturating_sub(1))).min(last);
        }
    }

    fn anchor(&self) -> Anchor {
        let block = self.block_at(self.scroll.top);
        let Some(laid) = self.laid.get(block) else { return (0, 0, 0) };
        let row = self.scroll.top.saturating_sub(laid.start + usize::from(laid.above));
        let (piece, row) = laid.piece_at(row).unwrap_or((laid.pieces.len(), 0));
        (block, piece, row)
    }

    /// The block that a line belongs to; an empty line to the one before it.
    fn block_at(&self, line: usize) -> usize {
        self.laid.partition_point(|laid| laid.start <= line).saturating_sub(1)
    }

    /// Whether the condition of one of the commands of a conversation holds.
    pub fn holds(&self, when: When) -> bool {
        match when {
            rows::FOLDABLE => self.laid.iter().any(|laid| laid.block.head.is_some() || laid.more.is_some()),
            rows::HAS_MATCHES => self.hits() > 0,
            _ => false,
        }
    }

    /// Whether this is one of the commands of a conversation.
    pub fn knows(id: Id) -> bool {
        rows::ROWS.iter().any(|row| row.id == id)
    }

    /// Moves, folds or goes among what was found, as a command says; false for another command. Backing out
    /// ends a search.
    pub fn command(&mut self, id: Id, page: usize) -> bool {
        match id {
            rows::FOLD | app::OPEN => {
                if let Some(spot) = self.spot(page) {
                    self.toggle(spot, page);
                }
            }
            rows::FOLD_ALL => self.toggle_all(page),
            rows::NEXT_FOLD => self.point(true, page),
            rows::PREVIOUS_FOLD => self.point(false, page),
            rows::NEXT_MATCH => self.next_match(true, page),
            rows::PREVIOUS_MATCH => self.next_match(false, page),
            app::BACK if self.found.is_some() => {
                self.find("", page);
            }
            other => {
                let moved = self.scroll.command(other, self.height, page);
                self.fill(page);
                return moved;
            }
        }
        true
    }

    /// Scrolls by rows.
    pub fn by(&mut self, rows: i32, page: usize) {
        self.scroll.by(i64::from(rows), self.height, page);
    }

    /// Unfolds or folds what stands on a line that was clicked.
    pub fn clicked(&mut self, index: usize, page: usize) {
        let clicked = self.spots().find(|(line, _)| *line == index);
        if let Some((_, spot)) = clicked {
            self.toggle(spot, page);
        }
    }

    /// What can be unfolded or folded, from top to bottom, each with its line.
    fn spots(&self) -> impl Iterator<Item = (usize, Spot)> {
        self.laid.iter().enumerate().flat_map(|(at, laid)| {
            let first = laid.start + usize::from(laid.above);
            let head = laid.block.head.as_ref().map(|_| (first, Spot::Head(at)));
            let more = laid.more.map(|piece| (laid.start_of(piece), Spot::More(at)));
            head.into_iter().chain(more)
        })
    }

    /// What is pointed at: what was pointed at last, else the first on the page, standing instructions
    /// after all others. In the midst of what was unfolded, its head.
    fn spot(&self, page: usize) -> Option<Spot> {
        let shown: Vec<Spot> = self
            .spots()
            .skip_while(|(line, _)| *line < self.scroll.top)
            .take_while(|(line, _)| *line < self.scroll.top + page)
            .map(|(_, spot)| spot)
            .collect();
        let standing = |spot: &Spot| matches!(spot, Spot::Head(at) if self.laid[*at].block.standing);
        self.pointed
            .filter(|spot| shown.contains(spot))
            .or_else(|| shown.iter().copied().find(|spot| !standing(spot)))
            .or_else(|| shown.first().copied())
            .or_else(|| {
                let here = self.block_at(self.scroll.top);
                self.laid.get(here)?.block.head.as_ref().map(|_| Spot::Head(here))
            })
    }

    /// Points at the next line that can be unfolded, or the one before.
    fn point(&mut self, forwards: bool, page: usize) {
        let spots: Vec<(usize, Spot)> = self.spots().collect();
        let here = self.spot(page).and_then(|spot| spots.iter().position(|(_, other)| *other == spot));
        let next = match here {
            Some(here) if forwards => Some(here + 1),
            Some(here) => here.checked_sub(1),
            // Nothing is on the page: what comes after it, or before.
            None if forwards => spots.iter().position(|(line, _)| *line >= self.scroll.top),
            None => spots.iter().rposition(|(line, _)| *line < self.scroll.top),
        };
        if let Some((line, spot)) = next.and_then(|next| spots.get(next)) {
            self.pointed = Some(*spot);
            self.scroll.reveal(*line, self.height, page);
        }
    }

    fn toggle(&mut self, spot: Spot, page: usize) {
        let anchor = self.anchor();
        let (Spot::Head(at) | Spot::More(at)) = spot;
        let room = self.room();
        let Some(laid) = self.laid.get_mut(at) else { return };
        match spot {
            Spot::Head(_) => laid.show(!laid.shown.folded, false),
            Spot::More(_) => laid.show(false, true),
        }
        laid.again(room);
        self.lay_first(room);
        self.search_again();
        self.stack(anchor);
        self.pointed = Some(Spot::Head(at));
        self.fill(page);
        // Folded from its midst, its head comes back into sight.
        if self.laid[at].shown.folded && self.laid[at].start < self.scroll.top {
            self.scroll.reveal(self.laid[at].start, self.height, page);
        }
    }

    fn toggle_all(&mut self, page: usize) {
        let fold = self.laid.iter().all(|laid| !laid.shown.folded && laid.more.is_none());
        let (anchor, room) = (self.anchor(), self.room());
        for laid in &mut self.laid {
            laid.show(fold, !fold);
            laid.again(room);
        }
        self.lay_first(room);
        self.search_again();
        self.stack(anchor);
        self.fill(page);
    }
}

fn number(n: usize) -> String {
    figures::thousands(i64::try_from(n).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
mod view;
