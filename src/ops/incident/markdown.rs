//! People's and strangers' text put into Markdown so that it stays text: no heading, table cell, link,
//! tag or fence of theirs can change the document around it.

use crate::domain::Untrusted;
use crate::text::{clean, clean_line};

/// Text on one line, for paragraphs, table cells and list items.
pub(super) fn line(text: &Untrusted) -> String {
    block_start(&inline(clean_line(text.raw()).as_str().trim()))
}

/// Text of several paragraphs. Lists stay lists; everything else is text.
pub(super) fn paragraphs(text: &Untrusted) -> String {
    let clean = clean(text);
    let mut out = String::new();
    for part in clean.as_str().trim().lines() {
        // Deeper than three spaces would be code, where escapes show.
        let depth = (part.len() - part.trim_start_matches(' ').len()).min(3);
        let part = part.trim();
        let item = list_marker(part);
        let (marker, rest) = part.split_at(item);
        out += &" ".repeat(if item > 0 { depth } else { 0 });
        out += marker;
        // Far from its marker it would be code, where escapes show.
        out += &block_start(&inline(rest.trim_start()));
        out.push('\n');
    }
    out.trim_end().to_owned()
}

/// Text as code on one line: nothing in it means anything. In a table cell a bar would still end the
/// cell, so code belongs into paragraphs and lists.
pub(super) fn code(text: &Untrusted) -> String {
    let clean = clean_line(text.raw());
    let words = clean.as_str().trim();
    if words.is_empty() {
        return "(empty)".to_owned();
    }
    let longest = words.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if words.starts_with('`') || words.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{words}{pad}{fence}")
}

/// Words that were added (bold) or taken away (struck out), on one line. A space has to stand on each side of it.
pub(super) fn changed(text: &Untrusted, added: bool) -> String {
    let clean = clean_line(text.raw());
    let clean = clean.as_str().trim();
    let mut words = inline(clean);
    if words.is_empty() {
        return words;
    }
    // A tilde by itself means nothing, but next to the mark it would be part of it.
    if clean.ends_with('~') && !clean.ends_with("~~") {
        words.insert(words.len() - 1, '\\');
    }
    if words.starts_with('~') && !words.starts_with("~\\") && clean.len() > 1 {
        words.insert(0, '\\');
    }
    let mark = if added { "**" } else { "~~" };
    format!("{mark}{words}{mark}")
}

/// Escapes what means something inside a line, and no more: a post-mortem is also read as it is.
fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let chars: Vec<char> = text.chars().collect();
    for (at, &c) in chars.iter().enumerate() {
        let word = |other: Option<&char>| other.is_some_and(|c| c.is_alphanumeric());
        let inside_word = at > 0 && word(chars.get(at - 1)) && word(chars.get(at + 1));
        let special = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '|' => true,
            '~' => chars.get(at + 1) == Some(&'~') || (at > 0 && chars[at - 1] == '~'),
            '_' => !inside_word,
            // Amounts of money stay: after a space a dollar can open a formula, but never close one.
            '$' => {
                let amount = chars.get(at + 1).is_some_and(char::is_ascii_digit);
                !(amount && (at == 0 || chars[at - 1].is_whitespace()))
            }
            '&' => chars.get(at + 1).is_some_and(|c| *c == '#' || c.is_alphabetic()),
            _ => false,
        };
        if special {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Escapes what means something only at the start of a line.
fn block_start(text: &str) -> String {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = &text[digits..];
    // `6.7` begins no list: a space has to follow, or nothing.
    let marker = rest.strip_prefix(['.', ')']);
    if digits > 0 && marker.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace)) {
        return format!("{}\\{rest}", &text[..digits]);
    }
    if text.starts_with(['#', '>', '-', '+', '=', '~', ':']) { format!("\\{text}") } else { text.to_owned() }
}

/// Length of a list marker with its space, 0 when there is none. `-` alone could make a heading of the
/// line above.
fn list_marker(text: &str) -> usize {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let marker = match &text[digits..] {
        rest if digits == 0 && rest.starts_with(['-', '*', '+']) => 1,
        rest if (1..=4).contains(&digits) && rest.starts_with(['.', ')']) => digits + 1,
        _ => return 0,
    };
    let rest = &text[marker..];
    let says = rest.starts_with(' ') && rest.contains(char::is_alphanumeric);
    if says { marker + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

    use super::*;

    #[test]
    fn ordinary_words_are_left_alone() {
        for text in [
            "Rolled back to v3. It helped!",
            "wrong_policy: 12 % (v4)",
            "a & b, 3 < 4? no",
            "user's #1",
            "from $5 to $6",
        ] {
            assert_eq!(line(&text.into()).replace("\\<", "<"), text);
        }
        assert_eq!(paragraphs(&"- one\n- two *b*\n\n1. x".into()), "- one\n- two \\*b\\*\n\n1. x");
        assert_eq!(line(&"# big".into()), "\\# big");
        assert_eq!(line(&"1. x".into()), "1\\. x");
        assert_eq!(line(&"6.7 % vs 3.2 %".into()), "6.7 % vs 3.2 %");
        assert_eq!(code(&"a `b` ``c``".into()), "``` a `b` ``c`` ```");
    }

    /// Everything that stands outside of text in a document.
    fn structure(markdown: &str) -> Vec<String> {
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_MATH
            | Options::ENABLE_GFM
            | Options::ENABLE_HEADING_ATTRIBUTES;
        Parser::new_ext(markdown, options)
            .filter(|event| {
                !matches!(
                    event,
                    Event::Text(_)
                        | Event::Code(_)
                        | Event::SoftBreak
                        | Event::Start(Tag::Paragraph | Tag::List(_) | Tag::Item)
                        | Event::End(TagEnd::Paragraph | TagEnd::List(_) | TagEnd::Item)
                )
            })
            .map(|event| format!("{event:?}").chars().take(40).collect())
            .collect()
    }

    fn nasty() -> impl Strategy<Value = String> {
        let parts = [
            "#",
            "- ",
            "\n",
            "\n\n",
            "```",
            "`",
            "|",
            "---",
            "***",
            "<b>",
            "</table>",
            "[x](y)",
            "![",
            "](",
            "]: z",
            "> ",
            "    ",
            "\t",
            "~~~",
            "~~",
            "1. ",
            "a",
            "word ",
            "&lt;",
            "\\",
            "=",
            "===",
            "<!--",
            "-->",
            "https://x.y",
            "*",
            "_",
            "\u{202e}",
            "\r",
            "\u{b}",
            ":",
            "[^1]:",
            "$$",
            "{#id}",
            "+++",
        ];
        prop::collection::vec(prop::sample::select(parts.to_vec()), 0..14).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

        #[test]
        fn no_text_changes_the_document_around_it(text in nasty()) {
            let text = Untrusted::new(text);
            let around = |middle: &str| format!("# H\n\nbefore\n\n{middle}\n\n## After\n\nrest\n");
            let plain = structure(&around("x"));
            let flat: Vec<String> = structure(&around(&line(&text)));
            prop_assert_eq!(&flat, &plain, "line: {}", line(&text));
            prop_assert_eq!(&structure(&around(&code(&text))), &plain, "code: {}", code(&text));
            let long = structure(&around(&paragraphs(&text)));
            prop_assert_eq!(&long, &plain, "paragraphs: {}", paragraphs(&text));
            let plain_mark = structure(&around("x ~~x~~ **x** x"));
            let marked = format!("x {} {} x", changed(&text, false), changed(&text, true));
            if !changed(&text, true).is_empty() {
                prop_assert_eq!(&structure(&around(&marked)), &plain_mark, "changed: {}", marked);
            }
            let table = |cell: &str| format!("| a | b |\n|---|---|\n| {cell} | y |\n\nafter\n");
            prop_assert_eq!(structure(&table(&line(&text))), structure(&table("x")), "cell: {}", line(&text));
        }
    }
}
