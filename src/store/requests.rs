//! Requests of a time one by one, with what is known of how each went: what an incident is assessed by.

use std::collections::HashMap;

use rusqlite::params;

use super::blocks::BLOCK;
use super::flags;
use super::ids::{id_hash, stored_id};
use super::judged::JudgedRow;
use super::open::Store;
use super::slice::Slice;
use crate::domain::{FailureKind, Result};
use crate::task::Cancel;

/// A request, by the ids of its names.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RequestRow {
    /// Its place in the store.
    pub seq: i64,
    /// When, in milliseconds since the epoch.
    pub at: i64,
    /// Feature, model, prompt, version and language.
    pub slice: Slice,
    /// Its first tag, which says what kind of question it is; 0 for none.
    pub topic: i64,
    /// The experiment that it was part of, and the arm; 0 for none.
    pub arm: (i64, i64),
    /// A hash of who asked.
    pub user: Option<i64>,
    /// As [`flags`] has it.
    pub bits: i64,
    /// How long it took, in microseconds.
    pub latency_us: Option<i64>,
    /// What it cost, in 1e-9 US dollars.
    pub cost_nusd: Option<i64>,
    /// What people or judges said of it.
    pub judged: Option<Judgement>,
}

impl RequestRow {
    /// How it failed, where it gave no answer.
    pub fn failure(&self) -> Option<FailureKind> {
        (self.bits & flags::ERROR != 0).then(|| flags::status(self.bits).1.unwrap_or(FailureKind::Other))
    }

    /// Whether its user said that it was bad: a thumb down, a report, or the question asked again.
    pub fn is_negative(&self) -> bool {
        self.bits & (flags::DOWN | flags::REPORT | flags::FOLLOW_UP) != 0
    }

    /// What its user said, the loudest where it is more than one thing.
    pub fn complaint(&self) -> Option<&'static str> {
        [(flags::REPORT, "report"), (flags::DOWN, "thumbs_down"), (flags::FOLLOW_UP, "asked_again")]
            .into_iter()
            .find(|(bit, _)| self.bits & bit != 0)
            .map(|(_, name)| name)
    }

    /// Whether a fallback answered.
    pub fn is_fallback(&self) -> bool {
        self.bits & flags::FALLBACK != 0
    }

    /// How loudly it is complained of: reports above thumbs down above errors above the rest.
    pub fn weight(&self) -> u8 {
        let bit = |mask: i64| u8::from(self.bits & mask != 0);
        8 * u8::from(self.judged.is_some_and(|one| one.failed))
            + 4 * bit(flags::REPORT)
            + 2 * bit(flags::DOWN)
            + bit(flags::ERROR)
    }
}

/// What was said of a request: by people where they judged it, else by judges.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// Whether it failed, as [`Verdicts::settled`](crate::domain::Verdicts::settled) has it.
    pub failed: bool,
    /// The probability with which it was drawn for judging.
    pub probability: f64,
}

/// Labels of one failure mode and severity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureCount {
    /// `None`: they named none.
    pub mode: Option<String>,
    /// `None`: they named none.
    pub severity: Option<String>,
    /// How many.
    pub count: u64,
}

impl Store {
    /// Hands the requests of a feature (`None`: of all) of the times from `from` up to `to` (milliseconds, excluded)
    /// to `each`, in the order of arrival. Judgements count where the trace is in a sample that was drawn without
    /// regard to how it went; those on traces picked by hand would bend every share. Reads the rows of
    /// that time, a block of the columns after the other, and looks between two whether to stop.
    pub fn each_request(
        &self,
        feature: Option<i64>,
        (from, to): (i64, i64),
        cancel: &Cancel,
        mut each: impl FnMut(&RequestRow),
    ) -> Result<()> {
        let judgements = self.judgements((from, to))?;
        self.read(|db| {
            let blocks: Vec<i64> = db
                .prepare_cached("SELECT n FROM main.block WHERE max_ts >= ? AND min_ts < ? ORDER BY n")?
                .query_map([from, to], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            let tags: Vec<i64> = db
                .prepare_cached("SELECT id FROM main.name WHERE kind = 7 ORDER BY id LIMIT 64")?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            let mut rows = db.prepare_cached(
                "SELECT seq, ts, ifnull(feature, 0), ifnull(model, 0), ifnull(prompt, 0), ifnull(version, 0), \
                 ifnull(language, 0), ifnull(experiment, 0), ifnull(arm, 0), user_hash, flags, latency_us, \
                 cost_nusd, id_hash, id FROM main.trace WHERE seq BETWEEN ?1 AND ?2 AND ts >= ?3 AND ts < ?4 \
                 AND (?5 IS NULL OR ifnull(feature, 0) = ?5)",
            )?;
            let mut tagged = db.prepare_cached("SELECT seq FROM main.tag WHERE name = ? AND seq BETWEEN ? AND ?")?;
            for block in blocks {
                if cancel.is_cancelled() {
                    break;
                }
                let (first, last) = (block * BLOCK + 1, (block + 1) * BLOCK);
                let mut topics: HashMap<i64, i64> = HashMap::new();
                for tag in &tags {
                    let mut found = tagged.query([*tag, first, last])?;
                    while let Some(row) = found.next()? {
                        topics.entry(row.get(0)?).or_insert(*tag);
                    }
                }
                let mut found = rows.query(params![first, last, from, to, feature])?;
                while let Some(r) = found.next()? {
                    let seq = r.get(0)?;
                    let judged = match judgements.get(&r.get(13)?) {
                        // Another trace may have the same hash.
                        Some((id, judged)) if stored_id(r.get_ref(14)?)?.raw() == id => Some(*judged),
                        _ => None,
                    };
                    each(&RequestRow {
                        seq,
                        at: r.get(1)?,
                        slice: Slice {
                            feature: r.get(2)?,
                            model: r.get(3)?,
                            prompt: r.get(4)?,
                            version: r.get(5)?,
                            language: r.get(6)?,
                        },
                        topic: topics.get(&seq).copied().unwrap_or(0),
                        arm: (r.get(7)?, r.get(8)?),
                        user: r.get(9)?,
                        bits: r.get(10)?,
                        latency_us: r.get(11)?,
                        cost_nusd: r.get(12)?,
                        judged,
                    });
                }
            }
            Ok(())
        })?;
        cancel.check()
    }

    /// What is said of the traces of these times that are in samples drawn without regard to how they went, by the
    /// hash of the trace, with its id.
    fn judgements(&self, (from, to): (i64, i64)) -> Result<HashMap<i64, (String, Judgement)>> {
        let samples = self.samples()?;
        let drawn = samples.iter().filter(|one| one.drawn_at.as_millisecond() >= from);
        let names: Vec<&str> =
            drawn.filter(|one| one.rule.speaks_of_all()).map(|one| one.name.as_str()).collect();
        let set = self.judged(&names, (from, to))?;
        let judgement = |row: JudgedRow| {
            let (good, _) = row.verdicts.settled(&set.judges, |_| true)?;
            let judged = Judgement { failed: !good, probability: row.probability };
            Some((id_hash(row.trace.raw()), (row.trace.into_raw(), judged)))
        };
        Ok(set.rows.into_iter().filter_map(judgement).collect())
    }

    /// The ids of the traces at these places, in this order.
    pub fn ids_at(&self, seqs: &[i64]) -> Result<Vec<crate::domain::Untrusted>> {
        self.read(|db| {
            let mut query = db.prepare_cached("SELECT id FROM main.trace WHERE seq = ?")?;
            seqs.iter().map(|seq| query.query_row([seq], |row| stored_id(row.get_ref(0)?))).collect()
        })
    }

    /// How people say that requests of a time fail.
    /// Looks up each trace that was failed, by the index of ids.
    pub fn failures_named(&self, feature: Option<i64>, (from, to): (i64, i64)) -> Result<Vec<FailureCount>> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT l.mode, l.severity, count(*) FROM work.label_now l \
                 CROSS JOIN main.trace t ON t.id_hash = l.trace_hash \
                 WHERE l.verdict = 'fail' AND l.at >= ?1 AND t.ts >= ?1 AND t.ts < ?2 \
                 AND (?3 IS NULL OR ifnull(t.feature, 0) = ?3) GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2",
            )?
            .query_map(params![from, to, feature], |row| {
                let count = row.get::<_, i64>(2)?.cast_unsigned();
                Ok(FailureCount { mode: row.get(0)?, severity: row.get(1)?, count })
            })?
            .collect()
        })
    }
}
