//! Runs: their heads, what was asked, and the results that landed.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::import_lock::Lock;
use super::open::Store;
use crate::domain::{Answer, CaseId, CaseResult, Error, Result, Run, RunHead, RunName};

/// Names an answer in the cache: a hash of all that decides it.
pub type AnswerKey = [u8; 32];

/// What is to be written of a run; many in one durable commit.
#[derive(Debug, Clone)]
pub enum RunWrite {
    /// A case is about to be asked.
    Asked(CaseId, Timestamp),
    /// It was not asked after all.
    Unasked(CaseId),
    /// A target answered: kept for whoever asks the same again.
    Answered(AnswerKey, Box<Answer>, Timestamp),
    /// A case has its result; an earlier one is replaced, what it cost stays counted.
    Landed(Box<CaseResult>),
    /// The same, where this run paid this much for it and not what its answer once cost.
    LandedFor(Box<CaseResult>, f64),
}

impl Store {
    /// Begins a run. Errors with `NotSo` when the name is taken.
    pub fn create_run(&self, head: &RunHead) -> Result<()> {
        let body = json(head)?;
        self.write_work(|tx| {
            let taken = tx
                .query_row("SELECT 1 FROM run WHERE name = ?", [head.name.as_str()], |_| Ok(()))
                .optional()
                .map_err(|e| self.explain(e))?;
            if taken.is_some() {
                return Err(Error::not_so(format!("There is a run {} already.", head.name))
                    .hint("Go on with it by --resume, or name this one with --name."));
            }
            tx.execute("INSERT INTO run(name, head) VALUES (?, ?)", params![head.name.as_str(), body])
                .map_err(|e| self.explain(e))?;
            Ok(())
        })
    }

    /// Takes the lock of a run, or `None` while another program is at work on it.
    pub fn lock_run(&self, name: &RunName) -> Result<Option<Lock>> {
        self.lock_beside(&format!("-run-{name}"), "a run")
    }

    /// Writes what happened in a run, durably when this returns.
    pub fn write_run(&self, name: &RunName, writes: &[RunWrite]) -> Result<()> {
        self.write_work(|tx| {
            let sql = |e| self.explain(e);
            let seq: i64 = tx
                .query_row("SELECT seq FROM run WHERE name = ?", [name.as_str()], |r| r.get(0))
                .map_err(sql)?;
            for write in writes {
                match write {
                    RunWrite::Asked(case, at) => tx
                        .prepare_cached("INSERT OR REPLACE INTO run_asked(run, case_id, at) VALUES (?, ?, ?)")
                        .and_then(|mut s| s.execute(params![seq, case.as_str(), at.as_millisecond()]))
                        .map(drop)
                        .map_err(sql)?,
                    RunWrite::Unasked(case) => tx
                        .prepare_cached("DELETE FROM run_asked WHERE run = ? AND case_id = ?")
                        .and_then(|mut s| s.execute(params![seq, case.as_str()]))
                        .map(drop)
                        .map_err(sql)?,
                    RunWrite::Answered(key, answer, at) => {
                        let body = json(answer)?;
                        tx.prepare_cached(
                            "INSERT OR REPLACE INTO answer_cache(key, answer, at) VALUES (?, ?, ?)",
                        )
                        .and_then(|mut s| s.execute(params![key, body, at.as_millisecond()]))
                        .map(drop)
                        .map_err(sql)?
                    }
                    RunWrite::Landed(result) => {
                        let body = json(result)?;
                        land(tx, seq, result, result.paid_usd(), &body).map_err(sql)?
                    }
                    RunWrite::LandedFor(result, paid) => {
                        let body = json(result)?;
                        land(tx, seq, result, *paid, &body).map_err(sql)?
                    }
                };
            }
            Ok(())
        })
    }

    /// The answer that was given to the same before.
    pub fn cached_answer(&self, key: &AnswerKey) -> Result<Option<Answer>> {
        self.read(|db| {
            db.prepare_cached("SELECT answer FROM work.answer_cache WHERE key = ?")?
                .query_row([key], |row| parsed(row, 0))
                .optional()
        })
    }

    /// Says why a run ended before its end; `None` when it goes on.
    pub fn stop_run(&self, name: &RunName, why: Option<&str>) -> Result<()> {
        self.write_work(|tx| {
            tx.execute("UPDATE run SET stopped = ? WHERE name = ?", params![why, name.as_str()])
                .map(drop)
                .map_err(|e| self.explain(e))
        })
    }

    /// All runs, the newest first.
    pub fn runs(&self) -> Result<Vec<Run>> {
        self.read(|db| db.prepare(&select("ORDER BY r.seq DESC"))?.query_map([], run_of)?.collect())
    }

    /// One run.
    pub fn run(&self, name: &RunName) -> Result<Option<Run>> {
        self.read(|db| {
            db.prepare_cached(&select("WHERE r.name = ?"))?.query_row([name.as_str()], run_of).optional()
        })
    }

    /// The results of a run that landed, by the id of the case.
    pub fn run_results(&self, name: &RunName) -> Result<Vec<CaseResult>> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT body FROM work.run_result WHERE run = (SELECT seq FROM work.run WHERE name = ?) \
                 ORDER BY case_id",
            )?
            .query_map([name.as_str()], |r| parsed(r, 0))?
            .collect()
        })
    }

    /// The cases of a run that were asked and have no result: a kill came in between.
    pub fn run_interrupted(&self, name: &RunName) -> Result<Vec<String>> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT a.case_id FROM work.run r JOIN work.run_asked a ON a.run = r.seq \
                 LEFT JOIN work.run_result d ON d.run = a.run AND d.case_id = a.case_id \
                 WHERE r.name = ? AND d.run IS NULL ORDER BY a.case_id",
            )?
            .query_map([name.as_str()], |r| r.get(0))?
            .collect()
        })
    }

    /// What a run has paid so far, in US dollars.
    pub fn run_paid(&self, name: &RunName) -> Result<f64> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT total(paid) FROM work.run_result WHERE run = (SELECT seq FROM work.run WHERE name = ?)",
            )?
            .query_row([name.as_str()], |r| r.get(0))
        })
    }
}

fn land(
    tx: &rusqlite::Transaction<'_>,
    seq: i64,
    result: &CaseResult,
    paid: f64,
    body: &str,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO run_result(run, case_id, outcome, paid, body) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT DO UPDATE SET outcome = excluded.outcome, paid = paid + excluded.paid, body = excluded.body",
    )?
    .execute(params![seq, result.case.as_str(), result.outcome().word(), paid, body])?;
    super::run_totals::land(tx, seq, result)
}

fn select(rest: &str) -> String {
    format!(
        "SELECT r.head, r.stopped, (SELECT count(*) FROM work.run_result d WHERE d.run = r.seq) \
         FROM work.run r {rest}"
    )
}

/// A run of `seq, head, stopped`.
pub(super) fn run_of_head(row: &Row<'_>, done: u64) -> rusqlite::Result<Run> {
    Ok(Run { head: parsed(row, 1)?, stopped: row.get(2)?, done })
}

fn run_of(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        head: parsed(row, 0)?,
        stopped: row.get(1)?,
        done: row.get::<_, i64>(2)?.max(0).cast_unsigned(),
    })
}

pub(super) fn parsed<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|e| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(e))
    })
}

pub(super) fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::failed("A run could not be written as JSON.").because(e))
}
