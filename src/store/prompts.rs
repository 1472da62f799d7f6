//! What is known of prompt versions: their traffic by hour, labels, runs, incidents, gates, and traces to look
//! at. Versions are told by the names on the traces.

use std::collections::BTreeMap;

use rusqlite::params;

use super::flags;
use super::open::Store;
use super::slice::Slice;
use super::sums::HOUR_MS;
use super::traces::StoredTrace;
use crate::domain::gate::{Decision, Evidence, Proof};
use crate::domain::{Result, RunName};

/// The hours in which a version had traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// The version.
    pub slice: Slice,
    /// The first hour, in hours since the epoch.
    pub first: i64,
    /// The last one.
    pub last: i64,
    /// All requests ever.
    pub requests: i64,
}

/// What a run came to, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunTally {
    /// Answers that all evaluators passed.
    pub passed: u64,
    /// Answers that one failed.
    pub failed: u64,
    /// Cases without an answer.
    pub errors: u64,
}

impl Store {
    /// The versions that traces name, with the hours in which they had traffic.
    pub fn served(&self) -> Result<Vec<Served>> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT prompt, version, min(hour), max(hour), sum(requests) FROM main.rollup_version \
                 WHERE requests > 0 GROUP BY prompt, version",
            )?
            .query_map([], |r| {
                Ok(Served {
                    slice: Slice { prompt: r.get(0)?, version: r.get(1)?, ..Slice::default() },
                    first: r.get(2)?,
                    last: r.get(3)?,
                    requests: r.get(4)?,
                })
            })?
            .collect()
        })
    }

    /// Labelled traces by version: passed and failed. A trace counts once; a fail of one reviewer fails it.
    pub fn labels_by_version(&self) -> Result<BTreeMap<Slice, (u64, u64)>> {
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT ifnull(t.prompt, 0), ifnull(t.version, 0), l.failed, count(*) FROM \
                 (SELECT trace_hash, max(verdict = 'fail') AS failed FROM work.label_now \
                  WHERE verdict IN ('pass', 'fail') GROUP BY trace_hash, trace_id) l \
                 CROSS JOIN main.trace t ON t.id_hash = l.trace_hash GROUP BY 1, 2, 3",
            )?;
            let mut rows = query.query([])?;
            let mut found: BTreeMap<Slice, (u64, u64)> = BTreeMap::new();
            while let Some(r) = rows.next()? {
                let of = found
                    .entry(Slice { prompt: r.get(0)?, version: r.get(1)?, ..Slice::default() })
                    .or_default();
                let n = r.get::<_, i64>(3)?.max(0).cast_unsigned();
                if r.get::<_, bool>(2)? { of.1 += n } else { of.0 += n }
            }
            Ok(found)
        })
    }

    /// The incidents whose evidence holds traces of a version, by version: (number, traces).
    pub fn incidents_by_version(&self) -> Result<BTreeMap<Slice, Vec<(i64, u64)>>> {
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT ifnull(t.prompt, 0), ifnull(t.version, 0), i.number, count(*) \
                 FROM work.incident_trace e JOIN work.incident i ON i.id = e.incident \
                 CROSS JOIN main.trace t ON t.id_hash = e.trace_hash GROUP BY 1, 2, 3 ORDER BY 3",
            )?;
            let mut rows = query.query([])?;
            let mut found: BTreeMap<Slice, Vec<(i64, u64)>> = BTreeMap::new();
            while let Some(r) = rows.next()? {
                let of = found
                    .entry(Slice { prompt: r.get(0)?, version: r.get(1)?, ..Slice::default() })
                    .or_default();
                of.push((r.get(2)?, r.get::<_, i64>(3)?.max(0).cast_unsigned()));
            }
            Ok(found)
        })
    }

    /// What a run came to.
    pub fn run_tally(&self, name: &RunName) -> Result<RunTally> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT count(*) FILTER (WHERE outcome = 'pass'), count(*) FILTER (WHERE outcome = 'fail'), \
                 count(*) FILTER (WHERE outcome = 'error') FROM work.run_result \
                 WHERE run = (SELECT seq FROM work.run WHERE name = ?)",
            )?
            .query_row([name.as_str()], |r| {
                let count = |at| r.get::<_, i64>(at).map(|n| n.max(0).cast_unsigned());
                Ok(RunTally { passed: count(0)?, failed: count(1)?, errors: count(2)? })
            })
        })
    }

    /// What gates came to, oldest first, by the SHA-256 of the text that each was about.
    pub fn gate_decisions(&self) -> Result<Vec<(String, Decision)>> {
        self.read(|db| {
            let mut query =
                db.prepare_cached("SELECT body FROM work.gate_evidence WHERE item = 'gate' ORDER BY seq")?;
            let mut rows = query.query([])?;
            let mut found = Vec::new();
            while let Some(r) = rows.next()? {
                // What a later program keeps of another kind says nothing here.
                let Ok(evidence) = serde_json::from_str::<Evidence>(r.get_ref(0)?.as_str()?) else {
                    continue;
                };
                if let Proof::Decided { decision, .. } = evidence.proof {
                    found.push((evidence.prompt_sha256, decision));
                }
            }
            Ok(found)
        })
    }

    /// The newest traces of a version in the last hour in which it had any, at most `most`, that the model
    /// answered: to see what text was really sent.
    pub fn newest_of_version(&self, served: &Served, most: usize) -> Result<Vec<StoredTrace>> {
        let seqs: Vec<i64> = self.read(|db| {
            db.prepare_cached(
                "SELECT seq FROM main.trace WHERE ts BETWEEN ?1 AND ?2 AND ifnull(prompt, 0) = ?3 \
                 AND ifnull(version, 0) = ?4 AND flags & ?5 = 0 ORDER BY ts DESC, seq DESC LIMIT ?6",
            )?
            .query_map(
                params![
                    served.last * HOUR_MS,
                    served.last * HOUR_MS + HOUR_MS - 1,
                    served.slice.prompt,
                    served.slice.version,
                    flags::FALLBACK | flags::ERROR,
                    i64::try_from(most).unwrap_or(i64::MAX)
                ],
                |r| r.get(0),
            )?
            .collect()
        })?;
        let mut found = Vec::new();
        for seq in seqs {
            found.extend(self.trace_by_seq(seq)?);
        }
        Ok(found)
    }
}
