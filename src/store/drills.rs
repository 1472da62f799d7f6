//! What drills came to. Rows are only added.

use rusqlite::params;

use super::ids::new_id;
use super::open::Store;
use super::runs::{json, parsed};
use crate::domain::Result;
use crate::domain::drill::Score;

impl Store {
    /// Keeps what a drill came to, durably when this returns.
    pub fn keep_drill(&self, score: &Score) -> Result<()> {
        let body = json(score)?;
        self.write_work(|tx| {
            tx.execute(
                "INSERT INTO drill(id, scenario, held_at, auto, body) VALUES (?, ?, ?, ?, ?)",
                params![
                    new_id(score.held_at, None),
                    score.scenario.name(),
                    score.held_at.as_millisecond(),
                    score.auto,
                    body
                ],
            )
            .map(drop)
            .map_err(|e| self.explain(e))
        })
    }

    /// All drills, oldest first.
    pub fn drills(&self) -> Result<Vec<Score>> {
        self.read(|db| {
            db.prepare("SELECT body FROM work.drill ORDER BY held_at, id")?
                .query_map([], |row| parsed(row, 0))?
                .collect()
        })
    }
}
