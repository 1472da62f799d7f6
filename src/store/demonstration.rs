//! Whether a store is a demonstration: its traffic was made up, and ended when it was made.

use jiff::Timestamp;
use rusqlite::OptionalExtension as _;

use super::open::Store;
use crate::domain::Result;

const KEY: &str = "demonstration_ends_at";

impl Store {
    /// Notes that this is a demonstration whose traffic ends then.
    pub fn mark_demonstration(&self, ends_at: Timestamp) -> Result<()> {
        let values = rusqlite::params![KEY, ends_at.as_millisecond()];
        let written = self
            .traces_writer()?
            .db()
            .execute("INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)", values);
        written.map(|_| ()).map_err(|e| self.explain(e))
    }

    /// When the traffic of a demonstration ends; `None` of any other store.
    pub fn demonstration(&self) -> Result<Option<Timestamp>> {
        self.read(|db| {
            let ms: Option<i64> = db
                .prepare_cached("SELECT value FROM main.meta WHERE key = ?")?
                .query_row([KEY], |row| row.get(0))
                .optional()?;
            Ok(ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()))
        })
    }
}
