//! The yardstick: what plain SQLite needs for the same traces, done with care and nothing unsafe.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use rusqlite::{Connection, params};
use serde::Deserialize;

use super::open::explain;
use crate::domain::{Error, Result};

/// Rows in one transaction.
const BATCH: usize = 10_000;

/// A plain table of traces.
pub struct RawLoader {
    db: Connection,
    name: String,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    session: Option<Cow<'a, str>>,
    #[serde(borrow)]
    user: Option<Cow<'a, str>>,
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow)]
    feature: Option<Cow<'a, str>>,
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    prompt: Option<Cow<'a, str>>,
    #[serde(borrow)]
    prompt_version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    input: Cow<'a, str>,
    #[serde(borrow)]
    output: Cow<'a, str>,
    latency_ms: Option<f64>,
    ttft_ms: Option<f64>,
    tokens_in: Option<i64>,
    tokens_out: Option<i64>,
    cost_usd: Option<f64>,
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow)]
    error_kind: Option<Cow<'a, str>>,
    #[serde(default)]
    fallback: bool,
    #[serde(borrow)]
    feedback: Option<&'a serde_json::value::RawValue>,
}

/// A database with care: few checkpoints, a large page cache, nothing unsafe.
fn open(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(path)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    db.pragma_update(None, "cache_size", -512 * 1024)?;
    db.pragma_update(None, "wal_autocheckpoint", 16_384)?;
    Ok(db)
}

impl RawLoader {
    /// Makes the database with its one table.
    pub fn create(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let made = (|| {
            let db = open(path)?;
            db.execute_batch(
                "CREATE TABLE trace(seq INTEGER PRIMARY KEY, id TEXT, session TEXT, user TEXT, ts INTEGER, \
                 feature TEXT, model TEXT, prompt TEXT, version TEXT, input TEXT, output TEXT, latency REAL, \
                 ttft REAL, tokens_in INTEGER, tokens_out INTEGER, cost REAL, status TEXT, error_kind TEXT, \
                 fallback INTEGER, feedback TEXT)",
            )?;
            Ok(db)
        })();
        Ok(Self { db: made.map_err(|e| explain(e, &name))?, name })
    }

    /// Loads a file of our JSONL.
    pub fn load(&mut self, path: &Path) -> Result<()> {
        let unread = |e: std::io::Error| Error::failed(format!("Cannot read {}.", path.display())).because(e);
        let mut lines = BufReader::with_capacity(1 << 20, File::open(path).map_err(unread)?);
        let mut line = Vec::new();
        let mut over = false;
        while !over {
            let tx = self.db.transaction().map_err(|e| explain(e, &self.name))?;
            let mut insert = tx
                .prepare_cached("INSERT INTO trace VALUES (NULL,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")
                .map_err(|e| explain(e, &self.name))?;
            for _ in 0..BATCH {
                line.clear();
                if lines.read_until(b'\n', &mut line).map_err(unread)? == 0 {
                    over = true;
                    break;
                }
                let t: Line<'_> = serde_json::from_slice(&line)
                    .map_err(|e| Error::failed("The data of the measurement are damaged.").because(e))?;
                let ts = t.time.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_millisecond);
                insert
                    .execute(params![
                        t.id,
                        t.session,
                        t.user,
                        ts,
                        t.feature,
                        t.model,
                        t.prompt,
                        t.prompt_version,
                        t.input,
                        t.output,
                        t.latency_ms,
                        t.ttft_ms,
                        t.tokens_in,
                        t.tokens_out,
                        t.cost_usd,
                        t.status,
                        t.error_kind,
                        t.fallback,
                        t.feedback.map(serde_json::value::RawValue::get),
                    ])
                    .map_err(|e| explain(e, &self.name))?;
            }
            drop(insert);
            tx.commit().map_err(|e| explain(e, &self.name))?;
        }
        Ok(())
    }

    /// Builds its indexes, and brings all of it to the disk.
    pub fn index(&self) -> Result<()> {
        self.db
            .execute_batch(
                "CREATE UNIQUE INDEX by_id ON trace(id); CREATE INDEX by_session ON trace(session); \
                 CREATE INDEX dashboard ON trace(ts, latency, status, version, feedback, fallback, cost); \
                 PRAGMA wal_checkpoint(TRUNCATE)",
            )
            .map_err(|e| explain(e, &self.name))
    }

    /// Builds full-text search over input and output.
    pub fn search_index(&self) -> Result<()> {
        self.db
            .execute_batch(
                "CREATE VIRTUAL TABLE fts USING fts5(input, output, content='trace', content_rowid='seq', \
                 tokenize='unicode61'); \
                 INSERT INTO fts(rowid, input, output) SELECT seq, input, output FROM trace; \
                 PRAGMA wal_checkpoint(TRUNCATE)",
            )
            .map_err(|e| explain(e, &self.name))
    }
}

/// A plain table of spans, found by their ids.
pub struct RawSpans {
    db: Connection,
    name: String,
}

/// Ids of the trace, the span and its parent; name; start and end in nanoseconds; attributes as JSON.
pub type RawSpan<'a> = ([&'a [u8]; 3], &'a str, [i64; 2], String);

impl RawSpans {
    /// Makes the database with its one table.
    pub fn create(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let made = (|| {
            let db = open(path)?;
            db.execute_batch(
                "CREATE TABLE span(trace BLOB, span BLOB, parent BLOB, name TEXT, start INTEGER, finish INTEGER, \
                 attributes TEXT); CREATE UNIQUE INDEX by_ids ON span(trace, span)",
            )?;
            Ok(db)
        })();
        Ok(Self { db: made.map_err(|e| explain(e, &name))?, name })
    }

    /// Inserts spans as one transaction.
    pub fn insert<'a>(&mut self, spans: impl Iterator<Item = RawSpan<'a>>) -> Result<()> {
        let inserted = (|| {
            let tx = self.db.transaction()?;
            let mut insert = tx.prepare_cached("INSERT INTO span VALUES (?, ?, ?, ?, ?, ?, ?)")?;
            for ([trace, span, parent], name, [start, end], attributes) in spans {
                insert.execute(params![trace, span, parent, name, start, end, attributes])?;
            }
            drop(insert);
            tx.commit()
        })();
        inserted.map_err(|e| explain(e, &self.name))
    }
}
