//! `tuesday runbook …`: which runbooks there are, one to be read, and what of one would fail.

use clap::{Args, Subcommand};

use super::incident::{books, hands};
use super::{Face, output};
use crate::domain::Result;
use crate::domain::incident::Pinned;
use crate::ops::Access;
use crate::ops::runbook::{self, Books, CheckState, CheckView, RunbookRow};
use crate::task::Cancel;
use crate::text::figures::{UNKNOWN, plural};

/// List the runbooks, read one, find on any weekday what of one would fail at night
#[derive(Args, Debug)]
pub(super) struct RunbookArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// List the runbooks of the team, and those that come with the program
    List {
        /// Answer with JSON: see `tuesday help json-runbook`
        #[arg(long)]
        json: bool,
    },
    /// Read a runbook, as Markdown
    Show {
        /// A runbook's name or file [default: the one that incidents are opened with]
        runbook: Option<String>,
        /// Answer with JSON: see `tuesday help json-runbook`
        #[arg(long)]
        json: bool,
    },
    /// Find what would fail: keys, flags, commands, prompts, figures; exit code 1 when something would
    Check {
        /// A runbook's name or file [default: the one that incidents are opened with]
        runbook: Option<String>,
        /// The feature [default: the runbook's, else the only one that has a switch]
        #[arg(long)]
        feature: Option<String>,
        /// Refuse a step that goes through a shell
        #[arg(long)]
        strict: bool,
        /// Answer with JSON: see `tuesday help json-runbook`
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(face: &Face, args: &RunbookArgs) -> Result<u8> {
    let found = |books: &Books, named: &Option<String>| match named {
        Some(named) => books.named(named),
        None => books.usual(),
    };
    match &args.command {
        Command::List { json } => {
            let rows = runbook::list(&books(face, false))?;
            if *json { output::json(&rows)? } else { list(&rows)? }
        }
        Command::Show { runbook: named, json } => {
            let (pinned, file) = found(&books(face, false), named)?;
            let view = runbook::show(&pinned, file.as_deref());
            if *json { output::json(&view)? } else { output::text(view.markdown.raw().trim_end())? }
        }
        Command::Check { runbook: named, feature, strict, json } => {
            let (pinned, _) = found(&books(face, *strict), named)?;
            let feature = feature.clone().or_else(|| only_feature(face, &pinned));
            let ctx = face.ctx(Access::Create)?;
            let view = runbook::check(&ctx, &hands(face), pinned, feature.as_deref(), &Cancel::default())?;
            if *json {
                output::json(&view)?
            } else {
                print_check(&view)?
            }
            return Ok(u8::from(view.fail > 0));
        }
    }
    Ok(0)
}

/// The one feature that can be switched, where the runbook names none.
fn only_feature(face: &Face, runbook: &Pinned) -> Option<String> {
    let mut switched = face.config.team.features.iter().filter(|feature| feature.switch.is_some());
    match (&runbook.book.feature, switched.next(), switched.next()) {
        (None, Some(one), None) => Some(one.name.clone()),
        _ => None,
    }
}

fn list(rows: &[RunbookRow]) -> Result<()> {
    output::table(
        &["", "runbook", "feature", "steps", "file"],
        rows.iter().map(|row| {
            vec![
                if row.usual { "▸".to_owned() } else { String::new() },
                row.name.as_ref().map_or("cannot be read", |name| name.raw()).to_owned(),
                row.feature.as_ref().map_or(UNKNOWN, |feature| feature.raw()).to_owned(),
                format!("{}, {} act", row.steps, row.acting),
                row.file.clone().unwrap_or_else(|| "comes with tuesday".to_owned()),
            ]
        }),
    )?;
    for row in rows {
        if let Some(wrong) = &row.wrong {
            output::note(wrong);
        }
    }
    Ok(())
}

fn print_check(view: &CheckView) -> Result<()> {
    let feature = view.feature.as_ref().map_or("no feature", |feature| feature.raw());
    output::text(&format!("{}, for {feature}", view.name.raw()))?;
    for name in &view.missing_variables {
        output::text(&format!("  FAILS    the variable {} is not set", name.raw()))?;
    }
    for step in view.steps.iter().filter(|step| step.state != CheckState::ByHand) {
        output::text(&format!("  {:<8} {:<9} {}", step.state.word(), step.kind, step.title.raw()))?;
        for line in step.fails.iter().chain(&step.notes) {
            output::text(&format!("             {}", line.raw()))?;
        }
    }
    let by_hand = view.steps.iter().filter(|step| step.state == CheckState::ByHand).count();
    let sum = match view.fail {
        0 => "Nothing would fail".to_owned(),
        n => format!("{} would fail", plural(n, "thing")),
    };
    output::text(&format!("{sum}; {} are for people.", plural(by_hand, "step")))
}
