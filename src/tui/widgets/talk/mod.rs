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
//! be read, `lay` lines of a block; a block is laid out when it or the width changes, never per frame.

mod blocks;
mod lay;

use ratatui::layout::Rect;

use self::lay::Shown;
use super::scroll::{Scroll, bar};
use crate::command::table::{app, talk as rows};
use crate::command::{Id, When};
use crate::domain::Trace;
use crate::text::{Hit as FindHit, Line, Role, Style, figures, find, mark, truncate_line};
use crate::tui::canvas::{Canvas, Hit, Pane};
use crate::tui::screen::Env;
use crate::tui::words::{line, words};

pub use self::blocks::{Block, Part, of_content};

/// Columns of the roles at the left, with the margin before them.
const ROLES: usize = 13;
/// Text wider than this is hard to read.
const WIDEST: usize = 100;
/// Below this width the roles stand above what is said.
const NARROW: usize = 50;
/// The columns at the right that are the scroll bar's.
const BAR: u16 = 2;

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

/// A block with its lines for the present width.
#[derive(Debug, Clone)]
struct Laid {
    block: Block,
    shown: Shown,
    lines: Vec<Line>,
    /// Which line says that there is more.
    more: Option<usize>,
    /// Where the words that are looked for stand in the lines.
    hits: Vec<FindHit>,
    /// The line of the conversation at which it begins: the role above it, or its first own line.
    start: usize,
    /// Whether the role stands on a line above.
    above: bool,
}

/// A line that can be unfolded, folded, or shows that there is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spot {
    Head(usize),
    More(usize),
}

/// Words that were looked for, and the place where the reader is among them: a block and one of its hits.
#[derive(Debug, Clone)]
struct Found {
    needle: String,
    current: (usize, usize),
}

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
        let laid = |block: Block| Laid {
            shown: Shown { folded: block.head.is_some(), whole: false },
            block,
            lines: Vec::new(),
            more: None,
            hits: Vec::new(),
            start: 0,
            above: false,
        };
        let mut talk = Self { laid: blocks.into_iter().map(laid).collect(), ..Self::default() };
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
        self.scroll.clamp(self.height, usize::from(page));
    }

    fn again(&mut self, cols: u16) {
        self.cols = usize::from(cols);
        let (anchor, room) = (self.anchor(), self.room());
        for laid in &mut self.laid {
            laid.above = self.cols < NARROW && !laid.block.who.is_empty();
            laid.again(room);
        }
        self.search_again();
        self.stack(anchor);
    }

    fn room(&self) -> usize {
        let margin = if self.cols < NARROW { 2 } else { ROLES };
        self.cols.saturating_sub(margin + usize::from(BAR)).clamp(12, WIDEST)
    }

    /// Puts the blocks under each other, and what was at the top there again.
    fn stack(&mut self, (top, rows): (usize, usize)) {
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
            self.scroll.top = laid.start + rows.min(laid.height().saturating_sub(1));
        }
    }

    /// The block at the top of the page, and how far into it.
    fn anchor(&self) -> (usize, usize) {
        let block = self.block_at(self.scroll.top);
        (block, self.scroll.top.saturating_sub(self.laid.get(block).map_or(0, |laid| laid.start)))
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
            other => return self.scroll.command(other, self.height, page),
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
            let more = laid.more.map(|line| (first + line, Spot::More(at)));
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
        self.search_again();
        self.stack(anchor);
        self.pointed = Some(Spot::Head(at));
        self.scroll.clamp(self.height, page);
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
        self.search_again();
        self.stack(anchor);
        self.scroll.clamp(self.height, page);
    }

    /// The words that are looked for.
    pub fn needle(&self) -> &str {
        self.found.as_ref().map_or("", |found| &found.needle)
    }

    /// How many places were found.
    fn hits(&self) -> usize {
        self.laid.iter().map(|laid| laid.hits.len()).sum()
    }

    /// Looks for words, unfolding where they stand, and goes to the first from the page's top on. Gives
    /// how many places there are. Empty words end the search.
    pub fn find(&mut self, needle: &str, page: usize) -> usize {
        let needle = needle.trim();
        self.found = None;
        if needle.is_empty() {
            self.laid.iter_mut().for_each(|laid| laid.hits.clear());
            return 0;
        }
        let (anchor, room) = (self.anchor(), self.room());
        for laid in &mut self.laid {
            laid.open_for(needle, room);
        }
        self.found = Some(Found { needle: needle.to_owned(), current: (0, 0) });
        self.search_again();
        self.stack(anchor);
        let top = self.scroll.top;
        let places: Vec<(usize, usize)> = self.places().collect();
        let first = places.iter().copied().find(|place| self.line_of(*place) >= top);
        if let Some(first) = first.or(places.first().copied()) {
            self.go_to(first, page);
        }
        places.len()
    }

    /// Marks what is looked for in the lines as they are now.
    fn search_again(&mut self) {
        let Some(found) = &mut self.found else { return };
        for laid in &mut self.laid {
            laid.hits = find(&laid.lines, &found.needle);
        }
        // Where the reader was may be folded away: then it is the next place, or the last.
        let (block, hit) = found.current;
        let has = |at: &usize| self.laid.get(*at).is_some_and(|laid| !laid.hits.is_empty());
        let next = (block..self.laid.len()).find(has).or_else(|| (0..block).rev().find(has));
        if let Some(next) = next {
            let last = self.laid[next].hits.len() - 1;
            found.current = (next, if next == block { hit.min(last) } else { 0 });
        }
    }

    /// The places that were found, in order.
    fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        self.laid.iter().enumerate().flat_map(|(at, laid)| (0..laid.hits.len()).map(move |hit| (at, hit)))
    }

    fn line_of(&self, (block, hit): (usize, usize)) -> usize {
        let laid = &self.laid[block];
        laid.start + usize::from(laid.above) + laid.hits[hit].line
    }

    fn go_to(&mut self, place: (usize, usize), page: usize) {
        if let Some(found) = &mut self.found {
            found.current = place;
        }
        self.scroll.reveal(self.line_of(place), self.height, page);
    }

    /// The place of the reader among what was found, and how many there are.
    fn current(&self) -> Option<(usize, usize)> {
        let current = self.found.as_ref()?.current;
        Some((self.places().position(|place| place == current)?, self.hits()))
    }

    fn next_match(&mut self, forwards: bool, page: usize) {
        let Some((at, count)) = self.current() else { return };
        let next = if forwards { at + 1 } else { at + count - 1 } % count;
        let next = self.places().nth(next);
        if let Some(next) = next {
            self.go_to(next, page);
        }
    }

    /// ` 2 of 3  "savings"  . next  esc end · 1–14 of 31 `: what was found, and which lines of how many are seen. Belongs
    /// into a rule beside the conversation; empty when there is nothing to say.
    pub fn caption(&self, page: usize, env: &Env) -> Line {
        let mut text = words();
        if let Some(found) = &self.found {
            let needle = truncate_line(&line(Role::Plain, format!("\"{}\"", found.needle)), 30);
            text = match self.current() {
                Some((at, count)) => text
                    .put(Role::CurrentMatch, format!(" {} of {} ", number(at + 1), number(count)))
                    .plain(" ")
                    .line(&needle)
                    .plain("  ")
                    .key(env.key(rows::NEXT_MATCH))
                    .muted(" next"),
                None => text.put(Role::Unsure, " not here: ").line(&needle),
            };
            text = text.plain("  ").key(env.key(app::BACK)).muted(" end ");
        }
        if self.height > page {
            let (first, last) = (self.scroll.top + 1, (self.scroll.top + page).min(self.height));
            let gap = if self.found.is_some() { "· " } else { " " };
            let seen = format!("{gap}{}–{} of {} ", number(first), number(last), number(self.height));
            text = text.muted(seen);
        }
        text.done()
    }

    /// Draws it. `key` unfolds what is pointed at; without one nothing is pointed at.
    pub fn view(&self, canvas: &mut Canvas<'_>, area: Rect, pane: Pane, key: Option<&str>) {
        canvas.pane(area, pane);
        let page = usize::from(area.height);
        let top = self.scroll.top.min(self.height.saturating_sub(1));
        let long = self.height > page;
        let inside = Rect { width: area.width.saturating_sub(if long { BAR } else { 0 }), ..area };
        let pointed = key.and_then(|key| Some((self.spot(page)?, key)));
        for (at, row) in inside.rows().enumerate().take(self.height.saturating_sub(top)) {
            canvas.line(row, &self.row(top + at, pointed.map(|(spot, _)| spot)));
        }
        for (index, spot) in self.spots() {
            let Some(y) = index.checked_sub(top).filter(|y| *y < page) else { continue };
            let row = Rect { y: area.y + u16::try_from(y).unwrap_or(0), height: 1, ..inside };
            canvas.hit(row, Hit::Row { pane, index });
            // The key stands close to what it unfolds; `lay` keeps room for it.
            if let Some((_, key)) = pointed.filter(|(pointed, _)| *pointed == spot) {
                let behind = u16::try_from(self.row(index, None).width() + 2).unwrap_or(row.width);
                let room = row.width.saturating_sub(behind);
                canvas.line(
                    Rect { x: row.x + behind.min(row.width), width: room, ..row },
                    &line(Role::Key, key),
                );
            }
        }
        if long {
            bar(canvas, area, top, page, self.height);
        }
    }

    /// A line of the conversation with its role, what was found in it marked.
    fn row(&self, index: usize, pointed: Option<Spot>) -> Line {
        let at = self.block_at(index);
        let Some(laid) = self.laid.get(at) else { return Line::default() };
        let Some(row) = (index - laid.start).checked_sub(usize::from(laid.above)) else {
            return words().plain(" ").line(&laid.block.who).done();
        };
        let Some(text) = laid.lines.get(row) else { return Line::default() };
        let current = self.found.as_ref().filter(|found| found.current.0 == at).map(|found| found.current.1);
        let mut text = mark(std::slice::from_ref(text), row, &laid.hits, current).swap_remove(0);
        let head = row == 0 && laid.block.head.is_some();
        if head && pointed == Some(Spot::Head(at)) {
            // The arrow that is pointed at stands out.
            if let Some(arrow) = text.spans.first_mut() {
                arrow.style = Style::of(Role::Key).bold();
            }
        }
        let mut out = if row == 0 && self.cols >= NARROW && !laid.block.who.is_empty() {
            let who = words().plain(" ").line(&laid.block.who).done();
            let who = truncate_line(&who, ROLES - 1);
            let gap = " ".repeat(ROLES - who.width());
            words().line(&who).plain(gap).done()
        } else {
            line(Role::Plain, " ".repeat(if self.cols < NARROW { 2 } else { ROLES }))
        };
        out.spans.append(&mut text.spans);
        out
    }
}

impl Laid {
    fn height(&self) -> usize {
        self.lines.len() + usize::from(self.above)
    }

    /// Sets how much is shown, of a block that can be folded at all.
    fn show(&mut self, folded: bool, whole: bool) {
        self.shown = Shown { folded: folded && self.block.head.is_some(), whole };
    }

    fn again(&mut self, room: usize) {
        let lay::Laid { lines, more } = lay::lay(&self.block, self.shown, room);
        (self.lines, self.more) = (lines, more);
    }

    /// Unfolds it if words stand in what is folded or clipped away.
    fn open_for(&mut self, needle: &str, room: usize) {
        if !self.shown.folded && self.more.is_none() {
            return;
        }
        let open = lay::lay(&self.block, Shown { folded: false, whole: true }, room);
        let seen = if self.shown.folded { 1 } else { self.more.unwrap_or(0) };
        if find(&open.lines, needle).iter().any(|hit| hit.line >= seen) {
            self.show(false, true);
            (self.lines, self.more) = (open.lines, open.more);
        }
    }
}

fn number(n: usize) -> String {
    figures::thousands(i64::try_from(n).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
