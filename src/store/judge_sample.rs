//! The daily sample: traces as they arrive, those that were drawn, and what judging them cost.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, params};

use super::import_lock::Lock;
use super::open::Store;
use super::trace_scores::insert_scores;
use crate::domain::{Result, Untrusted};
use crate::store::TraceScoreRow;

/// A trace that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Its place in the order of arrival.
    pub seq: i64,
    /// When the request was made, in milliseconds since the epoch.
    pub ts: i64,
    /// The hash of its id.
    pub id_hash: i64,
    /// Its feature; 0 for none.
    pub feature: i64,
}

/// A trace that was drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Pick {
    /// Its id.
    pub trace: Untrusted,
    /// The hash of its id.
    pub id_hash: i64,
    /// When the request was made, in milliseconds since the epoch.
    pub ts: i64,
    /// The day of that, in days since the epoch (UTC).
    pub day: i64,
    /// The name of its feature; empty for none.
    pub feature: String,
    /// Its place in the draw.
    pub place: u64,
    /// The probability with which it was drawn.
    pub probability: f64,
    /// Times that it was asked of.
    pub attempts: u32,
}

/// What became of asking about a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The judges told.
    Told,
    /// They could not tell; it is not asked again.
    Untold,
    /// It is to be asked again: nothing was paid.
    Again,
}

/// How it stands with a trace that was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PickState {
    /// It waits to be asked about.
    Waiting,
    /// It is being asked about.
    Asking,
    /// The judges told.
    Told,
    /// They could not tell.
    Untold,
    /// A program ended while it asked.
    Lost,
}

/// Traces of a day and a feature that stand alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PicksAlike {
    /// The day, in days since the epoch (UTC).
    pub day: i64,
    /// The name of the feature; empty for none.
    pub feature: String,
    /// How they stand.
    pub state: PickState,
    /// How many they are.
    pub count: u64,
    /// When the newest of them was made, in milliseconds since the epoch.
    pub newest_ts: i64,
}

impl Store {
    /// Takes the lock of the one who judges; `None` while another program holds it. It ends with that program,
    /// however that ends.
    pub fn lock_judging(&self) -> Result<Option<Lock>> {
        self.lock_beside("-judging", "judging")
    }

    /// The last trace that arrived; 0 where there is none.
    pub fn last_arrival(&self) -> Result<i64> {
        self.read(|db| db.query_row("SELECT ifnull(max(seq), 0) FROM main.trace", [], |row| row.get(0)))
    }

    /// Traces that arrived after this one, in their order, at most so many.
    pub fn arrivals(&self, after: i64, most: usize) -> Result<Vec<Arrival>> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT seq, ts, id_hash, ifnull(feature, 0) FROM main.trace WHERE seq > ? ORDER BY seq LIMIT ?",
            )?
            .query_map([after, most.cast_signed() as i64], |row| {
                Ok(Arrival { seq: row.get(0)?, ts: row.get(1)?, id_hash: row.get(2)?, feature: row.get(3)? })
            })?
            .collect()
        })
    }

    /// How far arrivals were looked at; `None`: not at all yet.
    pub fn judge_cursor(&self) -> Result<Option<i64>> {
        self.read(|db| db.query_row("SELECT seq FROM work.judge_cursor", [], |row| row.get(0)).optional())
    }

    /// Keeps what was drawn of the arrivals up to this one. A trace that was drawn before stays as it is.
    pub fn keep_picks(&self, cursor: i64, picks: &[Pick]) -> Result<()> {
        self.write_work(|tx| {
            let write = || {
                let mut insert = tx.prepare_cached(
                    "INSERT OR IGNORE INTO judge_pick(trace_hash, trace_id, ts, day, feature, place, probability) \
                     VALUES (?, ?, ?, ?, ?, ?, ?)",
                )?;
                for pick in picks {
                    insert.execute(params![
                        pick.id_hash,
                        pick.trace.raw(),
                        pick.ts,
                        pick.day,
                        pick.feature,
                        (pick.place >> 1).cast_signed(),
                        pick.probability,
                    ])?;
                }
                tx.execute("INSERT OR REPLACE INTO judge_cursor(one, seq) VALUES (1, ?)", [cursor])
            };
            write().map(drop).map_err(|e| self.explain_work(e))
        })
    }

    /// How many were drawn, by day and feature, from this day on.
    pub fn picked(&self, from_day: i64) -> Result<HashMap<(i64, String), u64>> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT day, feature, count(*) FROM work.judge_pick WHERE day >= ? GROUP BY day, feature",
            )?
            .query_map([from_day], |row| {
                Ok(((row.get(0)?, row.get(1)?), row.get::<_, i64>(2)?.cast_unsigned()))
            })?
            .collect()
        })
    }

    /// How those stand that were drawn, by day, feature and state, from this day on.
    pub fn picks_by_state(&self, from_day: i64) -> Result<Vec<PicksAlike>> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT day, feature, state, count(*), max(ts) FROM work.judge_pick WHERE day >= ? \
                 GROUP BY day, feature, state ORDER BY day, feature, state",
            )?
            .query_map([from_day], |row| {
                Ok(PicksAlike {
                    day: row.get(0)?,
                    feature: row.get(1)?,
                    state: match row.get_ref(2)?.as_str()? {
                        "told" => PickState::Told,
                        "untold" => PickState::Untold,
                        "lost" => PickState::Lost,
                        "asking" => PickState::Asking,
                        _ => PickState::Waiting,
                    },
                    count: row.get::<_, i64>(3)?.cast_unsigned(),
                    newest_ts: row.get(4)?,
                })
            })?
            .collect()
        })
    }

    /// Those that wait to be judged, of times within these, oldest day first and then in the order of the draw.
    pub fn waiting_picks(&self, (from, to): (i64, i64), most: usize) -> Result<Vec<Pick>> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT trace_id, trace_hash, ts, day, feature, place, probability, attempts \
                 FROM work.judge_pick WHERE state = 'waiting' AND ts >= ? AND ts < ? ORDER BY day, place LIMIT ?",
            )?
            .query_map(params![from, to, most.cast_signed()], |row| {
                Ok(Pick {
                    trace: row.get::<_, String>(0)?.into(),
                    id_hash: row.get(1)?,
                    ts: row.get(2)?,
                    day: row.get(3)?,
                    feature: row.get(4)?,
                    place: row.get::<_, i64>(5)?.cast_unsigned() << 1,
                    probability: row.get(6)?,
                    attempts: row.get(7)?,
                })
            })?
            .collect()
        })
    }

    /// Notes that a trace is asked about, durably when this returns. `false`: somebody else has done so.
    pub fn begin_pick(&self, pick: &Pick, holder: &str, day: i64) -> Result<bool> {
        self.write_work(|tx| {
            tx.execute(
                "UPDATE judge_pick SET state = 'asking', holder = ?, attempts = attempts + 1, asked_day = ? \
                 WHERE trace_hash = ? AND trace_id = ? AND state = 'waiting'",
                params![holder, day, pick.id_hash, pick.trace.raw()],
            )
            .map(|changed| changed == 1)
            .map_err(|e| self.explain_work(e))
        })
    }

    /// Notes that a question about it may cost so many US dollars, durably when this returns.
    pub fn put_aside(&self, pick: &Pick, most: f64) -> Result<()> {
        self.write_work(|tx| {
            tx.execute(
                "UPDATE judge_pick SET aside = aside + ? WHERE trace_hash = ? AND trace_id = ?",
                params![most, pick.id_hash, pick.trace.raw()],
            )
            .map(drop)
            .map_err(|e| self.explain_work(e))
        })
    }

    /// Keeps the words on a trace with what they cost, as one.
    pub fn settle_pick(&self, pick: &Pick, became: Asked, paid: f64, words: &[TraceScoreRow]) -> Result<()> {
        let state = match became {
            Asked::Told => "told",
            Asked::Untold => "untold",
            Asked::Again => "waiting",
        };
        self.write_work(|tx| {
            insert_scores(self, tx, words)?;
            tx.execute(
                "UPDATE judge_pick SET state = ?, holder = NULL, aside = 0, paid = paid + ? \
                 WHERE trace_hash = ? AND trace_id = ?",
                params![state, paid, pick.id_hash, pick.trace.raw()],
            )
            .map(drop)
            .map_err(|e| self.explain_work(e))
        })
    }

    /// What others than this one were asking when they ended is not asked again, and counts as paid. Gives how
    /// many there were.
    pub fn lose_picks(&self, holder: &str) -> Result<usize> {
        self.write_work(|tx| {
            tx.execute(
                "UPDATE judge_pick SET state = 'lost', paid = paid + aside, aside = 0, holder = NULL \
                 WHERE state = 'asking' AND holder <> ?",
                [holder],
            )
            .map_err(|e| self.explain_work(e))
        })
    }

    /// US dollars that were paid for traces asked about on this day, or may have been, and how many traces.
    pub fn judging_cost(&self, day: i64) -> Result<(f64, u64)> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT total(paid + aside), count(*) FROM work.judge_pick WHERE asked_day = ?",
            )?
            .query_row([day], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))
        })
    }
}
