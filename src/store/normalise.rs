//! Text as the words that the search index knows. The same function makes the words that are indexed
//! and the words that are asked for, so that they meet.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Words are cut here, in bytes: what is longer is no word but data in Base64 or the like.
const LONGEST: usize = 64;

/// The words of a text in lower case, without diacritics, one space between them. Words end at whatever
/// is neither letter nor digit; in scripts that write no spaces each sign is a word, so that a phrase
/// of them finds what contains it.
pub fn normalise(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    normalise_into(text, &mut words);
    words
}

/// Like [`normalise`], at the end of `words`.
pub(super) fn normalise_into(text: &str, words: &mut String) {
    let mut to = Words { words, length: 0 };
    let mut rest = text;
    while !rest.is_empty() {
        let run = rest.bytes().position(|b| !b.is_ascii()).unwrap_or(rest.len());
        let (ascii, wide) = rest.split_at(run);
        to.ascii(ascii);
        let run = wide.bytes().position(|b| b.is_ascii()).unwrap_or(wide.len());
        let (wide, ascii) = wide.split_at(run);
        wide.chars().for_each(|c| to.wide(c));
        rest = ascii;
    }
    to.end();
}

struct Words<'a> {
    words: &'a mut String,
    /// Bytes of the word being written.
    length: usize,
}

impl Words<'_> {
    /// Whole words at a time: almost all text goes through here.
    fn ascii(&mut self, text: &str) {
        let mut rest = text;
        loop {
            let word = rest.bytes().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(rest.len());
            let room = LONGEST.saturating_sub(self.length).min(word);
            let from = self.words.len();
            self.words.push_str(&rest[..room]);
            self.words[from..].make_ascii_lowercase();
            self.length += word;
            if word == rest.len() {
                return;
            }
            self.end();
            rest = &rest[word + 1..];
        }
    }

    fn wide(&mut self, c: char) {
        if is_word_alone(c) {
            return self.alone(c);
        }
        if is_diacritic(c) {
            return;
        }
        c.to_lowercase().for_each(|lower| {
            decompose_compatible(lower, |part| {
                if is_word_alone(part) {
                    self.alone(part);
                } else if !is_diacritic(part) {
                    part.to_lowercase().for_each(|part| {
                        if part.is_alphanumeric() || is_combining_mark(part) {
                            self.letter(part);
                        } else {
                            self.end();
                        }
                    });
                }
            });
        });
    }

    /// Letters that are written in several ways become one here, where compatibility forms have
    /// decomposed to them.
    fn letter(&mut self, c: char) {
        match c {
            'ß' => {
                self.push('s');
                self.push('s');
            }
            'ı' => self.push('i'),
            'ς' => self.push('σ'),
            c => self.push(c),
        }
    }

    fn push(&mut self, c: char) {
        if self.length + c.len_utf8() <= LONGEST {
            self.words.push(c);
        }
        self.length += c.len_utf8();
    }

    fn alone(&mut self, c: char) {
        self.end();
        self.letter(c);
        self.end();
    }

    fn end(&mut self) {
        if self.length > 0 {
            self.words.push(' ');
            self.length = 0;
        }
    }
}

/// Marks that readers of the script leave out in a search, and signs that join or vary letters. Vowel
/// signs of the scripts of India are none of them: there they tell words apart.
fn is_diacritic(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{5bf}'..='\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}'
        | '\u{ad}' | '\u{200d}' | '\u{e0100}'..='\u{e01ef}')
}

/// Signs of Thai, Lao, Myanmar, Khmer, kana, Han, Hangul and their extensions.
fn is_word_alone(c: char) -> bool {
    matches!(c,
        '\u{e01}'..='\u{e3a}' | '\u{e40}'..='\u{e4e}' | '\u{e50}'..='\u{e59}' | '\u{e81}'..='\u{edf}'
        | '\u{1000}'..='\u{1049}' | '\u{1780}'..='\u{17d3}'
        | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_meet_however_they_are_written() {
        for (text, words) in [
            ("The Overdraft-Fee, €35!", "the overdraft fee 35 "),
            ("gpt-4o_mini v2.1", "gpt 4o mini v2 1 "),
            ("Crème BRÛLÉE ça", "creme brulee ca "),
            ("Straße STRASSE", "strasse strasse "),
            ("ΟΔΟΣ οδός", "οδοσ οδοσ "),
            ("ϲ", "σ "),
            ("İstanbul ISPARTA ısparta", "istanbul isparta isparta "),
            ("ﬁnance Ａ１ ½", "finance a1 1 2 "),
            ("銀行ATMが", "銀 行 atm が "),
            ("은행에서 bank", "은 행 에 서 bank "),
            ("ｶﾅ", "カ ナ "),
            ("हिन्दी में", "हिन्दी में "),
            ("العَرَبِيَّة", "العربية "),
            ("ไทย", "ไ ท ย "),
            ("👍 ok\u{0}\u{1b}[31m", "ok 31m "),
            ("", ""),
        ] {
            assert_eq!(normalise(text), words, "{text:?}");
        }
        assert_eq!(normalise(&"x".repeat(1000)).len(), LONGEST + 1);
    }

    #[test]
    fn every_sign_is_its_own_word() {
        for text in ('\0'..=char::MAX).map(String::from) {
            let once = normalise(&text);
            assert_eq!(normalise(&once), once, "{}", text.escape_unicode());
        }
    }

    proptest! {
        #[test]
        fn words_are_their_own_words(text in "\\PC{0,60}") {
            let once = normalise(&text);
            prop_assert_eq!(normalise(&once), once);
        }
    }
}
