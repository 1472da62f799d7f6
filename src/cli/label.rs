//! `tuesday label TRACE pass|fail|unsure` and `tuesday label undo`.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::{Face, output};
use crate::domain::{LabelBody, Result, Severity, Untrusted, Verdict};
use crate::ops::label::{LabelRequest, UndoScope, label, undo};
use crate::ops::{Access, taxonomy};

/// Label a trace, or take your last label back
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct LabelArgs {
    /// The trace's id
    #[arg(required = true)]
    trace: Option<String>,
    /// Your verdict
    #[arg(required = true, value_parser = PossibleValuesParser::new(Verdict::ALL.map(Verdict::word)))]
    verdict: Option<String>,
    /// The failure mode: its id, its key, or a part of its name
    #[arg(long)]
    mode: Option<String>,
    /// How bad it is
    #[arg(long, value_parser = PossibleValuesParser::new(Severity::ALL.map(Severity::word)))]
    severity: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// What the response should have been
    #[arg(long, value_name = "TEXT")]
    corrected: Option<String>,
    /// Answer with JSON: see `tuesday help json`
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    instead: Option<Instead>,
}

#[derive(Subcommand, Debug)]
enum Instead {
    /// Take back your last label, note or skip; again for the one before
    Undo {
        /// Answer with JSON: see `tuesday help json`
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(face: &Face, args: &LabelArgs) -> Result<u8> {
    let ctx = face.ctx(Access::Existing)?;
    if let Some(Instead::Undo { json }) = &args.instead {
        let receipt = undo(&ctx, &UndoScope::Everything)?;
        let said = format!(
            "Took back {} on {}; now {}.",
            receipt.undone.raw(),
            receipt.trace.raw(),
            receipt.now.raw()
        );
        return if *json { output::json(&receipt) } else { output::text(&said) }.map(|()| 0);
    }
    let trace: Untrusted = args.trace.clone().unwrap_or_default().into();
    let body = LabelBody {
        verdict: args.verdict.as_deref().and_then(Verdict::from_word),
        mode: args
            .mode
            .as_deref()
            .map(|wanted| taxonomy::find(&ctx, wanted))
            .transpose()?
            .map(|mode| mode.id),
        severity: args.severity.as_deref().and_then(Severity::from_word),
        note: args.note.clone().map(Untrusted::from),
        corrected: args.corrected.clone().map(Untrusted::from),
    };
    let receipt = label(&ctx, &LabelRequest { trace, sample: None, body })?;
    let said = format!("Labelled {} {}.", receipt.trace.raw(), receipt.words.raw());
    if args.json { output::json(&receipt) } else { output::text(&said) }.map(|()| 0)
}
