//! `tuesday incident …`: arguments into acts. How an incident is printed is in `print`.

mod assessed;
mod drill;
mod print;
mod step;

use std::path::PathBuf;
use std::sync::Arc;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Face, output};
use crate::domain::incident::{Action, ActionKind, Evidence, Outcome};
use crate::domain::runbook::{Phase, Section, Severity};
use crate::domain::sample::parse_since;
use crate::domain::{Error, Query, Result, Untrusted};
use crate::ops::assess::{self, AssessRequest, Measure};
use crate::ops::incident::{
    self, Act, Configured, FiguresNow, FiguresRequest, Form, IncidentView, OpenRequest, Place, ReplayAsk,
};
use crate::ops::runbook::Books;
use crate::ops::{Access, Ctx};
use crate::task::{Cancel, Progress};
use crate::text::figures;
pub(in crate::cli) use step::hands;

/// Open an incident, step through its runbook, and write the post-mortem
#[derive(Args, Debug)]
pub(super) struct IncidentArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Open an incident; its runbook is kept as it is now
    Open {
        /// What is wrong, in a few words
        title: String,
        /// How bad it is, SEV1 (worst) to SEV4
        #[arg(long, value_parser = severity)]
        severity: Option<Severity>,
        /// The feature it is about
        #[arg(long)]
        feature: Option<String>,
        /// When it began: an age such as 2h, a date, or a time
        #[arg(long, value_name = "TIME")]
        began: Option<String>,
        /// A runbook's name or file: see `tuesday runbook list` [default: the team's, else “default”]
        #[arg(long, value_name = "RUNBOOK")]
        runbook: Option<String>,
        /// Refuse a runbook with a step that goes through a shell
        #[arg(long)]
        strict: bool,
        /// Answer with JSON: see `tuesday help json`
        #[arg(long)]
        json: bool,
    },
    /// List the incidents, open ones first
    List {
        /// Answer with JSON: see `tuesday help json`
        #[arg(long)]
        json: bool,
    },
    /// Show an incident: its steps, its timeline, what is missing
    Show(Which),
    /// Run a step; or settle, begin, give away or take one up
    Step(step::StepArgs),
    /// Stop the harm: run the step of the phase Contain that acts
    Contain(step::ContainArgs),
    /// Look at the watch: the clock, and what each criterion still needs
    Verify(Which),
    /// Go on with another text of the runbook; steps keep their state by their ids
    Rebase {
        #[command(flatten)]
        which: Which,
        /// A runbook's name or file [default: the configured one]
        #[arg(long, value_name = "RUNBOOK")]
        runbook: Option<String>,
        /// Refuse a runbook with a step that goes through a shell
        #[arg(long)]
        strict: bool,
    },
    /// Write something into the timeline
    Note {
        #[command(flatten)]
        which: Which,
        /// What
        text: String,
        /// The step it belongs to
        #[arg(long)]
        step: Option<String>,
        #[command(flatten)]
        at: At,
    },
    /// Attach traces as evidence
    Attach {
        #[command(flatten)]
        which: Which,
        /// The traces
        #[arg(required_unless_present = "query", value_name = "TRACE")]
        traces: Vec<String>,
        /// A query that shows something, instead of traces
        #[arg(long, conflicts_with = "traces")]
        query: Option<String>,
    },
    /// Count what it did so far: requests, errors, thumbs down, users, by prompt version
    Figures {
        #[command(flatten)]
        which: Which,
        /// Only these traces, besides being of the incident's feature
        #[arg(long = "where", value_name = "QUERY")]
        only: Option<String>,
        /// From then on [default: when it began, else a day before it was opened]
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Keep them in the record
        #[arg(long)]
        keep: bool,
    },
    /// Work out how bad it is, how many users, since when, who fails, and what changed then
    Assess {
        #[command(flatten)]
        which: Which,
        /// What counts as failing [default: its alert's, else verdicts, else errors and complaints]
        #[arg(long, value_name = "MEASURE", value_parser = PossibleValuesParser::new(Measure::NAMES))]
        by: Option<String>,
        /// What another phase shows: detect (is the meter broken?), contain (options), fix (versions)
        #[arg(long, default_value = "assess", conflicts_with = "by",
            value_parser = PossibleValuesParser::new(["detect", "assess", "contain", "fix"]))]
        phase: String,
    },
    /// Ask the failing examples again of what answers now, paired with the answers of then
    Replay {
        #[command(flatten)]
        which: Which,
        /// The target that answers as the feature does now [default: the only one]
        #[arg(long, value_name = "NAME")]
        target: Option<String>,
        /// The most that it may cost, in US dollars
        #[arg(long, value_name = "USD")]
        max_usd: Option<f64>,
    },
    /// Say how bad it is
    Severity {
        #[command(flatten)]
        which: Which,
        /// SEV1 (worst) to SEV4
        #[arg(value_parser = severity)]
        severity: Severity,
        /// Why
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// Say when it began
    Began {
        #[command(flatten)]
        which: Which,
        /// An age such as 2h, a date, or a time
        time: String,
    },
    /// Say which feature it is about; the figures count its traces
    Feature {
        #[command(flatten)]
        which: Which,
        /// Its name; empty for all of them
        feature: String,
    },
    /// Go to a phase
    Phase {
        #[command(flatten)]
        which: Which,
        #[arg(value_parser = phase)]
        phase: Phase,
    },
    /// Hand the command to somebody else
    Handover {
        #[command(flatten)]
        which: Which,
        /// Who leads from here
        to: String,
        /// What they should know
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// Say who keeps the record, where it is not who leads
    Scribe {
        #[command(flatten)]
        which: Which,
        /// Who; empty for whoever leads
        who: String,
    },
    /// Tell those who wait how it stands; without a text, print a draft from the live figures
    Update {
        #[command(flatten)]
        which: Which,
        /// What users see, what is being done, what is needed
        text: Option<String>,
    },
    /// Close it, and hear what the post-mortem still lacks
    Close {
        #[command(flatten)]
        which: Which,
        /// There was nothing: the meter was broken, or the alert wrong
        #[arg(long)]
        false_alarm: bool,
        /// In a sentence
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// Open a closed incident again
    Reopen {
        #[command(flatten)]
        which: Which,
        /// Why
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// Print the post-mortem as Markdown or HTML, or write parts of it
    Postmortem(PostmortemArgs),
    Drill(drill::DrillArgs),
}

#[derive(Args, Debug)]
struct Which {
    /// The incident: INC-7, 7, or its UUID
    #[arg(value_name = "ID")]
    id: String,
    /// Answer with JSON: see `tuesday help json`
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct At {
    /// When it happened, where that was before now: an age such as 10m, or a time
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

#[derive(Args, Debug)]
struct PostmortemArgs {
    #[command(flatten)]
    which: Which,
    /// As what to write it: Markdown, one HTML file with charts, or JSON [default: as the file's name says, else md]
    #[arg(long, value_name = "FORM", conflicts_with = "json",
        value_parser = PossibleValuesParser::new(["md", "html", "json"]))]
    format: Option<String>,
    /// Write it into a file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace the file when it is there already
    #[arg(long, requires = "out")]
    force: bool,
    /// Write a part of it: summary, impact, trigger, why, detection, went_well, went_badly, lucky, prevention,
    /// eval_set
    #[arg(long, value_name = "PART=TEXT")]
    set: Vec<String>,
    /// Sign that you have read it; who led the incident cannot
    #[arg(long)]
    sign: bool,
    /// Add an action
    #[arg(long, value_name = "TEXT")]
    action: Option<String>,
    /// Whose action it is
    #[arg(long, value_name = "NAME", requires = "action")]
    owner: Option<String>,
    /// When it is due
    #[arg(long, value_name = "DATE", requires = "action")]
    due: Option<String>,
    /// What the action is to do
    #[arg(long, requires = "action", default_value = "prevent",
        value_parser = PossibleValuesParser::new(ActionKind::ALL.map(ActionKind::name)))]
    kind: String,
}

/// The runbooks of the configuration in force.
pub(in crate::cli) fn books(face: &Face, strict: bool) -> Books {
    let books = face.config.books.clone();
    Books { strict: books.strict || strict, ..books }
}

pub(super) fn run(face: &Face, args: &IncidentArgs) -> Result<u8> {
    let write = || face.ctx(Access::Existing);
    match &args.command {
        Command::Open { title, severity, feature, began, runbook, strict, json } => {
            // At three in the morning nobody should be refused for want of a store.
            let ctx = face.ctx(Access::Create)?;
            let request = OpenRequest {
                title: title.as_str().into(),
                severity: *severity,
                feature: feature.as_deref().map(Untrusted::from),
                began_at: began.as_deref().map(|text| parse_since(text, ctx.clock.now())).transpose()?,
                runbook: runbook.clone(),
                books: books(face, *strict),
                alert: None,
            };
            let view = incident::open(&ctx, request)?;
            let said = format!("Opened {}.", view.head.id);
            print::acted(&view, &said, *json)
        }
        Command::List { json } => print::list(&incident::list(&face.ctx(Access::ReadOnly)?)?, *json),
        Command::Show(which) => {
            let view = incident::show(&face.ctx(Access::ReadOnly)?, &which.id)?;
            if which.json { output::json(&view).map(|()| 0) } else { print::show(&view) }
        }
        Command::Step(args) => step::run(face, args),
        Command::Verify(which) => step::verify(face, which),
        Command::Contain(args) => step::contain(face, args),
        Command::Rebase { which, runbook, strict } => {
            let books = books(face, *strict);
            let (pinned, _) = match runbook {
                Some(named) => books.named(named)?,
                None if books.usual.is_some() => books.usual()?,
                None => {
                    return Err(Error::usage("No runbook is named.")
                        .hint("Name one with --runbook, or say `runbook` in tuesday.toml."));
                }
            };
            let view = incident::step::rebase(&write()?, &which.id, pinned)?;
            let said = format!("{} goes on with “{}”.", view.head.id, view.runbook.name.raw());
            print::acted(&view, &said, which.json)
        }
        Command::Note { which, text, step, at } => {
            let ctx = write()?;
            let note = Act::Note { text: text.as_str().into(), step: step.clone() };
            let view = incident::act(&ctx, &which.id, note, at.time(&ctx)?)?;
            print::acted(&view, &format!("Noted in {}.", view.head.id), which.json)
        }
        Command::Attach { which, query: Some(query), .. } => {
            let query = Query::parse(query)?.to_string().into();
            let act = Act::Attach { evidence: Evidence::Query { query } };
            let view = incident::act(&write()?, &which.id, act, None)?;
            print::acted(&view, "Attached the query.", which.json)
        }
        Command::Figures { which, only, since, keep } => {
            let ctx = face.ctx(if *keep { Access::Existing } else { Access::ReadOnly })?;
            let request = FiguresRequest {
                only: only.as_deref().map(Query::parse).transpose()?,
                since: since.as_deref().map(|text| parse_since(text, ctx.clock.now())).transpose()?,
            };
            let cancel = Cancel::default();
            let now = if *keep {
                let view = incident::keep_figures(&ctx, &which.id, &request, &cancel)?;
                FiguresNow {
                    figures: view.figures.unwrap_or_default(),
                    suggested_severity: view.suggested_severity,
                }
            } else {
                incident::figures_now(&ctx, &which.id, &request, &cancel)?
            };
            if which.json { output::json(&now).map(|()| 0) } else { print::figures(&now, *keep) }
        }
        Command::Attach { which, traces, .. } => {
            let traces: Vec<Untrusted> = traces.iter().map(|id| id.as_str().into()).collect();
            let view = incident::attach(&write()?, &which.id, &traces)?;
            let held = figures::plural(view.evidence.len(), "trace");
            let said = format!("Attached; {} has {held} as evidence.", view.head.id);
            print::acted(&view, &said, which.json)
        }
        Command::Assess { which, by, phase } => {
            let measure = by.as_deref().and_then(Measure::from_name);
            let request = AssessRequest { measure, ..AssessRequest::default() };
            let ctx = face.ctx(Access::ReadOnly)?;
            let cancel = Cancel::default();
            match phase.as_str() {
                "detect" => {
                    let of = assess::detect(&ctx, &which.id, &face.config.monitors, &cancel)?;
                    if which.json { output::json(&of).map(|()| 0) } else { assessed::detection(&of) }
                }
                "contain" => {
                    let of = assess::contain(&ctx, &which.id, &cancel)?;
                    if which.json { output::json(&of).map(|()| 0) } else { assessed::containment(&of) }
                }
                "fix" => {
                    let of = assess::versions(&ctx, &face.config.team, &which.id, &cancel)?;
                    if which.json { output::json(&of).map(|()| 0) } else { assessed::versions(&of) }
                }
                _ => {
                    let of = assess::assess(&ctx, &which.id, request, &cancel)?;
                    if which.json { output::json(&of).map(|()| 0) } else { assessed::assessment(&of) }
                }
            }
        }
        Command::Replay { which, target, max_usd } => {
            let ask = ReplayAsk { target: target.clone(), max_usd: *max_usd };
            let (cancel, progress) = (Cancel::default(), Progress::default());
            let view =
                incident::replay(&write()?, &face.config.evaluation, &which.id, &ask, &cancel, &progress)?;
            if which.json { output::json(&view).map(|()| 0) } else { assessed::replayed(&view) }
        }
        Command::Severity { which, severity, note } => {
            let act = Act::Severity { severity: *severity, note: text(note) };
            let view = incident::act(&write()?, &which.id, act, None)?;
            print::acted(&view, &format!("{} is {severity} now.", view.head.id), which.json)
        }
        Command::Began { which, time } => {
            let ctx = write()?;
            let began_at = parse_since(time, ctx.clock.now())?;
            let view = incident::act(&ctx, &which.id, Act::Began { began_at }, None)?;
            let at = print::clock(began_at, &TimeZone::system());
            print::acted(&view, &format!("{} began at {at}.", view.head.id), which.json)
        }
        Command::Feature { which, feature } => {
            let act = Act::Feature { feature: Some(feature.as_str().into()) };
            let view = incident::act(&write()?, &which.id, act, None)?;
            let about = view.head.feature.as_ref().map_or("all features", Untrusted::raw);
            print::acted(&view, &format!("{} is about {about} now.", view.head.id), which.json)
        }
        Command::Phase { which, phase } => {
            let view = incident::act(&write()?, &which.id, Act::Enter { phase: *phase }, None)?;
            print::acted(&view, &format!("{} is in {} now.", view.head.id, phase.title()), which.json)
        }
        Command::Handover { which, to, note } => {
            let act = Act::HandOver { to: to.as_str().into(), note: text(note) };
            let view = incident::act(&write()?, &which.id, act, None)?;
            print::acted(&view, &format!("{to} leads {} now.", view.head.id), which.json)
        }
        Command::Scribe { which, who } => {
            let act = Act::Scribe { who: Some(who.as_str().into()) };
            let view = incident::act(&write()?, &which.id, act, None)?;
            let keeps = view.standing.scribe.as_ref().unwrap_or(&view.head.commander).raw().to_owned();
            print::acted(&view, &format!("{keeps} keeps the record of {} now.", view.head.id), which.json)
        }
        Command::Update { which, text: None } => {
            let draft = incident::draft_update(&face.ctx(Access::ReadOnly)?, &which.id, &Cancel::default())?;
            if which.json {
                return output::json(&serde_json::json!({ "id": which.id, "draft": draft })).map(|()| 0);
            }
            output::text(&draft).map(|()| 0)
        }
        Command::Update { which, text: Some(text) } => {
            let view = incident::update(&write()?, &which.id, text.as_str().into())?;
            print::acted(&view, &format!("Told those who wait for {}.", view.head.id), which.json)
        }
        Command::Close { which, false_alarm, note } => {
            let outcome = if *false_alarm { Outcome::FalseAlarm } else { Outcome::Resolved };
            print::closed(&incident::close(&write()?, &which.id, outcome, text(note))?, which.json)
        }
        Command::Reopen { which, note } => {
            let act = Act::ReopenIncident { note: text(note) };
            let view = incident::act(&write()?, &which.id, act, None)?;
            print::acted(&view, &format!("{} is open again.", view.head.id), which.json)
        }
        Command::Postmortem(args) => postmortem(face, args),
        Command::Drill(args) => drill::run(face, args),
    }
}

fn postmortem(face: &Face, args: &PostmortemArgs) -> Result<u8> {
    let mut acts = args.set.iter().map(|part| section(part)).collect::<Result<Vec<_>>>()?;
    if let Some(action) = &args.action {
        let kind = ActionKind::ALL.into_iter().find(|kind| kind.name() == args.kind).unwrap_or_default();
        let (owner, due) = (text(&args.owner), text(&args.due));
        acts.push(Act::AddAction { action: Action { text: action.as_str().into(), kind, owner, due } });
    }
    acts.extend(args.sign.then_some(Act::SignRead));
    let which = &args.which;
    let json = which.json || args.format.as_deref() == Some("json");
    let ctx = face.ctx(if acts.is_empty() { Access::ReadOnly } else { Access::Existing })?;
    if !acts.is_empty() {
        let written = acts.len();
        let view = incident::acts(&ctx, &which.id, acts, None)?;
        if args.out.is_none() {
            let said = match (args.sign, written) {
                (true, 1) => format!("Signed the post-mortem of {} as read.", view.head.id),
                _ => format!("Wrote {written} of the post-mortem of {}.", view.head.id),
            };
            return print::acted(&view, &said, json);
        }
    }
    let zone = TimeZone::system();
    let form = match (args.format.as_deref(), &args.out) {
        (Some("html"), _) => Form::Html,
        (None, Some(path)) => Form::of_file(path),
        _ => Form::Markdown,
    };
    let by = Configured {
        monitors: Arc::new(face.config.monitors.clone()),
        team: Arc::new(face.config.team.clone()),
    };
    let cancel = Cancel::default();
    let Some(path) = &args.out else {
        if json {
            return output::json(&incident::postmortem(&ctx, &by, &which.id, &zone, &cancel)?).map(|()| 0);
        }
        // What is in the document was made safe when it was written.
        let text = match form {
            Form::Html => incident::postmortem_page(&ctx, &by, &which.id, &zone, &cancel)?,
            Form::Markdown => incident::postmortem(&ctx, &by, &which.id, &zone, &cancel)?.markdown,
        };
        return output::text(text.trim_end()).map(|()| 0);
    };
    let to = Place { path, form, replace: args.force };
    let view = incident::save_postmortem(&ctx, &by, &which.id, (&zone, to), &cancel)?;
    if json {
        return output::json(&view).map(|()| 0);
    }
    let lacks = match view.missing.len() {
        0 => String::new(),
        n => format!(" It lacks {n} things; they stand at its end."),
    };
    output::text(&format!("Wrote {}.{lacks}", path.display())).map(|()| 0)
}

fn section(part: &str) -> Result<Act> {
    let known = || Section::ALL.map(Section::name).join(", ");
    let (name, text) = part.split_once('=').ok_or_else(|| {
        Error::usage(format!("“{part}” names no part of the post-mortem."))
            .hint(format!("Write --set PART=TEXT; the parts are {}.", known()))
    })?;
    let section = Section::from_name(name.trim()).ok_or_else(|| {
        Error::usage(format!("A post-mortem has no part “{name}”."))
            .hint(format!("The parts are {}.", known()))
    })?;
    Ok(Act::Write { section, text: text.into() })
}

impl At {
    fn time(&self, ctx: &Ctx) -> Result<Option<Timestamp>> {
        self.at.as_deref().map(|text| parse_since(text, ctx.clock.now())).transpose()
    }
}

fn text(text: &Option<String>) -> Option<Untrusted> {
    text.as_deref().map(Untrusted::from)
}

fn severity(text: &str) -> std::result::Result<Severity, String> {
    Severity::from_name(text).ok_or_else(|| "SEV1, SEV2, SEV3 or SEV4".to_owned())
}

fn phase(text: &str) -> std::result::Result<Phase, String> {
    Phase::from_name(text).ok_or_else(|| Phase::ALL.map(Phase::name).join(", "))
}
