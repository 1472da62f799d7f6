//! What views draw on. It takes only clean text, and notes what is where for the mouse.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::screens::ScreenId;
use super::theme::Theme;
use crate::command::Id;
use crate::text::{Line, Role, Style as Meaning, truncate_line, width};

/// What is left of an area with a column free on either side.
pub fn inside(area: Rect) -> Rect {
    Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area }
}

/// What is below so many rows of an area.
pub fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}

/// A region of a screen by name: one that scrolls, or whose rows can be clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pane(pub &'static str);

/// What a click on a place means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// A tab of the header.
    Tab(ScreenId),
    /// A command, such as one of the hint line.
    Command(Id),
    /// Row `index` of a list, counted from the list's start.
    Row { pane: Pane, index: usize },
    /// Anywhere in a region: the wheel scrolls it.
    Pane(Pane),
}

/// Where things are on the last frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Laid {
    /// Later ones lie on top.
    pub hits: Vec<(Rect, Hit)>,
    /// Regions that scroll, with the rows they can show; behind them those of former frames.
    pub pages: Vec<(Pane, u16)>,
}

impl Laid {
    /// What is at this column and row.
    pub fn at(&self, at: (u16, u16)) -> Option<Hit> {
        self.hits.iter().rev().find(|(area, _)| area.contains(Position::from(at))).map(|(_, hit)| *hit)
    }

    /// The region that the wheel scrolls at this column and row.
    pub fn pane_at(&self, at: (u16, u16)) -> Option<Pane> {
        self.hits.iter().rev().find_map(|(area, hit)| match hit {
            Hit::Row { pane, .. } | Hit::Pane(pane) if area.contains(Position::from(at)) => Some(*pane),
            _ => None,
        })
    }

    /// The same, with the heights of regions that are not on this frame as they were last: a list that
    /// something lies over must not scroll meanwhile.
    pub fn after(mut self, former: &Self) -> Self {
        let gone = former.pages.iter().filter(|(pane, _)| self.page(*pane).is_none());
        let gone: Vec<(Pane, u16)> = gone.copied().collect();
        self.pages.extend(gone);
        self
    }

    /// Whether a region of this frame has other heights than it had last, so that what fills it must be laid out
    /// and drawn again. A region that is not on this frame has no say.
    pub fn differs_from(&self, former: &Self) -> bool {
        self.pages.iter().any(|(pane, rows)| former.page(*pane) != Some(*rows))
    }

    /// How many rows a region shows, or showed last.
    pub fn page(&self, pane: Pane) -> Option<u16> {
        self.pages.iter().find(|(of, _)| *of == pane).map(|(_, rows)| *rows)
    }
}

/// A finished frame.
#[derive(Debug)]
pub struct Drawn {
    pub buffer: Buffer,
    pub laid: Laid,
    /// Where the terminal's cursor stands, when text is typed.
    pub cursor: Option<Position>,
}

/// A frame being drawn.
pub struct Canvas<'a> {
    buffer: Buffer,
    laid: Laid,
    cursor: Option<Position>,
    theme: &'a Theme,
}

impl<'a> Canvas<'a> {
    /// An empty frame.
    pub fn new(area: Rect, theme: &'a Theme) -> Self {
        Self { buffer: Buffer::empty(area), laid: Laid::default(), cursor: None, theme }
    }

    /// The frame, with box characters replaced where the terminal has none.
    pub fn finish(mut self) -> Drawn {
        if self.theme.ascii {
            super::widgets::ascii::replace(&mut self.buffer);
        }
        Drawn { buffer: self.buffer, laid: self.laid, cursor: self.cursor }
    }

    /// Draws a line at the top left of `area`, cut to its width.
    pub fn line(&mut self, area: Rect, line: &Line) {
        self.line_from(area, line, 0);
    }

    /// Draws a line so that it ends at the right of `area`; gives the columns left of it.
    pub fn line_right(&mut self, area: Rect, line: &Line) -> Rect {
        let wide = u16::try_from(line.width()).unwrap_or(u16::MAX).min(area.width);
        self.line(Rect { x: area.right() - wide, width: wide, ..area }, line);
        Rect { width: area.width.saturating_sub(wide + 1), ..area }
    }

    fn line_from(&mut self, area: Rect, line: &Line, from: u16) {
        let room = area.width.saturating_sub(from);
        if area.height == 0 || room == 0 {
            return;
        }
        let cut;
        let line = if line.width() > usize::from(room) {
            cut = truncate_line(line, usize::from(room));
            &cut
        } else {
            line
        };
        let mut x = area.x + from;
        for span in &line.spans {
            let left = area.right().saturating_sub(x);
            let (next, _) = self.buffer.set_stringn(
                x,
                area.y,
                span.text.as_str(),
                usize::from(left),
                self.theme.style(span.style),
            );
            x = next.max(x + u16::try_from(width(span.text.as_str())).unwrap_or(0).min(left));
        }
    }

    /// Draws lines from the top of `area` down, as many as fit.
    pub fn lines<'l>(&mut self, area: Rect, lines: impl IntoIterator<Item = &'l Line>) {
        for (row, line) in area.rows().zip(lines) {
            self.line(row, line);
        }
    }

    /// Draws a rule over the first row of `area`.
    pub fn rule(&mut self, area: Rect) {
        let style = self.theme.style(Meaning::of(Role::Rule));
        for x in area.x..area.right() {
            self.put(x, area.y, "─", style);
        }
    }

    /// Draws a vertical rule over the first column of `area`.
    pub fn rule_down(&mut self, area: Rect) {
        let style = self.theme.style(Meaning::of(Role::Rule));
        for y in area.y..area.bottom() {
            self.put(area.x, y, "│", style);
        }
    }

    /// Draws a frame of box characters around `area`, clears what is in it, and gives the inside.
    pub fn frame(&mut self, area: Rect, title: &Line) -> Rect {
        let area = area.intersection(self.buffer.area);
        ratatui::widgets::Clear.render(area, &mut self.buffer);
        if area.width < 4 || area.height < 3 {
            return area;
        }
        let style = self.theme.style(Meaning::of(Role::Rule));
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        for x in area.x + 1..right {
            self.put(x, area.y, "─", style);
            self.put(x, bottom, "─", style);
        }
        for y in area.y + 1..bottom {
            self.put(area.x, y, "│", style);
            self.put(right, y, "│", style);
        }
        for (x, y, corner) in
            [(area.x, area.y, "┌"), (right, area.y, "┐"), (area.x, bottom, "└"), (right, bottom, "┘")]
        {
            self.put(x, y, corner, style);
        }
        if !title.is_empty() {
            let room = Rect { x: area.x + 2, width: area.width - 4, height: 1, ..area };
            let title = truncate_line(title, usize::from(room.width.saturating_sub(2)));
            let mut padded = Line::plain(" ");
            padded.spans.extend(title.spans);
            padded.push(super::words::span(Role::Plain, " "));
            self.line(room, &padded);
        }
        Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
    }

    fn put(&mut self, x: u16, y: u16, symbol: &'static str, style: Style) {
        if let Some(cell) = self.buffer.cell_mut((x, y)) {
            cell.set_symbol(symbol).set_style(style);
        }
    }

    /// Marks `area` as the line under the cursor.
    pub fn select(&mut self, area: Rect) {
        self.buffer.set_style(area, self.theme.selected());
    }

    /// Draws a widget of ratatui's own kind, which must hold clean text only.
    pub fn widget(&mut self, area: Rect, widget: impl Widget) {
        widget.render(area.intersection(self.buffer.area), &mut self.buffer);
    }

    /// How a role looks here, for widgets of ratatui's own kind.
    pub fn style(&self, role: Role) -> Style {
        self.theme.style(Meaning::of(role))
    }

    /// Whether only ASCII can be drawn: what is not is replaced at the end, which a picture of dots does not bear.
    pub fn is_ascii(&self) -> bool {
        self.theme.ascii
    }

    /// Notes what a click here means.
    pub fn hit(&mut self, area: Rect, hit: Hit) {
        self.laid.hits.push((area, hit));
    }

    /// Notes that `pane` scrolls here; its height comes back to the screen.
    pub fn pane(&mut self, area: Rect, pane: Pane) {
        self.laid.hits.push((area, Hit::Pane(pane)));
        self.laid.pages.push((pane, area.height));
    }

    /// Puts the terminal's cursor here.
    pub fn cursor(&mut self, x: u16, y: u16) {
        self.cursor = Some(Position { x, y });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise a program that once showed another region would draw for ever.
    #[test]
    fn a_region_that_is_gone_is_no_reason_to_draw_again() {
        let (list, text) = (Pane("list"), Pane("text"));
        let both = Laid { pages: vec![(list, 10), (text, 5)], ..Laid::default() };
        let one = Laid { pages: vec![(text, 5)], ..Laid::default() };
        let kept = one.clone().after(&both);
        assert!(!one.differs_from(&kept));
        assert!(both.differs_from(&Laid::default()));
        assert!(Laid { pages: vec![(text, 6)], ..Laid::default() }.differs_from(&kept));
    }
}
