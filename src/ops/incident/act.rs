//! Opening an incident, and acting in one.

use jiff::Timestamp;

use super::view::{IncidentView, show};
use crate::domain::incident::{Act, Evidence, Incident, OpenSpec, TraceExcerpt, incident_name};
use crate::domain::runbook::Severity;
use crate::domain::{Error, Result, Untrusted};
use crate::ops::Ctx;
use crate::ops::label::reviewer;
use crate::ops::runbook::{Books, Chosen};
use crate::store::{IncidentRef, Stamp};

/// What a person gives to open an incident.
#[derive(Debug, Clone, Default)]
pub struct OpenRequest {
    /// One line.
    pub title: Untrusted,
    /// How bad, when known.
    pub severity: Option<Severity>,
    /// The feature it is about; the runbook's when none is given.
    pub feature: Option<Untrusted>,
    /// When the harm began, when known.
    pub began_at: Option<Timestamp>,
    /// The runbook, by name or file, asked for now: opening fails when it cannot be read.
    pub runbook: Option<String>,
    /// The monitor and the metric of the alert that it is for.
    pub alert: Option<(String, String)>,
    /// The team's runbooks. Where none is asked for and the one of choice cannot be read, one that comes with the
    /// program takes its place, and the record says why: an incident does not wait for a file.
    pub books: Books,
}

/// Opens an incident. The runbook is pinned: what becomes of the file later does not change it.
pub fn open(ctx: &Ctx, request: OpenRequest) -> Result<IncidentView> {
    let now = ctx.clock.now();
    let Chosen { book: runbook, unread } = match (&request.runbook, &request.alert) {
        (Some(named), _) => Chosen { book: request.books.named(named)?.0, unread: None },
        (None, Some((monitor, metric))) => request.books.for_alert(monitor, metric)?,
        (None, None) => request.books.for_incident()?,
    };
    if request.began_at.is_some_and(|began| began > now) {
        return Err(Error::usage("An incident cannot have begun in the future."));
    }
    let spec = OpenSpec {
        title: request.title,
        severity: request.severity,
        feature: request.feature.or_else(|| runbook.book.feature.clone()),
        began_at: request.began_at,
        runbook,
    };
    let incident = ctx.store.open_incident(Incident::open(spec)?, &stamp(ctx, None)?)?;
    match unread {
        Some(text) => act(ctx, &incident.name(), Act::Note { text: text.into(), step: None }, None),
        None => show(ctx, &incident.name()),
    }
}

/// Does one act in an incident named `INC-7`, `7` or by its UUID, and gives it as it is afterwards.
/// `happened_at` says when it happened, where that was before now.
pub fn act(ctx: &Ctx, name: &str, act: Act, happened_at: Option<Timestamp>) -> Result<IncidentView> {
    acts(ctx, name, vec![act], happened_at)
}

/// Does several acts as one: all of them, or none.
pub fn acts(ctx: &Ctx, name: &str, acts: Vec<Act>, happened_at: Option<Timestamp>) -> Result<IncidentView> {
    let which = IncidentRef::parse(name)?;
    let stamp = stamp(ctx, happened_at)?;
    let incident = ctx.store.act_on_incident(&which, &stamp, |incident| {
        incident.handle_all(acts, stamp.recorded_at, &stamp.actor)
    })?;
    show(ctx, &incident.name())
}

/// Attaches traces as evidence, each with its first words, so that the record can be read where the
/// traces are not. Those attached already are left out.
pub fn attach(ctx: &Ctx, name: &str, traces: &[Untrusted]) -> Result<IncidentView> {
    let excerpts = traces.iter().map(|id| excerpt(ctx, id)).collect::<Result<Vec<_>>>()?;
    act(ctx, name, Act::Attach { evidence: Evidence::Traces { traces: excerpts } }, None)
}

/// Attaches traces to the newest incident that is open, for whoever finds them elsewhere.
pub fn attach_to_open(ctx: &Ctx, traces: &[Untrusted]) -> Result<IncidentView> {
    let open = ctx.store.incidents()?.into_iter().find(|row| row.closed.is_none());
    match open {
        Some(row) => attach(ctx, &incident_name(row.number), traces),
        None => Err(Error::not_so("No incident is open to attach traces to.")
            .hint("Open one first: `I`, or `tuesday incident open TITLE`.")),
    }
}

fn excerpt(ctx: &Ctx, id: &Untrusted) -> Result<TraceExcerpt> {
    const WORDS: usize = 200;
    let trace = ctx.store.wanted_trace(id)?.trace;
    Ok(TraceExcerpt {
        id: id.clone(),
        time: trace.time,
        version: trace.prompt_version,
        asked: trace.input.asked(WORDS),
        answered: trace.output.answered(WORDS),
    })
}

fn stamp(ctx: &Ctx, happened_at: Option<Timestamp>) -> Result<Stamp> {
    let recorded_at = ctx.clock.now();
    let happened_at = happened_at.unwrap_or(recorded_at);
    if happened_at > recorded_at {
        return Err(Error::usage("What is recorded cannot have happened in the future.")
            .hint("Give a time before now, such as 10m or 2025-03-04T02:58:00Z."));
    }
    Ok(Stamp { happened_at, recorded_at, actor: reviewer(ctx)?.into() })
}
