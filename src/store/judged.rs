//! What people said of sampled traces, with the traces' own figures: the ground of a quality score.

use rusqlite::params;

use super::ids::stored_id;
use super::indexes;
use super::open::Store;
use super::slice::Slice;
use crate::domain::{Result, Untrusted};

/// One reviewer's verdict on a trace that a sample holds.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedRow {
    /// The trace.
    pub trace: Untrusted,
    /// When the request was made, in milliseconds since the epoch.
    pub ts: i64,
    /// What it was cut and told apart by.
    pub slice: Slice,
    /// The probability with which the draw included it.
    pub probability: f64,
    /// Whether it passed.
    pub pass: bool,
}

impl Store {
    /// The verdicts, pass or fail, on the members of these samples; a trace comes once for each reviewer and
    /// sample. While the index of ids is missing, as during a large import, there are none: looking each up
    /// would take a reading of the whole store.
    pub fn judged(&self, samples: &[&str]) -> Result<Vec<JudgedRow>> {
        let names = serde_json::to_string(samples).unwrap_or_default();
        self.read(|db| {
            if indexes::missing(db)?.contains(&"trace_id") {
                return Ok(Vec::new());
            }
            let mut query = db.prepare_cached(
                "SELECT m.trace_id, t.id, t.ts, ifnull(t.feature, 0), ifnull(t.model, 0), ifnull(t.prompt, 0), \
                 ifnull(t.version, 0), ifnull(t.language, 0), m.probability, l.verdict = 'pass' \
                 FROM (SELECT value FROM json_each(?)) s \
                 CROSS JOIN work.sample_member m ON m.sample = s.value \
                 CROSS JOIN work.label_now l ON l.trace_hash = m.trace_hash AND l.trace_id = m.trace_id \
                 CROSS JOIN main.trace t INDEXED BY trace_id ON t.id_hash = m.trace_hash \
                 WHERE l.verdict IN ('pass', 'fail')",
            )?;
            let mut rows = query.query(params![names])?;
            let mut judged = Vec::new();
            while let Some(r) = rows.next()? {
                let trace: String = r.get(0)?;
                // Another trace may have the same hash.
                if stored_id(r.get_ref(1)?)?.raw() != trace {
                    continue;
                }
                judged.push(JudgedRow {
                    trace: trace.into(),
                    ts: r.get(2)?,
                    slice: Slice {
                        feature: r.get(3)?,
                        model: r.get(4)?,
                        prompt: r.get(5)?,
                        version: r.get(6)?,
                        language: r.get(7)?,
                    },
                    probability: r.get(8)?,
                    pass: r.get(9)?,
                });
            }
            Ok(judged)
        })
    }
}
