//! `tuesday import`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::long::{self, Unit};
use super::{Face, output};
use crate::domain::Result;
use crate::ops::Access;
use crate::ops::import::{Format, ImportSpec, ImportView, files};
use crate::ops::index::catch_up;
use crate::text::figures::{plural, thousands};

/// Bring traces into the store, from files or standard input
///
/// What is there already is recognised: importing a file twice adds nothing, and an import that was
/// stopped goes on with the same command. What is malformed is named and written to a reject file; the
/// rest is kept, and the exit code is 3. `tuesday help formats` describes the formats.
#[derive(Args, Debug)]
pub(super) struct ImportArgs {
    /// Files to read, plain, .gz or .zst; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// How the traces are written
    #[arg(long, value_enum, default_value_t = FormatArg::Auto)]
    format: FormatArg,
    /// Where a field is in a chat transcript: messages=/traj, score.reward=/reward
    #[arg(long = "map", value_name = "FIELD=POINTER")]
    map: Vec<String>,
    /// A file with such a mapping, TOML or JSON
    #[arg(long, value_name = "FILE")]
    map_file: Option<PathBuf>,
    /// The feature of traces that name none
    #[arg(long, value_name = "NAME")]
    feature: Option<String>,
    /// Where rejects are written [default: FILE.rejects.jsonl]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Leave the search index for later: the program builds it in the background
    #[arg(long)]
    no_index: bool,
    /// Answer with JSON: see `tuesday help json`
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatArg {
    /// Tell by the first item
    Auto,
    /// Our own JSONL
    Tuesday,
    /// Chat transcripts in OpenAI form
    Chat,
    /// OpenTelemetry spans: OTLP in JSON or protobuf
    Otlp,
}

pub(super) fn run(face: &Face, args: &ImportArgs) -> Result<u8> {
    let spec = ImportSpec {
        files: args.files.clone(),
        format: match args.format {
            FormatArg::Auto => None,
            FormatArg::Tuesday => Some(Format::Tuesday),
            FormatArg::Chat => Some(Format::Chat),
            FormatArg::Otlp => Some(Format::Otlp),
        },
        map: args.map.clone(),
        map_file: args.map_file.clone(),
        feature: args.feature.clone(),
        rejects: args.rejects.clone(),
    };
    let ctx = face.ctx(Access::Create)?;
    let mut view = long::run(Unit::Bytes, |cancel, progress| files(&ctx, &spec, cancel, progress))?;
    name_rejects(&view);
    if !args.no_index && !view.stopped {
        view.text_index = long::run(Unit::Traces, |cancel, progress| catch_up(&ctx, cancel, progress))?;
    }
    if args.json {
        output::json(&view)?;
    } else {
        output::text(&told(&view))?;
    }
    Ok(match &view {
        view if view.stopped || view.text_index.stopped => 1,
        view if view.rejected > 0 => 3,
        _ => 0,
    })
}

fn name_rejects(view: &ImportView) {
    for reject in &view.rejects {
        let place =
            if reject.by_line { format!("{}", reject.line) } else { format!("byte {}", reject.offset) };
        output::note(&format!("{}:{place}: {}", reject.file, reject.reason));
    }
    let more = view.rejected - view.rejects.len() as u64;
    if more > 0 {
        output::note(&format!("and {} more", number(more)));
    }
}

fn told(view: &ImportView) -> String {
    let mut parts = vec![format!("{} added", number(view.added))];
    for (count, what) in
        [(view.unchanged, "unchanged"), (view.updated, "updated"), (view.rejected, "rejected")]
    {
        if count > 0 {
            parts.push(format!("{} {what}", number(count)));
        }
    }
    let mut lines = vec![format!("{}, in {:.1} s.", parts.join(", "), view.seconds)];
    let notes = &view.notes;
    for (count, one, what) in [
        (notes.unknown_fields, "field", "unknown to the format: kept in the metadata"),
        (notes.ahead_of_clock, "trace", "ahead of this machine's clock by up to a day"),
        (notes.without_time, "trace", "without a time: the time of arrival was taken"),
        (notes.without_id, "trace", "without an id: it was derived from the content"),
    ] {
        if count > 0 {
            lines.push(format!("  {} {what}", plural(usize::try_from(count).unwrap_or(usize::MAX), one)));
        }
    }
    for file in &view.files {
        if let Some(rejects) = &file.rejects_file {
            lines.push(format!("  Rejects of {} are in {rejects}.", file.file));
        }
    }
    if view.text_index.pending > 0 {
        lines.push(format!(
            "  {} not searchable yet: the program builds the search index in the background.",
            plural(usize::try_from(view.text_index.pending).unwrap_or(usize::MAX), "trace")
        ));
    }
    if view.stopped {
        lines.push("Stopped. What was added is kept; the same command goes on from there.".to_owned());
    } else if view.added > 0 {
        lines.push("Look at them with `tuesday`, or draw a sample: `tuesday sample draw NAME`.".to_owned());
    }
    lines.join("\n")
}

fn number(n: u64) -> String {
    thousands(i64::try_from(n).unwrap_or(i64::MAX))
}
