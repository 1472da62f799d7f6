//! Text folded for comparing: case away where asked, accents decomposed, runs of white space one space,
//! characters that nobody sees left out, so that none of them hides a word.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Folds a text.
pub(super) fn fold(text: &str, case_sensitive: bool) -> String {
    if text.is_ascii() {
        return ascii(text, case_sensitive);
    }
    let mut out = String::with_capacity(text.len());
    let mut spaced = false;
    for c in text.chars() {
        one(c, case_sensitive, &mut spaced, &mut out);
    }
    out
}

/// The same for ASCII, which most answers are: copied whole where no white space is to be changed.
fn ascii(text: &str, case_sensitive: bool) -> String {
    /// Bytes that are looked at together.
    const PIECE: usize = 64;
    let lower = if case_sensitive { text.to_owned() } else { text.to_ascii_lowercase() };
    if even(lower.as_bytes()) {
        return lower;
    }
    let mut out = String::with_capacity(lower.len());
    let mut spaced = false;
    for at in (0..lower.len()).step_by(PIECE) {
        let piece = &lower[at..lower.len().min(at + PIECE)];
        if even(piece.as_bytes()) && !(spaced && piece.starts_with(' ')) {
            out.push_str(piece);
            spaced = piece.ends_with(' ');
            continue;
        }
        for c in piece.chars() {
            let before = std::mem::replace(&mut spaced, c.is_whitespace());
            match (before, spaced) {
                (_, false) => out.push(c),
                (false, true) => out.push(' '),
                (true, true) => (),
            }
        }
    }
    out
}

/// Whether all white space is single spaces. No early end: the loops are then of many bytes at a time.
fn even(ascii: &[u8]) -> bool {
    let other = ascii.iter().fold(false, |other, byte| other | matches!(byte, 0x09..=0x0d));
    let after = ascii.get(1..).unwrap_or_default();
    let double = ascii.iter().zip(after).fold(false, |two, (a, b)| two | ((*a == b' ') & (*b == b' ')));
    !other && !double
}

/// The bytes of the text that became these bytes of its fold.
pub(super) fn locate(text: &str, case_sensitive: bool, folded: Range<usize>) -> Range<usize> {
    let (mut begin, mut end) = (None, 0);
    let (mut at, mut spaced) = (0, false);
    let mut piece = String::new();
    for (byte, c) in text.char_indices() {
        piece.clear();
        one(c, case_sensitive, &mut spaced, &mut piece);
        let after = at + piece.len();
        if after > folded.start && at < folded.end && after > at {
            begin.get_or_insert(byte);
            end = byte + c.len_utf8();
        }
        at = after;
        if at >= folded.end {
            break;
        }
    }
    begin.map_or(0..0, |begin| begin..end)
}

fn one(c: char, case_sensitive: bool, spaced: &mut bool, out: &mut String) {
    if c.is_whitespace() {
        if !*spaced {
            out.push(' ');
        }
        *spaced = true;
        return;
    }
    if unseen(c) {
        return;
    }
    *spaced = false;
    match (c.is_ascii(), case_sensitive) {
        (true, true) => out.push(c),
        (true, false) => out.push(c.to_ascii_lowercase()),
        (false, true) => out.extend(std::iter::once(c).nfd()),
        // By way of the capital: ß is ss, and both sigmas are one.
        (false, false) => out.extend(c.to_uppercase().flat_map(char::to_lowercase).nfd()),
    }
}

/// Soft hyphen, zero-width characters, direction marks, the word joiner, variation selectors.
fn unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// Whether a place in folded text is not inside of a character: no accent and no part of a Hangul
/// syllable follows.
pub(super) fn between_characters(folded: &str, at: usize) -> bool {
    !folded[at..].chars().next().is_some_and(|c| is_combining_mark(c) || matches!(c, '\u{1160}'..='\u{11ff}'))
}

/// Whether a place in folded text is not inside of a word.
pub(super) fn between_words(folded: &str, at: usize) -> bool {
    let (before, after) = (folded[..at].chars().next_back(), folded[at..].chars().next());
    match (before, after) {
        (Some(a), Some(b)) => !(of_word(a) && of_word(b)) || unspaced(a) || unspaced(b),
        _ => true,
    }
}

fn of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || is_combining_mark(c)
}

/// Scripts that are written without spaces: Thai, Lao, Burmese, Khmer, kana, Chinese.
fn unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_looks_alike_folds_alike() {
        assert_eq!(fold("STRASSE  \n now", false), fold("Straße now", false));
        assert_eq!(fold("café", false), fold("CAFE\u{301}", false));
        assert_eq!(fold("ΟΔΟΣ", false), fold("οδος", false));
        assert_eq!(fold("over\u{ad}dra\u{200b}ft", false), "overdraft");
        assert_ne!(fold("Fee", true), fold("fee", true));
        assert_eq!(fold(" A\r\n\tb  c", false), " a b c");
        assert_eq!(fold("A\nb", true), "A b");
    }

    #[test]
    fn the_place_is_that_of_the_text() {
        let text = "Ä  ß\u{200b}x fee";
        let folded = fold(text, false);
        let at = folded.find("ssx").unwrap();
        assert_eq!(&text[locate(text, false, at..at + 3)], "ß\u{200b}x");
        let at = folded.find(" ssx").unwrap();
        assert_eq!(&text[locate(text, false, at..at + 4)], "  ß\u{200b}x");
    }

    proptest! {
        #[test]
        fn ascii_folds_as_any_text(text in "([a-zA-Z ]{0,70}[ \\t\\n\\x0b\\x0c\\r]{0,3}){0,4}", case_sensitive: bool) {
            let mut slowly = String::new();
            let mut spaced = false;
            for c in text.chars() {
                one(c, case_sensitive, &mut spaced, &mut slowly);
            }
            prop_assert_eq!(fold(&text, case_sensitive), slowly);
        }

        #[test]
        fn every_fold_can_be_located(text in "\\PC{0,40}", a in 0_usize..60, b in 0_usize..60) {
            let folded = fold(&text, false);
            let (a, b) = (a.min(folded.len()), b.min(folded.len()));
            let span = locate(&text, false, a.min(b)..a.max(b));
            prop_assert!(text.get(span).is_some());
        }
    }
}
