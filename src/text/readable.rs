//! A text laid out as what it is.

use super::line::Line;
use super::{json_text, markdown};

/// The text in lines of at most `cols` columns: as JSON if it is JSON, else as Markdown.
pub fn readable(text: &str, cols: usize) -> Vec<Line> {
    json_text(text, cols).unwrap_or_else(|| markdown(text, cols))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_laid_out_as_json_and_all_else_as_markdown() {
        assert_eq!(readable("{\"a\": 1}", 20).len(), 3);
        assert_eq!(readable("one two", 20).len(), 1);
        assert_eq!(readable("{a b c}", 20)[0].text(), "{a b c}");
    }
}
