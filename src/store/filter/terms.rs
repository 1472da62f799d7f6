//! The tests of single terms.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::types::Value;

use super::judged;
use super::labels::label_field;
use super::text::{TextState, any_of};
use crate::domain::query::{
    FeedbackWord, IdField, NameField, Node, NumberField, NumberTest, PromptRef, Term, Word, WorkField,
};
use crate::domain::{FailureKind, Status, Untrusted, nearest};
use crate::store::flags;
use crate::store::ids::id_hash;
use crate::store::names::NameKind;
use crate::store::traces::StoredId;

/// Which rows a test is for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum TextMode {
    /// Those that the text index knows.
    Index,
    /// Those after: their texts are looked into one by one, if they are few.
    Tail,
}

/// A trace's id as text, in SQL; UUIDs are stored as 16 bytes.
pub(super) const ID_TEXT: &str = "CASE typeof(t.id) WHEN 'blob' THEN lower(\
     substr(hex(t.id),1,8)||'-'||substr(hex(t.id),9,4)||'-'||substr(hex(t.id),13,4)||'-'||\
     substr(hex(t.id),17,4)||'-'||substr(hex(t.id),21)) ELSE t.id END";

/// Makes tests, and collects their values and notes.
pub(super) struct Build<'a> {
    pub(super) db: &'a Connection,
    now: Timestamp,
    pub(super) text: &'a TextState,
    /// Values by parameter name.
    pub(super) params: HashMap<String, Value>,
    /// What the person should know.
    pub(super) notes: Vec<Untrusted>,
}

impl<'a> Build<'a> {
    pub(super) fn new(db: &'a Connection, now: Timestamp, text: &'a TextState) -> Self {
        Self { db, now, text, params: HashMap::new(), notes: Vec::new() }
    }

    pub(super) fn bind(&mut self, value: impl Into<Value>) -> String {
        let name = format!(":p{}", self.params.len());
        self.params.insert(name.clone(), value.into());
        name
    }

    fn note(&mut self, text: String) {
        let note = Untrusted::new(text);
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The test that all of these hold.
    pub(super) fn all(&mut self, parts: &[&Node], mode: TextMode) -> rusqlite::Result<String> {
        let mut tests = Vec::new();
        // `label:fail reviewer:ann` is one label that is both. Asked twice of one field, as in
        // `reviewer:ann reviewer:bob`, several labels are meant.
        let labels: Vec<&Term> = parts
            .iter()
            .filter_map(|part| match part {
                Node::Term(term) if label_field(term).is_some() => Some(term),
                _ => None,
            })
            .collect();
        let fields: Vec<_> = labels.iter().filter_map(|term| label_field(term)).collect();
        let one = fields.iter().enumerate().all(|(i, field)| !fields[..i].contains(field));
        if one && !labels.is_empty() {
            tests.push(self.label(&labels)?);
        }
        for part in parts {
            match part {
                Node::Term(term) if one && label_field(term).is_some() => {}
                // Times that all must keep are bounds of the scan.
                Node::Term(Term::Time(_)) => {}
                part => tests.push(self.node(part, mode)?),
            }
        }
        Ok(joined(tests, "AND"))
    }

    fn node(&mut self, node: &Node, mode: TextMode) -> rusqlite::Result<String> {
        match node {
            Node::And(parts) => {
                let (times, rest): (Vec<&Node>, Vec<&Node>) =
                    parts.iter().partition(|part| matches!(part, Node::Term(Term::Time(_))));
                let mut tests = vec![self.all(&rest, mode)?];
                for time in times {
                    tests.push(self.node(time, mode)?);
                }
                Ok(joined(tests, "AND"))
            }
            Node::Or(parts) => {
                let tests: rusqlite::Result<Vec<String>> =
                    parts.iter().map(|part| self.node(part, mode)).collect();
                Ok(joined(tests?, "OR"))
            }
            Node::Not(inner) => Ok(match self.node(inner, mode)?.as_str() {
                "0" => "1".to_owned(),
                "1" => "0".to_owned(),
                test => format!("NOT {test}"),
            }),
            Node::Term(term) => self.term(term, mode),
        }
    }

    fn term(&mut self, term: &Term, mode: TextMode) -> rusqlite::Result<String> {
        match term {
            Term::Text { side, any } => {
                let Some(wanted) = any_of(*side, any) else {
                    let word = any.first().map_or("", |word| word.text.as_str());
                    self.note(format!("There is no letter or digit to search for in {word}."));
                    return Ok("0".to_owned());
                };
                match mode {
                    TextMode::Index if self.text.indexed == 0 => Ok("0".to_owned()),
                    TextMode::Index => {
                        let p = self.bind(wanted);
                        Ok(format!(
                            "(t.seq IN (SELECT rowid FROM main.text_index WHERE text_index MATCH {p} \
                             AND rowid BETWEEN :a AND :b))"
                        ))
                    }
                    TextMode::Tail => Ok(numbers("t.seq", &self.text.tail_matches(&wanted)?)),
                }
            }
            Term::Id { field, any } => self.id(*field, any),
            Term::Name { field, any } => self.name(*field, any),
            Term::Prompt(any) => self.prompt(any),
            Term::Status(any) => {
                let mut tests = Vec::new();
                for status in any {
                    let wanted = if *status == Status::Error { flags::ERROR } else { 0 };
                    tests.push(format!("(t.flags & {} = {wanted})", flags::ERROR));
                }
                Ok(joined(tests, "OR"))
            }
            Term::Error(any) => {
                let bits = any.iter().fold(0, |bits, kind| bits | error_bit(*kind));
                // An error that names no kind counts with the others, as in the hourly figures.
                let kinds = flags::TIMEOUT | flags::RATE_LIMIT | flags::CONTENT_POLICY | flags::OTHER;
                let unnamed = if any.contains(&FailureKind::Other) {
                    format!(" OR t.flags & {kinds} = 0")
                } else {
                    String::new()
                };
                Ok(format!("(t.flags & {} <> 0 AND (t.flags & {bits} <> 0{unnamed}))", flags::ERROR))
            }
            Term::Feedback(any) => {
                let said = flags::UP | flags::DOWN | flags::REPORT | flags::FOLLOW_UP;
                let bits = any.iter().fold(0, |bits, word| bits | feedback_bits(*word));
                let none = if any.contains(&FeedbackWord::None) {
                    format!(" OR t.flags & {said} = 0")
                } else {
                    String::new()
                };
                Ok(format!("(t.flags & {bits} <> 0{none})"))
            }
            Term::Fallback(any) => {
                let tests = any.iter().map(|yes| {
                    let sign = if *yes { "<>" } else { "=" };
                    format!("(t.flags & {} {sign} 0)", flags::FALLBACK)
                });
                Ok(joined(tests.collect(), "OR"))
            }
            Term::Number { field, test } => {
                let test = self.compare(number_column(*field), test);
                Ok(format!("({test} IS TRUE)"))
            }
            Term::Score { name, test } => {
                let names = self.names(NameKind::Score, "score", &[Word::exact(name.as_str())])?;
                if names.is_empty() {
                    return Ok("0".to_owned());
                }
                let (name, test) = (numbers("s.name", &names), self.compare("s.value", test));
                Ok(format!("EXISTS (SELECT 1 FROM main.score s WHERE s.seq = t.seq AND {name} AND {test})"))
            }
            Term::Metadata { key, any } => {
                let words: Vec<(&str, bool)> = any.iter().map(|w| (w.text.as_str(), w.prefix)).collect();
                let words = serde_json::to_string(&words).unwrap_or_default();
                let (key, words) = (self.bind(key.clone()), self.bind(words));
                Ok(format!(
                    "(metadata_is((SELECT z FROM main.body WHERE body.seq = t.seq), {key}, {words}) IS TRUE)"
                ))
            }
            Term::Time(range) => {
                let (from, to) = range.bounds(self.now);
                let mut tests = Vec::new();
                tests.extend(from.map(|from| format!("t.ts >= {from}")));
                tests.extend(to.map(|to| format!("t.ts < {to}")));
                Ok(joined(tests, "AND"))
            }
            Term::Judged(any) => Ok(judged::judged(any)),
            Term::Label(_)
            | Term::Work { field: WorkField::Mode | WorkField::Severity | WorkField::Reviewer, .. } => {
                self.label(&[term])
            }
            Term::Work { field: WorkField::Sample, any } => {
                let samples = self.samples(any)?;
                let names = self.texts("m.sample", &samples);
                Ok(format!(
                    "EXISTS (SELECT 1 FROM work.sample_member m WHERE {names} AND m.trace_hash = t.id_hash \
                     AND m.trace_id = {ID_TEXT})"
                ))
            }
        }
    }

    fn id(&mut self, field: IdField, any: &[String]) -> rusqlite::Result<String> {
        let hashes: Vec<i64> = any.iter().map(|text| id_hash(text)).collect();
        match field {
            IdField::Id => {
                let mut same = Vec::new();
                for id in any {
                    same.push(match StoredId::of(id) {
                        StoredId::Uuid(bytes) => self.bind(bytes.to_vec()),
                        StoredId::Text(text) => self.bind(text.to_owned()),
                    });
                }
                Ok(format!("({} AND t.id IN ({}))", numbers("t.id_hash", &hashes), same.join(",")))
            }
            IdField::Session => Ok(format!("({} IS TRUE)", numbers("t.session_hash", &hashes))),
            IdField::User => Ok(format!("({} IS TRUE)", numbers("t.user_hash", &hashes))),
        }
    }

    fn name(&mut self, field: NameField, any: &[Word]) -> rusqlite::Result<String> {
        let (kind, column) = name_column(field);
        let ids = self.names(kind, field.name(), any)?;
        if ids.is_empty() {
            return Ok("0".to_owned());
        }
        if field == NameField::Tag {
            let names = numbers("g.name", &ids);
            return Ok(format!("EXISTS (SELECT 1 FROM main.tag g WHERE {names} AND g.seq = t.seq)"));
        }
        Ok(format!("({} IS TRUE)", numbers(column, &ids)))
    }

    fn prompt(&mut self, any: &[PromptRef]) -> rusqlite::Result<String> {
        let mut tests = Vec::new();
        for wanted in any {
            let mut both = Vec::new();
            for (kind, field, column, word) in [
                (NameKind::Prompt, "prompt", "t.prompt", &wanted.name),
                (NameKind::PromptVersion, "version", "t.version", &wanted.version),
            ] {
                if let Some(word) = word {
                    let ids = self.names(kind, field, std::slice::from_ref(word))?;
                    both.push(if ids.is_empty() {
                        "0".to_owned()
                    } else {
                        format!("({} IS TRUE)", numbers(column, &ids))
                    });
                }
            }
            tests.push(joined(both, "AND"));
        }
        Ok(joined(tests, "OR"))
    }

    /// The ids of names, with a note for each word that is the name of nothing.
    pub(super) fn names(
        &mut self,
        kind: NameKind,
        field: &str,
        words: &[Word],
    ) -> rusqlite::Result<Vec<i64>> {
        let all: Vec<(i64, String)> = self
            .db
            .prepare_cached("SELECT id, text FROM main.name WHERE kind = ?")?
            .query_map([kind as i64], |r| Ok((r.get(0)?, r.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let mut ids = Vec::new();
        for word in words {
            let before = ids.len();
            ids.extend(all.iter().filter(|(_, text)| word.matches(text)).map(|(id, _)| *id));
            if ids.len() == before {
                self.unknown(field, word, all.iter().map(|(_, text)| text.as_str()));
            }
        }
        Ok(ids)
    }

    pub(super) fn samples(&mut self, words: &[Word]) -> rusqlite::Result<Vec<Word>> {
        let all: Vec<String> = self
            .db
            .prepare_cached("SELECT name FROM work.sample")?
            .query_map([], |r| r.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let mut found = Vec::new();
        for word in words {
            let before = found.len();
            found.extend(all.iter().filter(|name| word.matches(name)).map(Word::exact));
            if found.len() == before {
                self.unknown("sample", word, all.iter().map(String::as_str));
            }
        }
        Ok(found)
    }

    fn unknown<'n>(&mut self, field: &str, word: &Word, known: impl Iterator<Item = &'n str>) {
        let (text, star) = (&word.text, if word.prefix { "*" } else { "" });
        let mean = nearest(text, known).map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
        self.note(format!("No trace has the {field} {text}{star}.{mean}"));
    }

    /// `column` is one of these words.
    pub(super) fn texts(&mut self, column: &str, words: &[Word]) -> String {
        let mut tests = Vec::new();
        let exact: Vec<&Word> = words.iter().filter(|word| !word.prefix).collect();
        if !exact.is_empty() {
            let values: Vec<String> = exact.iter().map(|word| self.bind(word.text.clone())).collect();
            tests.push(format!("{column} IN ({})", values.join(",")));
        }
        for word in words.iter().filter(|word| word.prefix) {
            let p = self.bind(word.text.clone());
            tests.push(format!("substr({column}, 1, length({p})) = {p}"));
        }
        joined(tests, "OR")
    }

    fn compare<T: Into<Value> + Copy>(&mut self, column: &str, test: &NumberTest<T>) -> String {
        let (sign, value) = match *test {
            NumberTest::Gt(value) => (">", value),
            NumberTest::Ge(value) => (">=", value),
            NumberTest::Lt(value) => ("<", value),
            NumberTest::Le(value) => ("<=", value),
            NumberTest::Eq(value) => ("=", value),
            NumberTest::Between(low, high) => {
                let (low, high) = (self.bind(low), self.bind(high));
                return format!("({column} BETWEEN {low} AND {high})");
            }
        };
        let p = self.bind(value);
        format!("({column} {sign} {p})")
    }
}

/// The tests joined; 0 and 1 are folded, so that what cannot match is seen.
pub(super) fn joined(tests: Vec<String>, with: &str) -> String {
    let (neutral, absorbing) = if with == "AND" { ("1", "0") } else { ("0", "1") };
    if tests.iter().any(|test| test == absorbing) {
        return absorbing.to_owned();
    }
    let rest: Vec<String> = tests.into_iter().filter(|test| test != neutral).collect();
    match rest.len() {
        0 => neutral.to_owned(),
        1 => rest.concat(),
        _ => format!("({})", rest.join(&format!(" {with} "))),
    }
}

/// `column` is one of these whole numbers, which stand in the SQL as they are.
pub(super) fn numbers(column: &str, values: &[i64]) -> String {
    let values: Vec<String> = values.iter().map(i64::to_string).collect();
    if values.is_empty() { "0".to_owned() } else { format!("({column} IN ({}))", values.join(",")) }
}

fn error_bit(kind: FailureKind) -> i64 {
    match kind {
        FailureKind::Timeout => flags::TIMEOUT,
        FailureKind::RateLimit => flags::RATE_LIMIT,
        FailureKind::ContentPolicy => flags::CONTENT_POLICY,
        FailureKind::Other => flags::OTHER,
    }
}

fn feedback_bits(word: FeedbackWord) -> i64 {
    match word {
        FeedbackWord::Up => flags::UP,
        FeedbackWord::Down => flags::DOWN,
        FeedbackWord::Report => flags::REPORT,
        FeedbackWord::FollowUp => flags::FOLLOW_UP,
        FeedbackWord::Any => flags::UP | flags::DOWN | flags::REPORT | flags::FOLLOW_UP,
        FeedbackWord::None => 0,
    }
}

/// The number of `feedback.kind`.
pub(super) fn feedback_kind(word: FeedbackWord) -> i64 {
    match word {
        FeedbackWord::Up => 1,
        FeedbackWord::Down => 2,
        FeedbackWord::Report => 3,
        FeedbackWord::FollowUp | FeedbackWord::Any | FeedbackWord::None => 4,
    }
}

fn name_column(field: NameField) -> (NameKind, &'static str) {
    match field {
        NameField::Feature => (NameKind::Feature, "t.feature"),
        NameField::Model => (NameKind::Model, "t.model"),
        NameField::Version => (NameKind::PromptVersion, "t.version"),
        NameField::Experiment => (NameKind::Experiment, "t.experiment"),
        NameField::Arm => (NameKind::Arm, "t.arm"),
        NameField::Tag => (NameKind::Tag, ""),
        NameField::Language => (NameKind::Language, "t.language"),
    }
}

fn number_column(field: NumberField) -> &'static str {
    match field {
        NumberField::Latency => "t.latency_us",
        NumberField::Ttft => "t.ttft_us",
        NumberField::Cost => "t.cost_nusd",
        NumberField::TokensIn => "t.tokens_in",
        NumberField::TokensOut => "t.tokens_out",
    }
}
