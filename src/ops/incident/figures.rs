//! Impact figures of an incident: the traffic it is about, since it began, against as long before.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::act::act;
use super::view::IncidentView;
use crate::domain::incident::{Act, Evidence, Figures, Incident, Outcome, Tally};
use crate::domain::query::{NameField, Query, Term, Word};
use crate::domain::runbook::Severity;
use crate::domain::{Result, Untrusted};
use crate::ops::{Ctx, figures};
use crate::stats::wilson;
use crate::store::IncidentRef;
use crate::task::Cancel;
use crate::text::figures as words;

/// How far back is looked while nobody has said when it began.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24);

/// What to count; nothing said means the incident's feature since it began.
#[derive(Debug, Clone, Default)]
pub struct FiguresRequest {
    /// Traces that count, besides being of the incident's feature.
    pub only: Option<Query>,
    /// From when.
    pub since: Option<Timestamp>,
}

/// Figures, and the severity that the runbook's rules propose for them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FiguresNow {
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// What they come to.
    pub suggested_severity: Option<Severity>,
}

/// The figures as they are now, or were when the incident was closed. Reads the traces of that time and of
/// as long before it.
pub fn figures_now(ctx: &Ctx, name: &str, request: &FiguresRequest, cancel: &Cancel) -> Result<FiguresNow> {
    let file = ctx.store.incident(&IncidentRef::parse(name)?)?;
    let figures = count(ctx, &file.incident, request, cancel)?;
    let suggested_severity = file.incident.runbook.book.suggest(|name| figures.figure(name));
    Ok(FiguresNow { figures, suggested_severity })
}

/// Takes the figures and keeps them in the record, with the query and the time.
pub fn keep_figures(
    ctx: &Ctx,
    name: &str,
    request: &FiguresRequest,
    cancel: &Cancel,
) -> Result<IncidentView> {
    let figures = figures_now(ctx, name, request, cancel)?.figures;
    act(ctx, name, Act::Attach { evidence: Evidence::Figures { figures: Box::new(figures) } }, None)
}

/// Closes an incident. What it came to is taken first, unless it was a false alarm, or traffic that
/// nobody can count stands in the way: closing never waits for figures that cannot be had.
pub fn close(ctx: &Ctx, name: &str, outcome: Outcome, note: Option<Untrusted>) -> Result<IncidentView> {
    let mut acts = Vec::new();
    if outcome == Outcome::Resolved
        && let Ok(now) = figures_now(ctx, name, &FiguresRequest::default(), &Cancel::default())
        && now.figures.all.requests > 0
    {
        acts.push(Act::Attach { evidence: Evidence::Figures { figures: Box::new(now.figures) } });
    }
    acts.push(Act::Close { outcome, note });
    super::acts(ctx, name, acts, None)
}

fn count(ctx: &Ctx, incident: &Incident, request: &FiguresRequest, cancel: &Cancel) -> Result<Figures> {
    let until = incident.closed.as_ref().map_or_else(|| ctx.clock.now(), |closing| closing.at);
    let since = request
        .since
        .or(incident.began_at)
        .unwrap_or_else(|| incident.opened_at.saturating_sub(LOOK_BACK).unwrap_or(incident.opened_at));
    let since = since.min(until);
    let mut query = match &incident.feature {
        Some(feature) => {
            Query::all().with(Term::Name { field: NameField::Feature, any: vec![Word::exact(feature.raw())] })
        }
        None => Query::all(),
    };
    if let Some(only) = &request.only {
        query = query.and(only.clone());
    }
    let mut taken = figures::figures(ctx, &query, since, until, cancel)?;
    let before = since.saturating_sub(until.duration_since(since)).unwrap_or(since);
    taken.before = Some(figures::figures(ctx, &query, before, since, cancel)?.all);
    Ok(taken)
}

/// A line of figures in words, as both faces and the post-mortem show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TallyWords {
    /// What is counted: `all`, `as long before`, or a prompt's version.
    pub name: Untrusted,
    /// Requests.
    pub requests: String,
    /// Errors, their share and its 95 % interval.
    pub errors: String,
    /// Thumbs down, their share of all thumbs and its 95 % interval.
    pub thumbs_down: String,
    /// Different users.
    pub users: String,
    /// Users with an error or a thumb down.
    pub users_hit: String,
    /// 95th percentile of the time a request took.
    pub p95: String,
    /// Mean cost of a request.
    pub cost: String,
    /// When the first of them was.
    pub first: Option<Timestamp>,
}

impl TallyWords {
    /// What the columns are called.
    pub const HEADINGS: [&str; 8] =
        ["", "requests", "errors", "thumbs down", "users", "users hit", "p95", "cost/request"];

    /// Each line of these figures: all, as long before, then version by version.
    pub fn of(taken: &Figures) -> Vec<Self> {
        let before = taken.before.iter().map(|tally| Self::line(&"as long before".into(), tally));
        let versions = taken.by_version.iter().map(|(name, tally)| Self::line(name, tally));
        [Self::line(&"all".into(), &taken.all)].into_iter().chain(before).chain(versions).collect()
    }

    /// The words in the order of the headings.
    pub fn cells(self) -> [String; 8] {
        let Self { name, requests, errors, thumbs_down, users, users_hit, p95, cost, .. } = self;
        [name.into_raw(), requests, errors, thumbs_down, users, users_hit, p95, cost]
    }

    fn line(name: &Untrusted, tally: &Tally) -> Self {
        let count = |n: u64| words::thousands(i64::try_from(n).unwrap_or(i64::MAX));
        let share = |part: u64, of: u64| match wilson(part as f64, of as f64, 0.95) {
            None => count(part),
            Some(interval) => format!(
                "{} ({} [{}, {}])",
                count(part),
                words::percent(part as f64 / of as f64),
                words::fixed(interval.lower * 100.0, 1),
                words::fixed(interval.upper * 100.0, 1)
            ),
        };
        let known = |text: Option<String>| text.unwrap_or_else(|| words::UNKNOWN.to_owned());
        Self {
            name: name.clone(),
            requests: count(tally.requests),
            errors: share(tally.errors, tally.requests),
            thumbs_down: share(tally.thumbs_down, tally.thumbs_up + tally.thumbs_down),
            users: known(tally.users.map(count)),
            users_hit: known(tally.users_hit.map(count)),
            p95: known(tally.p95_ms.map(words::duration)),
            cost: known(tally.cost_per_request_usd.map(words::dollars)),
            first: tally.seen.map(|(first, _)| first),
        }
    }
}
