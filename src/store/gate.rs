//! What proves the items of a gate. Rows are only added: the newest of an item and kind counts.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::open::Store;
use crate::domain::gate::{Evidence, EvidenceRow, Item};
use crate::domain::{Error, Result};

/// What stands for the gate as a whole where an item has its name.
const GATE: &str = "gate";

const COLUMNS: &str = "seq, feature, version, item, body, at";

impl Store {
    /// Keeps evidence, durably when this returns; gives its number.
    pub fn keep_gate_evidence(
        &self,
        (feature, version): (&str, &str),
        item: Option<Item>,
        evidence: &Evidence,
        at: Timestamp,
    ) -> Result<i64> {
        let body = serde_json::to_string(evidence)
            .map_err(|e| Error::failed("Evidence could not be written as JSON.").because(e))?;
        self.write_work(|tx| {
            tx.execute(
                "INSERT INTO gate_evidence(feature, version, item, body, at) VALUES (?, ?, ?, ?, ?)",
                params![feature, version, item.map_or(GATE, Item::name), body, at.as_millisecond()],
            )
            .map_err(|e| self.explain(e))?;
            Ok(tx.last_insert_rowid())
        })
    }

    /// The evidence of a candidate, oldest first.
    pub fn gate_evidence(&self, feature: &str, version: &str) -> Result<Vec<EvidenceRow>> {
        self.read(|db| {
            let sql = format!(
                "SELECT {COLUMNS} FROM work.gate_evidence WHERE feature = ? AND version = ? ORDER BY seq"
            );
            db.prepare_cached(&sql)?.query_map([feature, version], row)?.collect::<rusqlite::Result<_>>()
        })
    }

    /// All evidence of a feature, oldest first.
    pub fn gate_evidence_of_feature(&self, feature: &str) -> Result<Vec<EvidenceRow>> {
        self.read(|db| {
            let sql = format!("SELECT {COLUMNS} FROM work.gate_evidence WHERE feature = ? ORDER BY seq");
            db.prepare_cached(&sql)?.query_map([feature], row)?.collect::<rusqlite::Result<_>>()
        })
    }
}

fn row(row: &Row<'_>) -> rusqlite::Result<EvidenceRow> {
    let bad = |column, error: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error)
    };
    let item: String = row.get(3)?;
    Ok(EvidenceRow {
        id: row.get(0)?,
        feature: row.get(1)?,
        version: row.get(2)?,
        item: match item.as_str() {
            GATE => None,
            name => Some(
                Item::parse(name)
                    .ok_or_else(|| bad(3, format!("no item of a gate is called {name}").into()))?,
            ),
        },
        evidence: serde_json::from_str(row.get_ref(4)?.as_str()?).map_err(|e| bad(4, Box::new(e)))?,
        at: Timestamp::from_millisecond(row.get(5)?).unwrap_or(Timestamp::UNIX_EPOCH),
    })
}
