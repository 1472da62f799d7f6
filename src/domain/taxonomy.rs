//! The failure taxonomy: the kinds of failure a team tells apart. Five modes of the field are built
//! in; the team's own are added at run time. Modes are renamed and retired, never deleted, because old
//! labels name them. To change a built-in mode's words, edit [`BUILTIN`]; ids and keys must stay.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Error, Result, Untrusted};

/// The keys that modes get, in the order they are given out. Digits first: they are under the hand
/// that pressed `f`.
const KEYS: &str = "123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Longest name of a mode, in characters: what a line of the review screen can hold.
const LONGEST_NAME: usize = 60;

/// Names a failure mode for good: it is in labels, queries and exports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModeId(String);

impl ModeId {
    /// Takes an id as it stands.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// Makes an id of a name: its letters and digits in lower case, joined by `_`.
    pub fn from_name(name: &str) -> Self {
        let mut id = String::new();
        for c in name.chars() {
            if c.is_alphanumeric() {
                id.extend(c.to_lowercase());
            } else if !id.is_empty() && !id.ends_with('_') {
                id.push('_');
            }
        }
        let id: String = id.trim_end_matches('_').chars().take(LONGEST_NAME).collect();
        Self(if id.is_empty() { "mode".to_owned() } else { id })
    }

    /// The text of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a mode comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// One of the five of the field.
    Builtin,
    /// Added by the team.
    Team,
}

/// One kind of failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureMode {
    /// Its lasting name.
    pub id: ModeId,
    /// Its name on screen; may be changed.
    pub name: Untrusted,
    /// The key that names it after `f`. A retired mode keeps its last key, and another may have it too.
    pub key: char,
    /// How to tell it.
    pub description: Untrusted,
    /// What usually helps against it.
    pub fix: Untrusted,
    /// Where it comes from.
    pub origin: Origin,
    /// The note that it was made of.
    pub from_note: Option<Untrusted>,
    /// Whether it is no longer offered. Labels that name it still do.
    pub retired: bool,
}

/// The five modes of the field: id, name, how to tell it, what usually helps.
const BUILTIN: [(&str, &str, &str, &str); 5] = [
    (
        "hallucinated_facts",
        "hallucinated facts",
        "States something that is not so, or that nothing it was given supports: an invented fee, date, \
         policy, link or order.",
        "Give the model the facts: retrieve the passage that answers and tell the prompt to answer from it \
         alone and to say when it is not there. Then add a check that every figure and name in the answer \
         occurs in the context.",
    ),
    (
        "wrong_tone",
        "wrong tone",
        "Says what is right in the wrong way: cold to an upset user, chatty where it is serious, blaming, \
         pushy, or not in the voice of the company.",
        "Show the tone, do not describe it: put two or three exchanges in the right voice into the prompt, \
         one of them with an angry user. Say what to do first (acknowledge, then act) and list the \
         phrases that must not occur.",
    ),
    (
        "ignored_instructions",
        "ignored instructions",
        "Does not do what the prompt or the user asked: the format, the language, a step that must come \
         first, something that it must never advise.",
        "Move the instruction to the end of the prompt, on a line of its own, as what to do rather than what \
         to avoid, and drop instructions that contradict it. Formats belong in a schema that is enforced, \
         and what must never be said in a rule check that blocks the answer.",
    ),
    (
        "off_topic",
        "off-topic",
        "Answers a question that was not asked, or goes along with one that the feature is not for.",
        "Write down what the feature is for and what it is not, with the sentence to say when a request \
         is outside. If the request was inside and misread, add the misread phrasing as an example; if it \
         was outside, put a topic check in front of the model.",
    ),
    (
        "too_verbose",
        "too verbose",
        "The answer is in there, but buried: repeats the question, lists what nobody asked for, hedges, \
         or goes on after it is done.",
        "Ask for the answer in the first sentence and set a length in sentences, not in words; show one \
         short example. Lower the token limit only as a safety net, for it cuts and does not shorten.",
    ),
];

/// A change of the taxonomy. Like labels, changes are kept and folded, never edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxonomyEvent {
    /// UUID v7. Ids sort in the order of the changes.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Untrusted,
    /// Which mode.
    pub mode: ModeId,
    /// What.
    pub change: TaxonomyChange,
}

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum TaxonomyChange {
    /// A mode of the team's own.
    Add {
        /// Its name on screen.
        name: Untrusted,
        /// How to tell it.
        description: Untrusted,
        /// What usually helps.
        fix: Untrusted,
        /// The note that it was made of.
        from_note: Option<Untrusted>,
    },
    /// Another name on screen; the id stays.
    Rename {
        /// The new name.
        name: Untrusted,
    },
    /// Other words for how to tell it and what helps.
    Describe {
        /// How to tell it.
        description: Untrusted,
        /// What usually helps.
        fix: Untrusted,
    },
    /// No longer offered.
    Retire,
    /// Offered again.
    Restore,
}

/// All failure modes, as they stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Taxonomy {
    modes: Vec<FailureMode>,
}

impl Default for Taxonomy {
    fn default() -> Self {
        let modes = BUILTIN
            .iter()
            .zip(KEYS.chars())
            .map(|((id, name, description, fix), key)| FailureMode {
                id: ModeId::new(*id),
                name: (*name).into(),
                key,
                description: (*description).into(),
                fix: (*fix).into(),
                origin: Origin::Builtin,
                from_note: None,
                retired: false,
            })
            .collect();
        Self { modes }
    }
}

impl Taxonomy {
    /// The built-in modes with the changes applied, in the order of their ids. A change that no longer
    /// fits (another machine's, say) does as much as it can and is never an error.
    pub fn fold(events: &[TaxonomyEvent]) -> Self {
        let mut ordered: Vec<&TaxonomyEvent> = events.iter().collect();
        ordered.sort_by(|a, b| a.id.cmp(&b.id));
        let mut taxonomy = Self::default();
        for event in ordered {
            taxonomy.apply(event);
        }
        taxonomy
    }

    fn apply(&mut self, event: &TaxonomyEvent) {
        let free = self.free_key();
        let held = self.modes.iter().position(|m| m.id == event.mode);
        match (&event.change, held.map(|at| &mut self.modes[at])) {
            (TaxonomyChange::Add { name, description, fix, from_note }, None) => {
                self.modes.push(FailureMode {
                    id: event.mode.clone(),
                    name: name.clone(),
                    key: free.unwrap_or('·'),
                    description: description.clone(),
                    fix: fix.clone(),
                    origin: Origin::Team,
                    from_note: from_note.clone(),
                    retired: false,
                });
            }
            (TaxonomyChange::Rename { name }, Some(mode)) => mode.name = name.clone(),
            (TaxonomyChange::Describe { description, fix }, Some(mode)) => {
                mode.description = description.clone();
                mode.fix = fix.clone();
            }
            (TaxonomyChange::Retire, Some(mode)) => mode.retired = true,
            (TaxonomyChange::Restore, Some(mode)) if mode.retired => {
                let key = mode.key;
                if self.modes.iter().any(|m| !m.retired && m.key == key) {
                    self.modes[held.unwrap_or(0)].key = free.unwrap_or('·');
                }
                self.modes[held.unwrap_or(0)].retired = false;
            }
            _ => {}
        }
    }

    /// The next key: one that no mode ever had, so that hands do not learn anew; when there is none, that
    /// of a retired mode.
    fn free_key(&self) -> Option<char> {
        let unused = KEYS.chars().find(|key| self.modes.iter().all(|m| m.key != *key));
        unused.or_else(|| KEYS.chars().find(|key| self.modes.iter().all(|m| m.retired || m.key != *key)))
    }

    /// All modes, retired ones too, in the order they came.
    pub fn all(&self) -> &[FailureMode] {
        &self.modes
    }

    /// The modes that are offered, in the order of their keys.
    pub fn active(&self) -> impl Iterator<Item = &FailureMode> {
        self.modes.iter().filter(|m| !m.retired)
    }

    /// The mode with this id, retired or not.
    pub fn get(&self, id: &ModeId) -> Option<&FailureMode> {
        self.modes.iter().find(|m| m.id == *id)
    }

    /// The offered mode with this key.
    pub fn by_key(&self, key: char) -> Option<&FailureMode> {
        self.active().find(|m| m.key == key)
    }

    /// The mode that a person means: by id, key, name, or a part of the name that only one offered
    /// mode has. Retired modes answer to their id alone. Errors name the nearest.
    pub fn find(&self, wanted: &str) -> Result<&FailureMode> {
        let plain = ModeId::from_name(wanted);
        if let Some(mode) = self.modes.iter().find(|m| m.id.as_str() == wanted || m.id == plain) {
            return Ok(mode);
        }
        let mut letters = wanted.chars();
        if let (Some(key), None) = (letters.next(), letters.next())
            && let Some(mode) = self.by_key(key)
        {
            return Ok(mode);
        }
        let named = |mode: &FailureMode| ModeId::from_name(mode.name.raw());
        if let Some(mode) = self.active().find(|m| named(m) == plain) {
            return Ok(mode);
        }
        let has_letters = wanted.chars().any(char::is_alphanumeric);
        let parts: Vec<&FailureMode> = self
            .active()
            .filter(|m| {
                has_letters
                    && (named(m).as_str().contains(plain.as_str()) || m.id.as_str().contains(plain.as_str()))
            })
            .collect();
        match parts.as_slice() {
            [one] => Ok(one),
            [] => Err(self.unknown(wanted)),
            several => {
                let names: Vec<&str> = several.iter().map(|m| m.id.as_str()).collect();
                Err(Error::usage(format!("{wanted:?} could be {}.", names.join(" or ")))
                    .hint("Write more of the name, or the mode's key."))
            }
        }
    }

    /// The error for a mode that is not there; names the nearest.
    pub fn unknown(&self, wanted: &str) -> Error {
        let plain = ModeId::from_name(wanted);
        let near = |mode: &FailureMode| {
            let name = ModeId::from_name(mode.name.raw());
            strsim::jaro_winkler(name.as_str(), plain.as_str())
                .max(strsim::jaro_winkler(mode.id.as_str(), plain.as_str()))
        };
        let error = Error::usage(format!("There is no failure mode {wanted:?}."));
        match self.active().max_by(|a, b| near(a).total_cmp(&near(b))) {
            Some(mode) => error.hint(format!(
                "Did you mean {} (key {})? `tuesday taxonomy` lists them all.",
                mode.id.as_str(),
                mode.key
            )),
            None => error.hint("Add one with `tuesday taxonomy add NAME`."),
        }
    }

    /// What adding a mode of this name would be: the id and the key it gets. Errors when the name is
    /// taken or no name, or when all keys are.
    pub fn plan(&self, name: &str) -> Result<(ModeId, char)> {
        let name = checked_name(name)?;
        let wanted = ModeId::from_name(&name);
        if let Some(mode) =
            self.modes.iter().find(|m| m.id == wanted || ModeId::from_name(m.name.raw()) == wanted)
        {
            let error = Error::not_so(format!("There is a failure mode {:?} already.", mode.name.raw()));
            return Err(if mode.retired {
                error.hint(format!(
                    "It is retired: `tuesday taxonomy restore {}` offers it again.",
                    mode.id.as_str()
                ))
            } else {
                error.hint(format!("Its key is {}. Use it, or choose another name.", mode.key))
            });
        }
        let key = self.free_key().ok_or_else(|| {
            Error::not_so("All keys of the taxonomy are taken.")
                .hint("Retire a mode that is no longer needed: `tuesday taxonomy retire MODE`.")
        })?;
        Ok((wanted, key))
    }
}

/// A mode's name with the space around it taken off. Errors when it is empty, too long, or holds
/// control characters.
pub fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() || !name.chars().any(char::is_alphanumeric) {
        return Err(
            Error::usage("A failure mode needs a name.").hint("Two or three words do: \"wrong advice\".")
        );
    }
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Error::usage(format!(
            "The name of a failure mode is one line of at most {LONGEST_NAME} characters."
        ))
        .hint("Put the rest into its description."));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(n: usize, name: &str) -> TaxonomyEvent {
        change(
            n,
            ModeId::from_name(name).as_str(),
            TaxonomyChange::Add {
                name: name.into(),
                description: Untrusted::default(),
                fix: Untrusted::default(),
                from_note: None,
            },
        )
    }

    fn change(n: usize, mode: &str, change: TaxonomyChange) -> TaxonomyEvent {
        TaxonomyEvent {
            id: format!("{n:04}"),
            at: Timestamp::UNIX_EPOCH,
            by: "ann".into(),
            mode: ModeId::new(mode),
            change,
        }
    }

    #[test]
    fn keys_run_from_digits_to_letters_and_never_clash() {
        let events: Vec<_> = (0..40).map(|n| add(n, &format!("mode {n}"))).collect();
        let taxonomy = Taxonomy::fold(&events);
        let keys: Vec<char> = taxonomy.active().map(|m| m.key).collect();
        assert_eq!(keys[..11].iter().collect::<String>(), "123456789ab");
        let mut distinct = keys.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), keys.len());
    }

    #[test]
    fn a_retired_mode_is_still_named_and_its_key_is_the_last_to_be_given_again() {
        let mut events = vec![add(0, "wrong advice"), change(1, "wrong_advice", TaxonomyChange::Retire)];
        let taxonomy = Taxonomy::fold(&events);
        assert_eq!(taxonomy.active().count(), 5);
        assert_eq!(taxonomy.find("wrong_advice").unwrap().key, '6');
        assert!(taxonomy.by_key('6').is_none());
        assert_eq!(taxonomy.plan("no greeting").unwrap().1, '7');
        events.extend((2..60).map(|n| add(n, &format!("mode {n}"))));
        let full = Taxonomy::fold(&events);
        assert_eq!(full.by_key('6').unwrap().id.as_str(), "mode_57");
        assert!(full.plan("one more").is_err());
        events.push(change(60, "mode_2", TaxonomyChange::Retire));
        events.push(change(61, "wrong_advice", TaxonomyChange::Restore));
        let restored = Taxonomy::fold(&events);
        assert_eq!(restored.find("wrong advice").unwrap().key, '7');
    }

    #[test]
    fn a_mode_is_found_by_id_key_name_or_part_and_else_the_nearest_is_named() {
        let taxonomy = Taxonomy::fold(&[
            add(0, "no greeting"),
            change(1, "wrong_tone", TaxonomyChange::Rename { name: "Unkind".into() }),
        ]);
        let id = |wanted: &str| taxonomy.find(wanted).unwrap().id.as_str().to_owned();
        assert_eq!(id("hallucinated_facts"), "hallucinated_facts");
        assert_eq!(id("Hallucinated Facts"), "hallucinated_facts");
        assert_eq!(id("off-topic"), "off_topic");
        assert_eq!(id("5"), "too_verbose");
        assert_eq!(id("6"), "no_greeting");
        assert_eq!(id("instr"), "ignored_instructions");
        assert_eq!(id("unkind"), "wrong_tone");
        assert_eq!(id("wrong_tone"), "wrong_tone");
        let wrong = taxonomy.find("halucinated_fcts").unwrap_err();
        assert!(wrong.hints[0].contains("hallucinated_facts"), "{wrong:?}");
        let vague = taxonomy.find("t").unwrap_err();
        assert!(vague.what.contains("hallucinated_facts or"), "{vague:?}");
        assert!(taxonomy.find("").is_err() && taxonomy.find("?!").is_err());
    }

    #[test]
    fn names_are_checked_and_unique() {
        let taxonomy = Taxonomy::fold(&[add(0, "语气 不对")]);
        assert_eq!(taxonomy.all()[5].id.as_str(), "语气_不对");
        assert!(taxonomy.plan("语气-不对").is_err());
        assert!(taxonomy.plan("Off Topic").is_err());
        assert!(taxonomy.plan(" ").is_err() && taxonomy.plan("a\u{1b}[2J").is_err());
        assert!(taxonomy.plan(&"x".repeat(61)).is_err());
    }
}
