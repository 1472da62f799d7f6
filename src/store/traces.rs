//! Reading traces: one whole, or the lines of a list.

use jiff::Timestamp;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row};

use super::blocks::BLOCK;
use super::flags;
use super::ids::{id_hash, stored_id};
use super::names::Names;
use super::open::Store;
use super::prepare::{FeedbackRow, NUSD_IN_USD, US_IN_MS};
use crate::domain::{Feedback, Result, Trace, TraceRow, Untrusted};

/// A trace and its place in this store.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTrace {
    /// Order of arrival in this store.
    pub seq: i64,
    /// The trace.
    pub trace: Trace,
}

impl Store {
    /// The trace with this id.
    pub fn trace_by_id(&self, id: &str) -> Result<Option<StoredTrace>> {
        let seq = self.read(|db| Ok(find(db, id, id_hash(id))?.map(|found| found.seq)))?;
        seq.map_or(Ok(None), |seq| self.trace_by_seq(seq))
    }

    /// The trace with this place in the order of arrival.
    pub fn trace_by_seq(&self, seq: i64) -> Result<Option<StoredTrace>> {
        let read = self.read(|db| {
            let row = db
                .prepare_cached(&format!("SELECT {COLUMNS} FROM main.trace WHERE seq = ?"))?
                .query_row([seq], Columns::read)
                .optional()?;
            let Some(row) = row else { return Ok(None) };
            let z = body(db, &self.0.dictionaries, seq)?;
            let feedback =
                if row.flags & flags::HAS_FEEDBACK == 0 { Vec::new() } else { feedback_rows(db, seq)? };
            let scores =
                if row.flags & flags::HAS_SCORE == 0 { Vec::new() } else { scores(db, &self.0.names, seq)? };
            let names = row.names(db, &self.0.names)?;
            Ok(Some((row, names, z, feedback, scores)))
        })?;
        let Some((row, names, z, feedback, scores)) = read else { return Ok(None) };
        let Some(mut trace) = self.0.dictionaries.traces([z.as_slice()])?.pop() else { return Ok(None) };
        let [feature, model, prompt, prompt_version, experiment, arm] = names;
        let (status, error_kind) = flags::status(row.flags);
        trace.time = trace.time.or_else(|| Some(time(row.ts)));
        trace.id = row.id;
        (trace.feature, trace.model, trace.experiment, trace.arm) = (feature, model, experiment, arm);
        (trace.prompt, trace.prompt_version) = (prompt, prompt_version);
        trace.latency_ms = trace.latency_ms.or(row.latency_us.map(|n| n as f64 / US_IN_MS));
        trace.ttft_ms = trace.ttft_ms.or(row.ttft_us.map(|n| n as f64 / US_IN_MS));
        trace.cost_usd = trace.cost_usd.or(row.cost_nusd.map(|n| n as f64 / NUSD_IN_USD));
        trace.tokens_in = row.tokens_in.and_then(|n| u64::try_from(n).ok());
        trace.tokens_out = row.tokens_out.and_then(|n| u64::try_from(n).ok());
        (trace.status, trace.error_kind) = (status, error_kind);
        // What the source said: that the answer reads like one is no part of the trace.
        trace.fallback = row.flags & (flags::FALLBACK | flags::READS_LIKE_FALLBACK) == flags::FALLBACK;
        trace.feedback = feedback
            .into_iter()
            .map(|f| Feedback { kind: FeedbackRow::kind(f.kind), comment: f.comment, time: Some(time(f.ts)) })
            .collect();
        trace.score = scores.into_iter().collect();
        Ok(Some(StoredTrace { seq, trace }))
    }

    /// The list lines of these traces, in the order asked; those that are not there are left out.
    pub fn rows(&self, seqs: &[i64]) -> Result<Vec<TraceRow>> {
        let read = self.read(|db| {
            // One view for all: each statement on its own would lock and unlock the file.
            let _view = db.unchecked_transaction()?;
            let mut rows = Vec::with_capacity(seqs.len());
            let mut one = db.prepare_cached(&format!("SELECT {COLUMNS} FROM main.trace WHERE seq = ?"))?;
            for seq in seqs {
                if let Some(row) = one.query_row([seq], Columns::read).optional()? {
                    let names = row.names(db, &self.0.names)?;
                    rows.push((*seq, row, names, body(db, &self.0.dictionaries, *seq)?));
                }
            }
            Ok(rows)
        })?;
        let talks = self.0.dictionaries.talks(read.iter().map(|(.., z)| z.as_slice()))?;
        read.into_iter()
            .zip(talks)
            .map(|((seq, row, names, _), talk)| {
                let [feature, model, prompt, prompt_version, ..] = names;
                let (status, error_kind) = flags::status(row.flags);
                let bit = |mask: i64| row.flags & mask != 0;
                Ok(TraceRow {
                    seq,
                    id: row.id,
                    time: time(row.ts),
                    feature,
                    model,
                    prompt,
                    prompt_version,
                    latency_ms: row.latency_us.map(|n| n as f64 / US_IN_MS),
                    cost_usd: row.cost_nusd.map(|n| n as f64 / NUSD_IN_USD),
                    status,
                    error_kind,
                    fallback: bit(flags::FALLBACK),
                    up: bit(flags::UP),
                    down: bit(flags::DOWN),
                    report: bit(flags::REPORT),
                    follow_up: bit(flags::FOLLOW_UP),
                    input_preview: talk.input.asked(TraceRow::PREVIEW),
                    output_preview: talk.output.answered(TraceRow::PREVIEW),
                })
            })
            .collect()
    }

    /// How many traces the store holds. They are numbered 1 to this without gaps.
    pub fn trace_count(&self) -> Result<i64> {
        self.read(|db| db.query_row("SELECT coalesce(max(seq), 0) FROM main.trace", [], |r| r.get(0)))
    }
}

/// What tells whether a trace is there and the same.
pub(super) struct Found {
    pub(super) seq: i64,
    pub(super) content_hash: i64,
}

/// Finds a trace by its id; the hash is looked up, the id itself decides. While a large load goes without
/// the index of ids, the columns of hashes are read instead: a reviewer at work must not wait for a scan
/// of the rows.
pub(super) fn find(db: &Connection, id: &str, hash: i64) -> rusqlite::Result<Option<Found>> {
    match find_indexed(db, id, hash) {
        Err(e) if e.to_string().contains("no such index") => find_in_columns(db, id, hash),
        found => found,
    }
}

fn find_indexed(db: &Connection, id: &str, hash: i64) -> rusqlite::Result<Option<Found>> {
    let mut query = db.prepare_cached(
        "SELECT seq, content_hash, id FROM main.trace INDEXED BY trace_id WHERE id_hash = ? ORDER BY seq",
    )?;
    let mut rows = query.query([hash])?;
    while let Some(row) = rows.next()? {
        if stored_id(row.get_ref(2)?)?.raw() == id {
            return Ok(Some(Found { seq: row.get(0)?, content_hash: row.get(1)? }));
        }
    }
    Ok(None)
}

fn find_in_columns(db: &Connection, id: &str, hash: i64) -> rusqlite::Result<Option<Found>> {
    let wanted = hash.to_le_bytes();
    let mut query = db.prepare_cached("SELECT n, id_hash FROM main.block ORDER BY n")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let first = row.get::<_, i64>(0)? * BLOCK + 1;
        let (hashes, _) = row.get_ref(1)?.as_blob()?.as_chunks::<8>();
        for (seq, held) in (first..).zip(hashes) {
            if *held == wanted
                && let Some(found) = find_at(db, id, seq)?
            {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

/// The trace at this place, when it is the one with this id.
pub(super) fn find_at(db: &Connection, id: &str, seq: i64) -> rusqlite::Result<Option<Found>> {
    db.prepare_cached("SELECT content_hash, id FROM main.trace WHERE seq = ?")?
        .query_row([seq], |r| Ok((stored_id(r.get_ref(1)?)?, r.get(0)?)))
        .optional()
        .map(|row| {
            row.filter(|(held, _)| held.raw() == id).map(|(_, content_hash)| Found { seq, content_hash })
        })
}

/// The feedback of a trace in the order of arrival.
pub(super) fn feedback_rows(db: &Connection, seq: i64) -> rusqlite::Result<Vec<FeedbackRow>> {
    db.prepare_cached("SELECT kind, ts, comment FROM main.feedback WHERE seq = ? ORDER BY n")?
        .query_map([seq], |r| {
            Ok(FeedbackRow {
                kind: r.get(0)?,
                ts: r.get(1)?,
                comment: r.get::<_, Option<String>>(2)?.map(Untrusted::new),
            })
        })?
        .collect()
}

fn scores(db: &Connection, names: &Names, seq: i64) -> rusqlite::Result<Vec<(String, f64)>> {
    let mut query = db.prepare_cached("SELECT name, value FROM main.score WHERE seq = ?")?;
    let rows: Vec<(i64, f64)> =
        query.query_map([seq], |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    rows.into_iter().map(|(name, value)| Ok((names.text(db, name)?.to_string(), value))).collect()
}

/// The stored body of a trace, its dictionary at hand.
fn body(db: &Connection, dictionaries: &super::body::Dictionaries, seq: i64) -> rusqlite::Result<Vec<u8>> {
    let z: Vec<u8> =
        db.prepare_cached("SELECT z FROM main.body WHERE seq = ?")?.query_row([seq], |r| r.get(0))?;
    dictionaries.prepare(db, &z)?;
    Ok(z)
}

const COLUMNS: &str = "ts, feature, model, prompt, version, experiment, arm, latency_us, ttft_us, tokens_in, \
                       tokens_out, cost_nusd, flags, id";

struct Columns {
    ts: i64,
    names: [Option<i64>; 6],
    latency_us: Option<i64>,
    ttft_us: Option<i64>,
    tokens_in: Option<i64>,
    tokens_out: Option<i64>,
    cost_nusd: Option<i64>,
    flags: i64,
    id: Untrusted,
}

impl Columns {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut names = [None; 6];
        for (n, name) in names.iter_mut().enumerate() {
            *name = row.get(1 + n)?;
        }
        Ok(Self {
            ts: row.get(0)?,
            names,
            latency_us: row.get(7)?,
            ttft_us: row.get(8)?,
            tokens_in: row.get(9)?,
            tokens_out: row.get(10)?,
            cost_nusd: row.get(11)?,
            flags: row.get(12)?,
            id: stored_id(row.get_ref(13)?)?,
        })
    }

    fn names(&self, db: &Connection, names: &Names) -> rusqlite::Result<[Option<Untrusted>; 6]> {
        let mut texts = [const { None }; 6];
        for (text, id) in texts.iter_mut().zip(self.names) {
            *text = names.column(db, id)?;
        }
        Ok(texts)
    }
}

/// An id on its way into the store.
pub(super) enum StoredId<'a> {
    Uuid([u8; 16]),
    Text(&'a str),
}

impl<'a> StoredId<'a> {
    /// The stored form of an id; [`stored_id`] reads it back.
    pub(super) fn of(id: &'a str) -> Self {
        // Only what comes back letter for letter: lower case, hyphens in their places.
        let canonical = id.len() == 36
            && id.bytes().enumerate().all(|(n, c)| match n {
                8 | 13 | 18 | 23 => c == b'-',
                _ => matches!(c, b'0'..=b'9' | b'a'..=b'f'),
            });
        match uuid::Uuid::try_parse(id) {
            Ok(uuid) if canonical => Self::Uuid(*uuid.as_bytes()),
            _ => Self::Text(id),
        }
    }
}

impl ToSql for StoredId<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Uuid(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

/// The time of a column; what no calendar holds is shown as its limit.
pub(super) fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

#[cfg(test)]
impl Store {
    /// Traces with a thumb up and down by the roll-ups, for tests.
    pub(crate) fn count_thumbs(&self) -> (i64, i64) {
        self.read(|db| {
            db.query_row("SELECT sum(ups), sum(downs) FROM main.rollup", [], |r| Ok((r.get(0)?, r.get(1)?)))
        })
        .unwrap()
    }
}
