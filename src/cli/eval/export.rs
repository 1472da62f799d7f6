//! `tuesday eval export`.

use clap::{Args, ValueEnum};

use super::{Face, output};
use crate::domain::{Result, RunName};
use crate::ops::Access;
use crate::ops::run::{ExportFormat, export, show};

/// Print a run for elsewhere: JSON, JUnit XML, Markdown, or one HTML file
#[derive(Args, Debug)]
pub(super) struct ExportArgs {
    /// The run
    run: String,
    /// How it is written
    #[arg(long, value_enum)]
    format: FormatArg,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatArg {
    /// All that is known
    Json,
    /// JUnit XML, for a build server
    Junit,
    /// Markdown, for a pull request
    Md,
    /// One HTML file
    Html,
}

pub(super) fn run(face: &Face, args: &ExportArgs) -> Result<u8> {
    let view = show(&face.ctx(Access::ReadOnly)?, &RunName::parse(&args.run)?)?;
    let format = match args.format {
        FormatArg::Json => ExportFormat::Json,
        FormatArg::Junit => ExportFormat::Junit,
        FormatArg::Md => ExportFormat::Markdown,
        FormatArg::Html => ExportFormat::Html,
    };
    output::data(export(&view, format)?.as_bytes())?;
    Ok(0)
}
