//! Text that keeps its lines for as long as the width stays.

use super::line::Line;
use super::{json_text, markdown};

/// The text in lines of at most `cols` columns: as JSON if it is JSON, else as Markdown.
pub fn readable(text: &str, cols: usize) -> Vec<Line> {
    json_text(text, cols).unwrap_or_else(|| markdown(text, cols))
}

/// A text with its lines for one width, laid out when first asked for.
#[derive(Debug, Clone)]
#[allow(dead_code)]
pub struct Laid {
    text: String,
    lay: fn(&str, usize) -> Vec<Line>,
    kept: Option<(usize, Vec<Line>)>,
}

impl Laid {
    /// Text to be laid out by this function, such as [`readable`].
    #[allow(dead_code)]
    pub fn new(text: impl Into<String>, lay: fn(&str, usize) -> Vec<Line>) -> Self {
        Self { text: text.into(), lay, kept: None }
    }

    /// The lines for this width.
    #[allow(dead_code)]
    pub fn lines(&mut self, cols: usize) -> &[Line] {
        if self.kept.as_ref().is_none_or(|(kept, _)| *kept != cols) {
            self.kept = Some((cols, (self.lay)(&self.text, cols)));
        }
        self.kept.as_ref().map_or(&[], |(_, lines)| lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_laid_out_as_json_and_all_else_as_markdown() {
        let mut laid = Laid::new("{\"a\": 1}", readable);
        assert_eq!(laid.lines(20).len(), 3);
        let mut laid = Laid::new("one two", readable);
        assert_eq!(laid.lines(20).len(), 1);
        assert_eq!(laid.lines(20), readable("one two", 20));
        assert_eq!(readable("{a b c}", 20)[0].text(), "{a b c}");
    }
}
