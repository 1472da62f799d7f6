//! Where a trace stands: in its session, in the order of time, in samples.

use rusqlite::{OptionalExtension, params};

use super::ids::id_hash;
use super::open::Store;
use crate::domain::{Result, Untrusted};

/// A trace's place among those of its session, in the order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Around {
    /// Which it is, from 1.
    pub position: u64,
    /// How many there are.
    pub count: u64,
    /// `seq` of the one before.
    pub previous: Option<i64>,
    /// `seq` of the one after.
    pub next: Option<i64>,
}

impl Store {
    /// Where a trace stands in its session; `None` when it has none.
    pub fn session_around(&self, seq: i64) -> Result<Option<Around>> {
        self.read(|db| {
            let place: Option<(Option<i64>, i64)> = db
                .prepare_cached("SELECT session_hash, ts FROM main.trace WHERE seq = ?")?
                .query_row([seq], |r| Ok((r.get(0)?, r.get(1)?)))
                .optional()?;
            let Some((Some(session), ts)) = place else { return Ok(None) };
            let beside = |sign: &str, order: &str| {
                db.prepare_cached(&format!(
                    "SELECT seq FROM main.trace WHERE session_hash = ?1 AND (ts, seq) {sign} (?2, ?3) \
                     ORDER BY ts {order}, seq {order} LIMIT 1"
                ))?
                .query_row([session, ts, seq], |r| r.get(0))
                .optional()
            };
            let (count, position): (i64, i64) = db
                .prepare_cached(
                    "SELECT count(*), count(*) FILTER (WHERE (ts, seq) <= (?2, ?3)) \
                     FROM main.trace WHERE session_hash = ?1",
                )?
                .query_row([session, ts, seq], |r| Ok((r.get(0)?, r.get(1)?)))?;
            Ok(Some(Around {
                position: position.cast_unsigned(),
                count: count.cast_unsigned(),
                previous: beside("<", "DESC")?,
                next: beside(">", "ASC")?,
            }))
        })
    }

    /// The samples that a trace is in, by name.
    pub fn samples_with(&self, trace: &Untrusted) -> Result<Vec<String>> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT m.sample FROM work.sample s JOIN work.sample_member m ON m.sample = s.name \
                 WHERE m.trace_hash = ? AND m.trace_id = ? ORDER BY m.sample",
            )?
            .query_map(params![id_hash(trace.raw()), trace.raw()], |r| r.get(0))?
            .collect()
        })
    }
}
