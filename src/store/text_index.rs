//! The search index: FTS5 over the words of input and output, built behind the rows from a watermark.
//!
//! It holds no text of its own (`content=''`) and can be built again from the bodies at any time. Words
//! are made by [`normalise`] on other threads, so that SQLite's own tokenizer has only spaces to find.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::body::Talk;
pub use super::normalise::normalise;
use super::normalise::normalise_into;
use super::open::Store;
use crate::domain::{Content, Result};

/// The words of one trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// Its place in the store.
    pub seq: i64,
    /// The words of its input, without standing instructions, which are the same in every trace.
    pub input: String,
    /// The words of its output.
    pub output: String,
}

impl Words {
    pub(super) fn of(seq: i64, talk: &Talk) -> Self {
        let words = |content: &Content| {
            let mut words = String::new();
            content.each_text(false, &mut |text| normalise_into(text, &mut words));
            words
        };
        Self { seq, input: words(&talk.input), output: words(&talk.output) }
    }

    /// Bytes of words.
    pub fn weight(&self) -> usize {
        self.input.len() + self.output.len()
    }
}

/// The last `seq` that the index knows; it knows all before.
pub(super) fn watermark(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT value FROM main.meta WHERE key = 'text_indexed'")?
        .query_row([], |r| r.get(0))
        .optional()
        .map(|seq| seq.unwrap_or(0))
}

impl Store {
    /// How far the index is, and how far it has to go: the last `seq` that it knows, and the last there is.
    pub fn text_index_state(&self) -> Result<(i64, i64)> {
        let indexed = self.read(watermark)?;
        Ok((indexed, self.trace_count()?))
    }

    /// The words of the traces `from..=to`, in order.
    pub fn words(&self, from: i64, to: i64) -> Result<Vec<Words>> {
        let bodies = self.read(|db| {
            let mut query =
                db.prepare_cached("SELECT seq, z FROM main.body WHERE seq BETWEEN ? AND ? ORDER BY seq")?;
            let rows = query.query_map([from, to], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, Vec<u8>>(1)?)))?;
            let bodies = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            for (_, z) in &bodies {
                self.0.dictionaries.prepare(db, z)?;
            }
            Ok(bodies)
        })?;
        let talks = self.0.dictionaries.talks(bodies.iter().map(|(_, z)| z.as_slice()))?;
        Ok(bodies.iter().zip(&talks).map(|((seq, _), talk)| Words::of(*seq, talk)).collect())
    }

    /// Adds the words of the traces after `after` as one transaction, when the index still ends there.
    /// Gives whether it did; if not, another process went ahead.
    pub fn index_words(&self, after: i64, words: &[Words]) -> Result<bool> {
        let mut writer = self.traces_writer()?;
        let written = (|| {
            let tx = writer.db().transaction_with_behavior(TransactionBehavior::Immediate)?;
            if watermark(&tx)? != after {
                return Ok(false);
            }
            let mut insert =
                tx.prepare_cached("INSERT INTO text_index(rowid, input, output) VALUES (?, ?, ?)")?;
            let anew = self.words_rewritten(&tx, after)?;
            for one in words {
                let one = anew.iter().find(|anew| anew.seq == one.seq).unwrap_or(one);
                insert.execute(params![one.seq, one.input, one.output])?;
            }
            drop(insert);
            if let Some(last) = words.last() {
                tx.execute("DELETE FROM rewritten WHERE seq <= ?", [last.seq])?;
                tx.execute("INSERT OR REPLACE INTO meta(key, value) VALUES ('text_indexed', ?)", [last.seq])?;
            }
            tx.commit()?;
            Ok(true)
        })();
        written.map_err(|e| self.explain(e))
    }
}

impl Store {
    /// Traces that the search index does not know yet and that were rewritten since this one, and the last of
    /// them.
    pub(super) fn rewritten_since(&self, n: i64) -> Result<(Vec<i64>, i64)> {
        self.read(|db| {
            let mut query = db.prepare_cached("SELECT n, seq FROM main.rewritten WHERE n > ? ORDER BY n")?;
            let mut rows = query.query([n])?;
            let (mut seqs, mut last) = (Vec::new(), n);
            while let Some(row) = rows.next()? {
                last = row.get(0)?;
                seqs.push(row.get(1)?);
            }
            Ok((seqs, last))
        })
    }

    /// The present words of the traces behind the index that were rewritten: those that were read before may be
    /// of another text.
    fn words_rewritten(&self, db: &Connection, after: i64) -> rusqlite::Result<Vec<Words>> {
        let bodies = db
            .prepare_cached(
                "SELECT seq, z FROM body WHERE seq IN (SELECT seq FROM rewritten WHERE seq > ?) ORDER BY seq",
            )?
            .query_map([after], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, Vec<u8>>(1)?)))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        bodies.iter().map(|(seq, z)| Ok(Words::of(*seq, &self.0.dictionaries.talk(db, z)?))).collect()
    }
}

#[cfg(test)]
impl Store {
    /// The traces that match an expression of the index, for tests.
    pub(crate) fn text_hits(&self, expression: &str) -> Vec<i64> {
        self.read(|db| {
            db.prepare("SELECT rowid FROM main.text_index WHERE text_index MATCH ? ORDER BY rowid")?
                .query_map([expression], |r| r.get(0))?
                .collect()
        })
        .unwrap()
    }
}
