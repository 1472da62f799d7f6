//! Hostile text through the whole room: nothing a terminal could act on comes out, and the columns
//! that a terminal uses are the columns that were promised.

use super::*;
use proptest::prelude::*;
use std::num::NonZero;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Every string of the naughty list, where the checkout has it beside it, and of our own corpus.
fn hostile() -> Vec<String> {
    let ours = include_str!("../../fixtures/hostile.json");
    let mut strings: Vec<String> = serde_json::from_str(ours).unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/blns.json");
    match std::fs::read_to_string(path) {
        Ok(text) => strings.extend(serde_json::from_str::<Vec<String>>(&text).unwrap()),
        #[allow(clippy::print_stderr)]
        Err(e) => eprintln!("the list of naughty strings is left out: {path}: {e}"),
    }
    // All control codes, in every form a terminal knows.
    strings.extend((0..0xa0).filter_map(char::from_u32).map(|c| format!("a{c}[31m{c}b")));
    strings
}

/// Characters worth mixing: controls, marks, joiners, scripts whose letters merge, wide ones, anything.
fn hostile_char() -> impl Strategy<Value = char> {
    let range = |a: u32, b: u32| (a..=b).prop_filter_map("a surrogate", char::from_u32);
    prop_oneof![
        3 => range(0x00, 0xa0),
        3 => range(0x20, 0x7e),
        1 => range(0x300, 0x36f),
        1 => range(0x5d0, 0x8ff),
        1 => range(0x900, 0x97f),
        1 => range(0xd00, 0xeff),
        1 => range(0x1100, 0x11ff),
        1 => range(0x1780, 0x17ff),
        1 => range(0x1a00, 0x1aff),
        2 => range(0x2000, 0x2070),
        1 => range(0x2d30, 0x2d7f),
        1 => range(0x4e00, 0x4e20),
        1 => range(0xa4d0, 0xa4ff),
        1 => range(0xac00, 0xad00),
        1 => range(0xfe00, 0xffff),
        1 => range(0x10c00, 0x10c48),
        1 => range(0x16d40, 0x16d7f),
        2 => range(0x1f000, 0x1faff),
        1 => range(0xe0000, 0xe01ef),
        1 => any::<char>(),
    ]
}

fn hostile_text() -> impl Strategy<Value = String> {
    prop::collection::vec(hostile_char(), 0..60).prop_map(String::from_iter)
}

/// Fails on a character that must never reach a terminal.
fn holds_nothing_forbidden(text: &str) {
    for c in text.chars() {
        let forbidden = match c {
            '\n' => false,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{2060}'..='\u{206f}' => true,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' => true,
            '\u{fff9}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}' => true,
            c => c.is_control(),
        };
        assert!(!forbidden, "{} in {:?}", c.escape_unicode(), text.escape_unicode().to_string());
    }
}

/// Fails where a line's width is not the same to everybody who measures or draws it.
fn is_as_wide_as_promised(line: &str) {
    let shown = || line.escape_unicode().to_string();
    let promised = width(line);
    assert_eq!(promised, line.width(), "by the whole: {}", shown());
    assert_eq!(promised, line.chars().map(|c| c.width().unwrap()).sum::<usize>(), "by char: {}", shown());
    assert_eq!(promised, line.graphemes(true).map(width).sum::<usize>(), "by grapheme: {}", shown());
    assert!(line.graphemes(true).all(|g| width(g) > 0), "a grapheme without width: {}", shown());
    let cols = u16::try_from(promised + 4).unwrap();
    let mut terminal = terminal(promised + 4);
    terminal.process(line.as_bytes());
    let screen = terminal.screen();
    assert_eq!(screen.cursor_position(), (0, u16::try_from(promised).unwrap()), "{}", shown());
    assert_eq!(screen.contents().trim_end_matches(' '), line.trim_end_matches(' '), "{}", shown());
    let styled = (0..cols)
        .filter_map(|col| screen.cell(0, col))
        .any(|cell| cell.bold() || cell.inverse() || cell.fgcolor() != vt100::Color::Default);
    assert!(!styled && !screen.alternate_screen() && !screen.hide_cursor(), "{}", shown());
}

fn without_spaces(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Lays the text out in every way and holds each line to its width.
fn survives_laid_out(raw: &str) {
    let shuffled: String = raw.chars().rev().collect();
    let as_json = serde_json::json!({ raw: [raw, { "arguments": format!("[{raw:?}]") }] });
    for cols in [12, 21, 40] {
        let laid = [
            markdown(raw, cols),
            markdown(&format!("| a | {raw} |\n|---|:-:|\n| {raw} | b |\n"), cols),
            markdown(&format!("- > {raw}\n\n```\n{raw}\n```\n[{raw}]({raw})"), cols),
            json(&as_json, cols),
            json_text(raw, cols).unwrap_or_default(),
            side_by_side(raw, &shuffled, cols),
        ];
        for (way, lines) in laid.into_iter().enumerate() {
            let hits = find(&lines, raw.get(..1).unwrap_or("a"));
            let marked = mark(&lines, 0, &hits, Some(0));
            for (line, marked) in lines.iter().zip(&marked) {
                assert_eq!(line.text(), marked.text());
                assert!(
                    line.width() <= cols,
                    "{} in {cols}, laid out by {way}: {:?}",
                    line.width(),
                    line.text()
                );
                for span in &line.spans {
                    holds_nothing_forbidden(span.text.as_str());
                    is_as_wide_as_promised(span.text.as_str());
                }
                let mut terminal = terminal(cols + 4);
                terminal.process(line.text().as_bytes());
                assert_eq!(usize::from(terminal.screen().cursor_position().1), line.width());
            }
        }
    }
}

fn terminal(cols: usize) -> vt100::Parser {
    let cols = u16::try_from(cols).unwrap();
    vt100::Parser::new(NonZero::new(3).unwrap(), NonZero::new(cols).unwrap(), 0)
}

fn survives(raw: &str) {
    let whole = clean_str(raw);
    holds_nothing_forbidden(whole.as_str());
    whole.as_str().split('\n').for_each(is_as_wide_as_promised);
    assert_eq!(clean_str(whole.as_str()), whole, "cleaning twice changes nothing");
    let line = clean_line(raw);
    assert!(!line.as_str().contains('\n'));
    holds_nothing_forbidden(line.as_str());
    is_as_wide_as_promised(line.as_str());
    for cols in [2, 3, 7, 20] {
        let lines = wrap(&whole, cols);
        for line in &lines {
            is_as_wide_as_promised(line.as_str());
            assert!(width(line.as_str()) <= cols, "{:?} in {cols}", line);
        }
        let joined: String = lines.iter().map(Clean::as_str).collect();
        assert_eq!(without_spaces(&joined), without_spaces(whole.as_str()));
        let cut = truncate(&line, cols);
        assert!(width(cut.as_str()) <= cols);
        is_as_wide_as_promised(cut.as_str());
        assert_eq!(width(pad(&line, cols).as_str()), cols);
        assert_eq!(width(pad_left(&line, cols).as_str()), cols);
    }
}

#[test]
fn no_hostile_string_moves_or_commands_a_terminal() {
    for text in hostile() {
        survives(&text);
        survives_laid_out(&text);
    }
}

#[test]
fn no_single_character_moves_or_commands_a_terminal() {
    for c in (0..=0x10ffff).filter_map(char::from_u32) {
        let text = format!("a{c}b{c}");
        let line = clean_line(&text);
        holds_nothing_forbidden(line.as_str());
        let promised = width(line.as_str());
        assert_eq!(promised, line.as_str().width(), "{}", c.escape_unicode());
        let by_char: usize = line.as_str().chars().map(|c| c.width().unwrap()).sum();
        assert_eq!(promised, by_char, "{}", c.escape_unicode());
        assert!(line.as_str().chars().all(|c| c.width().unwrap() <= 2), "{}", c.escape_unicode());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn no_mixture_moves_or_commands_a_terminal(text in hostile_text()) {
        survives(&text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_mixture_breaks_a_layout(text in hostile_text(), marks in "[-*_#>|`\\[\\](){}\":, 1.\n~<&;]{0,40}") {
        let mixed: String = text.chars().zip(marks.chars().cycle()).flat_map(|(a, b)| [a, b]).collect();
        survives_laid_out(&mixed);
    }
}

#[test]
fn what_was_there_can_be_seen() {
    let shown = |text: &str| clean_str(text).into_string();
    assert_eq!(shown("\u{1b}]0;owned\u{7}"), "␛]0;owned␇");
    assert_eq!(shown("a\r\nb\rc\u{2028}d"), "a\nb␍c\nd");
    assert_eq!(shown("ab\tc"), "ab  c");
    assert_eq!(shown("pay \u{202e}\u{2066}001\u{2069}"), "pay ␦001␦");
    assert_eq!(shown("hi\u{e0049}\u{e0067}\u{e006e}"), "hi␦");
    assert_eq!(shown("\u{301}e"), "◌\u{301}e");
    assert_eq!(shown(&format!("e{}", "\u{301}".repeat(50))), format!("e{}", "\u{301}".repeat(4)));
    assert_eq!(shown("👨\u{200d}👩\u{200d}👧 👍🏽 🇩🇪 ❤\u{fe0f} 1\u{fe0f}\u{20e3}"), "👨👩👧 👍 DE ❤ 1\u{20e3}");
    assert_eq!(shown("سلام"), "س\u{fefb}م");
    assert_eq!(shown("naïve 漢字 Ω ж ก็"), "naïve 漢字 Ω ж ก็");
    assert_eq!(clean_line("a\nb\tc").as_str(), "a⏎b c");
}

#[test]
fn words_stay_whole_where_they_can() {
    let lines = |text: &str, cols| -> Vec<String> {
        wrap(&clean_str(text), cols).into_iter().map(Clean::into_string).collect()
    };
    assert_eq!(lines("the quick brown fox", 10), ["the quick", "brown fox"]);
    assert_eq!(lines("the quick   brown", 9), ["the quick", "brown"]);
    assert_eq!(lines("incomprehensibilities", 8), ["incompre", "hensibil", "ities"]);
    assert_eq!(lines("well-known fact", 6), ["well-", "known", "fact"]);
    assert_eq!(lines("漢字、仮名。", 5), ["漢", "字、", "仮", "名。"]);
    assert_eq!(lines("    indented words here", 14), ["    indented", "words here"]);
    assert_eq!(lines("a\n\nb", 5), ["a", "", "b"]);
    assert_eq!(lines("", 5), [""]);
    assert_eq!(lines("e\u{301}e\u{301}e\u{301}", 2), ["e\u{301}e\u{301}", "e\u{301}"]);
}

#[test]
fn a_wrapped_line_keeps_its_styles() {
    let line = Line::new(vec![Span::new("one two ", Role::Plain), Span::new("three four", Role::Code)]);
    let mark = [Span::new("• ", Role::ListMark)];
    let lines = wrap_line(&line, 11, &mark, &[Span::new("  ", Role::Plain)]);
    let shown: Vec<Vec<(&str, Role)>> =
        lines.iter().map(|l| l.spans.iter().map(|s| (s.text.as_str(), s.style.role)).collect()).collect();
    assert_eq!(
        shown,
        [
            vec![("• ", Role::ListMark), ("one two", Role::Plain)],
            vec![("  ", Role::Plain), ("three", Role::Code)],
            vec![("  ", Role::Plain), ("four", Role::Code)],
        ]
    );
}

#[test]
fn cutting_keeps_graphemes_whole() {
    assert_eq!(truncate(&clean_str("abcdef"), 4).as_str(), "abc…");
    assert_eq!(truncate(&clean_str("abcd"), 4).as_str(), "abcd");
    assert_eq!(truncate(&clean_str("漢字漢字"), 4).as_str(), "漢…");
    assert_eq!(truncate(&clean_str("e\u{301}e\u{301}e\u{301}"), 2).as_str(), "e\u{301}…");
    assert_eq!(truncate(&clean_str("one\ntwo"), 9).as_str(), "one…");
    assert_eq!(truncate(&clean_str("abc"), 0).as_str(), "");
    let line = Line::new(vec![Span::new("abc", Role::Plain), Span::new("def", Role::Code)]);
    assert_eq!(truncate_line(&line, 5).text(), "abcd…");
    assert_eq!(truncate_line(&line, 3).text(), "ab…");
    assert_eq!(truncate_line(&line, 6), line);
}
