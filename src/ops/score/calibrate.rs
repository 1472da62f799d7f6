//! The threshold of an embedder, found from pairs of texts that people said mean the same or do not.

use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::services::{EMBEDDED, Services};
use crate::domain::{Error, Result};
use crate::ops::review::RateView;
use crate::stats::{CONFIDENCE, wilson};
use crate::task::{Cancel, Progress};
use crate::text::embedding::cosine;

/// Pairs that are embedded in one request.
const BATCH: usize = 32;
/// Pairs of a kind under which the figures say little.
const FEW: usize = 30;

/// A labelled pair, one a line of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    a: String,
    b: String,
    same: bool,
}

/// A threshold and how it does on the pairs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CutView {
    /// Texts whose cosine is not below this count as the same.
    pub threshold: f64,
    /// Of the pairs that mean the same, the share that is told so (true-positive rate).
    pub found: RateView,
    /// Of the pairs that do not, the share that is told the same (false-positive rate).
    pub mistaken: RateView,
    /// Youden's J: found - mistaken.
    pub youden: f64,
    /// The F1 score of "same".
    pub f1: f64,
}

/// What the pairs say of an embedder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// The embedder: its name and model.
    pub embedder: String,
    /// Pairs that mean the same.
    pub same: usize,
    /// Pairs that do not.
    pub different: usize,
    /// Pairs left out: the embedder knows no word of a text.
    pub unknown: usize,
    /// The cut with the greatest J.
    pub best: CutView,
    /// The cut in force.
    pub now: CutView,
    /// The cut with the greatest F1, for comparison.
    pub best_f1: CutView,
    /// The line that sets it in `tuesday.toml`.
    pub setting: String,
    /// What a person should know before they lean on it.
    pub notes: Vec<String>,
}

/// Finds the best threshold of an embedder (the default without a name) from a file of pairs.
///
/// # Errors
/// `Usage` for a line that is no pair; `NotSo` when only one kind of pair is there; `Failed` when the
/// embedder gives no word.
pub fn calibrate(
    services: &Services,
    embedder: Option<&str>,
    path: &Path,
    cancel: &Cancel,
    progress: &Progress,
) -> Result<Calibration> {
    let embedder = services.embedder(embedder)?;
    let pairs = read(path)?;
    progress.phase("embedding");
    progress.set_total(pairs.len() as u64);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::failed("The embedder cannot be started.").because(e))?;
    let (mut drawn, mut unknown) = (Vec::new(), 0);
    for batch in pairs.chunks(BATCH) {
        cancel.check()?;
        let texts = batch.iter().flat_map(|pair| [pair.a.as_str(), pair.b.as_str()]).collect();
        let vectors = runtime.block_on(embedder.embed(texts)).map_err(|why| {
            Error::failed(format!("Embedder {} gave no word: {}", embedder.by(), why.raw()))
        })?;
        for (pair, vectors) in batch.iter().zip(vectors.chunks(2)) {
            match vectors {
                [Some(a), Some(b)] => match cosine(a, b) {
                    Some(alike) => drawn.push((alike, pair.same)),
                    None => unknown += 1,
                },
                _ => unknown += 1,
            }
        }
        progress.add(batch.len() as u64);
    }
    let same = drawn.iter().filter(|(_, same)| *same).count();
    let different = drawn.len() - same;
    if same == 0 || different == 0 {
        return Err(Error::not_so(format!(
            "{} holds {same} pairs that mean the same and {different} that do not: both kinds are needed.",
            path.display()
        )));
    }
    let cuts: Vec<CutView> = thresholds(&mut drawn).into_iter().map(|at| cut(&drawn, at)).collect();
    let best_by = |by: fn(&CutView) -> f64| {
        // Of equals the first: the lower threshold.
        cuts.iter().fold(None::<&CutView>, |best, cut| match best {
            Some(best) if by(best) >= by(cut) => Some(best),
            _ => Some(cut),
        })
    };
    let (Some(best), Some(best_f1)) = (best_by(|cut| cut.youden), best_by(|cut| cut.f1)) else {
        return Err(Error::not_so("There is nothing to find a threshold from."));
    };
    let setting = match embedder.name() {
        EMBEDDED => format!("similarity_threshold = {}", best.threshold),
        name => format!("[embedders.{name}]\nthreshold = {}", best.threshold),
    };
    let mut notes = Vec::new();
    if same.min(different) < FEW {
        notes.push(format!("Few pairs of one kind: with under {FEW} the error rates say little."));
    }
    notes.push(
        "The rates are those on the very pairs that chose the threshold: expect a little worse.".into(),
    );
    Ok(Calibration {
        embedder: embedder.by(),
        same,
        different,
        unknown,
        best: best.clone(),
        now: cut(&drawn, embedder.threshold()),
        best_f1: best_f1.clone(),
        setting,
        notes,
    })
}

fn read(path: &Path) -> Result<Vec<Pair>> {
    let file = std::fs::File::open(path)
        .map_err(|e| Error::usage(format!("The pairs {} cannot be read.", path.display())).because(e))?;
    let mut pairs = Vec::new();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let wrong = |e: Box<dyn std::error::Error + Send + Sync>| {
            let what = format!("{}:{}: this is no pair.", path.display(), number + 1);
            Error::usage(what).because(e).hint(r#"A pair is {"a":"…","b":"…","same":true}."#)
        };
        let line = line.map_err(|e| wrong(e.into()))?;
        if !line.trim().is_empty() {
            pairs.push(serde_json::from_str(&line).map_err(|e| wrong(e.into()))?);
        }
    }
    Ok(pairs)
}

/// Where a cut makes a difference: half-way between neighbours, at three digits.
fn thresholds(drawn: &mut [(f64, bool)]) -> Vec<f64> {
    drawn.sort_by(|a, b| a.0.total_cmp(&b.0));
    let halves = drawn.windows(2).map(|pair| (f64::midpoint(pair[0].0, pair[1].0) * 1000.0).round() / 1000.0);
    let mut halves: Vec<f64> = halves.filter(|at| (0.0..=1.0).contains(at)).collect();
    halves.dedup();
    if halves.is_empty() { vec![0.5] } else { halves }
}

fn cut(drawn: &[(f64, bool)], threshold: f64) -> CutView {
    // Sorted: all from here on count as the same.
    let from = drawn.partition_point(|(alike, _)| *alike < threshold);
    let so = |part: &[(f64, bool)]| part.iter().filter(|(_, same)| *same).count() as f64;
    let (same, found) = (so(drawn), so(&drawn[from..]));
    let (different, mistaken) = (drawn.len() as f64 - same, (drawn.len() - from) as f64 - found);
    let rate = |k: f64, n: f64| {
        let interval = wilson(k, n, CONFIDENCE);
        let (lower, upper) = interval.map_or((0.0, 1.0), |it| (it.lower, it.upper));
        RateView { rate: if n > 0.0 { k / n } else { 0.0 }, lower, upper }
    };
    let (found_rate, mistaken_rate) = (rate(found, same), rate(mistaken, different));
    CutView {
        threshold,
        youden: found_rate.rate - mistaken_rate.rate,
        f1: 2.0 * found / (same + found + mistaken).max(1.0),
        found: found_rate,
        mistaken: mistaken_rate,
    }
}
