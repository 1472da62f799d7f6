//! How the laid conversation stands on the screen.

use ratatui::layout::Rect;

use super::{Found, NARROW, ROLES, Spot, Talk, number};
use crate::command::table::{app, talk as rows};
use crate::text::{Line, Role, Style, mark, truncate_line};
use crate::tui::canvas::{Canvas, Hit, Pane};
use crate::tui::screen::Env;
use crate::tui::widgets::scroll::bar;
use crate::tui::words::{line, words};

/// The columns at the right that are the scroll bar's.
pub(super) const BAR: u16 = 2;

impl Talk {
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
    pub(super) fn row(&self, index: usize, pointed: Option<Spot>) -> Line {
        let at = self.block_at(index);
        let Some(laid) = self.laid.get(at) else { return Line::default() };
        let Some(row) = (index - laid.start).checked_sub(usize::from(laid.above)) else {
            return words().plain(" ").line(&laid.block.who).done();
        };
        let Some((piece, line_of)) = laid.piece_at(row) else { return Line::default() };
        let shown = &laid.pieces[piece];
        let Some(text) = shown.lines.as_ref().and_then(|lines| lines.get(line_of)) else {
            return Line::default();
        };
        let here = |found: &&Found| (found.current.0, found.current.1) == (at, piece);
        let current = self.found.as_ref().filter(here).map(|found| found.current.2);
        let mut text = mark(std::slice::from_ref(text), line_of, shown.hits.found(), current).swap_remove(0);
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
