//! The one door from outside text to a terminal.
//!
//! What comes out holds no control, no escape sequence, no bidi control, no zero-width or unassigned
//! character. Its width by `unicode-width` (of the whole, of each grapheme, and summed over characters)
//! is the number of columns by which a terminal's cursor moves, so that layout cannot shift.
//!
//! Letters of right-to-left scripts stay, in the order in which they were written, without controls. A
//! terminal that reorders does so within one run of such letters; without embeddings and overrides
//! nothing beside the run can move. Where two letters would share a column in one terminal and not in
//! another (Arabic lam-alef, Khmer subscripts, skin tones), the form that all agree on is drawn.

use super::chars::{Fate, SUBSTITUTE, fate};
use crate::domain::Untrusted;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Marks kept over one base; a pile of more would climb into the lines above.
const MARKS: usize = 4;
/// A tab in running text goes to the next multiple of this column.
const TAB: usize = 4;

/// Text that may be printed: no control bytes, no escape sequences, no bidi controls, nothing invisible.
/// Line breaks (`\n`) are kept by [`clean`], shown by [`clean_line`].
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Clean(String);

impl Clean {
    /// The safe text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The safe text by value.
    pub fn into_string(self) -> String {
        self.0
    }

    /// Takes text that was cut from, or put together of, clean text.
    pub(super) fn trusted(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl AsRef<str> for Clean {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Clean {
    /// Cleans onto one line, as [`clean_line`].
    fn from(text: &str) -> Self {
        clean_line(text)
    }
}

impl From<String> for Clean {
    /// Cleans onto one line, as [`clean_line`].
    fn from(text: String) -> Self {
        clean_line(&text)
    }
}

impl std::fmt::Display for Clean {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

/// Makes outside text printable, line breaks kept.
pub fn clean(text: &Untrusted) -> Clean {
    clean_str(text.raw())
}

/// Makes any text printable, line breaks kept; for text that is not typed as [`Untrusted`], such as
/// error messages.
pub fn clean_str(text: &str) -> Clean {
    Cleaner::new(text.len(), false).run(text)
}

/// Makes any text printable on one line: a line break shows as `⏎`, a tab as a space.
pub fn clean_line(text: &str) -> Clean {
    Cleaner::new(text.len(), true).run(text)
}

struct Cleaner {
    out: String,
    one_line: bool,
    /// Where the last base character with its marks begins; none at the start of a line.
    tail: Option<usize>,
    marks: usize,
    column: usize,
    /// The last thing written stands for a run of hidden characters.
    in_hidden: bool,
}

impl Cleaner {
    fn new(len: usize, one_line: bool) -> Self {
        Self { out: String::with_capacity(len), one_line, tail: None, marks: 0, column: 0, in_hidden: false }
    }

    fn run(mut self, text: &str) -> Clean {
        let mut rest = text;
        while !rest.is_empty() {
            let ascii = rest.bytes().take_while(|b| (b' '..=b'~').contains(b)).count();
            if ascii > 0 {
                self.plain(&rest[..ascii], ascii);
                rest = &rest[ascii..];
                continue;
            }
            let c = rest.chars().next().unwrap_or_default();
            rest = &rest[c.len_utf8()..];
            match c {
                '\r' if rest.starts_with('\n') => {}
                '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => self.line_break(),
                '\t' if self.one_line => self.plain(" ", 1),
                '\t' => {
                    let spaces = TAB - self.column % TAB;
                    self.plain(&"    "[..spaces], spaces);
                }
                _ => self.character(c),
            }
        }
        Clean(self.out)
    }

    fn line_break(&mut self) {
        if self.one_line {
            self.plain("⏎", 1);
        } else {
            self.out.push('\n');
            (self.tail, self.marks, self.column, self.in_hidden) = (None, 0, 0, false);
        }
    }

    /// Writes text whose characters stand alone, each a base.
    fn plain(&mut self, text: &str, width: usize) {
        self.out.push_str(text);
        let last = text.chars().next_back().map_or(0, char::len_utf8);
        self.tail = Some(self.out.len() - last);
        self.marks = 0;
        self.column += width;
        self.in_hidden = false;
    }

    fn character(&mut self, c: char) {
        match fate(c) {
            Fate::Keep => self.plain(c.encode_utf8(&mut [0; 4]), c.width().unwrap_or(1)),
            Fate::Instead(text) => self.plain(text, text.width()),
            Fate::Drop => {}
            Fate::Hidden => {
                if !self.in_hidden {
                    self.plain(SUBSTITUTE, 1);
                    self.in_hidden = true;
                }
            }
            Fate::Check if c.width() == Some(0) => self.mark(c),
            Fate::Check => self.base(c),
        }
    }

    /// A character that takes no column of its own: goes onto its base, if it has one and room there.
    fn mark(&mut self, c: char) {
        if self.marks >= MARKS {
            return;
        }
        if let Some(tail) = self.tail {
            let before = self.out[tail..].width();
            let end = self.out.len();
            self.out.push(c);
            if joined(&self.out[tail..], before) {
                self.marks += 1;
                return;
            }
            self.out.truncate(end);
        }
        let start = self.out.len();
        self.plain("◌", 1);
        self.out.push(c);
        self.marks = 1;
        if !joined(&self.out[start..], 1) {
            self.out.truncate(start);
            self.column -= 1;
            self.plain(SUBSTITUTE, 1);
        }
    }

    /// A character with columns of its own that may merge with the one before.
    fn base(&mut self, c: char) {
        let width = c.width().unwrap_or(1);
        let end = self.out.len();
        self.out.push(c);
        if let Some(tail) = self.tail {
            let before = self.out[tail..end].width();
            if self.out[tail..].width() != before + width {
                self.out.truncate(end);
                return self.merging(tail, c, width);
            }
        }
        if skin_tone(c) {
            self.out.truncate(end);
            return self.plain(SUBSTITUTE, 1);
        }
        self.tail = Some(end);
        self.marks = 0;
        self.column += width;
        self.in_hidden = false;
    }

    /// `c` and what stands before it would be drawn as one in some terminals only.
    fn merging(&mut self, tail: usize, c: char, width: usize) {
        if skin_tone(c) {
            return;
        }
        let lam = self.out[tail..].starts_with('\u{644}');
        let ligature = match c {
            '\u{622}' => '\u{fef5}',
            '\u{623}' => '\u{fef7}',
            '\u{625}' => '\u{fef9}',
            '\u{627}' => '\u{fefb}',
            _ => c,
        };
        if lam && ligature != c {
            self.out.replace_range(tail..tail + '\u{644}'.len_utf8(), ligature.encode_utf8(&mut [0; 4]));
            return;
        }
        // Arabic letters are kept joined by a tatweel; others are parted by a dot.
        let between = if ('\u{600}'..='\u{8ff}').contains(&c) { "\u{640}" } else { "·" };
        self.plain(between, 1);
        self.plain(c.encode_utf8(&mut [0; 4]), width);
    }
}

fn skin_tone(c: char) -> bool {
    ('\u{1f3fb}'..='\u{1f3ff}').contains(&c)
}

/// Whether a base with a mark is one grapheme, as wide as the base was.
fn joined(cluster: &str, width: usize) -> bool {
    cluster.width() == width && cluster.graphemes(true).nth(1).is_none()
}
