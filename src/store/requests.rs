//! Requests of a time one by one, with what is known of how each went: what an incident is assessed by.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::blocks::{self, BLOCK, Cell, Cells, View};
use super::flags;
use super::ids::{id_hash, stored_id};
use super::judged::JudgedRow;
use super::names::NameKind;
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

/// What is read of requests besides their columns, at a price: rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Beside {
    /// The first tag, the experiment and the arm.
    pub slices: bool,
    /// Who asked, from this time on (milliseconds).
    pub users_from: Option<i64>,
}

/// The columns that a request is made of.
const WANTED: [Cell; 8] = [
    Cell::Flags,
    Cell::Feature,
    Cell::Model,
    Cell::Prompt,
    Cell::Version,
    Cell::Language,
    Cell::LatencyUs,
    Cell::CostNusd,
];

fn slice_of(cells: &Cells) -> Slice {
    Slice {
        feature: cells.name(Cell::Feature),
        model: cells.name(Cell::Model),
        prompt: cells.name(Cell::Prompt),
        version: cells.name(Cell::Version),
        language: cells.name(Cell::Language),
    }
}

/// What is to be read besides the columns.
struct More {
    /// The first tags of the store, by their ids.
    tags: Vec<i64>,
    /// Whether anything ran as an experiment.
    arms: bool,
    users_from: Option<i64>,
}

/// What was read of a block, by the place in it.
#[derive(Default)]
struct Extra {
    first: i64,
    topics: Vec<i64>,
    arms: HashMap<i64, (i64, i64)>,
    users: Vec<Option<i64>>,
    users_from: i64,
}

impl Extra {
    fn give(&mut self, row: &mut RequestRow) {
        let at = usize::try_from(row.seq - self.first).unwrap_or(usize::MAX);
        row.topic = self.topics.get(at).copied().unwrap_or(0);
        row.arm = self.arms.get(&row.seq).copied().unwrap_or((0, 0));
        if row.at >= self.users_from {
            row.user = self.users.get(at).copied().flatten();
        }
    }
}

impl More {
    fn of(db: &Connection, Beside { slices, users_from }: Beside) -> rusqlite::Result<Self> {
        if !slices {
            return Ok(Self { tags: Vec::new(), arms: false, users_from });
        }
        let tags = db
            .prepare_cached("SELECT id FROM main.name WHERE kind = 7 ORDER BY id LIMIT 64")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let experiment = "SELECT 1 FROM main.name WHERE kind = ? LIMIT 1";
        let arms = db.prepare_cached(experiment)?.exists([NameKind::Experiment as i64])?;
        Ok(Self { tags, arms, users_from })
    }

    fn read(&self, db: &Connection, block: &View<'_>) -> rusqlite::Result<Extra> {
        let (first, last) = (block.first_seq, block.first_seq + BLOCK - 1);
        let place = |seq: i64| usize::try_from(seq - first).unwrap_or(usize::MAX);
        let mut extra = Extra { first, users_from: self.users_from.unwrap_or(i64::MAX), ..Extra::default() };
        if !self.tags.is_empty() {
            extra.topics = vec![0; block.len()];
            let mut tagged =
                db.prepare_cached("SELECT seq FROM main.tag WHERE name = ? AND seq BETWEEN ? AND ?")?;
            // The oldest tag of a trace counts: later ones do not take its place.
            for tag in &self.tags {
                let mut found = tagged.query([*tag, first, last])?;
                while let Some(row) = found.next()? {
                    if let Some(topic) = extra.topics.get_mut(place(row.get(0)?)).filter(|topic| **topic == 0)
                    {
                        *topic = *tag;
                    }
                }
            }
        }
        let newest = (0..block.len()).map(|at| block.ts(at)).max().unwrap_or(i64::MIN);
        let users = self.users_from.is_some_and(|from| newest >= from);
        if users || self.arms {
            extra.users = vec![None; block.len()];
            let mut rows = db.prepare_cached(
                "SELECT seq, user_hash, ifnull(experiment, 0), ifnull(arm, 0) FROM main.trace \
                 WHERE seq BETWEEN ? AND ?",
            )?;
            let mut found = rows.query([first, last])?;
            while let Some(row) = found.next()? {
                let seq = row.get(0)?;
                let arm: (i64, i64) = (row.get(2)?, row.get(3)?);
                if self.arms && arm != (0, 0) {
                    extra.arms.insert(seq, arm);
                }
                if let Some(user) = extra.users.get_mut(place(seq)) {
                    *user = row.get(1)?;
                }
            }
        }
        Ok(extra)
    }
}

impl Store {
    /// Hands the requests of a feature (`None`: of all) of the times from `from` up to `to` (milliseconds, excluded)
    /// to `each`, block by block in the order of arrival. Judgements count where the trace is in a sample that was drawn without
    /// regard to how it went; those on traces picked by hand would bend every share. Reads the columns of
    /// that time, block by block, and rows only for what is asked for beside them; looks between two blocks whether to
    /// stop.
    pub fn each_request(
        &self,
        feature: Option<i64>,
        (from, to): (i64, i64),
        beside: Beside,
        cancel: &Cancel,
        mut each: impl FnMut(&RequestRow),
    ) -> Result<()> {
        let judgements = self.judgements((from, to))?;
        self.read(|db| {
            let more = More::of(db, beside)?;
            let mut failed = None;
            blocks::each(db, (from, to.saturating_sub(1)), &WANTED, |block| {
                if cancel.is_cancelled() {
                    return false;
                }
                let mut rows = || -> rusqlite::Result<()> {
                    let mut more = more.read(db, block)?;
                    let mut doubtful = Vec::new();
                    block.each_placed(from..to, |at, ts, cells| {
                        let slice = slice_of(cells);
                        if feature.is_some_and(|wanted| slice.feature != wanted) {
                            return;
                        }
                        let seq = block.first_seq + at as i64;
                        let mut row = RequestRow {
                            seq,
                            at: ts,
                            slice,
                            bits: cells.get(Cell::Flags).unwrap_or(0),
                            latency_us: cells.get(Cell::LatencyUs),
                            cost_nusd: cells.get(Cell::CostNusd),
                            ..RequestRow::default()
                        };
                        more.give(&mut row);
                        if judgements.is_empty() || !judgements.contains_key(&block.id_hash(at)) {
                            each(&row);
                        } else {
                            doubtful.push((row, block.id_hash(at)));
                        }
                    });
                    // Another trace may have the same hash.
                    let mut id = db.prepare_cached("SELECT id FROM main.trace WHERE seq = ?")?;
                    for (mut row, hash) in doubtful {
                        let held = id.query_row([row.seq], |r| stored_id(r.get_ref(0)?))?;
                        let judged = judgements.get(&hash).filter(|(id, _)| *id == held.raw());
                        row.judged = judged.map(|(_, judged)| *judged);
                        each(&row);
                    }
                    Ok(())
                };
                failed = rows().err();
                failed.is_none()
            })?;
            failed.map_or(Ok(()), Err)
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
