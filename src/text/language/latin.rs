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
const TRIGRAMS: u16 = 300;
/// Room for a figure of each language: 37, and as many more as make the compiler take eight at a time.
const LANES: usize = 40;
/// The rank of a trigram in a language that has it not: far from all.
const NOT_THERE: u16 = u16::MAX;
/// Before so many trigrams no sum of 300 each is too large for 16 bits.
const OFTEN: u32 = 200;
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
    /// The trigrams that some language has, in their order. The row of the first is 1.
    trigrams: Vec<u64>,
    /// The row of each trigram of ASCII.
    ascii: Vec<u16>,
    /// A row a trigram: the rank that it has in each language.
    ranks: Vec<[u16; LANES]>,
    /// Which languages lack a letter from `a` to `z`, as bits.
    lack_ascii: [u64; CODES - 1],
    /// The same of all characters that some alphabet has, in their order.
    lack: Vec<(char, u64)>,
}

/// The likeliest language of a text of ASCII, and how sure that is. At most 300 bytes.
pub(super) fn guess_ascii(text: &str) -> Option<(Lang, f64)> {
    let (mut seen, mut again) = ([0_u64; WORDS], [0_u64; WORDS]);
    let mut letters = [0_u32; CODES];
    // What stood before, each time that it stands again; written without a branch, which nobody could foretell.
    let mut repeated = [0_u16; TRIGRAMS as usize + 1];
    let mut repeats = 0;
    // Codes before and at the place; the text ends as if a space followed.
    let (mut before, mut here) = (0, 0);
    for byte in text.bytes().chain([b' ']) {
        let code = ASCII_CODES[usize::from(byte)] as usize;
        letters[code] += 1;
        if here != 0 || (before != 0 && code != 0) {
            let trigram = (before * CODES + here) * CODES + code;
            let (word, bit) = (trigram / 64, 1 << (trigram % 64));
            *repeated.get_mut(repeats)? = trigram as u16;
            repeats += usize::from(seen[word] & bit != 0);
            again[word] |= seen[word] & bit;
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
    for (lacking, times) in latin.lack_ascii.iter().zip(&letters[1..]) {
        scores.lacking(*lacking, *times);
    }
    // The most frequent first, of equally frequent ones the last of the alphabet. Those that stand once, which
    // are most, lie in that order already.
    let repeated = &mut repeated[..repeats];
    repeated.sort_unstable();
    let same = repeated.chunk_by(|a, b| a == b);
    let mut frequent: Vec<u32> = same.map(|same| (same.len() as u32) << 16 | u32::from(same[0])).collect();
    frequent.sort_unstable();
    for one in frequent.into_iter().rev() {
        latin.trigram(latin.ascii[usize::from(one as u16)], &mut scores);
    }
    for (n, (seen, again)) in seen.iter().zip(&again).enumerate().rev() {
        let mut once = seen & !again;
        while once != 0 {
            let bit = once.ilog2() as usize;
            once ^= 1 << bit;
            latin.trigram(latin.ascii[n * 64 + bit], &mut scores);
        }
    }
    latin.likeliest(scores)
}

/// The same for any text whose script is Latin.
pub(super) fn guess(text: &str) -> Option<(Lang, f64)> {
    let latin = &*LATIN;
    let text: Vec<char> = text.to_lowercase().chars().map(|c| if is_letter(c) { c } else { ' ' }).collect();
    let letters = text.iter().filter(|c| **c != ' ');
    let mut scores = Scores::new(u32::try_from(letters.clone().count()).ok()?);
    for letter in letters {
        scores.lacking(latin.lacking(*letter), 1);
    }
    let mut trigrams: Vec<u64> = Vec::with_capacity(text.len());
    let mut before = ' ';
    for (at, here) in text.iter().enumerate() {
        let after = text.get(at + 1).copied().unwrap_or(' ');
        if *here != ' ' || (before != ' ' && after != ' ') {
            trigrams.push(number([before, *here, after]));
        }
        before = *here;
    }
    trigrams.sort_unstable();
    let same = trigrams.chunk_by(|a, b| a == b).rev();
    let mut frequent: Vec<(usize, u64)> =
        same.clone().filter(|same| same.len() > 1).map(|same| (same.len(), same[0])).collect();
    frequent.sort_unstable_by_key(|one| Reverse(*one));
    let once = same.filter(|same| same.len() == 1).map(|same| same[0]);
    for trigram in frequent.into_iter().map(|(_, trigram)| trigram).chain(once) {
        latin.trigram(latin.row(trigram), &mut scores);
    }
    latin.likeliest(scores)
}

/// Three characters as a number, in their order.
fn number(trigram: [char; 3]) -> u64 {
    trigram.iter().fold(0, |number, c| number << 21 | u64::from(u32::from(*c)))
}

/// Anything but the controls, digits, spaces and punctuation of ASCII.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || c >= '\u{7f}'
}

const fn ascii_code(byte: u8) -> u8 {
    if byte.is_ascii_alphabetic() { byte.to_ascii_lowercase() - b'a' + 1 } else { 0 }
}

/// The codes of all bytes.
const ASCII_CODES: [u8; 256] = {
    let mut codes = [0; 256];
    let mut byte = 0;
    while byte < codes.len() {
        codes[byte] = ascii_code(byte as u8);
        byte += 1;
    }
    codes
};

/// What has been found out about a text.
struct Scores {
    /// Characters that are no space.
    characters: u32,
    /// Characters that the alphabet of a language lacks.
    lacks: [u32; LANES],
    /// Different trigrams so far.
    trigrams: u32,
    /// How near the ranks are to those of a language: 300 less the distance, for each trigram they share.
    near: [u32; LANES],
    /// The same of the latest trigrams.
    latest: [u16; LANES],
}

impl Scores {
    fn new(characters: u32) -> Self {
        Self { characters, lacks: [0; LANES], trigrams: 0, near: [0; LANES], latest: [0; LANES] }
    }

    fn settle(&mut self) {
        for (near, latest) in self.near.iter_mut().zip(&mut self.latest) {
            *near += u32::from(std::mem::take(latest));
        }
    }

    /// A character that these languages lack stands so many times.
    fn lacking(&mut self, mut languages: u64, times: u32) {
        while languages != 0 && times != 0 {
            self.lacks[languages.trailing_zeros() as usize] += times;
            languages &= languages - 1;
        }
    }
}

impl Latin {
    fn read() -> Self {
        let mut langs = Vec::new();
        let mut entries: Vec<(u64, u8, u16)> = Vec::new();
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
            entries.extend(trigrams.map(|(trigram, rank)| (number(*trigram), place, rank)));
        }
        entries.sort_unstable();
        let mut latin = Self {
            langs,
            trigrams: Vec::new(),
            ascii: vec![NOBODYS; ASCII_TRIGRAMS],
            ranks: vec![[NOT_THERE; LANES]],
            lack_ascii: [0; CODES - 1],
            lack: Vec::new(),
        };
        for same in entries.chunk_by(|a, b| a.0 == b.0) {
            latin.trigrams.push(same[0].0);
            let mut ranks = [NOT_THERE; LANES];
            for (_, place, rank) in same {
                ranks[usize::from(*place)] = *rank;
            }
            latin.ranks.push(ranks);
        }
        let letters = || std::iter::once(' ').chain('a'..='z');
        for (first, a) in letters().enumerate() {
            for (second, b) in letters().enumerate() {
                for (third, c) in letters().enumerate() {
                    latin.ascii[(first * CODES + second) * CODES + third] = latin.row(number([a, b, c]));
                }
            }
        }
        has.sort_unstable();
        for same in has.chunk_by(|a, b| a.0 == b.0) {
            let have = same.iter().fold(0, |have, (_, one)| have | one);
            latin.lack.push((same[0].0, latin.all() & !have));
        }
        latin.lack_ascii = std::array::from_fn(|n| latin.lacking(char::from(b'a' + n as u8)));
        latin
    }

    /// All languages, as bits.
    fn all(&self) -> u64 {
        (1 << self.langs.len()) - 1
    }

    /// The languages whose alphabet lacks a character.
    fn lacking(&self, letter: char) -> u64 {
        let found = self.lack.binary_search_by_key(&letter, |(letter, _)| *letter);
        found.map_or_else(|_| self.all(), |at| self.lack[at].1)
    }

    /// The row of a trigram.
    fn row(&self, trigram: u64) -> u16 {
        self.trigrams.binary_search(&trigram).map_or(NOBODYS, |at| at as u16 + 1)
    }

    /// Counts the next trigram by rank.
    fn trigram(&self, row: u16, scores: &mut Scores) {
        let at = scores.trigrams as u16;
        for (near, rank) in scores.latest.iter_mut().zip(&self.ranks[usize::from(row)]) {
            *near += TRIGRAMS.saturating_sub(rank.saturating_sub(at) + at.saturating_sub(*rank));
        }
        scores.trigrams += 1;
        if scores.trigrams.is_multiple_of(OFTEN) {
            scores.settle();
        }
    }

    /// The first by letters and trigrams, and how far it is ahead of the second.
    fn likeliest(&self, mut scores: Scores) -> Option<(Lang, f64)> {
        scores.settle();
        // The shorter the text, the more its letters say.
        let by_letters = (2.0 / 3.0 - f64::from(scores.characters) / 300.0).clamp(1.0 / 3.0, 2.0 / 3.0);
        let by_trigrams = 1.0 - by_letters;
        let (mut first, mut second) = ((0, 0.0), 0.0);
        for place in 0..self.langs.len() {
            let letters = scores.characters.saturating_sub(2 * scores.lacks[place]);
            let letters = f64::from(letters) / f64::from(scores.characters);
            let trigrams = f64::from(scores.near[place]) / f64::from(scores.trigrams * u32::from(TRIGRAMS));
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
