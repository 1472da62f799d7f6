//! Markdown as HTML, for the pages that the program writes.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};

/// The document as HTML. Tags in it are shown and not obeyed, and links and pictures are only their words: nothing in a
/// page that the program writes leads, or loads from, elsewhere.
pub fn markdown_html(text: &str) -> String {
    let events = Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH);
    let kept = events.filter_map(|event| match event {
        Event::Html(html) | Event::InlineHtml(html) => Some(Event::Text(html)),
        Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::HtmlBlock)
        | Event::End(TagEnd::Link | TagEnd::Image | TagEnd::HtmlBlock) => None,
        other => Some(other),
    });
    let mut out = String::new();
    html::push_html(&mut out, kept);
    out
}

#[cfg(test)]
mod tests {
    use super::markdown_html;

    #[test]
    fn nothing_in_it_is_obeyed() {
        let hostile = "# a <script>alert(1)</script>\n\n<img src=x onerror=y>\n\n[here](javascript:x) ![p](http://e/p.png)\n\n| a |\n|---|\n| `<b>` |\n";
        let html = markdown_html(hostile);
        for wrong in ["<script", "<img", "<a ", "<b>", "javascript", "http"] {
            assert!(!html.contains(wrong), "{wrong} in {html}");
        }
        assert!(html.contains("<table>") && html.contains("&lt;script&gt;"), "{html}");
    }
}
