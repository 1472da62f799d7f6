//! What the screen asks of the ops.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::panel::{Panel, PanelOf};
use crate::domain::incident::{Evidence, Outcome};
use crate::domain::monitor::Monitors;
use crate::domain::{ErrorKind, EvalConfig, Query, Result, Untrusted};
use crate::ops::Ctx;
use crate::ops::assess::{self, Ready};
use crate::ops::incident::step::{self, DryRun, Hands, Ran, RunAsk, WatchView};
use crate::ops::incident::{
    self, Act, Configured, FiguresNow, FiguresRequest, Form, IncidentLine, IncidentView, OpenRequest, Place,
    PostmortemView, ReplayAsk, ReplayView,
};
use crate::ops::monitor;
use crate::ops::runbook::Books;
use crate::task::{Cancel, Progress};

/// Work for a worker thread. `id` is the incident's.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    List,
    Show {
        id: String,
    },
    Open {
        title: String,
        books: Books,
    },
    /// Acts that belong together; `said` is what the status line says when they are done.
    Act {
        id: String,
        acts: Vec<Act>,
        said: String,
    },
    Attach {
        id: String,
        traces: Vec<Untrusted>,
    },
    AttachQuery {
        id: String,
        query: String,
    },
    KeepFigures {
        id: String,
    },
    Close {
        id: String,
        outcome: Outcome,
        note: Option<Untrusted>,
    },
    /// What a step would do.
    Plan {
        hands: Hands,
        id: String,
        step: String,
    },
    /// Carries a step out.
    Run {
        hands: Hands,
        id: String,
        step: String,
        ask: RunAsk,
    },
    /// Looks again at what came of an act; `asked`: by a person, who wants to hear of it.
    Recheck {
        hands: Hands,
        id: String,
        step: String,
        asked: bool,
    },
    /// What stands in the way of the steps that act.
    Preflight {
        hands: Hands,
        id: String,
    },
    /// Asks the failing examples again of what answers now.
    Replay {
        config: Arc<EvalConfig>,
        id: String,
        ask: ReplayAsk,
    },
    /// Tells nobody of the incident's alert for so long.
    Snooze {
        monitors: Arc<Monitors>,
        id: String,
        for_ms: i64,
    },
    /// Agrees to somebody else's act.
    Approve {
        id: String,
        step: String,
    },
    /// Looks at the watch.
    Watch {
        hands: Hands,
        id: String,
    },
    /// Counts what it did; reads much, and is asked for again when traces come in.
    Figures {
        id: String,
    },
    /// What a phase's panel shows; reads much.
    Panel(PanelOf),
    Postmortem {
        id: String,
        by: Configured,
        zone: TimeZone,
    },
    /// An update as it would read now.
    Draft {
        id: String,
    },
    Save {
        id: String,
        by: Configured,
        zone: TimeZone,
        path: PathBuf,
        replace: bool,
    },
}

/// What it gives.
#[derive(Debug)]
pub enum Answer {
    List(Vec<IncidentLine>),
    Incident(Box<IncidentView>),
    Figures(Box<FiguresNow>),
    /// As far as it could be had: a failure stands in the panel.
    Panel(Result<Panel>),
    Postmortem(Box<PostmortemView>),
    Draft(String),
    Plan(Box<DryRun>),
    Ran(Box<Ran>),
    Watch(Box<WatchView>),
    Preflight(Vec<Ready>),
    Replayed(Box<ReplayView>),
    /// Until when nobody is told.
    Snoozed(jiff::Timestamp),
    /// The file was written.
    Saved,
    /// A file of this name is there already and was left alone.
    IsThere,
}

impl Request {
    /// Does the work; blocks.
    pub fn run(&self, ctx: &Ctx, cancel: &Cancel, progress: &Progress) -> Result<Answer> {
        let incident = |view: IncidentView| Answer::Incident(Box::new(view));
        match self {
            Request::List => incident::list(ctx).map(Answer::List),
            Request::Show { id } => incident::show(ctx, id).map(incident),
            Request::Open { title, books } => {
                let request = OpenRequest {
                    title: title.as_str().into(),
                    books: books.clone(),
                    ..OpenRequest::default()
                };
                incident::open(ctx, request).map(incident)
            }
            Request::Act { id, acts, .. } => incident::acts(ctx, id, acts.clone(), None).map(incident),
            Request::Attach { id, traces } => incident::attach(ctx, id, traces).map(incident),
            Request::AttachQuery { id, query } => {
                let query = Query::parse(query)?.to_string().into();
                let act = Act::Attach { evidence: Evidence::Query { query } };
                incident::act(ctx, id, act, None).map(incident)
            }
            Request::KeepFigures { id } => {
                incident::keep_figures(ctx, id, &FiguresRequest::default(), cancel).map(incident)
            }
            Request::Close { id, outcome, note } => {
                incident::close(ctx, id, *outcome, note.clone()).map(incident)
            }
            Request::Plan { hands, id, step } => {
                step::plan(ctx, hands, id, step, cancel).map(|plan| Answer::Plan(Box::new(plan)))
            }
            Request::Run { hands, id, step, ask } => {
                step::run(ctx, hands, id, step, ask, cancel).map(|ran| Answer::Ran(Box::new(ran)))
            }
            Request::Preflight { hands, id } => {
                assess::preflight(ctx, hands, id, cancel).map(Answer::Preflight)
            }
            Request::Replay { config, id, ask } => incident::replay(ctx, config, id, ask, cancel, progress)
                .map(|view| Answer::Replayed(Box::new(view))),
            Request::Snooze { monitors, id, for_ms } => {
                monitor::snooze(ctx, monitors, id, *for_ms).map(|of| Answer::Snoozed(of.until))
            }
            Request::Recheck { hands, id, step, .. } => {
                step::recheck(ctx, hands, id, step, cancel).map(|ran| Answer::Ran(Box::new(ran)))
            }
            Request::Approve { id, step } => step::approve(ctx, id, step, None).map(incident),
            Request::Watch { hands, id } => {
                step::verify(ctx, hands, id, cancel).map(|watch| Answer::Watch(Box::new(watch)))
            }
            Request::Figures { id } => incident::figures_now(ctx, id, &FiguresRequest::default(), cancel)
                .map(|figures| Answer::Figures(Box::new(figures))),
            Request::Panel(of) => match of.run(ctx, cancel) {
                Err(error) if error.kind == ErrorKind::Cancelled => Err(error),
                made => Ok(Answer::Panel(made)),
            },
            Request::Postmortem { id, by, zone } => incident::postmortem(ctx, by, id, zone, cancel)
                .map(|written| Answer::Postmortem(Box::new(written))),
            Request::Draft { id } => incident::draft_update(ctx, id, cancel).map(Answer::Draft),
            Request::Save { id, by, zone, path, replace } => {
                let to = Place { path, form: Form::of_file(path), replace: *replace };
                match incident::save_postmortem(ctx, by, id, (zone, to), cancel) {
                    Ok(_) => Ok(Answer::Saved),
                    Err(error) if error.kind == ErrorKind::NotSo && path.exists() => Ok(Answer::IsThere),
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// Whether this is an act of a person, which is never dropped.
    pub fn is_act(&self) -> bool {
        !matches!(
            self,
            Request::List
                | Request::Show { .. }
                | Request::Figures { .. }
                | Request::Panel(_)
                | Request::Postmortem { .. }
                | Request::Draft { .. }
                | Request::Plan { .. }
                | Request::Preflight { .. }
                | Request::Watch { .. }
        )
    }
}

impl From<Request> for crate::tui::work::Request {
    fn from(request: Request) -> Self {
        Self::Incidents(request)
    }
}
