//! The one query language: what traces are wanted, as typed on the command line, in the program's
//! filter, and as kept with a sample.
//!
//! ```text
//! feedback:down model:gpt-4o latency>3s prompt:customer_support@v4 -status:error "overdraft fee"
//! ```
//!
//! Terms are joined by *and*; `or` binds weaker, parentheses group, `-` negates. [`FIELDS`] lists what
//! may stand before the colon. [`Query::parse`] reads, `Display` prints the canonical text, and the
//! two are inverse. Running a query is the store's. A new field is a row in `fields.rs`, a [`Term`]
//! and its SQL; the compiler names the places.

mod error;
mod fields;
mod parse;
mod parse_field;
mod print;
mod term;
#[cfg(test)]
mod tests;
mod value;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use error::{QueryError, nearest};
pub use fields::FIELDS;
pub use print::failure_word;
pub use term::{
    FeedbackWord, IdField, LabelWord, NameField, NumberField, NumberTest, PromptRef, Side, Term, TimeBound,
    TimeRange, Word, WorkField,
};

/// What traces are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    root: Node,
}

/// A node of a query. `And` of nothing is every trace.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// All of these.
    And(Vec<Node>),
    /// At least one of these.
    Or(Vec<Node>),
    /// Not this.
    Not(Box<Node>),
    /// One test of a trace.
    Term(Term),
}

impl Query {
    /// Every trace.
    pub fn all() -> Self {
        Self { root: Node::And(Vec::new()) }
    }

    /// Reads a query. The error points at the wrong word and says what would have been right.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        parse::parse(text).map(Self::of)
    }

    /// A query of one node.
    pub fn of(node: Node) -> Self {
        Self { root: node.tidy() }
    }

    /// The traces that both queries want.
    pub fn and(self, other: Self) -> Self {
        Self::of(Node::And(vec![self.root, other.root]))
    }

    /// The query of one more term.
    pub fn with(self, term: Term) -> Self {
        Self::of(Node::And(vec![self.root, Node::Term(term)]))
    }

    /// The traces that this query does not want.
    pub fn negated(self) -> Self {
        Self::of(Node::Not(Box::new(self.root)))
    }

    /// Whether every trace is wanted.
    pub fn is_all(&self) -> bool {
        matches!(&self.root, Node::And(parts) if parts.is_empty())
    }

    /// The outermost node.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// Every term, at any depth.
    pub fn terms(&self) -> Vec<&Term> {
        let mut found = Vec::new();
        self.root.walk(&mut |term| found.push(term));
        found
    }
}

impl Default for Query {
    fn default() -> Self {
        Self::all()
    }
}

impl Node {
    /// Nested groups of one kind become one, groups of one their member, double negations nothing.
    fn tidy(self) -> Self {
        match self {
            Self::And(parts) => Self::group(parts, Self::And, |node| match node {
                Self::And(inner) => Ok(inner),
                other => Err(other),
            }),
            Self::Or(parts) => Self::group(parts, Self::Or, |node| match node {
                Self::Or(inner) => Ok(inner),
                other => Err(other),
            }),
            Self::Not(inner) => match inner.tidy() {
                Self::Not(twice) => *twice,
                other => Self::Not(Box::new(other)),
            },
            Self::Term(term) => Self::Term(term),
        }
    }

    fn group(
        parts: Vec<Self>,
        make: fn(Vec<Self>) -> Self,
        open: fn(Self) -> Result<Vec<Self>, Self>,
    ) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            match open(part.tidy()) {
                Ok(inner) => flat.extend(inner),
                Err(other) => flat.push(other),
            }
        }
        match <[Self; 1]>::try_from(flat) {
            Ok([only]) => only,
            Err(flat) => make(flat),
        }
    }

    fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Term)) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.walk(visit)),
            Self::Not(inner) => inner.walk(visit),
            Self::Term(term) => visit(term),
        }
    }
}

impl std::str::FromStr for Query {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self, QueryError> {
        Self::parse(text)
    }
}

impl Serialize for Query {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Query {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).map_err(|error| serde::de::Error::custom(error.what))
    }
}
