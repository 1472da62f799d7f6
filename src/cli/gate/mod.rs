//! `tuesday gate …`: arguments into acts. How a gate is printed is in `print`.

mod print;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::long::{self, Unit};
use super::{Face, output};
use crate::domain::gate::Item;
use crate::domain::{CaseId, Error, ErrorKind, Result, Verdict, nearest, some_text};
use crate::ops::gate::{self, GateOf, SignSpec};
use crate::ops::{Access, Ctx};
use crate::task::Cancel;

/// What the exit codes mean, and what a gate file looks like.
const FILE: &str = concat!(
    "Exit codes: 0 met, 1 not met, 2 not enough data, stale or unsigned, 3 could not run.\n\n",
    "What is asked stands in gates/FEATURE.toml (or FEATURE@VERSION.toml, for one\nversion); ",
    "`gates_dir` of tuesday.toml names another folder. Without a file the\ndefaults hold, which are:\n\n",
    include_str!("../../../fixtures/gate.toml")
);

/// Hold a version of a prompt against the ten items of the deployment checklist
///
/// What data proves is proved, and the evidence kept; the rest is signed by people. One changed byte of the
/// prompt makes the evidence of items 1 to 4, 7 and 8 stale.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, after_long_help = FILE)]
pub(super) struct GateArgs {
    #[command(subcommand)]
    command: Option<Command>,
    /// The feature; its prompt lies in prompts/FEATURE
    #[arg(required = true)]
    feature: Option<String>,
    /// The version, such as v5, or current
    #[arg(required = true)]
    version: Option<String>,
    /// Answer with JSON: see `tuesday help json-gate`
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// List the versions of the prompts, and what their gates came to last
    List {
        /// Answer with JSON: see `tuesday help json-gate`
        #[arg(long)]
        json: bool,
    },
    /// Sign what a person signs: peer_review, rollout, oncall
    Sign {
        #[command(flatten)]
        of: Of,
        /// The item
        #[arg(value_parser = item)]
        item: Item,
        /// Who signs [default: you]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// What they say
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        /// Of oncall: who is on call, where that is another
        #[arg(long, value_name = "NAME")]
        who: Option<String>,
        /// Of oncall: how to reach them
        #[arg(long, value_name = "TEXT")]
        contact: Option<String>,
        /// Of oncall: from when [default: now]
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Of oncall: until when [default: a day later]
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
    },
    /// List the edge cases of the run, with its answers and people's labels
    Edges(Of),
    /// Label the run's answer to an edge case
    Label {
        #[command(flatten)]
        of: Of,
        /// The case
        #[arg(value_name = "CASE")]
        case: String,
        /// pass, fail or unsure
        verdict: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// Practise the rollback: run the team's command as a dry run, timed
    ///
    /// Exit codes: 0 it answered in time, 1 it did not, 3 it could not be run.
    Drill(Of),
    /// Try a target against a server of ours that refuses, hangs and limits, and see it fall back
    ///
    /// A target of kind command is told the server's address by the variable that fault_env of the gate file names
    /// (OPENAI_BASE_URL), one of kind http by the value fault_value of its body's template. Of a target of kind
    /// openai or anthropic only that its failures are told in time is seen. Exit codes: 0 seen, 1 not seen, 3 it
    /// could not be tried.
    Exercise {
        #[command(flatten)]
        of: Of,
        /// The target: the application
        #[arg(long)]
        target: String,
    },
}

#[derive(Args, Debug)]
struct Of {
    /// The feature
    feature: String,
    /// The version, such as v5, or current
    version: String,
    /// Answer with JSON: see `tuesday help json-gate`
    #[arg(long)]
    json: bool,
}

impl Of {
    fn gate(&self) -> GateOf {
        GateOf { feature: self.feature.clone(), version: self.version.clone() }
    }
}

/// What could not be looked at must not look like a verdict.
pub(super) fn run(face: &Face, args: &GateArgs) -> Result<u8> {
    asked(face, args).or_else(|error| {
        output::error(&error);
        Ok(3)
    })
}

fn asked(face: &Face, args: &GateArgs) -> Result<u8> {
    let config = &face.config.evaluation;
    let Some(command) = &args.command else {
        let (Some(feature), Some(version)) = (args.feature.clone(), args.version.clone()) else {
            return Err(Error::usage("A gate is of a feature and a version.")
                .hint("For example: tuesday gate customer_support v5"));
        };
        let of = GateOf { feature, version };
        let view = gate::check(&looking(face)?, config, &of, &Cancel::default())?;
        if args.json {
            output::json(&view)?;
        } else {
            output::text(&print::gate(&view))?;
        }
        return Ok(view.exit_code);
    };
    match command {
        Command::List { json } => {
            let lines = gate::candidates(&looking(face)?, config)?;
            if *json {
                output::json(&lines)?;
            } else {
                print::list(&lines)?;
            }
        }
        Command::Sign { of, item, by, note, who, contact, from, until } => {
            let ctx = face.ctx(Access::Existing)?;
            let time = |text: &Option<String>| text.as_deref().map(time).transpose();
            let spec = SignSpec {
                item: *item,
                by: by.clone().unwrap_or_else(|| face.reviewer()),
                note: note.clone(),
                on_call: who.clone(),
                contact: contact.clone(),
                from: time(from)?,
                until: time(until)?,
            };
            let view = gate::sign(&ctx, config, &of.gate(), &spec)?;
            one(of.json, &view)?;
        }
        Command::Edges(of) => {
            let edges = gate::edges(&looking(face)?, config, &of.gate(), &Cancel::default())?;
            if of.json {
                output::json(&edges)?;
            } else {
                print::edges(&edges)?;
            }
        }
        Command::Label { of, case, verdict, note } => {
            let verdict = Verdict::from_word(verdict).ok_or_else(|| {
                Error::usage(format!("\"{verdict}\" is not a verdict.")).hint("Say pass, fail or unsure.")
            })?;
            let (ctx, case) = (face.ctx(Access::Existing)?, CaseId::parse(case)?);
            let note = note.as_deref().and_then(some_text);
            let view = gate::label(&ctx, config, &of.gate(), &case, (verdict, note))?;
            one(of.json, &view)?;
        }
        Command::Drill(of) => {
            let ctx = face.ctx(Access::Existing)?;
            let work =
                |cancel: &Cancel, progress: &_| gate::drill(&ctx, config, &of.gate(), cancel, progress);
            let view = long::run(Unit::Failures, work)?;
            if of.json {
                output::json(&view)?;
            } else {
                output::text(&print::drill(&view))?;
            }
            return Ok(u8::from(!view.met));
        }
        Command::Exercise { of, target } => {
            let ctx = face.ctx(Access::Existing)?;
            let view = long::run(Unit::Failures, |cancel, progress| {
                gate::exercise(&ctx, config, &of.gate(), target, cancel, progress)
            })?;
            if of.json {
                output::json(&view)?;
            } else {
                output::text(&print::exercise(&view))?;
            }
            return Ok(u8::from(!view.met));
        }
    }
    Ok(0)
}

fn one(json: bool, view: &gate::ItemView) -> Result<()> {
    if json { output::json(view) } else { output::text(&print::item(view)) }
}

/// A store to look at: what is found is kept where it can be written, and told where it cannot.
fn looking(face: &Face) -> Result<Ctx> {
    match face.ctx(Access::Existing) {
        Err(error) if error.kind == ErrorKind::Failed => face.ctx(Access::ReadOnly).map_err(|_| error),
        other => other,
    }
}

fn item(name: &str) -> std::result::Result<Item, String> {
    let name = name.replace('-', "_");
    Item::parse(&name).ok_or_else(|| {
        let names = Item::ALL.map(Item::name);
        match nearest(&name, names.iter().copied()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("the items are {}", names.join(", ")),
        }
    })
}

/// A time with its offset; a date is its beginning where one is.
fn time(text: &str) -> Result<Timestamp> {
    let wrong = || {
        Error::usage(format!("\"{text}\" is not a time."))
            .hint("Write it like 2026-03-05T09:00:00+01:00, or a date.")
    };
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let civil = text
        .parse::<jiff::civil::DateTime>()
        .or_else(|_| text.parse::<jiff::civil::Date>().map(|date| date.at(0, 0, 0, 0)))
        .map_err(|_| wrong())?;
    TimeZone::system().to_timestamp(civil).map_err(|_| wrong())
}
