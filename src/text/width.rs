//! Columns: how wide text is, and cutting, padding and wrapping it to a width.

use super::clean::Clean;
use super::line::{Line, Span};
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The columns that clean text (or our own) takes on one line.
pub fn width(text: &str) -> usize {
    if text.bytes().all(|b| (b' '..=b'~').contains(&b)) { text.len() } else { text.width() }
}

/// The first line of the text, cut to at most `cols` columns; `…` stands for what is cut off.
pub fn truncate(text: &Clean, cols: usize) -> Clean {
    let whole = text.as_str();
    let first = whole.split('\n').next().unwrap_or_default();
    if first.len() == whole.len() && (first.len() <= cols || width(first) <= cols) {
        return text.clone();
    }
    if cols == 0 {
        return Clean::default();
    }
    Clean::trusted(format!("{}…", &first[..fitting(first, cols - 1)]))
}

/// The length in bytes of the longest start of `text`, in whole graphemes, that fits into `cols`.
fn fitting(text: &str, cols: usize) -> usize {
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += width(grapheme);
        if used > cols {
            return at;
        }
    }
    text.len()
}

/// A line cut to at most `cols` columns; `…` in the style of what is cut off stands for it.
pub fn truncate_line(line: &Line, cols: usize) -> Line {
    if line.width() <= cols {
        return line.clone();
    }
    let mut out = Line::default();
    let mut left = cols;
    for span in &line.spans {
        let wide = span.width();
        if wide < left {
            left -= wide;
            out.spans.push(span.clone());
        } else {
            let cut = match left {
                0 => Clean::default(),
                left => Clean::trusted(format!(
                    "{}…",
                    &span.text.as_str()[..fitting(span.text.as_str(), left - 1)]
                )),
            };
            out.spans.push(Span { text: cut, style: span.style });
            break;
        }
    }
    out
}

/// Cut or filled with spaces on the right, to exactly `cols` columns.
pub fn pad(text: &Clean, cols: usize) -> Clean {
    let cut = truncate(text, cols);
    let missing = cols.saturating_sub(width(cut.as_str()));
    Clean::trusted(cut.into_string() + &" ".repeat(missing))
}

/// Cut or filled with spaces on the left, to exactly `cols` columns: for figures.
pub fn pad_left(text: &Clean, cols: usize) -> Clean {
    let cut = truncate(text, cols);
    let missing = cols.saturating_sub(width(cut.as_str()));
    Clean::trusted(" ".repeat(missing) + cut.as_str())
}

/// The text in lines of at most `cols` columns (at least 2), broken between words where that can be; a
/// word longer than a line is broken between graphemes. Spaces at a break are left out, all else is
/// kept. Gives at least one line. Takes time in proportion to the text.
pub fn wrap(text: &Clean, cols: usize) -> Vec<Clean> {
    breaks(text.as_str(), cols, cols).into_iter().map(|range| Clean::trusted(&text.as_str()[range])).collect()
}

/// One styled line wrapped to `cols` columns as [`wrap`] does. `first` goes before the first line and
/// `rest` before the others; their widths count.
pub fn wrap_line(line: &Line, cols: usize, first: &[Span], rest: &[Span]) -> Vec<Line> {
    let room = |before: &[Span]| cols.saturating_sub(before.iter().map(Span::width).sum());
    if line.width() <= room(first) && !line.spans.iter().any(|span| span.text.as_str().contains('\n')) {
        return vec![Line { spans: [first, &line.spans].concat() }];
    }
    let flat = line.text();
    let mut out = Vec::new();
    let (mut at, mut start) = (0, 0);
    for range in breaks(&flat, room(first), room(rest)) {
        let mut spans = if out.is_empty() { first.to_vec() } else { rest.to_vec() };
        while let Some(span) = line.spans.get(at) {
            let end = start + span.text.as_str().len();
            let (from, to) = (range.start.max(start), range.end.min(end));
            if from < to {
                let text = Clean::trusted(&span.text.as_str()[from - start..to - start]);
                spans.push(Span { text, style: span.style });
            }
            if end > range.end {
                break;
            }
            (at, start) = (at + 1, end);
        }
        out.push(Line { spans });
    }
    out
}

/// A place where a line may end: before `end`; the next one begins at `next`, where `used` columns of
/// the line are past.
#[derive(Clone, Copy)]
struct Break {
    end: usize,
    next: usize,
    used: usize,
}

/// Where the lines of a text stand in it, as ranges of bytes. The first line has its own width.
fn breaks(text: &str, first: usize, rest: usize) -> Vec<Range<usize>> {
    let (first, rest) = (first.max(2), rest.max(2));
    let mut lines = Vec::new();
    let mut at = 0;
    for hard in text.split('\n') {
        let (mut start, end) = (at, at + hard.len());
        loop {
            let cols = if lines.is_empty() { first } else { rest };
            let left = &text[start..end];
            if left.len() <= cols || width(left) <= cols {
                lines.push(start..end);
                break;
            }
            // A first line of another width is folded alone: what it leaves over is folded afresh.
            let alone = cols != rest;
            let mut folder = Folder { text, cols, alone, start, used: 0, can: None, before: ' ', lines };
            for (i, grapheme) in left.grapheme_indices(true) {
                folder.grapheme(start + i, grapheme);
                if folder.is_done() {
                    break;
                }
            }
            if !folder.is_done() {
                lines = folder.finish(end);
                break;
            }
            (start, lines) = (folder.start, folder.lines);
        }
        at += hard.len() + 1;
    }
    lines
}

struct Folder<'a> {
    text: &'a str,
    cols: usize,
    alone: bool,
    start: usize,
    used: usize,
    can: Option<Break>,
    before: char,
    lines: Vec<Range<usize>>,
}

impl Folder<'_> {
    fn grapheme(&mut self, at: usize, grapheme: &str) {
        let wide = width(grapheme);
        let first = grapheme.chars().next().unwrap_or(' ');
        if grapheme == " " {
            self.space(at);
        } else {
            if at > self.start && self.before != ' ' && may_part(self.before, first, wide) {
                self.can = Some(Break { end: at, next: at, used: self.used });
            }
            if wide > self.cols {
                // Some scripts chain letters into one grapheme without end.
                for (i, c) in grapheme.char_indices() {
                    self.place(at + i, c.width().unwrap_or(0));
                }
            } else {
                self.place(at, wide);
            }
        }
        self.before = first;
    }

    fn space(&mut self, at: usize) {
        self.used += 1;
        match &mut self.can {
            Some(can) if can.next == at => (can.next, can.used) = (at + 1, self.used),
            // The indent of a line is no place to break it, unless it leaves no room.
            _ if self.used < self.cols && self.text[self.start..at].bytes().all(|b| b == b' ') => {}
            _ => self.can = Some(Break { end: at, next: at + 1, used: self.used }),
        }
    }

    fn place(&mut self, at: usize, wide: usize) {
        while self.used + wide > self.cols && at > self.start && !self.is_done() {
            let can = self.can.take().filter(|can| can.next > self.start);
            let Break { end, next, used } = can.unwrap_or(Break { end: at, next: at, used: self.used });
            let trimmed = self.text[self.start..end].trim_end_matches(' ').len();
            self.lines.push(self.start..self.start + trimmed);
            self.start = next;
            self.used -= used;
        }
        self.used += wide;
    }

    /// Whether the one line that was wanted is there.
    fn is_done(&self) -> bool {
        self.alone && !self.lines.is_empty()
    }

    fn finish(mut self, end: usize) -> Vec<Range<usize>> {
        let trimmed = self.text[self.start..end].trim_end_matches(' ').len();
        self.lines.push(self.start..self.start + trimmed);
        self.lines
    }
}

/// Whether a line may end between two characters that no space parts.
fn may_part(before: char, next: char, next_width: usize) -> bool {
    const NOT_FIRST: &str = "、。，．・！？：；」』）】〉》〕］｝ー々…’”,.;:!?)]}%";
    const NOT_LAST: &str = "「『（【〈《〔［｛‘“([{";
    if NOT_FIRST.contains(next) || NOT_LAST.contains(before) {
        return false;
    }
    let wide = |c: char| c.width() == Some(2);
    next_width >= 2 && wide(next)
        || wide(before)
        || matches!(before, '-' | '–' | '—') && next.is_alphanumeric()
}
