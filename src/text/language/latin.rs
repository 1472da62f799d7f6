//! Languages in Latin script, all compared at once.
//!
//! What is computed is what whatlang's `Combined` method computes, to the last bit: tests hold it against
//! whatlang. Its profiles are turned around once, from trigrams of a language to languages of a trigram, and
//! the trigrams of ASCII text, which is most text, are ranked in a set of bits instead of by sorting.

use std::cmp::Reverse;
use std::sync::LazyLock;

use whatlang::Lang;

/// A line a language: its code, its alphabet, its trigrams by rank. See the notice beside it.
const PROFILES: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/languages/latin.tsv"));
/// Trigrams of a profile, and the distance of one that a text lacks.
const TRIGRAMS: u32 = 300;
/// Room for a figure of each language.
const ROOM: usize = 64;
/// What characters of ASCII are told apart: the letters, and all else as space.
const CODES: usize = 27;
const ASCII_TRIGRAMS: usize = CODES * CODES * CODES;
const WORDS: usize = ASCII_TRIGRAMS.div_ceil(64);
/// The row of trigrams that no language has.
const NOBODYS: u16 = 0;

static LATIN: LazyLock<Latin> = LazyLock::new(Latin::read);

/// The profiles, turned around.
struct Latin {
    langs: Vec<Lang>,
    /// The trigrams that some language has, in their order, each with its row.
    trigrams: Vec<([char; 3], u16)>,
    /// The row of each trigram of ASCII.
    ascii: Vec<u16>,
    /// Where a row begins in `ranks`; it ends where the next one begins.
    rows: Vec<u32>,
    /// The languages of the rows, and at which rank they have the trigram.
    ranks: Vec<(u8, u16)>,
    /// The characters that some alphabet has, in their order, and which languages lack them, as bits.
    letters: Vec<(char, u64)>,
}

/// The likeliest language of a text of ASCII, and how sure that is. At most 300 bytes.
pub(super) fn guess_ascii(text: &str) -> Option<(Lang, f64)> {
    let (mut seen, mut again) = ([0_u64; WORDS], [0_u64; WORDS]);
    let mut repeated: Vec<usize> = Vec::new();
    let mut letters = [0_u32; CODES];
    // Codes before and at the place; the text ends as if a space followed.
    let (mut before, mut here) = (0, 0);
    for byte in text.bytes().chain([b' ']) {
        let code = ascii_code(byte);
        letters[code] += 1;
        if !(here == 0 && (before == 0 || code == 0)) {
            let trigram = (before * CODES + here) * CODES + code;
            let (word, bit) = (trigram / 64, 1 << (trigram % 64));
            if seen[word] & bit != 0 {
                again[word] |= bit;
                repeated.push(trigram);
            }
            seen[word] |= bit;
        }
        (before, here) = (here, code);
    }
    let characters: u32 = letters[1..].iter().sum();
    if characters == 0 {
        return None;
    }
    let latin = &*LATIN;
    let mut scores = Scores::new(characters);
    for (letter, times) in ('a'..='z').zip(&letters[1..]) {
        latin.letter(letter, *times, &mut scores);
    }
    // The most frequent first, of equally frequent ones the last of the alphabet: those that stand more than
    // once are few and sorted, the others lie in order already.
    repeated.sort_unstable();
    let mut frequent: Vec<(usize, usize)> =
        repeated.chunk_by(|a, b| a == b).map(|same| (same.len(), same[0])).collect();
    frequent.sort_unstable_by_key(|one| Reverse(*one));
    for (_, trigram) in frequent {
        latin.trigram(latin.ascii[trigram], &mut scores);
    }
    for word in (0..WORDS).rev() {
        let mut once = seen[word] & !again[word];
        while once != 0 {
            let bit = once.ilog2() as usize;
            once &= !(1 << bit);
            latin.trigram(latin.ascii[word * 64 + bit], &mut scores);
        }
    }
    latin.likeliest(&scores)
}

/// The same for any text whose script is Latin.
pub(super) fn guess(text: &str) -> Option<(Lang, f64)> {
    let text: Vec<char> = text.to_lowercase().chars().map(|c| if is_letter(c) { c } else { ' ' }).collect();
    let latin = &*LATIN;
    let letters = text.iter().filter(|c| is_letter(**c));
    let mut scores = Scores::new(u32::try_from(letters.clone().count()).ok()?);
    for letter in letters {
        latin.letter(*letter, 1, &mut scores);
    }
    let mut trigrams: Vec<[char; 3]> = Vec::with_capacity(text.len());
    let mut before = ' ';
    for (at, here) in text.iter().enumerate() {
        let after = text.get(at + 1).copied().unwrap_or(' ');
        if !(*here == ' ' && (before == ' ' || after == ' ')) {
            trigrams.push([before, *here, after]);
        }
        before = *here;
    }
    trigrams.sort_unstable();
    let mut counted: Vec<(usize, [char; 3])> =
        trigrams.chunk_by(|a, b| a == b).map(|same| (same.len(), same[0])).collect();
    counted.sort_unstable_by_key(|one| Reverse(*one));
    for (_, trigram) in counted {
        let found = latin.trigrams.binary_search_by_key(&trigram, |(trigram, _)| *trigram);
        latin.trigram(found.map_or(NOBODYS, |at| latin.trigrams[at].1), &mut scores);
    }
    latin.likeliest(&scores)
}

/// Anything but the controls, digits, spaces and punctuation of ASCII.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || c >= '\u{7f}'
}

const fn ascii_code(byte: u8) -> usize {
    if byte.is_ascii_alphabetic() { (byte.to_ascii_lowercase() - b'a') as usize + 1 } else { 0 }
}

/// What has been found out about a text.
struct Scores {
    /// Characters that are no space.
    characters: u32,
    /// Characters that the alphabet of a language lacks.
    lacks: [u32; ROOM],
    /// Different trigrams so far.
    trigrams: u32,
    /// How near the ranks are to those of a language: 300 less the distance, for each trigram they share.
    near: [u32; ROOM],
}

impl Scores {
    fn new(characters: u32) -> Self {
        Self { characters, lacks: [0; ROOM], trigrams: 0, near: [0; ROOM] }
    }
}

impl Latin {
    fn read() -> Self {
        let mut langs = Vec::new();
        let mut entries: Vec<([char; 3], u8, u16)> = Vec::new();
        let mut has: Vec<(char, u64)> = Vec::new();
        for line in PROFILES.lines() {
            let mut fields = line.split('\t');
            let mut field = || fields.next().unwrap_or_default();
            let Some(lang) = Lang::from_code(field()) else { continue };
            let place = langs.len() as u8;
            langs.push(lang);
            has.extend(field().chars().map(|letter| (letter, 1 << place)));
            let trigrams: Vec<char> = field().chars().collect();
            let trigrams = trigrams.as_chunks::<3>().0.iter().zip(0..);
            entries.extend(trigrams.map(|(trigram, rank)| (*trigram, place, rank)));
        }
        entries.sort_unstable();
        let mut latin = Self {
            langs,
            trigrams: Vec::new(),
            ascii: vec![NOBODYS; ASCII_TRIGRAMS],
            rows: vec![0, 0],
            ranks: Vec::with_capacity(entries.len()),
            letters: Vec::new(),
        };
        for same in entries.chunk_by(|a, b| a.0 == b.0) {
            let trigram = same[0].0;
            let row = (latin.rows.len() - 1) as u16;
            latin.trigrams.push((trigram, row));
            latin.ranks.extend(same.iter().map(|(_, place, rank)| (*place, *rank)));
            latin.rows.push(latin.ranks.len() as u32);
            if trigram.iter().all(char::is_ascii) {
                let at = trigram.iter().fold(0, |at, c| at * CODES + ascii_code(*c as u8));
                latin.ascii[at] = row;
            }
        }
        has.sort_unstable();
        let all = (1_u64 << latin.langs.len()) - 1;
        for same in has.chunk_by(|a, b| a.0 == b.0) {
            let have = same.iter().fold(0, |have, (_, one)| have | one);
            latin.letters.push((same[0].0, all & !have));
        }
        latin
    }

    /// Counts a character.
    fn letter(&self, letter: char, times: u32, scores: &mut Scores) {
        let all = (1_u64 << self.langs.len()) - 1;
        let found = self.letters.binary_search_by_key(&letter, |(letter, _)| *letter);
        let mut lacking = found.map_or(all, |at| self.letters[at].1);
        while lacking != 0 {
            scores.lacks[lacking.trailing_zeros() as usize] += times;
            lacking &= lacking - 1;
        }
    }

    /// Counts the next trigram by rank.
    fn trigram(&self, row: u16, scores: &mut Scores) {
        let (from, to) = (self.rows[usize::from(row)], self.rows[usize::from(row) + 1]);
        for (place, rank) in &self.ranks[from as usize..to as usize] {
            scores.near[usize::from(*place) % ROOM] +=
                TRIGRAMS.saturating_sub(scores.trigrams.abs_diff(u32::from(*rank)));
        }
        scores.trigrams += 1;
    }

    /// The first by letters and trigrams, and how far it is ahead of the second.
    fn likeliest(&self, scores: &Scores) -> Option<(Lang, f64)> {
        // The shorter the text, the more its letters say.
        let by_letters = (2.0 / 3.0 - f64::from(scores.characters) / 300.0).clamp(1.0 / 3.0, 2.0 / 3.0);
        let by_trigrams = 1.0 - by_letters;
        let (mut first, mut second) = ((0, 0.0), 0.0);
        for place in 0..self.langs.len() {
            let letters = scores.characters.saturating_sub(2 * scores.lacks[place]);
            let letters = f64::from(letters) / f64::from(scores.characters);
            let trigrams = f64::from(scores.near[place]) / f64::from(scores.trigrams * TRIGRAMS);
            let score = letters * by_letters + trigrams * by_trigrams;
            if score > first.1 {
                (first, second) = ((place, score), first.1);
            } else if score > second {
                second = score;
            }
        }
        let confidence = match (first.1, second) {
            (0.0, _) => 0.0,
            (alone, 0.0) => alone,
            (first, second) => {
                // Further ahead than this is sure; the constants are whatlang's.
                let sure = 3.0 / f64::from(scores.trigrams) + 0.015;
                ((first - second) / second / sure).min(1.0)
            }
        };
        Some((*self.langs.get(first.0)?, confidence))
    }
}
