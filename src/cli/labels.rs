//! `tuesday labels export`: the present labels as data.

use clap::{Args, Subcommand, ValueEnum};

use super::{Face, output};
use crate::domain::{Error, ModeId, Result, Severity, Untrusted, Verdict};
use crate::ops::Access;
use crate::ops::label::{LabelFilter, LabelView, each_label};
use crate::text::clean;

/// Write the present labels to standard output
#[derive(Args, Debug)]
pub(super) struct LabelsArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// One line a present label: trace, reviewer, verdict, mode, severity, note, corrected, at
    Export {
        /// How
        #[arg(long, value_enum, default_value_t = Format::Jsonl)]
        format: Format,
        /// Answer with JSON, one list instead of lines: see `tuesday help json`
        #[arg(long, conflicts_with = "format")]
        json: bool,
        /// Only labels of this sample's traces
        #[arg(long, value_name = "NAME")]
        sample: Option<String>,
        /// Only labels of this reviewer
        #[arg(long, value_name = "NAME")]
        reviewer: Option<String>,
    },
}

#[derive(ValueEnum, Debug, Clone, Copy)]
enum Format {
    /// A JSON object a line
    Jsonl,
    /// Comma-separated, with a heading
    Csv,
}

pub(super) fn run(face: &Face, args: &LabelsArgs) -> Result<u8> {
    let What::Export { format, json, sample, reviewer } = &args.what;
    let ctx = face.ctx(Access::ReadOnly)?;
    let filter = LabelFilter { sample: sample.clone(), reviewer: reviewer.clone() };
    if *json {
        let mut labels = Vec::new();
        each_label(&ctx, &filter, |label| labels.push(label))?;
        return output::json(&labels).map(|()| 0);
    }
    if let Format::Csv = format {
        output::data(&csv_line(HEADINGS)?)?;
    }
    let mut outcome = Ok(());
    each_label(&ctx, &filter, |label| {
        if outcome.is_ok() {
            outcome = put(*format, &label);
        }
    })?;
    outcome.map(|()| 0)
}

fn put(format: Format, label: &LabelView) -> Result<()> {
    match format {
        Format::Jsonl => output::json_line(label),
        Format::Csv => output::data(&csv_line(columns(label))?),
    }
}

const HEADINGS: [&str; 8] = ["trace", "reviewer", "verdict", "mode", "severity", "note", "corrected", "at"];

fn columns(label: &LabelView) -> [String; 8] {
    // A file gets the text as it is; a terminal must not.
    let plain = output::is_terminal();
    let shown = |text: &Untrusted| if plain { clean(text).into_string() } else { text.raw().to_owned() };
    let text = |text: &Option<Untrusted>| text.as_ref().map(shown).unwrap_or_default();
    [
        shown(&label.trace),
        shown(&label.reviewer),
        label.verdict.map_or("", Verdict::word).to_owned(),
        label.mode.as_ref().map_or("", ModeId::as_str).to_owned(),
        label.severity.map_or("", Severity::word).to_owned(),
        text(&label.note),
        text(&label.corrected),
        label.at.to_string(),
    ]
}

fn csv_line(columns: [impl AsRef<[u8]>; 8]) -> Result<Vec<u8>> {
    let mut line = csv::Writer::from_writer(Vec::new());
    let written = line.write_record(columns).map_err(|e| e.to_string());
    written
        .and_then(|()| line.into_inner().map_err(|e| e.to_string()))
        .map_err(|why| Error::failed("A label cannot be written as CSV.").because(why))
}
