//! BERT's uncased tokens: clean text, ideographs apart, lower case without accents, punctuation apart,
//! then the longest pieces that the vocabulary has (Devlin et al. 2018, `BertTokenizer`).

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

/// Characters of a word from which it is unknown as a whole.
const LONGEST_WORD: usize = 100;

static CONTROL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{C}").ok());
static ACCENT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{Mn}").ok());
static PUNCTUATION: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{P}").ok());

/// The ids of a text's tokens, without `[CLS]` and `[SEP]`.
pub(super) fn tokens(text: &str, ids: &HashMap<&str, u32>, unknown: u32) -> Vec<u32> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut alone = |word: &mut String, c: Option<char>| {
        if !word.is_empty() {
            words.push(std::mem::take(word));
        }
        words.extend(c.map(String::from));
    };
    for c in text.chars() {
        if c.is_whitespace() {
            alone(&mut word, None);
        } else if c == '\u{fffd}' || is(c, &CONTROL, |c| c.is_ascii_control()) {
            continue;
        } else if ideograph(c) {
            alone(&mut word, Some(c));
        } else {
            for c in c.to_lowercase().nfd() {
                if is(c, &ACCENT, |_| false) {
                    continue;
                }
                if is(c, &PUNCTUATION, |c| c.is_ascii_punctuation()) {
                    alone(&mut word, Some(c));
                } else {
                    word.push(c);
                }
            }
        }
    }
    alone(&mut word, None);
    let mut all = Vec::new();
    for word in &words {
        pieces(word, ids, unknown, &mut all);
    }
    all
}

/// The longest pieces from the left; a word that does not come out even is unknown as a whole.
fn pieces(word: &str, ids: &HashMap<&str, u32>, unknown: u32, all: &mut Vec<u32>) {
    let begun = all.len();
    if word.chars().count() > LONGEST_WORD {
        return all.push(unknown);
    }
    let mut rest = word;
    let mut piece = String::new();
    while !rest.is_empty() {
        let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8()).rev();
        let found = ends.into_iter().find_map(|end| {
            piece.clear();
            piece.push_str(if rest.len() == word.len() { "" } else { "##" });
            piece.push_str(&rest[..end]);
            ids.get(piece.as_str()).map(|id| (*id, end))
        });
        let Some((id, end)) = found else {
            all.truncate(begun);
            return all.push(unknown);
        };
        all.push(id);
        rest = &rest[end..];
    }
}

/// Whether a character is of a class: ASCII by a quick look, the rest by Unicode's table.
fn is(c: char, class: &LazyLock<Option<Regex>>, ascii: fn(&char) -> bool) -> bool {
    if c.is_ascii() {
        return ascii(&c);
    }
    class.as_ref().is_some_and(|class| class.is_match(c.encode_utf8(&mut [0; 4])))
}

/// The blocks that BERT sets apart: Chinese characters, not kana and not Hangul.
fn ideograph(c: char) -> bool {
    matches!(c,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{2a6df}' | '\u{2a700}'..='\u{2ceaf}' | '\u{2f800}'..='\u{2fa1f}')
}
