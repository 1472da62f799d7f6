//! The query behind a line of the timeline: the traces that show what it says.

use jiff::{SignedDuration, Timestamp};

use crate::domain::incident::{Evidence, Incident, IncidentEvent, Recorded};
use crate::domain::query::{IdField, NameField, Query, Term, TimeBound, TimeRange, Word};
use crate::domain::runbook::{Section, StepKind};
use crate::domain::{Result, Untrusted};
use crate::ops::Ctx;

/// How much traffic around a moment is shown.
const AROUND: SignedDuration = SignedDuration::from_mins(30);
/// Ids that a link names at most.
const IDS: usize = 5;

/// The traffic of a feature, or all of it, from here (included) to there (not).
pub(super) fn window(feature: Option<&Untrusted>, from: Timestamp, to: Timestamp) -> Query {
    let all = match feature {
        Some(feature) => {
            let any = vec![Word::exact(feature.raw())];
            Query::all().with(Term::Name { field: NameField::Feature, any })
        }
        None => Query::all(),
    };
    all.with(Term::Time(TimeRange::Within(TimeBound::At(from), TimeBound::At(to))))
}

/// The query that shows what an event says, where traces do.
pub(super) fn query_of(incident: &Incident, recorded: &Recorded) -> Option<Untrusted> {
    let feature = incident.feature.as_ref();
    let at = recorded.happened_at;
    let before = |span: SignedDuration| at.saturating_sub(span).unwrap_or(at);
    let text = |query: Query| Some(Untrusted::new(query.to_string()));
    match &recorded.event {
        IncidentEvent::Opened { .. } => text(window(feature, before(AROUND * 2), at)),
        IncidentEvent::BeganSet { began_at } => {
            let (from, to) = (began_at.saturating_sub(AROUND), began_at.saturating_add(AROUND));
            text(window(feature, from.unwrap_or(*began_at), to.unwrap_or(*began_at)))
        }
        IncidentEvent::Attached { evidence: Evidence::Query { query } } => Some(query.clone()),
        IncidentEvent::Attached { evidence: Evidence::Figures { figures } } => {
            let asked = Query::parse(figures.query.raw()).ok()?;
            let range = TimeRange::Within(TimeBound::At(figures.since), TimeBound::At(figures.until));
            text(asked.with(Term::Time(range)))
        }
        IncidentEvent::Attached { evidence: Evidence::Traces { traces } } => {
            let any = traces.iter().take(IDS).map(|trace| trace.id.raw().to_owned()).collect();
            text(Query::all().with(Term::Id { field: IdField::Id, any }))
        }
        IncidentEvent::StepDone { step, .. } => {
            let step = incident.runbook.book.steps.iter().find(|of| of.id == *step)?;
            match &step.kind {
                StepKind::Check { window_ms, .. } => {
                    let span = SignedDuration::from_millis(i64::try_from((*window_ms)?).ok()?);
                    text(window(feature, before(span), at))
                }
                _ if step.fills == Some(Section::Detection) => text(window(feature, before(AROUND), at)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// How many of an incident's traces stand in an eval set.
pub(super) fn promoted<'a>(ctx: &Ctx, traces: impl Iterator<Item = &'a Untrusted>) -> Result<u64> {
    let mut count = 0;
    for trace in traces {
        count += u64::from(!ctx.store.cases_of_trace(trace.raw())?.is_empty());
    }
    Ok(count)
}
