//! The embedder that is carried with the program: a table of token vectors made of all-MiniLM-L6-v2
//! (Apache-2.0; notice and licence in `fixtures/embedder/`). English only.
//!
//! A text's vector is the mean of its tokens' vectors, at length 1.

mod wordpiece;

use std::collections::HashMap;
use std::sync::LazyLock;

use safetensors::SafeTensors;

use crate::domain::{Error, Result};

/// Components of a vector.
pub const DIMENSIONS: usize = 256;

const TABLE: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/fixtures/embedder/minilm_static_256_i8.safetensors"
));
const VOCABULARY: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/embedder/vocab.txt"));

/// The table at hand.
pub struct StaticEmbedder {
    ids: HashMap<&'static str, u32>,
    unknown: u32,
    rows: &'static [u8],
    scale: &'static [u8],
}

static EMBEDDER: LazyLock<Result<StaticEmbedder>> = LazyLock::new(StaticEmbedder::read);

impl StaticEmbedder {
    /// The one of this program. Errors only when the program was built with a damaged table.
    pub fn get() -> Result<&'static Self> {
        EMBEDDER.as_ref().map_err(|e| Error::failed(e.what.clone()))
    }

    fn read() -> Result<Self> {
        let damaged = || Error::failed("The embedding table in this program is damaged.");
        let tables = SafeTensors::deserialize(TABLE).map_err(|e| damaged().because(e))?;
        let rows = tables.tensor("embedding.i8").map_err(|e| damaged().because(e))?.data();
        let scale = tables.tensor("scale").map_err(|e| damaged().because(e))?.data();
        let ids: HashMap<&str, u32> = VOCABULARY.lines().zip(0..).collect();
        let unknown = *ids.get("[UNK]").ok_or_else(damaged)?;
        if rows.len() != ids.len() * DIMENSIONS || scale.len() != ids.len() * 4 {
            return Err(damaged());
        }
        Ok(Self { ids, unknown, rows, scale })
    }

    /// The vector of a text, of length 1. `None` when the text has no token that the table knows.
    pub fn embed(&self, text: &str) -> Option<Vec<f32>> {
        let ids = self.tokens(text);
        if ids.iter().all(|id| *id == self.unknown) {
            return None;
        }
        let mut sum = vec![0.0_f32; DIMENSIONS];
        for id in ids {
            let at = id as usize;
            let scale = self.scale.get(at * 4..)?.first_chunk().map(|bytes| f32::from_le_bytes(*bytes))?;
            let row = self.rows.get(at * DIMENSIONS..(at + 1) * DIMENSIONS)?;
            for (sum, part) in sum.iter_mut().zip(row) {
                *sum += f32::from(part.cast_signed()) * scale;
            }
        }
        let length = sum.iter().map(|x| x * x).sum::<f32>().sqrt();
        if length == 0.0 {
            return None;
        }
        sum.iter_mut().for_each(|x| *x /= length);
        Some(sum)
    }

    fn tokens(&self, text: &str) -> Vec<u32> {
        wordpiece::tokens(text, &self.ids, self.unknown)
    }
}

/// The cosine of two vectors, -1 to 1. `None` when they are of different lengths or one has none.
pub fn cosine(a: &[f32], b: &[f32]) -> Option<f64> {
    if a.len() != b.len() {
        return None;
    }
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    let length = (dot(a, a) * dot(b, b)).sqrt();
    (length > 0.0 && length.is_finite()).then(|| (dot(a, b) / length).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_pairs_come_out() {
        let cases: serde_json::Value =
            serde_json::from_str(include_str!("../../../fixtures/embedder/cases.json")).unwrap();
        let embedder = StaticEmbedder::get().unwrap();
        for case in cases.as_array().unwrap() {
            let [a, b] = ["a", "b"].map(|key| case[key].as_str().unwrap());
            for (text, ids) in [(a, "ids_a"), (b, "ids_b")] {
                let wanted: Vec<u32> = serde_json::from_value(case[ids].clone()).unwrap();
                assert_eq!(embedder.tokens(text), wanted, "{text}");
            }
            let got = cosine(&embedder.embed(a).unwrap(), &embedder.embed(b).unwrap()).unwrap();
            let wanted = case["cosine"].as_f64().unwrap();
            assert!((got - wanted).abs() < 1e-4, "{a} / {b}: {got}, not {wanted}");
        }
    }

    #[test]
    fn text_without_a_known_token_has_no_vector() {
        let embedder = StaticEmbedder::get().unwrap();
        for text in ["", "  \u{0}\u{200b}", "🦀🦀🦀"] {
            assert_eq!(embedder.embed(text), None, "{text:?}");
        }
        assert_eq!(cosine(&[0.0, 0.0], &[1.0, 0.0]), None);
        assert_eq!(cosine(&[1.0], &[1.0, 0.0]), None);
    }
}
