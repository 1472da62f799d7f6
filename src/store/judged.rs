//! What people and judges said of sampled traces, with the traces' own figures: the ground of a quality score
//! and of the monitors over it.

use std::collections::HashMap;

use rusqlite::{Connection, ToSql, params};

use super::ids::stored_id;
use super::indexes;
use super::open::Store;
use super::slice::Slice;
use crate::domain::{Judge, JudgeWord, Outcome, Result, Untrusted, Verdicts};

/// One trace that a sample holds and somebody judged.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedRow {
    /// The trace.
    pub trace: Untrusted,
    /// When the request was made, in milliseconds since the epoch.
    pub ts: i64,
    /// What it was cut and told apart by.
    pub slice: Slice,
    /// The probability with which the draw included it; of several draws the greatest, since a steady draw holds
    /// the smaller ones.
    pub probability: f64,
    /// What is said of it.
    pub verdicts: Verdicts,
}

/// Judged traces, and who judged.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JudgedSet {
    /// The judges that [`JudgeWord::judge`] names by place.
    pub judges: Vec<Judge>,
    /// The traces, oldest first.
    pub rows: Vec<JudgedRow>,
    /// Some of them may be of the daily sample.
    pub daily: bool,
}

/// A trace before its own figures are read.
#[derive(Default)]
struct Found {
    probability: f64,
    verdicts: Verdicts,
}

/// Where drawn traces come from: a `FROM` that names them `m`, and its parameters.
struct Drawn<'a>(&'static str, &'a [&'a dyn ToSql]);

/// Members of the samples `?1`, a list as JSON.
const MEMBERS: &str = "json_each(?1) s CROSS JOIN work.sample_member m ON m.sample = s.value";

/// What the daily sample drew of the times from `?1` up to `?2`: of much the newest.
const PICKED: &str = "(SELECT trace_hash, trace_id, probability FROM work.judge_pick INDEXED BY judge_pick_time \
     WHERE ts >= ?1 AND ts < ?2 ORDER BY ts DESC LIMIT 10000) m";

type Traces = HashMap<(i64, String), Found>;

impl Store {
    /// The judged members of these samples and of the daily sample, of times from `from` up to `to` (milliseconds, excluded). While the
    /// index of ids is missing, as during a large import, there are none: looking each up would take a reading
    /// of the whole store.
    pub fn judged(&self, samples: &[&str], (from, to): (i64, i64)) -> Result<JudgedSet> {
        let names = serde_json::to_string(samples).unwrap_or_default();
        self.read(|db| {
            let mut set = JudgedSet::default();
            if indexes::missing(db)?.contains(&"trace_id") {
                return Ok(set);
            }
            set.daily =
                db.query_row("SELECT EXISTS (SELECT 1 FROM work.judge_pick)", [], |row| row.get(0))?;
            // Each member is looked up: not for words that no judge has ever said.
            let judges = "SELECT EXISTS (SELECT 1 FROM work.trace_score WHERE kind = 'judge')";
            let any_judge: bool = db.query_row(judges, [], |row| row.get(0))?;
            let mut said_of = |drawn: &Drawn<'_>| {
                let mut found = Traces::new();
                labelled(db, drawn, &mut found)?;
                if any_judge {
                    scored(db, drawn, &mut found, &mut set.judges)?;
                }
                Ok::<_, rusqlite::Error>(found)
            };
            let mut found = said_of(&Drawn(MEMBERS, &[&names]))?;
            if set.daily {
                for (trace, one) in said_of(&Drawn(PICKED, &[&from, &to]))? {
                    // What is said of it is the same, whichever draw holds it.
                    let known = found.entry(trace).or_insert(Found { probability: 0.0, ..one });
                    known.probability = known.probability.max(one.probability);
                }
            }
            set.rows = placed(db, found, (from, to))?;
            Ok(set)
        })
    }
}

/// Labels of members: each reviewer's once, in however many samples the trace is.
fn labelled(db: &Connection, Drawn(members, params): &Drawn<'_>, found: &mut Traces) -> rusqlite::Result<()> {
    let mut query = db.prepare_cached(&format!(
        "SELECT m.trace_hash, m.trace_id, max(m.probability), l.verdict = 'pass' \
         FROM {members} CROSS JOIN work.label_now l ON l.trace_hash = m.trace_hash AND l.trace_id = m.trace_id \
         WHERE l.verdict IN ('pass', 'fail') GROUP BY m.trace_hash, m.trace_id, l.reviewer"
    ))?;
    let mut rows = query.query(*params)?;
    while let Some(row) = rows.next()? {
        let one = found.entry((row.get(0)?, row.get(1)?)).or_default();
        one.probability = one.probability.max(row.get(2)?);
        *if row.get(3)? { &mut one.verdicts.passes } else { &mut one.verdicts.fails } += 1;
    }
    Ok(())
}

/// Words of judges on members.
fn scored(
    db: &Connection,
    Drawn(members, params): &Drawn<'_>,
    found: &mut Traces,
    judges: &mut Vec<Judge>,
) -> rusqlite::Result<()> {
    let mut query = db.prepare_cached(&format!(
        "SELECT m.trace_hash, m.trace_id, max(m.probability), c.evaluator, c.version, c.decider, c.model, \
         c.outcome, c.at FROM {members} CROSS JOIN work.trace_score c INDEXED BY trace_score_judge \
         ON c.trace_hash = m.trace_hash AND c.trace_id = m.trace_id \
         WHERE c.kind = 'judge' GROUP BY m.trace_hash, m.trace_id, c.evaluator, c.version"
    ))?;
    let mut rows = query.query(*params)?;
    while let Some(row) = rows.next()? {
        let word = judge_word(row, 3, judges)?;
        let one = found.entry((row.get(0)?, row.get(1)?)).or_default();
        one.probability = one.probability.max(row.get(2)?);
        one.verdicts.words.push(word);
    }
    Ok(())
}

/// A word from the columns evaluator, version, decider, model, outcome and at, from this one on. A judge that is
/// new is added to the list.
fn judge_word(row: &rusqlite::Row<'_>, from: usize, judges: &mut Vec<Judge>) -> rusqlite::Result<JudgeWord> {
    let text = |at: usize| row.get_ref(from + at)?.as_str().map_err(rusqlite::Error::from);
    let model = row.get_ref(from + 3)?.as_str_or_null()?;
    let (evaluator, version, decider) = (text(0)?, text(1)?, text(2)?);
    let same = |judge: &Judge| {
        judge.evaluator == evaluator
            && judge.version == version
            && judge.decider == decider
            && judge.model.as_deref() == model
    };
    let judge = judges.iter().position(same).unwrap_or_else(|| {
        judges.push(Judge {
            evaluator: evaluator.to_owned(),
            version: version.to_owned(),
            decider: decider.to_owned(),
            model: model.map(str::to_owned),
        });
        judges.len() - 1
    });
    let outcome = match text(4)? {
        "pass" => Outcome::Pass,
        "fail" => Outcome::Fail,
        _ => Outcome::Error,
    };
    Ok(JudgeWord { judge, outcome, at: row.get(from + 5)? })
}

/// The traces among them that are in the store, with their own figures, oldest first.
fn placed(db: &Connection, found: Traces, (from, to): (i64, i64)) -> rusqlite::Result<Vec<JudgedRow>> {
    let mut one = db.prepare_cached(
        "SELECT id, ts, ifnull(feature, 0), ifnull(model, 0), ifnull(prompt, 0), ifnull(version, 0), \
         ifnull(language, 0) FROM main.trace INDEXED BY trace_id WHERE id_hash = ?",
    )?;
    let mut placed = Vec::with_capacity(found.len());
    for ((hash, id), Found { probability, verdicts }) in found {
        let mut rows = one.query(params![hash])?;
        while let Some(row) = rows.next()? {
            let ts: i64 = row.get(1)?;
            // Another trace may have the same hash.
            if !(from..to).contains(&ts) || stored_id(row.get_ref(0)?)?.raw() != id {
                continue;
            }
            let slice = Slice {
                feature: row.get(2)?,
                model: row.get(3)?,
                prompt: row.get(4)?,
                version: row.get(5)?,
                language: row.get(6)?,
            };
            placed.push(JudgedRow { trace: id.into(), ts, slice, probability, verdicts });
            break;
        }
    }
    placed.sort_unstable_by(|a, b| (a.ts, &a.trace).cmp(&(b.ts, &b.trace)));
    Ok(placed)
}
