//! Embeddings that were paid for once, by embedder and text.

use rusqlite::{OptionalExtension, params};

use super::open::Store;
use crate::domain::Result;

impl Store {
    /// The vectors of these texts by this embedder, in their order; `None` where one is not kept.
    pub fn embeddings(&self, embedder: &str, texts: &[&str]) -> Result<Vec<Option<Vec<f32>>>> {
        self.read(|db| {
            let mut one =
                db.prepare_cached("SELECT vector FROM work.embedding WHERE embedder = ? AND text = ?")?;
            let found = texts.iter().map(|text| {
                one.query_row(params![embedder, key(text)], |row| {
                    let (numbers, _) = row.get_ref(0)?.as_blob()?.as_chunks::<4>();
                    Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
                })
                .optional()
            });
            found.collect()
        })
    }

    /// Keeps vectors of texts by this embedder.
    pub fn keep_embeddings(&self, embedder: &str, vectors: &[(&str, &[f32])]) -> Result<()> {
        self.write_work(|tx| {
            let mut insert = tx
                .prepare_cached("INSERT OR REPLACE INTO embedding(embedder, text, vector) VALUES (?, ?, ?)")
                .map_err(|e| self.explain(e))?;
            for (text, vector) in vectors {
                let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
                insert.execute(params![embedder, key(text), bytes]).map_err(|e| self.explain(e))?;
            }
            Ok(())
        })
    }
}

/// Texts are long, and must not be taken for one another: a hash of 256 bits.
fn key(text: &str) -> [u8; 32] {
    *blake3::hash(text.as_bytes()).as_bytes()
}
