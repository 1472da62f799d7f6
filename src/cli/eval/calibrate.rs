//! `tuesday eval calibrate`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::long::{self, Unit};
use crate::cli::{Face, output};
use crate::domain::Result;
use crate::ops::Access;
use crate::ops::score::{Calibration, CutView, Services, calibrate};
use crate::text::figures::percent;

/// Find the threshold of an embedder from pairs of texts that mean the same or do not
///
/// Each line of the file is {"a":"…","b":"…","same":true}. The best threshold is the one with the greatest
/// Youden's J: the share of the same that is found, less the share of the different that is mistaken.
#[derive(Args, Debug)]
pub(super) struct CalibrateArgs {
    /// The pairs, JSONL
    #[arg(value_name = "PAIRS.jsonl")]
    pairs: PathBuf,
    /// The embedder [default: the one carried with the program]
    #[arg(long, value_name = "NAME")]
    embedder: Option<String>,
    /// Answer with JSON: see `tuesday help json-eval`
    #[arg(long)]
    json: bool,
}

pub(super) fn run(face: &Face, args: &CalibrateArgs) -> Result<u8> {
    let config = &face.config.evaluation;
    // The store keeps the embeddings of named embedders, so that a second look is free.
    let ctx = face.ctx(Access::Create)?;
    let services = Services::new(config, &ctx.store);
    let found = long::run(Unit::Pairs, |cancel, progress| {
        calibrate(&services, args.embedder.as_deref(), &args.pairs, cancel, progress)
    })?;
    if args.json {
        output::json(&found)?
    } else {
        print(&found)?
    }
    Ok(0)
}

fn print(found: &Calibration) -> Result<()> {
    output::prose(
        &format!(
            "Embedder {}: {} pairs that mean the same, {} that do not",
            found.embedder, found.same, found.different
        ),
        0,
    )?;
    if found.unknown > 0 {
        output::text(&format!("{} pairs left out: it knows no word of a text.", found.unknown))?;
    }
    let row = |name: &str, cut: &CutView| {
        let rate = |it: crate::ops::review::RateView| {
            format!("{} [{}, {}]", percent(it.rate), percent(it.lower), percent(it.upper))
        };
        vec![
            name.to_owned(),
            format!("{:.3}", cut.threshold),
            rate(cut.found),
            rate(cut.mistaken),
            format!("{:.3}", cut.youden),
            format!("{:.3}", cut.f1),
        ]
    };
    let rows = [row("best J", &found.best), row("best F1", &found.best_f1), row("in force", &found.now)];
    output::fitted_table(&["cut", "at", "same found", "different mistaken", "J", "F1"], rows)?;
    found.notes.iter().try_for_each(|note| output::prose(note, 0))?;
    output::text(&format!("To set it, in tuesday.toml:\n{}", found.setting))
}
