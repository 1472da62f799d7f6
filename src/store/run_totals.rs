//! What runs came to, grouped from the figures of their results: no text is read.

use std::collections::BTreeMap;

use rusqlite::{Connection, Params, params};

use super::open::Store;
use super::runs::run_of_head;
use crate::domain::{CaseResult, Result, Run, RunName, Untrusted};

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunTotals {
    /// Results.
    pub told: Told,
    /// Results that have their answer from the cache.
    pub cached: u64,
    /// Tokens that went in, where targets say so.
    pub tokens_in: u64,
    /// Tokens that came out.
    pub tokens_out: u64,
    /// What was paid, in US dollars.
    pub paid: f64,
    /// What an answer cost in the mean, in US dollars.
    pub answer_usd: Option<f64>,
    /// How long an answer took in the mean, in milliseconds.
    pub latency_mean: Option<f64>,
    /// The nearest rank at 95 %, in milliseconds.
    pub latency_p95: Option<f64>,
    /// By kind of edge case.
    pub categories: BTreeMap<Untrusted, Told>,
    /// By evaluator.
    pub evaluators: BTreeMap<String, EvaluatorTotals>,
}

/// How many of each outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Told {
    /// Passes.
    pub passed: u64,
    /// Failures.
    pub failed: u64,
    /// Those that could not be told.
    pub errors: u64,
}

/// What one evaluator said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EvaluatorTotals {
    /// Its kind.
    pub kind: String,
    /// How many of each outcome.
    pub told: Told,
    /// Its figure in the mean.
    pub mean_score: Option<f64>,
    /// Ratings in the mean, by criterion.
    pub criteria: BTreeMap<String, f64>,
}

impl Told {
    /// Of how many.
    pub fn all(self) -> u64 {
        self.passed + self.failed + self.errors
    }
}

/// Counts of each outcome, as SQL.
const TOLD: &str = "total(outcome = 'pass'), total(outcome = 'fail'), total(outcome = 'error')";
/// Of all runs, or of one.
const OF: &str = "(?1 IS NULL OR run = ?1)";

impl Store {
    /// All runs with what they came to, the newest first.
    pub fn runs_with_totals(&self) -> Result<Vec<(Run, RunTotals)>> {
        self.read(|db| {
            // One view of the store, while results land.
            let tx = db.unchecked_transaction()?;
            let mut totals = totals(&tx, None)?;
            let mut heads = tx.prepare("SELECT seq, head, stopped FROM work.run ORDER BY seq DESC")?;
            let mut rows = heads.query([])?;
            let mut runs = Vec::new();
            while let Some(row) = rows.next()? {
                let totals = totals.remove(&row.get(0)?).unwrap_or_default();
                runs.push((run_of_head(row, totals.told.all())?, totals));
            }
            Ok(runs)
        })
    }

    /// One run with what it came to.
    pub fn run_with_totals(&self, name: &RunName) -> Result<Option<(Run, RunTotals)>> {
        self.read(|db| {
            let tx = db.unchecked_transaction()?;
            let mut head = tx.prepare_cached("SELECT seq, head, stopped FROM work.run WHERE name = ?")?;
            let mut rows = head.query([name.as_str()])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let seq: i64 = row.get(0)?;
            let totals = totals(&tx, Some(seq))?.remove(&seq).unwrap_or_default();
            Ok(Some((run_of_head(row, totals.told.all())?, totals)))
        })
    }
}

fn totals(db: &Connection, run: Option<i64>) -> rusqlite::Result<BTreeMap<i64, RunTotals>> {
    let mut all = BTreeMap::<i64, RunTotals>::new();
    let sql = format!(
        "SELECT run, {TOLD}, total(cached), total(tokens_in), total(tokens_out), avg(cost), avg(latency_ms) \
         FROM work.run_figure WHERE {OF} GROUP BY run"
    );
    each(db, &sql, [run], |row| {
        let one = all.entry(row.get(0)?).or_default();
        one.told = told(row, 1)?;
        (one.cached, one.tokens_in, one.tokens_out) = (count(row, 4)?, count(row, 5)?, count(row, 6)?);
        (one.answer_usd, one.latency_mean) = (row.get(7)?, row.get(8)?);
        Ok(())
    })?;
    let sql = format!("SELECT run, total(paid) FROM work.run_result WHERE {OF} GROUP BY run");
    each(db, &sql, [run], |row| {
        all.entry(row.get(0)?).or_default().paid = row.get(1)?;
        Ok(())
    })?;
    // The nearest rank: the least n-th with n at least 95 % of all.
    let sql = format!(
        "SELECT run, latency_ms FROM (SELECT run, latency_ms, count(*) OVER (PARTITION BY run) AS n, \
         row_number() OVER (PARTITION BY run ORDER BY latency_ms) AS place \
         FROM work.run_figure WHERE {OF} AND latency_ms IS NOT NULL) WHERE place = (95 * n + 99) / 100"
    );
    each(db, &sql, [run], |row| {
        all.entry(row.get(0)?).or_default().latency_p95 = row.get(1)?;
        Ok(())
    })?;
    let sql = format!("SELECT run, category, {TOLD} FROM work.run_figure WHERE {OF} GROUP BY run, category");
    each(db, &sql, [run], |row| {
        let category = Untrusted::new(row.get::<_, String>(1)?);
        all.entry(row.get(0)?).or_default().categories.insert(category, told(row, 2)?);
        Ok(())
    })?;
    let sql = format!(
        "SELECT run, evaluator, {TOLD}, max(kind), avg(score) FROM work.run_word WHERE {OF} GROUP BY run, evaluator"
    );
    each(db, &sql, [run], |row| {
        let (told, kind, mean_score) = (told(row, 2)?, row.get(5)?, row.get(6)?);
        let one = EvaluatorTotals { kind, told, mean_score, criteria: BTreeMap::new() };
        all.entry(row.get(0)?).or_default().evaluators.insert(row.get(1)?, one);
        Ok(())
    })?;
    let sql = format!(
        "SELECT run, evaluator, c.key, avg(c.value) FROM work.run_word, json_each(criteria) c \
         WHERE {OF} AND criteria IS NOT NULL GROUP BY run, evaluator, c.key"
    );
    each(db, &sql, [run], |row| {
        let run = all.entry(row.get(0)?).or_default();
        run.evaluators.entry(row.get(1)?).or_default().criteria.insert(row.get(2)?, row.get(3)?);
        Ok(())
    })?;
    Ok(all)
}

fn each(
    db: &Connection,
    sql: &str,
    params: impl Params,
    mut row: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    while let Some(found) = rows.next()? {
        row(found)?;
    }
    Ok(())
}

fn told(row: &rusqlite::Row<'_>, from: usize) -> rusqlite::Result<Told> {
    Ok(Told { passed: count(row, from)?, failed: count(row, from + 1)?, errors: count(row, from + 2)? })
}

/// A sum of whole numbers, which `total` gives as a real one.
fn count(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, f64>(column)?.max(0.0) as u64)
}

/// Writes the figures of a result that landed, in place of those it had.
pub(super) fn land(tx: &rusqlite::Transaction<'_>, run: i64, result: &CaseResult) -> rusqlite::Result<()> {
    let case = result.case.as_str();
    let answer = result.answer();
    let whole = |n: Option<u64>| n.and_then(|n| i64::try_from(n).ok());
    tx.prepare_cached("INSERT OR REPLACE INTO run_figure VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?.execute(
        params![
            run,
            case,
            result.outcome().word(),
            result.category.raw(),
            result.cached,
            answer.map(|one| one.latency_ms).filter(|ms| ms.is_finite()),
            answer.and_then(|one| one.cost_usd),
            whole(answer.and_then(|one| one.tokens_in)),
            whole(answer.and_then(|one| one.tokens_out)),
        ],
    )?;
    tx.prepare_cached("DELETE FROM run_word WHERE run = ? AND case_id = ?")?.execute(params![run, case])?;
    let mut insert = tx.prepare_cached("INSERT INTO run_word VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?;
    for (place, one) in result.assessments.iter().enumerate() {
        let criteria = serde_json::to_string(&one.criteria).ok().filter(|_| !one.criteria.is_empty());
        insert.execute(params![
            run,
            case,
            place as i64,
            one.evaluator,
            one.kind,
            one.outcome.word(),
            one.score.map(|score| score.value),
            criteria,
        ])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::Error;
    use crate::store::{Access, RunWrite};

    #[test]
    fn no_result_is_read_for_them_and_an_older_file_gets_them_from_its_results() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("t.db"), Access::Create).unwrap();
        let head = json!({"name": "r", "set": "s", "set_version": 1, "target": "t", "target_kind": "openai m",
            "evaluators": [], "cases": 3, "at": "2026-03-10T12:00:00Z", "by": "ann", "program": "0"});
        store.create_run(&serde_json::from_value(head).unwrap()).unwrap();
        let result = |n: u32, rest: serde_json::Value| {
            let mut all = json!({"case": format!("c-{n}"), "category": "plain", "input": "?", "attempts": 1,
                "at": "2026-03-10T12:00:01Z"});
            all.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            RunWrite::Landed(serde_json::from_value(all).unwrap())
        };
        let word = json!({"evaluator": "j", "kind": "judge", "version": "0", "outcome": "pass", "explanation": "",
            "score": {"value": 8.5, "min": 1, "max": 10}, "criteria": {"tone": 8.5}});
        let answer = json!({"output": "yes", "latency_ms": 40, "tokens_in": 7, "cost_usd": 0.25});
        let writes = [
            result(1, json!({"answer": answer, "assessments": [word], "cached": true})),
            result(2, json!({"answer": {"output": "no", "latency_ms": null}, "assessments": []})),
            result(3, json!({"error": {"kind": "timeout", "what": "no"}})),
        ];
        let name = RunName::parse("r").unwrap();
        store.write_run(&name, &writes).unwrap();
        let totals = store.runs_with_totals().unwrap().remove(0).1;
        assert_eq!((totals.told.passed, totals.told.errors, totals.cached), (2, 1, 1));
        assert_eq!((totals.latency_p95, totals.answer_usd, totals.tokens_in), (Some(40.0), Some(0.25), 7));
        assert_eq!(totals.evaluators["j"].criteria["tone"], 8.5);

        let act = |sql: &str| {
            store
                .write_work(|tx| tx.execute_batch(sql).map_err(|e| Error::failed("It failed.").because(e)))
                .unwrap();
        };
        // As the file of an older program: nothing but the results.
        act("DROP TABLE run_figure; DROP TABLE run_word;");
        act(include_str!("schema/work_0003_run_figures.sql"));
        assert_eq!(store.run_with_totals(&name).unwrap().unwrap().1, totals);
        act("UPDATE run_result SET body = 'broken'");
        assert_eq!(store.runs_with_totals().unwrap().remove(0).1, totals);
        assert!(store.run_results(&name).is_err());
    }
}
