//! `tuesday prompt …`: the versions of prompts, and which is the current one.

mod print;

use std::io::{BufRead, IsTerminal, Write};

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};

use super::{Face, output};
use crate::domain::sample::parse_since;
use crate::domain::{Error, Result};
use crate::ops::prompt::{self, Home, UseSpec, UseView, split};
use crate::ops::{Access, Ctx};
use crate::task::Cancel;

/// How far back figures go where it is not said.
const USUAL: SignedDuration = SignedDuration::from_hours(28 * 24);

/// List, show and compare the versions of prompts; change the current one, and go back
#[derive(Args, Debug)]
pub(super) struct PromptArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// List the prompts with their current versions
    List {
        /// Figures from then on: an age such as 7d, a date, a time [default: 28d]
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Answer with JSON: see `tuesday help json-prompt`
        #[arg(long)]
        json: bool,
    },
    /// Show a prompt's versions with their figures, or one version's text
    Show {
        /// The prompt: customer_support, or a version of it: customer_support@v4
        prompt: String,
        /// Figures from then on: an age such as 7d, a date, a time [default: 28d]
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Answer with JSON: see `tuesday help json-prompt`
        #[arg(long)]
        json: bool,
    },
    /// Show what differs between two versions, word by word
    Diff {
        /// The prompt
        prompt: String,
        /// The older version [default: the last known good one, else the one before]
        from: Option<String>,
        /// The newer version [default: the current one]
        to: Option<String>,
        /// Answer with JSON: see `tuesday help json-prompt`
        #[arg(long)]
        json: bool,
    },
    /// Make a version the current one; the same command with the old version takes it back
    Use {
        /// The prompt
        prompt: String,
        /// The version: v3
        version: String,
        #[command(flatten)]
        how: How,
    },
    /// Go back to the last version that is known to be good
    Rollback {
        /// The prompt
        prompt: String,
        /// Go back to this version
        #[arg(long, value_name = "VERSION")]
        to: Option<String>,
        #[command(flatten)]
        how: How,
    },
    /// Find what is not as it should be: in the folders, and between them and the traces
    Lint {
        /// Only this prompt
        prompt: Option<String>,
        /// Answer with JSON: see `tuesday help json-prompt`
        #[arg(long)]
        json: bool,
    },
}

/// How the current version is changed.
#[derive(Args, Debug)]
struct How {
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
    /// Commit the change to git
    #[arg(long)]
    commit: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Answer with JSON: see `tuesday help json-prompt`
    #[arg(long)]
    json: bool,
}

pub(super) fn run(face: &Face, args: &PromptArgs) -> Result<u8> {
    let team = &face.config.team;
    let cancel = Cancel::default();
    let found = |name: &str| prompt::home(team, split(name).0);
    match &args.command {
        Command::List { since, json } => {
            let ctx = face.ctx(Access::ReadOnly)?;
            let rows = prompt::list(&ctx, team, from(&ctx, since.as_deref())?, &cancel)?;
            if *json { output::json(&rows)? } else { print::list(team, &rows)? }
        }
        Command::Show { prompt: name, since, json } => {
            let (home, version) = (found(name)?, split(name).1);
            let ctx = face.ctx(Access::ReadOnly)?;
            let view = prompt::show(&ctx, team, &home, from(&ctx, since.as_deref())?, &cancel)?;
            match version {
                Some(version) => {
                    let (version, text) = home.text(version)?;
                    print::version(&view, &version, &text.text, *json)?;
                }
                None if *json => output::json(&view)?,
                None => print::show(&view)?,
            }
        }
        Command::Diff { prompt: name, from, to, json } => {
            let home = found(name)?;
            let to = to.as_deref().or(split(name).1).unwrap_or("current");
            let view = match from {
                Some(from) => prompt::diff(&home, from, to)?,
                None => prompt::diff(&home, &before(face, &home, to)?, to)?,
            };
            if *json { output::json(&view)? } else { print::diff(&view)? }
        }
        Command::Use { prompt: name, version, how } => {
            let (home, version) = (found(name)?, split(version).1.unwrap_or(version));
            act(face, how, &home, |ctx, spec| prompt::use_version(ctx, team, &home, version, spec, &cancel))?;
        }
        Command::Rollback { prompt: name, to, how } => {
            let (home, to) = (found(name)?, to.as_deref());
            act(face, how, &home, |ctx, spec| prompt::rollback(ctx, team, &home, to, spec, &cancel))?;
        }
        Command::Lint { prompt: name, json } => {
            let homes = match name {
                Some(name) => vec![found(name)?],
                None => prompt::homes(team),
            };
            let view = prompt::lint(&face.ctx(Access::ReadOnly)?, team, &homes, &cancel)?;
            if *json {
                output::json(&view)?
            } else {
                print::lint(&view)?
            }
            return Ok(u8::from(!view.is_clean()));
        }
    }
    Ok(0)
}

/// The start of the time that figures are of.
fn from(ctx: &Ctx, since: Option<&str>) -> Result<Timestamp> {
    let now = ctx.clock.now();
    match since {
        Some(text) => parse_since(text, now),
        None => Ok(now.saturating_sub(USUAL).unwrap_or(now)),
    }
}

/// What a version is compared with where it is not said: the last known good one before it, else the one before.
fn before(face: &Face, home: &Home, to: &str) -> Result<String> {
    let team = &face.config.team;
    let (to, _) = home.text(to)?;
    if let Ok(ctx) = face.ctx(Access::ReadOnly)
        && let Some(good) = prompt::last_known_good(&ctx, home, &to, prompt::Bar::of(team))?.good
    {
        return Ok(good.version);
    }
    home.before(&to)?.ok_or_else(|| {
        Error::not_so(format!("There is no version of {} before {to}.", home.name))
            .hint(format!("Name two: tuesday prompt diff {} v1 v2", home.name))
    })
}

/// Says what would be done, asks, and does it.
fn act(face: &Face, how: &How, home: &Home, act: impl Fn(&Ctx, &UseSpec) -> Result<UseView>) -> Result<()> {
    // The record is kept even where there is no trace yet.
    let ctx = face.ctx(if how.dry_run { Access::ReadOnly } else { Access::Create })?;
    let spec = |dry_run| UseSpec { dry_run, commit: how.commit, reason: how.reason.clone() };
    let planned = act(&ctx, &spec(true))?;
    if !how.dry_run && !planned.changes {
        prompt::tidy(&ctx, home)?;
    }
    if how.dry_run || !planned.changes {
        return if how.json { output::json(&planned) } else { print::planned(&planned) };
    }
    if !how.yes {
        if !how.json {
            print::planned(&planned)?;
        }
        let question = format!("Make {} the current version of {}? [y/N] ", planned.to, planned.prompt);
        confirm(&question, &["y", "yes"], "tuesday prompt use")?;
    }
    let done = act(&ctx, &spec(false))?;
    if how.json { output::json(&done) } else { print::done(&done) }
}

/// Asks on the terminal.
///
/// # Errors
/// `Usage` where there is no terminal to ask on, `NotSo` where the answer is none of `yes`.
pub(in crate::cli) fn confirm(question: &str, yes: &[&str], what: &str) -> Result<()> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Error::usage(format!("`{what}` acts, and there is no terminal to ask on."))
            .hint("Look first with --dry-run; then say --yes."));
    }
    let failed = |e: std::io::Error| Error::failed("The terminal cannot be read.").because(e);
    let mut error = std::io::stderr().lock();
    write!(error, "{question}").and_then(|()| error.flush()).map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(failed)?;
    if yes.iter().any(|word| answer.trim() == *word) {
        return Ok(());
    }
    Err(Error::not_so("Nothing was changed."))
}
