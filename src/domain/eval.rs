//! Eval cases and the sets that hold them: what a promoted trace becomes.
//!
//! Pure. Rule checks of a case are in [`super::check`]; taking an edited file back is in
//! [`super::eval_merge`]; files and SQL are elsewhere.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::check::Check;
use super::{Content, Error, Result, Untrusted};

/// The kinds of edge case that are offered; the word is open, a team may use its own.
pub const CATEGORIES: &[&str] =
    &["plain", "ambiguous", "harmful", "out_of_domain", "multilingual", "jailbreak"];

/// The name of an eval set. It becomes a file name, so it is narrow: `[a-z0-9_-]`, 1 to 64 long,
/// not beginning with `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SetName(String);

impl SetName {
    /// Checks a name.
    pub fn parse(text: &str) -> Result<Self> {
        if (1..=64).contains(&text.len()) && text.chars().all(Self::takes) && !text.starts_with('-') {
            return Ok(Self(text.to_owned()));
        }
        let error = Error::usage(format!("\"{text}\" cannot be the name of an eval set."))
            .hint("Use lower-case letters, digits, `_` and `-` (at most 64): the name is also a file name.");
        Err(match Self::near(text) {
            Some(near) => error.hint(format!("For example: {near}")),
            None => error,
        })
    }

    /// The name that is nearest to a text; `None` when nothing of it can be part of a name.
    pub fn near(text: &str) -> Option<Self> {
        let near: String =
            text.to_lowercase().chars().map(|c| if Self::takes(c) { c } else { '_' }).take(64).collect();
        let near = near.trim_matches(['_', '-']);
        (!near.is_empty()).then(|| Self(near.to_owned()))
    }

    fn takes(c: char) -> bool {
        c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-'
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for SetName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a case in its set: `[A-Za-z0-9._-]`, 1 to 64 long, beginning with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseId(String);

impl CaseId {
    /// Checks a name that came from a file, the store or a person.
    pub fn parse(text: &str) -> Result<Self> {
        let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if (1..=64).contains(&text.len())
            && text.bytes().all(fine)
            && text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::usage(format!("\"{text}\" cannot be the id of an eval case."))
            .hint("Use letters, digits, `.`, `_` and `-` (at most 64)."))
    }

    /// The id that a case gets when nobody names it: `c-` and `digits` letters of a hash of its
    /// origin: the trace where there is one, else the input. Deterministic, so that two machines
    /// that promote the same trace make the same case, not two.
    ///
    /// Six letters (30 bits) keep ids short; a clash inside a set is resolved by asking for more
    /// `digits` (up to 13).
    pub fn derive(trace: Option<&Untrusted>, input: &Content, digits: usize) -> Self {
        const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let origin = match trace {
            Some(trace) => format!("trace\0{}", trace.raw()),
            None => {
                let mut input = input.clone();
                input.sort_keys();
                format!("input\0{}", serde_json::to_string(&input).unwrap_or_default())
            }
        };
        let mut hash = xxh3_64(origin.as_bytes());
        let mut id = String::from("c-");
        for _ in 0..digits.clamp(1, 13) {
            id.push(char::from(ALPHABET[usize::try_from(hash >> 59).unwrap_or(0)]));
            hash <<= 5;
        }
        Self(id)
    }

    /// [`derive`](Self::derive)s an id that is not `taken`; its error is passed on.
    pub fn derive_free(
        trace: Option<&Untrusted>,
        input: &Content,
        mut taken: impl FnMut(&Self) -> Result<bool>,
    ) -> Result<Self> {
        let mut digits = 6;
        loop {
            let id = Self::derive(trace, input, digits);
            if digits == 13 || !taken(&id)? {
                return Ok(id);
            }
            digits += 1;
        }
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for CaseId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

/// What the expected text is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpectedKind {
    /// The answer itself.
    #[default]
    Output,
    /// What the answer should do, in words: "asks for confirmation first".
    Behaviour,
}

impl ExpectedKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Output => "output",
            Self::Behaviour => "behaviour",
        }
    }

    /// The kind with this word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "output" => Some(Self::Output),
            "behaviour" | "behavior" => Some(Self::Behaviour),
            _ => None,
        }
    }
}

/// What a case says: all that a person can edit. Its serde form is the body of a case event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseBody {
    /// What goes into the feature.
    pub input: Content,
    /// What should come out, or what it should do; see `expected_kind`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Untrusted>,
    /// How `expected` is meant.
    #[serde(default)]
    pub expected_kind: ExpectedKind,
    /// Why this is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Untrusted>,
    /// The kind of edge case: an open word, see [`CATEGORIES`] and [`category`].
    pub category: Untrusted,
    /// Rule checks of this case alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// The trace it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Untrusted>,
    /// The id of the label event that it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Untrusted>,
}

impl Default for CaseBody {
    fn default() -> Self {
        Self {
            input: Content::default(),
            expected: None,
            expected_kind: ExpectedKind::Output,
            reasoning: None,
            category: Untrusted::from("plain"),
            checks: Vec::new(),
            trace: None,
            label: None,
        }
    }
}

/// A case in its set.
#[derive(Debug, Clone, PartialEq)]
pub struct EvalCase {
    /// Its name in the set.
    pub id: CaseId,
    /// The set.
    pub set: SetName,
    /// What it says.
    pub body: CaseBody,
    /// When it was first added.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
    /// Who changed it last.
    pub by: Untrusted,
}

/// A set at one version: its live cases in order of first addition.
#[derive(Debug, Clone, PartialEq)]
pub struct EvalSet {
    /// Its name.
    pub name: SetName,
    /// How many events made it so; 0 for a set that nobody has added to.
    pub version: u64,
    /// The live cases.
    pub cases: Vec<EvalCase>,
}

/// What an event did to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseEventKind {
    /// It joined the set (or came back).
    Add,
    /// It was changed.
    Edit,
    /// It left the set; its history stays.
    Retire,
}

impl CaseEventKind {
    /// The word for it, in the store and on screens.
    pub fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Edit => "edit",
            Self::Retire => "retire",
        }
    }

    /// The kind with this word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Add, Self::Edit, Self::Retire].into_iter().find(|kind| kind.word() == word)
    }
}

/// One change of a set, kept for good.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseEvent {
    /// The version of the set after it.
    pub version: u64,
    /// The case.
    pub case: CaseId,
    /// What happened.
    pub kind: CaseEventKind,
    /// What the case said after it; `None` for [`CaseEventKind::Retire`].
    pub body: Option<CaseBody>,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Untrusted,
}

/// The stored form of a category: lower case, words joined by `_`, `plain` when empty, so that
/// `out of domain`, `Out-of-domain` and `out_of_domain` are one kind. At most 64 characters.
pub fn category(text: &str) -> Untrusted {
    let words: Vec<String> = text
        .split(|c: char| c.is_whitespace() || c == '-' || c == '_')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let joined: String = words.join("_").chars().take(64).collect();
    Untrusted::from(if joined.is_empty() { "plain".to_owned() } else { joined })
}

/// Text that may be absent: blank text counts as none.
pub fn some_text(text: impl Into<String>) -> Option<Untrusted> {
    let text = text.into();
    (!text.trim().is_empty()).then(|| Untrusted::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_names_cannot_leave_their_folder() {
        for good in ["support", "a", "edge_cases-2", "0"] {
            assert_eq!(SetName::parse(good).unwrap().as_str(), good);
        }
        for bad in
            ["", "../x", "a/b", "a\\b", "Support", ".", "..", "-rf", "a b", "é", "a\0", &"x".repeat(65)]
        {
            let error = SetName::parse(bad).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{bad:?}");
        }
        let error = SetName::parse("Customer Support!").unwrap_err();
        assert!(error.hints[1].contains("customer_support"));
    }

    #[test]
    fn ids_are_short_deterministic_and_grow_on_a_clash() {
        let input = Content::Text("hello".into());
        let one = CaseId::derive(Some(&"t-1".into()), &input, 6);
        assert_eq!(one, CaseId::derive(Some(&"t-1".into()), &Content::default(), 6));
        assert_eq!(one.as_str().len(), 8);
        assert!(CaseId::parse(one.as_str()).is_ok());
        assert_ne!(one, CaseId::derive(Some(&"t-2".into()), &input, 6));
        assert_ne!(CaseId::derive(None, &input, 6), one);
        let free = CaseId::derive_free(Some(&"t-1".into()), &input, |id| Ok(*id == one)).unwrap();
        assert!(free.as_str().starts_with(one.as_str()) && free.as_str().len() == 9);
    }

    #[test]
    fn the_order_of_keys_makes_no_other_id() {
        let of = |part: &str| {
            let input = serde_json::from_str(&format!(r#"[{{"role":"user","content":[{part}]}}]"#)).unwrap();
            CaseId::derive(None, &input, 6)
        };
        assert_eq!(of(r#"{"type":"text","text":"hello"}"#), of(r#"{"text":"hello","type":"text"}"#));
        assert_ne!(of(r#"{"type":"text","text":"hello"}"#), of(r#"{"type":"text","text":"bye"}"#));
    }

    #[test]
    fn case_ids_from_files_are_narrow() {
        for good in ["c-017", "overdraft.1", "A_b"] {
            assert!(CaseId::parse(good).is_ok());
        }
        for bad in ["", "-x", ".x", "a b", "\u{1b}[31m", "ü", &"x".repeat(65)] {
            assert!(CaseId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn one_word_for_one_category() {
        for text in ["out of domain", "Out-of-Domain", " out_of_domain "] {
            assert_eq!(category(text).raw(), "out_of_domain");
        }
        assert_eq!(category("  ").raw(), "plain");
    }
}
