//! Searching in laid-out text: where a needle stands on the screen's lines, and marking it there.

use super::clean::{Clean, clean_line};
use super::line::{Line, Role, Span};
use memchr::memmem::Finder;
use unicode_normalization::UnicodeNormalization;
use unicode_width::UnicodeWidthChar;

/// A piece of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The number of the line, from 0.
    pub line: usize,
    /// The column where it begins, from 0.
    pub start_col: usize,
    /// Its columns.
    pub len: usize,
}

/// A place where the needle was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The number of the line, from 0.
    pub line: usize,
    /// The column where it begins, from 0.
    pub start_col: usize,
    /// Its columns on that line.
    pub len: usize,
    /// Its pieces on the lines below, where a line was wrapped inside it.
    pub tail: Vec<Part>,
}

/// Where a character, or a space between words or lines, begins in the searched text.
struct Place {
    byte: usize,
    line: usize,
    col: usize,
    wide: usize,
}

/// Finds every place of the needle, in order, none overlapping. A needle without capitals finds capitals
/// too. Runs of spaces, and the break of a wrapped line, count as one space; a blank line parts.
/// Accented letters are found however they are composed.
pub fn find(lines: &[Line], needle: &str) -> Vec<Hit> {
    let needle = clean_line(needle);
    let exact = needle.as_str().chars().any(char::is_uppercase);
    let mut wanted = Haystack::new(exact);
    wanted.text(needle.as_str(), 0, 0);
    let wanted = wanted.folded;
    if wanted.trim().is_empty() {
        return Vec::new();
    }
    let mut hay = Haystack::new(exact);
    for (number, line) in lines.iter().enumerate() {
        let mut col = 0;
        for span in &line.spans {
            col = hay.text(span.text.as_str(), number, col);
        }
        hay.end_line(number, col);
    }
    let finder = Finder::new(wanted.as_bytes());
    let mut hits = Vec::new();
    let mut from = 0;
    while let Some(at) = finder.find(&hay.folded.as_bytes()[from..]) {
        let (start, end) = (from + at, from + at + wanted.len());
        match hay.hit(start, end) {
            Some(hit) => {
                hits.push(hit);
                from = end;
            }
            // Inside of a character that folds to several.
            None => from = start + hay.folded[start..].chars().next().map_or(1, char::len_utf8),
        }
    }
    hits
}

/// How often the needle stands in a text that is not laid out, by the rules of [`find`], roughly: what Markdown
/// uses for emphasis and code is passed over wherever it stands, and JSON is taken as it is written.
pub fn count(text: &str, needle: &str) -> usize {
    let needle = clean_line(needle);
    let exact = needle.as_str().chars().any(char::is_uppercase);
    let wanted = folded(needle.as_str(), exact);
    if wanted.trim().is_empty() {
        return 0;
    }
    Finder::new(wanted.as_bytes()).find_iter(folded(text, exact).as_bytes()).count()
}

/// A text folded for comparing, its runs of spaces one, its blank lines kept apart.
fn folded(text: &str, exact: bool) -> String {
    let mut hay = Haystack::new(exact);
    hay.folded.reserve(text.len());
    let mut breaks = 0;
    for c in text.chars() {
        if c.is_whitespace() {
            breaks += usize::from(c == '\n');
            hay.blank = true;
            continue;
        }
        if std::mem::take(&mut hay.blank) && !hay.folded.is_empty() {
            hay.folded.push(if breaks > 1 { '\n' } else { ' ' });
        }
        breaks = 0;
        if !matches!(c, '*' | '`') {
            hay.fold(c);
        }
    }
    hay.folded
}

/// Text folded for comparing, with the places where its characters stand.
struct Haystack {
    exact: bool,
    folded: String,
    places: Vec<Place>,
    /// The last thing was a space; also so at the start of a line.
    spaced: bool,
    blank: bool,
}

impl Haystack {
    fn new(exact: bool) -> Self {
        Self { exact, folded: String::new(), places: Vec::new(), spaced: false, blank: true }
    }

    /// Adds a run of text that begins at this column; gives the column behind it.
    fn text(&mut self, text: &str, line: usize, mut col: usize) -> usize {
        for c in text.chars() {
            let wide = c.width().unwrap_or(0);
            if c == ' ' {
                self.space(line, col, 1);
            } else {
                if wide > 0 {
                    self.places.push(Place { byte: self.folded.len(), line, col, wide });
                }
                self.fold(c);
                (self.spaced, self.blank) = (false, false);
            }
            col += wide;
        }
        col
    }

    fn space(&mut self, line: usize, col: usize, wide: usize) {
        if !self.spaced {
            self.places.push(Place { byte: self.folded.len(), line, col, wide });
            self.folded.push(' ');
            self.spaced = true;
        }
    }

    fn end_line(&mut self, line: usize, col: usize) {
        if self.blank {
            self.places.push(Place { byte: self.folded.len(), line, col, wide: 0 });
            self.folded.push('\n');
        }
        self.space(line, col, 0);
        self.blank = true;
    }

    fn fold(&mut self, c: char) {
        match (c.is_ascii(), self.exact) {
            (true, true) => self.folded.push(c),
            (true, false) => self.folded.push(c.to_ascii_lowercase()),
            (false, true) => self.folded.extend(c.nfd()),
            (false, false) => self.folded.extend(c.to_lowercase().nfd()),
        }
    }

    /// The hit at these bytes, if they begin and end with whole characters.
    fn hit(&self, start: usize, end: usize) -> Option<Hit> {
        let first = self.places.binary_search_by_key(&start, |place| place.byte).ok()?;
        let last = match self.places.binary_search_by_key(&end, |place| place.byte) {
            Ok(at) => at,
            Err(at) if end == self.folded.len() => at,
            Err(_) => return None,
        };
        let mut parts: Vec<Part> = Vec::new();
        for place in self.places[first..last].iter().filter(|place| place.wide > 0) {
            match parts.last_mut() {
                Some(part) if part.line == place.line => part.len = place.col + place.wide - part.start_col,
                _ => parts.push(Part { line: place.line, start_col: place.col, len: place.wide }),
            }
        }
        let mut parts = parts.into_iter();
        let Part { line, start_col, len } = parts.next()?;
        Some(Hit { line, start_col, len, tail: parts.collect() })
    }
}

/// The lines with their hits marked. `lines` are those from number `first` on, so that a screen marks
/// only what it shows; `hits` are all, in order, as [`find`] gave them; `current` is the index of the
/// hit where the reader is.
pub fn mark(lines: &[Line], first: usize, hits: &[Hit], current: Option<usize>) -> Vec<Line> {
    let end = first + lines.len();
    let mut marks: Vec<Vec<(Part, Role)>> = vec![Vec::new(); lines.len()];
    for (number, hit) in hits.iter().enumerate() {
        if hit.line >= end {
            break;
        }
        let role = if current == Some(number) { Role::CurrentMatch } else { Role::Match };
        let head = Part { line: hit.line, start_col: hit.start_col, len: hit.len };
        for part in std::iter::once(head).chain(hit.tail.iter().copied()) {
            if let Some(marks) = part.line.checked_sub(first).and_then(|at| marks.get_mut(at)) {
                marks.push((part, role));
            }
        }
    }
    lines.iter().zip(&marks).map(|(line, marks)| marked(line, marks)).collect()
}

fn marked(line: &Line, marks: &[(Part, Role)]) -> Line {
    if marks.is_empty() {
        return line.clone();
    }
    let mut out = Line::default();
    let mut col = 0;
    let mut marks = marks.iter().peekable();
    for span in &line.spans {
        let text = span.text.as_str();
        let mut put = |from: usize, to: usize, role: Option<Role>| {
            let mut style = span.style;
            if let Some(role) = role {
                (style.role, style.underline) = (role, true);
            }
            if from < to {
                out.spans.push(Span { text: Clean::trusted(&text[from..to]), style });
            }
        };
        let (mut from, mut running) = (0, None);
        for (at, c) in text.char_indices() {
            let wide = c.width().unwrap_or(0);
            // What takes no column stays with the letter before it.
            if wide > 0 {
                while marks.next_if(|(part, _)| part.start_col + part.len <= col).is_some() {}
                let role = marks.peek().filter(|(part, _)| part.start_col <= col).map(|(_, role)| *role);
                if role != running {
                    put(from, at, running);
                    (from, running) = (at, role);
                }
                col += wide;
            }
        }
        put(from, text.len(), running);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn counting_in_a_text_is_as_finding_in_its_lines() {
        let text = "The **fee** is a FEE,\nno\u{a0}fee is a fee.\n\nÉclair, e\u{301}clair: `fee`";
        for needle in ["fee", "FEE", "the fee is", "a fee, no", "fee. éclair", "éclair", "  ", "nowhere"] {
            let lines = crate::text::markdown(text, 40);
            assert_eq!(super::count(text, needle), super::find(&lines, needle).len(), "{needle}");
        }
    }

    use super::*;
    use crate::text::markdown;

    fn hits(lines: &[&str], needle: &str) -> Vec<(usize, usize, usize)> {
        let lines: Vec<Line> = lines.iter().map(|line| Line::plain(line)).collect();
        find(&lines, needle).iter().map(|hit| (hit.line, hit.start_col, hit.len)).collect()
    }

    #[test]
    fn a_needle_without_capitals_finds_capitals() {
        assert_eq!(hits(&["Fee fee FEE"], "fee"), [(0, 0, 3), (0, 4, 3), (0, 8, 3)]);
        assert_eq!(hits(&["Fee fee FEE"], "Fee"), [(0, 0, 3)]);
        assert_eq!(hits(&["ÜBER straße Ω"], "über"), [(0, 0, 4)]);
        assert_eq!(hits(&["ÜBER"], "Über"), []);
        assert_eq!(hits(&["aaa"], "aa"), [(0, 0, 2)]);
        assert_eq!(hits(&["a"], " "), []);
        assert_eq!(hits(&[], "a"), []);
    }

    #[test]
    fn columns_are_those_of_the_screen() {
        assert_eq!(hits(&["漢字 fee"], "fee"), [(0, 5, 3)]);
        assert_eq!(hits(&["漢字漢字"], "字"), [(0, 2, 2), (0, 6, 2)]);
        assert_eq!(hits(&["cafe\u{301} x"], "café"), [(0, 0, 4)]);
        assert_eq!(hits(&["café x"], "cafe\u{301}"), [(0, 0, 4)]);
        assert_eq!(hits(&["café"], "cafe"), [], "half a letter is no hit");
        assert_eq!(hits(&["한글"], "하"), []);
    }

    #[test]
    fn a_hit_goes_on_over_the_break_of_a_wrapped_line() {
        assert_eq!(find(&markdown("an *overdraft* fee", 14), "an  overdraft fee").len(), 1);
        let lines: Vec<Line> = ["the overdraft", "  fee is", "", "gone"].map(Line::plain).to_vec();
        let found = find(&lines, "overdraft fee");
        assert_eq!(
            found,
            [Hit { line: 0, start_col: 4, len: 9, tail: vec![Part { line: 1, start_col: 2, len: 3 }] }]
        );
        assert!(find(&lines, "is gone").is_empty());
        let marked = mark(&lines, 0, &found, Some(0));
        assert_eq!(marked[1].spans[1].text.as_str(), "fee");
        assert_eq!(marked[1].spans[1].style.role, Role::CurrentMatch);
        let below = mark(&lines[1..], 1, &found, None);
        assert_eq!(below[0].spans[1].style.role, Role::Match);
    }

    #[test]
    fn marking_changes_styles_and_no_text() {
        let line = Line::new(vec![Span::new("one tw", Role::Plain), Span::new("o e\u{301}f", Role::Code)]);
        let found = find(std::slice::from_ref(&line), "two é");
        let marked = mark(std::slice::from_ref(&line), 0, &found, None).remove(0);
        assert_eq!(marked.text(), line.text());
        let shown: Vec<(&str, Role)> =
            marked.spans.iter().map(|span| (span.text.as_str(), span.style.role)).collect();
        assert_eq!(
            shown,
            [("one ", Role::Plain), ("tw", Role::Match), ("o e\u{301}", Role::Match), ("f", Role::Code)]
        );
    }
}
