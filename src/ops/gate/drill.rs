//! The rollback drill: the team's command, so that it changes nothing, timed.

use std::time::Duration;

use serde::Serialize;

use super::candidate::Candidate;
use super::rollback::{argv, last_known_good};
use super::{GateOf, id_of};
use crate::domain::gate::{Item, Proof};
use crate::domain::{Error, EvalConfig, Result, Untrusted};
use crate::ops::Ctx;
use crate::task::{Cancel, Progress};
use crate::wire::program::{Program, run, variables};

/// The most characters of what the command said that are kept.
const KEPT: usize = 2_000;

/// A drill that was done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrillView {
    /// The version to go back to.
    pub to: String,
    /// Why that one.
    pub why: String,
    /// What was run.
    pub argv: Vec<Untrusted>,
    /// How long it took.
    pub seconds: f64,
    /// How long it may take.
    pub limit_seconds: f64,
    /// Its exit code; none where it was killed.
    pub code: Option<i32>,
    /// It was ended at the limit.
    pub timed_out: bool,
    /// It ended well and in time.
    pub met: bool,
    /// The end of what it said.
    pub said: Untrusted,
    /// The evidence that was kept.
    pub evidence: String,
}

/// Practises the rollback of a candidate to the last known good version, and keeps what came of it.
///
/// # Errors
/// `NotSo` where no version is known to be good, or no command is configured or can be started.
pub fn drill(
    ctx: &Ctx,
    config: &EvalConfig,
    of: &GateOf,
    cancel: &Cancel,
    progress: &Progress,
) -> Result<DrillView> {
    progress.phase("practising the rollback");
    let candidate = Candidate::find(ctx, config, of, cancel)?;
    let good = last_known_good(&candidate)?.ok_or_else(|| {
        Error::not_so(format!("No version before {} is known to be good.", candidate.version)).hint(format!(
            "Run the eval set on an earlier one, or name it: [item.rollback] to in {}",
            candidate.gate_file()
        ))
    })?;
    let spec = &candidate.spec.rollback;
    let argv = argv(&candidate, &good.version)?;
    let usual = ["PATH", "HOME", "LANG"].into_iter();
    let ended = run(
        &Program {
            argv: &argv,
            folder: &config.home,
            env: variables(usual.chain(spec.env.iter().map(String::as_str))),
            limit: Duration::from_millis(spec.limit_ms),
        },
        cancel,
    )?;
    let said = if ended.err.is_empty() { &ended.out } else { &ended.err };
    let said = String::from_utf8_lossy(said);
    let said = said.trim();
    let from = said.char_indices().rev().nth(KEPT).map_or(0, |(at, _)| at);
    let said = Untrusted::from(&said[from..]);
    let (seconds, met) = (ended.took.as_secs_f64(), ended.is_good());
    let words: Vec<Untrusted> = argv.into_iter().map(Untrusted::new).collect();
    let row = candidate.keep(
        Some(Item::Rollback),
        Proof::Drill {
            to: good.version.clone(),
            argv: words.clone(),
            seconds,
            code: ended.code,
            timed_out: ended.timed_out,
            said: said.clone(),
        },
    )?;
    Ok(DrillView {
        to: good.version,
        why: good.why,
        argv: words,
        seconds,
        limit_seconds: spec.limit_ms as f64 / 1000.0,
        code: ended.code,
        timed_out: ended.timed_out,
        met,
        said,
        evidence: id_of(row.id),
    })
}
