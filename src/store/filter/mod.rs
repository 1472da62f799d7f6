//! A query as SQL: a test on `main.trace t`, the table that leads the scan, and the times outside of
//! which nothing matches.
//!
//! Values are always bound. Each test gives 0 or 1, never NULL, so that `-model:x` finds traces
//! without a model too. Names are looked up first: an unknown one matches nothing and leaves a note.

mod driver;
mod judged;
mod labels;
mod terms;
pub(super) mod text;

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, Statement};

use self::driver::Driver;
use self::terms::{Build, TextMode};
use self::text::TextState;
use crate::domain::query::{Node, Term};
use crate::domain::{Query, Untrusted};

/// A query made ready to run on one connection.
pub(super) struct Filter {
    /// What is scanned first.
    driver: Driver,
    /// The rest of the query, for rows that the text index knows.
    test: String,
    /// The whole query for rows after [`indexed`](Self::indexed), where text is in it.
    tail_test: Option<String>,
    params: HashMap<String, Value>,
    /// The last `seq` that the text index knows; with text in the query, later rows have a test of their own.
    indexed: i64,
    /// Every match is at or after this, in milliseconds since the epoch.
    pub(super) from: Option<i64>,
    /// Every match is before this.
    pub(super) to: Option<i64>,
    /// What the person should know: unknown names, a text index that is behind.
    pub(super) notes: Vec<Untrusted>,
}

/// A statement over a range of `seq`.
pub(super) struct Scan {
    /// The SQL, with `:a` and `:b` for the range.
    pub(super) sql: String,
    /// First `seq`.
    pub(super) a: i64,
    /// Last `seq`.
    pub(super) b: i64,
}

impl Filter {
    /// Makes a query ready.
    pub(super) fn new(
        db: &Connection,
        query: &Query,
        now: Timestamp,
        text: &TextState,
    ) -> rusqlite::Result<Self> {
        let parts = match query.root() {
            Node::And(parts) => parts.as_slice(),
            one => std::slice::from_ref(one),
        };
        let (from, to) = bounds(parts, now);
        let mut build = Build::new(db, now, text);
        let driver = build.driver(parts)?;
        let led: Vec<&Node> = parts.iter().filter(|part| driver != Driver::Text || !is_text(part)).collect();
        let mut test = build.all(&led, TextMode::Index)?;
        let mentions_text = query.terms().iter().any(|term| matches!(term, Term::Text { .. }));
        let mut tail_test = None;
        if mentions_text && text.last > text.indexed {
            let parts: Vec<&Node> = parts.iter().collect();
            let noted = build.notes.len();
            tail_test = Some(build.all(&parts, TextMode::Tail)?);
            // The same names were looked up twice.
            build.notes.truncate(noted);
            build.notes.extend(text.note());
        }
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            (test, tail_test) = ("0".to_owned(), None);
        }
        let (params, notes) = (build.params, build.notes);
        Ok(Self { driver, test, tail_test, params, indexed: text.indexed, from, to, notes })
    }

    /// Whether nothing can match.
    pub(super) fn is_nothing(&self) -> bool {
        self.test == "0" && self.tail_test.as_deref().is_none_or(|test| test == "0")
    }

    /// Whether every trace matches whose time is within [`from`](Self::from) and [`to`](Self::to).
    pub(super) fn is_time_only(&self) -> bool {
        self.driver == Driver::Rows && self.test == "1" && self.tail_test.is_none()
    }

    /// Whether a query by text index alone: its rows need not be read to be counted.
    pub(super) fn is_text_only(&self) -> bool {
        self.driver == Driver::Text
            && self.test == "1"
            && self.tail_test.is_none()
            && self.from.is_none()
            && self.to.is_none()
    }

    /// Whether the rows come by a key, in one scan whatever the range.
    pub(super) fn is_keyed(&self) -> bool {
        matches!(self.driver, Driver::Keyed(..))
    }

    /// The statements that give `columns` (of `t`) for the matches with `seq` within `a..=b`. `and` is a
    /// further condition, or empty.
    pub(super) fn scans(&self, columns: &str, and: &str, a: i64, b: i64) -> Vec<Scan> {
        let times = match (self.from, self.to) {
            (None, None) => "",
            (Some(_), None) => " AND t.ts >= :from",
            (None, Some(_)) => " AND t.ts < :to",
            (Some(_), Some(_)) => " AND t.ts >= :from AND t.ts < :to",
        };
        let and = if and.is_empty() { times.to_owned() } else { format!("{times} AND {and}") };
        let rows = |test: &str, a, b| Scan {
            sql: format!("SELECT {columns} FROM main.trace t WHERE t.seq BETWEEN :a AND :b AND {test}{and}"),
            a,
            b,
        };
        let mut scans = Vec::new();
        if let Driver::Keyed(from, condition) = &self.driver {
            let test = match &self.tail_test {
                None => self.test.clone(),
                Some(tail) => {
                    format!("CASE WHEN t.seq <= {} THEN {} ELSE {tail} END", self.indexed, self.test)
                }
            };
            let sql = format!("SELECT {columns} FROM {from} WHERE {condition} AND {test}{and}");
            scans.push(Scan { sql, a, b });
            return scans;
        }
        let split = if self.tail_test.is_some() || self.driver == Driver::Text { self.indexed } else { b };
        if a <= split && self.test != "0" {
            let (b, test) = (b.min(split), &self.test);
            scans.push(match &self.driver {
                Driver::Text => Scan {
                    sql: format!(
                        "SELECT {columns} FROM main.text_index CROSS JOIN main.trace t ON t.seq = text_index.rowid \
                         WHERE text_index MATCH :fts AND text_index.rowid BETWEEN :a AND :b AND {test}{and}"
                    ),
                    a,
                    b,
                },
                Driver::Ranged(from) => Scan {
                    sql: format!("SELECT {columns} FROM {from} CROSS JOIN main.trace t ON t.seq = led.seq WHERE {test}{and}"),
                    a,
                    b,
                },
                Driver::Rows | Driver::Keyed(..) => rows(test, a, b),
            });
        }
        if let Some(tail) = &self.tail_test
            && b > split
            && tail != "0"
        {
            scans.push(rows(tail, a.max(split + 1), b));
        }
        scans
    }

    /// Binds what the statement names: the query's values, the range and `more`.
    pub(super) fn bind(
        &self,
        statement: &mut Statement<'_>,
        scan: &Scan,
        more: &[(&str, i64)],
    ) -> rusqlite::Result<()> {
        for n in 1..=statement.parameter_count() {
            let Some(name) = statement.parameter_name(n).map(str::to_owned) else { continue };
            let whole = match name.as_str() {
                ":a" => Some(scan.a),
                ":b" => Some(scan.b),
                ":from" => self.from,
                ":to" => self.to,
                name => more.iter().find(|(known, _)| *known == name).map(|(_, value)| *value),
            };
            match (whole, self.params.get(&name)) {
                (Some(whole), _) => statement.raw_bind_parameter(n, whole)?,
                (None, Some(value)) => statement.raw_bind_parameter(n, value)?,
                (None, None) => return Err(rusqlite::Error::InvalidParameterName(name)),
            }
        }
        Ok(())
    }
}

fn is_text(part: &Node) -> bool {
    matches!(part, Node::Term(Term::Text { .. }))
}

/// The times outside of which nothing matches, from the terms that all must hold.
fn bounds(parts: &[Node], now: Timestamp) -> (Option<i64>, Option<i64>) {
    let (mut from, mut to) = (None, None);
    for part in parts {
        if let Node::Term(Term::Time(range)) = part {
            let (start, end) = range.bounds(now);
            from = from.max(start);
            to = match (to, end) {
                (Some(a), Some(b)) => Some(std::cmp::min::<i64>(a, b)),
                (a, b) => a.or(b),
            };
        }
    }
    (from, to)
}
