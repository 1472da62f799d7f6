//! The traces of a time as attribution reads them: who they are, and whether they count against a metric.

use std::collections::HashMap;

use rusqlite::params;

use crate::domain::{Result, Untrusted};
use crate::store::flags;
use crate::store::ids::stored_id;
use crate::store::open::Store;
use crate::store::slice::Cut;

/// What counts against a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// Failed with this kind: time-out, rate limit, content policy, other.
    Error(usize),
    /// A fallback answered.
    Fallback,
    /// A thumb down, a report, or a question asked again.
    Negative,
    /// It took longer than so many milliseconds.
    Slow(i64),
}

/// Requests of one combination of values, and how many count against the metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Model, prompt with version, topic; `none` where there is none.
    pub values: [String; 3],
    /// Requests.
    pub n: u64,
    /// How many count against it.
    pub count: u64,
}

/// A trace that counts against a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// Its id.
    pub id: Untrusted,
    /// Its combination of values.
    pub values: [String; 3],
    /// How bad: reports above thumbs down above the rest.
    pub weight: i64,
    /// When, in milliseconds since the epoch.
    pub at: i64,
}

/// Ids of names: model, prompt, version; topic.
type Ids = ([Option<i64>; 3], Option<i64>);

impl Against {
    fn holds(self, bits: i64, latency_us: Option<i64>) -> bool {
        let error = bits & flags::ERROR != 0;
        match self {
            Self::Error(kind @ 0..=2) => {
                error && bits & [flags::TIMEOUT, flags::RATE_LIMIT, flags::CONTENT_POLICY][kind] != 0
            }
            Self::Error(_) => {
                error && bits & (flags::TIMEOUT | flags::RATE_LIMIT | flags::CONTENT_POLICY) == 0
            }
            Self::Fallback => bits & flags::FALLBACK != 0,
            Self::Negative => bits & (flags::DOWN | flags::REPORT | flags::FOLLOW_UP) != 0,
            Self::Slow(ms) => latency_us.is_some_and(|us| us > ms * 1000),
        }
    }
}

impl Store {
    /// The newest `most` traces of some traffic of these times by model, prompt version and topic (the
    /// first tag), and those of them that count against the metric.
    pub fn cells(
        &self,
        cut: &Cut,
        (from, to): (i64, i64),
        against: Against,
        most: usize,
    ) -> Result<(Vec<Cell>, Vec<Example>)> {
        self.read(|db| {
            let name = |id: Option<i64>| -> rusqlite::Result<String> {
                Ok(self.0.names.column(db, id)?.map_or_else(|| "none".to_owned(), Untrusted::into_raw))
            };
            let mut rows = Vec::new();
            let only: String =
                cut.wanted().map(|(key, id)| format!(" AND ifnull({}, 0) = {id}", key.name())).collect();
            let mut query = db.prepare_cached(&format!(
                "SELECT seq, ts, model, prompt, version, flags, latency_us, id FROM main.trace \
                 WHERE ts >= ?1 AND ts < ?2{only} ORDER BY ts DESC LIMIT ?3"
            ))?;
            let mut found = query.query(params![from, to, most.cast_signed()])?;
            while let Some(row) = found.next()? {
                let (bits, latency): (i64, Option<i64>) = (row.get(5)?, row.get(6)?);
                let counts = against.holds(bits, latency);
                let id = if counts { Some(stored_id(row.get_ref(7)?)?) } else { None };
                let named: [Option<i64>; 3] = [row.get(2)?, row.get(3)?, row.get(4)?];
                rows.push((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, named, bits, id));
            }
            let topics = topics(db, rows.iter().map(|row| row.0))?;
            let mut cells: HashMap<Ids, (u64, u64)> = HashMap::new();
            for (seq, _, named, _, id) in &rows {
                let cell = cells.entry((*named, topics.get(seq).copied())).or_default();
                cell.0 += 1;
                cell.1 += u64::from(id.is_some());
            }
            let values =
                |[model, prompt, version]: [Option<i64>; 3], topic| -> rusqlite::Result<[String; 3]> {
                    let prompt = match (prompt, version) {
                        (None, None) => "none".to_owned(),
                        (prompt, None) => name(prompt)?,
                        (None, version) => format!("@{}", name(version)?),
                        (prompt, version) => format!("{}@{}", name(prompt)?, name(version)?),
                    };
                    Ok([name(model)?, prompt, name(topic)?])
                };
            let mut examples = Vec::new();
            for (seq, at, named, bits, id) in rows {
                if let Some(id) = id {
                    let weight =
                        i64::from(bits & flags::REPORT != 0) * 2 + i64::from(bits & flags::DOWN != 0);
                    let values = values(named, topics.get(&seq).copied())?;
                    examples.push(Example { id, values, weight, at });
                }
            }
            let cells = cells
                .into_iter()
                .map(|((named, topic), (n, count))| Ok(Cell { values: values(named, topic)?, n, count }));
            Ok((cells.collect::<rusqlite::Result<_>>()?, examples))
        })
    }
}

/// The first tag of each of these traces.
fn topics(db: &rusqlite::Connection, seqs: impl Iterator<Item = i64>) -> rusqlite::Result<HashMap<i64, i64>> {
    let (mut least, mut most) = (i64::MAX, i64::MIN);
    for seq in seqs {
        (least, most) = (least.min(seq), most.max(seq));
    }
    let mut topics: HashMap<i64, i64> = HashMap::new();
    if least > most {
        return Ok(topics);
    }
    let tags: Vec<i64> = db
        .prepare_cached("SELECT id FROM main.name WHERE kind = 7 ORDER BY id LIMIT 64")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut query = db.prepare_cached("SELECT seq FROM main.tag WHERE name = ? AND seq BETWEEN ? AND ?")?;
    for tag in tags {
        let mut rows = query.query([tag, least, most])?;
        while let Some(row) = rows.next()? {
            topics.entry(row.get(0)?).or_insert(tag);
        }
    }
    Ok(topics)
}
