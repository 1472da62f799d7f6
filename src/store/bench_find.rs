//! The yardsticks of paging and searching: the plain statements over the same file.

use super::open::Store;
use super::pages::Key;
use crate::domain::Result;

impl Store {
    /// The fifty rows before a place, with their stored bodies, by one keyset statement; their number.
    pub fn plain_page(&self, before: Key) -> Result<usize> {
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT t.*, b.z FROM main.trace t JOIN main.body b ON b.seq = t.seq \
                 WHERE (t.ts, t.seq) < (?, ?) ORDER BY t.ts DESC, t.seq DESC LIMIT 50",
            )?;
            let mut rows = query.query([before.0, before.1])?;
            let mut read = 0;
            while let Some(row) = rows.next()? {
                read += row.get_ref("z")?.as_blob().map_or(0, |z| usize::from(!z.is_empty()));
            }
            Ok(read)
        })
    }

    /// The fifty last arrivals that the search index finds for an expression; their number.
    pub fn plain_search(&self, wanted: &str) -> Result<usize> {
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT t.*, b.z FROM main.text_index CROSS JOIN main.trace t ON t.seq = text_index.rowid \
                 JOIN main.body b ON b.seq = t.seq \
                 WHERE text_index MATCH ? ORDER BY text_index.rowid DESC LIMIT 50",
            )?;
            let mut rows = query.query([wanted])?;
            let mut read = 0;
            while rows.next()?.is_some() {
                read += 1;
            }
            Ok(read)
        })
    }
}
