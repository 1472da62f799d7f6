//! Samples: written once, whole, and never changed.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::ids::id_hash;
use super::open::Store;
use crate::domain::{Error, Member, Result, Sample, SampleRule, Untrusted};

/// A sample without its members.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleRow {
    /// Its name.
    pub name: String,
    /// What drew it.
    pub rule: SampleRule,
    /// When it was drawn.
    pub drawn_at: Timestamp,
    /// By whom.
    pub by: Untrusted,
    /// How many traces could have been drawn.
    pub population: u64,
    /// How many were.
    pub size: u64,
}

const HEAD: &str = "name, rule, drawn_at, \"by\", population, size";

impl Store {
    /// Keeps a sample. When the name is taken nothing is changed, and the sample that has it is given back.
    pub fn add_sample(&self, sample: &Sample) -> Result<Option<SampleRow>> {
        let rule = serde_json::to_string(&sample.rule)
            .map_err(|e| Error::failed("The rule of the sample cannot be written.").because(e))?;
        let mut members: Vec<(i64, usize, &Member)> =
            sample.members.iter().enumerate().map(|(ord, m)| (id_hash(m.trace.raw()), ord, m)).collect();
        // In the order of the key, so that the rows are appended.
        members.sort_unstable_by(|a, b| (a.0, a.2.trace.raw()).cmp(&(b.0, b.2.trace.raw())));
        self.write_work(|tx| {
            let write = || {
                let taken = tx
                    .query_row(
                        &format!("SELECT {HEAD} FROM sample WHERE name = ?"),
                        [&sample.name],
                        sample_row,
                    )
                    .optional()?;
                if taken.is_some() {
                    return Ok(taken);
                }
                tx.execute(
                    "INSERT INTO sample(name, drawn_at, \"by\", population, size, rule) \
                     VALUES (?, ?, ?, ?, ?, ?)",
                    params![
                        sample.name,
                        sample.drawn_at.as_millisecond(),
                        sample.by.raw(),
                        sample.population.cast_signed(),
                        sample.members.len().cast_signed(),
                        rule
                    ],
                )?;
                let mut insert = tx.prepare_cached(
                    "INSERT INTO sample_member(sample, ord, trace_id, trace_hash, probability, stratum) \
                     VALUES (?, ?, ?, ?, ?, ?)",
                )?;
                for (hash, ord, member) in members {
                    insert.execute(params![
                        sample.name,
                        ord.cast_signed(),
                        member.trace.raw(),
                        hash,
                        member.probability,
                        member.stratum.as_ref().map(Untrusted::raw),
                    ])?;
                }
                Ok(None)
            };
            write().map_err(|e| self.explain_work(e))
        })
    }

    /// All samples, newest first.
    pub fn samples(&self) -> Result<Vec<SampleRow>> {
        self.read(|db| {
            db.prepare_cached(&format!("SELECT {HEAD} FROM work.sample ORDER BY drawn_at DESC, name"))?
                .query_map([], sample_row)?
                .collect()
        })
    }

    /// How many traces of each sample a reviewer has labelled; samples without any are left out.
    pub fn sample_progress(&self, reviewer: &str) -> Result<HashMap<String, u64>> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT m.sample, count(*) FROM work.label_now l CROSS JOIN work.sample s \
                 CROSS JOIN work.sample_member m ON m.sample = s.name AND m.trace_hash = l.trace_hash \
                 AND m.trace_id = l.trace_id \
                 WHERE l.reviewer = ? AND l.verdict IS NOT NULL GROUP BY m.sample",
            )?
            .query_map([reviewer], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?
            .collect()
        })
    }

    /// The sample of this name, its members in the order of the queue.
    pub fn sample(&self, name: &str) -> Result<Option<Sample>> {
        self.read(|db| {
            let head = db
                .prepare_cached(&format!("SELECT {HEAD} FROM work.sample WHERE name = ?"))?
                .query_row([name], sample_row)
                .optional()?;
            let Some(head) = head else { return Ok(None) };
            let members = db
                .prepare_cached(
                    "SELECT trace_id, probability, stratum FROM work.sample_member WHERE sample = ? ORDER BY ord",
                )?
                .query_map([name], |row| {
                    Ok(Member {
                        trace: row.get::<_, String>(0)?.into(),
                        probability: row.get(1)?,
                        stratum: row.get::<_, Option<String>>(2)?.map(Untrusted::from),
                    })
                })?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Some(Sample {
                name: head.name,
                rule: head.rule,
                drawn_at: head.drawn_at,
                by: head.by,
                population: head.population,
                members,
            }))
        })
    }
}

fn sample_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<SampleRow> {
    let rule = serde_json::from_str(row.get_ref(1)?.as_str()?)
        .map_err(|e| rusqlite::types::FromSqlError::Other(Box::new(e)))?;
    Ok(SampleRow {
        name: row.get(0)?,
        rule,
        drawn_at: Timestamp::from_millisecond(row.get(2)?).unwrap_or(Timestamp::UNIX_EPOCH),
        by: row.get::<_, String>(3)?.into(),
        population: row.get::<_, i64>(4)?.cast_unsigned(),
        size: row.get::<_, i64>(5)?.cast_unsigned(),
    })
}
