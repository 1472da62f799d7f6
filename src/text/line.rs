//! Styled lines: what a text means, run by run, before anybody chooses colours.

use super::clean::{Clean, clean_line};
use super::width::width;

/// What a run of text is. The theme gives each a colour, and a glyph where colour is the only sign.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Role {
    #[default]
    Plain,
    Heading,
    Code,
    Quote,
    Link,
    /// A bullet, a number, a task box, the bar of a quotation.
    ListMark,
    /// Rules and table borders.
    Rule,
    JsonKey,
    JsonString,
    JsonNumber,
    /// `true`, `false`, `null`.
    JsonLiteral,
    /// Brackets, colons, commas.
    JsonPunctuation,
    /// Secondary text.
    Muted,
    /// Found by a search.
    Match,
    /// Found by a search, and where the reader is.
    CurrentMatch,
    Added,
    Removed,
    /// The subject of a screen or a pane.
    Title,
    /// A key that can be pressed.
    Key,
    /// Where the person is: the present tab, the cursor's mark.
    Accent,
    Pass,
    Fail,
    Unsure,
    Better,
    Worse,
    /// Wants attention now.
    Alert,
}

/// How a run of text is drawn, by meaning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Style {
    pub role: Role,
    pub bold: bool,
    pub italic: bool,
    pub underline: bool,
    pub strike: bool,
    pub dim: bool,
}

impl Style {
    /// Text of this role without further marks.
    pub fn of(role: Role) -> Self {
        Self { role, ..Self::default() }
    }

    /// The same, bold.
    pub fn bold(self) -> Self {
        Self { bold: true, ..self }
    }
}

impl From<Role> for Style {
    fn from(role: Role) -> Self {
        Self::of(role)
    }
}

/// A run of text in one style.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Span {
    pub text: Clean,
    pub style: Style,
}

impl Span {
    /// A run in this style (or [`Role`]).
    pub fn new(text: impl Into<Clean>, style: impl Into<Style>) -> Self {
        Self { text: text.into(), style: style.into() }
    }

    /// Its width in columns.
    pub fn width(&self) -> usize {
        width(self.text.as_str())
    }
}

/// One line of a screen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    pub spans: Vec<Span>,
}

impl Line {
    /// A line of these runs.
    pub fn new(spans: Vec<Span>) -> Self {
        Self { spans }
    }

    /// A line in one style (or [`Role`]).
    pub fn of(text: impl Into<Clean>, style: impl Into<Style>) -> Self {
        Self { spans: vec![Span::new(text, style)] }
    }

    /// A plain line, cleaned.
    pub fn plain(text: &str) -> Self {
        Self::of(clean_line(text), Role::Plain)
    }

    /// Adds a run at the end; joins it with the last where the style is the same.
    pub fn push(&mut self, span: Span) {
        match self.spans.last_mut() {
            _ if span.text.is_empty() => {}
            // Letters that were cleaned apart might merge: they stay in runs of their own.
            Some(last)
                if last.style == span.style
                    && (last.text.as_str().bytes().next_back().is_some_and(|b| b.is_ascii())
                        || span.text.as_str().bytes().next().is_some_and(|b| b.is_ascii())) =>
            {
                last.text = Clean::trusted(std::mem::take(&mut last.text).into_string() + span.text.as_str());
            }
            _ => self.spans.push(span),
        }
    }

    /// Its width in columns.
    pub fn width(&self) -> usize {
        self.spans.iter().map(Span::width).sum()
    }

    /// Its text without styles.
    pub fn text(&self) -> String {
        self.spans.iter().map(|span| span.text.as_str()).collect()
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.spans.iter().all(|span| span.text.is_empty())
    }
}
