//! The record of paused rules that were taken up again. Rows are only added.

use jiff::Timestamp;
use rusqlite::params;

use super::{group_text, instant, json, text};
use crate::domain::monitor::Group;
use crate::domain::{Judge, Result, Untrusted};
use crate::store::open::Store;

/// A paused rule on a group that somebody took up again.
#[derive(Debug, Clone, PartialEq)]
pub struct Resumption {
    /// Its place in the record; given when it is kept.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Untrusted,
    /// The rule.
    pub rule: String,
    /// The group.
    pub group: Group,
    /// The judges that are trusted from then on.
    pub judges: Vec<Judge>,
    /// The share of failures that is well with them; `None`: the target of the rule.
    pub baseline: Option<f64>,
    /// Traces that they had judged by then.
    pub judged: u64,
}

impl Store {
    /// Adds to the record, durably when this returns.
    pub fn add_resumptions(&self, all: &[Resumption]) -> Result<()> {
        self.write_work(|tx| {
            for one in all {
                let values = params![
                    one.at.as_millisecond(),
                    one.by.raw(),
                    one.rule,
                    group_text(&one.group)?,
                    text(&one.judges)?,
                    one.baseline,
                    one.judged.cast_signed(),
                ];
                tx.execute(
                    "INSERT INTO monitor_resume(at, \"by\", rule, grp, judges, baseline, judged) \
                     VALUES (?, ?, ?, ?, ?, ?, ?)",
                    values,
                )
                .map_err(|e| self.explain_work(e))?;
            }
            Ok(())
        })
    }

    /// The newest of each rule on each group.
    pub fn resumptions(&self) -> Result<Vec<Resumption>> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT max(seq), at, \"by\", rule, grp, judges, baseline, judged FROM work.monitor_resume \
                 GROUP BY rule, grp",
            )?
            .query_map([], |row| {
                Ok(Resumption {
                    seq: row.get(0)?,
                    at: instant(row.get(1)?),
                    by: row.get::<_, String>(2)?.into(),
                    rule: row.get(3)?,
                    group: json(row, 4)?,
                    judges: json(row, 5)?,
                    baseline: row.get(6)?,
                    judged: row.get::<_, i64>(7)?.cast_unsigned(),
                })
            })?
            .collect()
        })
    }
}
