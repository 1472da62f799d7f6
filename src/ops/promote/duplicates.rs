//! Which cases of a set an input resembles.
//!
//! What is compared is the words of the *user's* side: in chat messages the system prompt and the
//! tools' answers are the same in every case of a feature and would make all of them look alike.
//!
//! - *exact*: the same words, after NFKC, lower case, and without punctuation and spacing;
//! - *near*: the sets of words and of pairs of neighbouring words have a Jaccard index of at least
//!   [`NEAR`]. Counting pairs too keeps "cancel the card, keep the account" apart from "cancel the
//!   account, keep the card". At 0.6, one word in ten changed is near, three are not.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;
use xxhash_rust::xxh3::xxh3_64;

use crate::domain::{CaseId, Content, EvalCase, Untrusted};

/// From which Jaccard index on two inputs are near duplicates.
pub const NEAR: f64 = 0.6;

/// How many characters of a resembling case are shown.
const PREVIEW: usize = 120;

/// How many resembling cases are named at most.
const NAMED: usize = 5;

/// A case that an input resembles.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Resembles {
    /// The case.
    pub case: CaseId,
    /// First words of its input.
    pub input: Untrusted,
    /// Whether its words are the same.
    pub exact: bool,
    /// The Jaccard index, 0 to 1; 1 for an exact one.
    pub similarity: f64,
}

/// The inputs of a set, ready to be compared with. Built once for many questions.
#[derive(Debug, Default)]
pub struct Inputs {
    cases: Vec<Known>,
    by_shingle: HashMap<u64, Vec<usize>>,
}

#[derive(Debug)]
struct Known {
    id: CaseId,
    first_words: Untrusted,
    whole: u64,
    shingles: usize,
}

impl Inputs {
    /// Takes the inputs of these cases.
    pub fn of<'a>(cases: impl IntoIterator<Item = &'a EvalCase>) -> Self {
        let mut inputs = Self::default();
        for case in cases {
            inputs.add(&case.id, &case.body.input);
        }
        inputs
    }

    /// Adds one more.
    pub fn add(&mut self, id: &CaseId, input: &Content) {
        let (whole, shingles) = print(input);
        for shingle in &shingles {
            self.by_shingle.entry(*shingle).or_default().push(self.cases.len());
        }
        let (id, first_words) = (id.clone(), input.asked(PREVIEW));
        self.cases.push(Known { id, first_words, whole, shingles: shingles.len() });
    }

    /// The cases that `input` resembles, most alike first, without `itself`.
    pub fn resembling(&self, input: &Content, itself: Option<&CaseId>) -> Vec<Resembles> {
        let (whole, shingles) = print(input);
        let mut shared: HashMap<usize, usize> = HashMap::new();
        for place in shingles.iter().filter_map(|shingle| self.by_shingle.get(shingle)).flatten() {
            *shared.entry(*place).or_default() += 1;
        }
        let mut found: Vec<Resembles> = shared
            .into_iter()
            .filter_map(|(place, shared)| {
                let case = &self.cases[place];
                let exact = case.whole == whole;
                let union = shingles.len() + case.shingles - shared;
                let similarity = if exact { 1.0 } else { shared as f64 / union.max(1) as f64 };
                (Some(&case.id) != itself && (exact || similarity >= NEAR)).then(|| Resembles {
                    case: case.id.clone(),
                    input: case.first_words.clone(),
                    exact,
                    similarity,
                })
            })
            .collect();
        found.sort_by(|a, b| {
            (b.exact, b.similarity)
                .partial_cmp(&(a.exact, a.similarity))
                .unwrap_or(std::cmp::Ordering::Equal)
                .then_with(|| a.case.cmp(&b.case))
        });
        found.truncate(NAMED);
        found
    }
}

/// A hash of the words in order, and the set of hashes of words and of pairs of neighbours.
fn print(input: &Content) -> (u64, BTreeSet<u64>) {
    let text: String = words_of(input).nfkc().collect::<String>().to_lowercase();
    let mut words: Vec<&str> = text.unicode_words().collect();
    // Text of signs alone ("???", an emoji) has no words; it is compared as it is.
    if words.is_empty() {
        words = text.split_whitespace().collect();
    }
    let whole = xxh3_64(words.join(" ").as_bytes());
    let mut shingles: BTreeSet<u64> = words.iter().map(|word| xxh3_64(word.as_bytes())).collect();
    shingles.extend(words.windows(2).map(|pair| xxh3_64(pair.join(" ").as_bytes())));
    (whole, shingles)
}

/// The text of the user's side; of all sides where the user says nothing.
pub(super) fn words_of(input: &Content) -> String {
    match input {
        Content::Text(text) => text.raw().to_owned(),
        Content::Messages(messages) => {
            let said = |user: bool| {
                let turns = messages.iter().filter(|m| !user || m.role.raw() == "user");
                turns
                    .map(|m| content_text(&m.content))
                    .filter(|t| !t.is_empty())
                    .collect::<Vec<_>>()
                    .join("\n")
            };
            let users = said(true);
            if users.is_empty() { said(false) } else { users }
        }
    }
}

/// The text of a message's `content`: a string, or its text parts.
fn content_text(content: &serde_json::Value) -> String {
    match content {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part.get("text").and_then(serde_json::Value::as_str));
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Content {
        Content::Text(Untrusted::from(text))
    }

    fn inputs(texts: &[&str]) -> Inputs {
        let mut inputs = Inputs::default();
        for (n, t) in texts.iter().enumerate() {
            inputs.add(&CaseId::parse(&format!("c{n}")).unwrap(), &text(t));
        }
        inputs
    }

    fn found(inputs: &Inputs, t: &str) -> Vec<(String, bool)> {
        inputs.resembling(&text(t), None).into_iter().map(|r| (r.case.to_string(), r.exact)).collect()
    }

    const FEE: &str = "I was charged an overdraft fee but my salary arrived the same day";

    #[test]
    fn spacing_case_and_punctuation_do_not_matter() {
        let set = inputs(&[FEE, "¿Dónde está mi tarjeta?", "残高を教えてください"]);
        assert_eq!(
            found(&set, "  i was charged an OVERDRAFT fee, but my salary arrived\nthe same day!! "),
            [("c0".into(), true)]
        );
        assert_eq!(found(&set, "dónde esta\u{301} mi tarjeta"), [("c1".into(), true)]);
        assert_eq!(found(&set, "残高を教えてください。"), [("c2".into(), true)]);
        assert_eq!(found(&set, "where is my card"), []);
    }

    #[test]
    fn one_word_in_ten_is_near_and_three_are_not() {
        let set = inputs(&[FEE]);
        let near = FEE.replace("salary", "wages");
        assert_eq!(found(&set, &near), [("c0".into(), false)]);
        let similarity = set.resembling(&text(&near), None)[0].similarity;
        assert!((NEAR..1.0).contains(&similarity), "{similarity}");
        assert_eq!(found(&set, &near.replace("charged", "billed").replace("fee", "cost")), []);
    }

    #[test]
    fn the_order_of_words_counts() {
        let set = inputs(&["please cancel my card and keep my account"]);
        assert_eq!(
            found(&set, "please keep my card and cancel my account").first().map(|f| f.1),
            Some(false)
        );
        let similarity = set.resembling(&text("account my keep and card my cancel please"), None);
        assert!(similarity.is_empty(), "{similarity:?}");
    }

    #[test]
    fn the_systems_words_do_not_make_two_chats_alike() {
        let chat = |user: &str| -> Content {
            serde_json::from_value(serde_json::json!([
                {"role":"system","content":"You are the support assistant of a bank. Be brief, be kind, never promise."},
                {"role":"user","content":user}
            ]))
            .unwrap()
        };
        let mut set = Inputs::default();
        set.add(&CaseId::parse("c").unwrap(), &chat("close my account"));
        assert_eq!(set.resembling(&chat("what is my balance"), None), []);
        assert!(set.resembling(&chat("Close my account."), None)[0].exact);
        assert_eq!(set.resembling(&chat("close my account"), Some(&CaseId::parse("c").unwrap())), []);
    }

    #[test]
    fn text_without_words_is_compared_too() {
        let set = inputs(&["???", "👍"]);
        assert_eq!(found(&set, "👍"), [("c1".into(), true)]);
        assert_eq!(found(&set, "!"), []);
    }
}
