//! An incident of the store, assessed.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::detect::ALERTS;
use super::figures::{Assessment, Found, Names, SeverityView, Spec, Way, figures, find};
use super::gather::Part;
use super::measure::Measure;
use super::near::{self, Change, ChangeKind};
use super::slices::SliceView;
use super::{NONE, instant};
use crate::domain::incident::Incident;
use crate::domain::monitor::Alert;
use crate::domain::query::{NameField, PromptRef, Term, TimeBound, TimeRange, Word};
use crate::domain::runbook::Severity;
use crate::domain::switch::SwitchOf;
use crate::domain::{Error, Query, Result, Taxonomy, Untrusted, nearest};
use crate::ops::{Ctx, taxonomy};
use crate::store::{Beside, IncidentRef, NameKind, RequestRow};
use crate::task::Cancel;
use crate::text::figures::percent;

/// What is wanted of an assessment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AssessRequest {
    /// What counts as failing; `None`: what the incident's alert was about, else people's and evaluators' verdicts
    /// where there are enough, else errors and complaints.
    pub measure: Option<Measure>,
    /// Up to when; `None`: now, or when the incident was closed.
    pub until: Option<Timestamp>,
}

/// Assesses the incident named `INC-7`, `7` or by its UUID, up to now or to when it was closed. Reads the requests
/// of its feature of up to four weeks; stops between blocks when asked to.
///
/// # Errors
/// `NotSo` when there is no such incident, or its feature has no traces; `Cancelled`.
pub fn assess(ctx: &Ctx, name: &str, request: AssessRequest, cancel: &Cancel) -> Result<Assessment> {
    let subject = Subject::of(ctx, name, request)?;
    let mut found = subject.find(ctx, cancel)?;
    subject.assessment(ctx, &mut found)
}

/// An incident, and what of the traffic is looked at.
pub(super) struct Subject {
    pub incident: Incident,
    pub feature: Option<i64>,
    pub spec: Spec,
}

impl Subject {
    /// The incident of this name, by a measure, or by what suits it.
    pub fn of(ctx: &Ctx, name: &str, request: AssessRequest) -> Result<Self> {
        let AssessRequest { measure, until } = request;
        let incident = ctx.store.incident(&IncidentRef::parse(name)?)?.incident;
        let over = incident.closed.as_ref().map_or_else(|| ctx.clock.now(), |closing| closing.at);
        let until = until.map_or(over, |until| until.min(over)).as_millisecond();
        let feature = incident.feature.as_ref().map(|name| feature_id(ctx, name)).transpose()?;
        let measure = match measure {
            Some(measure) => Some(measure),
            None => of_its_alert(ctx, &incident)?.and_then(|alert| Measure::of_alert(&alert.evidence)),
        };
        let spec = Spec {
            opened: incident.opened_at.as_millisecond(),
            began: incident.began_at.map(|at| at.as_millisecond()),
            until,
            measure,
        };
        Ok(Self { incident, feature, spec })
    }

    /// Looks for the onset, and counts before it and since.
    pub fn find(&self, ctx: &Ctx, cancel: &Cancel) -> Result<Found> {
        let mut source = |times: (i64, i64), beside: Beside, each: &mut dyn FnMut(&RequestRow)| {
            ctx.store.each_request(self.feature, times, beside, cancel, each)
        };
        find(&mut source, &self.spec)
    }

    /// What that says.
    pub fn assessment(&self, ctx: &Ctx, found: &mut Found) -> Result<Assessment> {
        let now = ctx.clock.now().as_millisecond();
        let (mut assessment, worst) = figures(found, now, &mut Lookup::new(ctx))?;
        let Self { incident, feature, .. } = self;
        assessment.incident = incident.name();
        assessment.feature.clone_from(&incident.feature);
        assessment.examples = ctx.store.ids_at(&worst)?;
        say_queries(&mut assessment, found, incident.feature.as_ref());
        add_acts(ctx, &mut assessment, incident.feature.as_ref())?;
        add_modes(ctx, &mut assessment, incident, *feature, found)?;
        Ok(assessment)
    }
}

pub(super) fn feature_id(ctx: &Ctx, name: &Untrusted) -> Result<i64> {
    if let Some(id) = ctx.store.name_id(NameKind::Feature, name.raw())? {
        return Ok(id);
    }
    let names = ctx.store.names_of(NameKind::Feature)?;
    let error = Error::not_so(format!("No trace has the feature {}.", name.raw()));
    Err(match nearest(name.raw(), names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("Did you mean {near}? `tuesday incident feature ID {near}`.")),
        None => error.hint("Say what the incident is about: `tuesday incident feature ID NAME`."),
    })
}

/// The alert that the incident was opened for.
pub(super) fn of_its_alert(ctx: &Ctx, incident: &Incident) -> Result<Option<Alert>> {
    let alerts = ctx.store.alerts(false, ALERTS)?;
    Ok(alerts.into_iter().find(|alert| alert.incident.as_deref() == Some(&incident.name())))
}

/// Names by their ids, each read once.
pub(super) struct Lookup<'a> {
    ctx: &'a Ctx,
    known: HashMap<i64, Option<String>>,
}

impl<'a> Lookup<'a> {
    /// Nothing read yet.
    pub fn new(ctx: &'a Ctx) -> Self {
        Self { ctx, known: HashMap::new() }
    }

    /// The name of a prompt version: `customer_support@v4`.
    pub fn version(&mut self, prompt: i64, version: i64) -> Result<String> {
        self.value(0, (prompt, version))
    }

    fn name(&mut self, id: i64) -> Result<Option<String>> {
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        let name = self.ctx.store.name_text(id)?.map(Untrusted::into_raw);
        self.known.insert(id, name.clone());
        Ok(name)
    }
}

impl Names for Lookup<'_> {
    fn value(&mut self, at: usize, (a, b): (i64, i64)) -> Result<String> {
        let (first, second) = (self.name(a)?, self.name(b)?);
        let joint = if at == 0 { "@" } else { "/" };
        Ok(match (first, second) {
            (None, None) => NONE.to_owned(),
            (Some(first), None) => first,
            (first, Some(second)) => format!("{}{joint}{second}", first.unwrap_or_default()),
        })
    }

    fn part(&mut self, part: Part) -> Result<String> {
        match part {
            Part::Version(prompt, version) => self.value(0, (prompt, version)),
            Part::Model(model) => self.value(2, (model, 0)),
        }
    }
}

/// Fills in the queries that lead to the failing requests.
fn say_queries(assessment: &mut Assessment, found: &Found, feature: Option<&Untrusted>) {
    let [from, to] = assessment.window;
    let range = TimeRange::Within(TimeBound::At(from), TimeBound::At(to));
    let mut base = Query::all();
    if let Some(name) = feature {
        base = base.with(exact(NameField::Feature, name.raw()));
    }
    let base = base.with(Term::Time(range));
    let errors: u64 = assessment
        .ways
        .iter()
        .filter(|way| ["timeout", "rate_limit", "content_policy", "other_error"].contains(&way.name.raw()))
        .map(|way| way.count)
        .sum();
    let mostly_errors = 2 * errors > assessment.rate.as_ref().map_or(0, |rate| rate.fails);
    assessment.query = found.measure.failing(base.clone(), mostly_errors).to_string();
    for view in &mut assessment.slices.ranked {
        let within = slice_query(base.clone(), view);
        view.query = found.measure.failing(within, mostly_errors).to_string();
    }
}

fn exact(field: NameField, name: &str) -> Term {
    Term::Name { field, any: vec![Word::exact(name)] }
}

/// The traces of a slice; a value that is no name is not asked for.
fn slice_query(mut query: Query, view: &SliceView) -> Query {
    for (dimension, value) in &view.slice {
        let value = value.raw();
        if value == NONE {
            continue;
        }
        let word = |text: &str| (!text.is_empty()).then(|| Word::exact(text));
        query = match dimension.as_str() {
            "prompt" => {
                let (name, version) = value.rsplit_once('@').unwrap_or((value, ""));
                query.with(Term::Prompt(vec![PromptRef { name: word(name), version: word(version) }]))
            }
            "kind" => query.with(exact(NameField::Tag, value)),
            "model" => query.with(exact(NameField::Model, value)),
            "language" => query.with(exact(NameField::Language, value)),
            "feature" => query.with(exact(NameField::Feature, value)),
            _ => {
                let (experiment, arm) = value.rsplit_once('/').unwrap_or((value, ""));
                let query = query.with(exact(NameField::Experiment, experiment));
                if arm.is_empty() { query } else { query.with(exact(NameField::Arm, arm)) }
            }
        };
    }
    query
}

/// Adds what people did about the time of the onset.
fn add_acts(ctx: &Ctx, assessment: &mut Assessment, feature: Option<&Untrusted>) -> Result<()> {
    let (Some(at), Some([first, last])) = (assessment.onset.at, assessment.onset.plausible) else {
        return Ok(());
    };
    let about = (first.as_millisecond() - near::ABOUT_MS, last.as_millisecond() + near::ABOUT_MS);
    let mut add = |ms: i64, kind: ChangeKind, name: Untrusted| {
        if (about.0..=about.1).contains(&ms) {
            let before_ms = at.as_millisecond() - ms;
            assessment.near.push(Change { at: instant(ms), kind, name, before_ms });
        }
    };
    for mark in ctx.store.marks(feature.map(Untrusted::raw), about)? {
        add(mark.at.as_millisecond(), ChangeKind::Marked, mark.text);
    }
    if let Some(feature) = feature {
        for of in [SwitchOf::Feature, SwitchOf::Prompt] {
            let mut acts: BTreeMap<String, _> = BTreeMap::new();
            for event in ctx.store.switches(of, feature.raw())? {
                acts.insert(event.act.clone(), event);
            }
            for event in acts.into_values() {
                let was = event.from.as_ref().map_or("?", Untrusted::raw);
                let name = format!("{} {} {was} -> {}", of.name(), feature.raw(), event.to.raw());
                add(event.at.as_millisecond(), ChangeKind::Switched, name.into());
            }
        }
    }
    assessment.near.sort_by_key(|change| (change.before_ms.abs(), change.kind));
    Ok(())
}

/// What a failure mode is called.
pub(super) fn mode_name(taxonomy: &Taxonomy, id: &str) -> Untrusted {
    let known = taxonomy.all().iter().find(|known| known.id.as_str() == id);
    known.map_or_else(|| id.into(), |known| known.name.clone())
}

/// Adds what people said of the failing traces, and what severity it all comes to.
fn add_modes(
    ctx: &Ctx,
    assessment: &mut Assessment,
    incident: &Incident,
    feature: Option<i64>,
    found: &Found,
) -> Result<()> {
    let named = ctx.store.failures_named(feature, found.window)?;
    let total: u64 = named.iter().map(|one| one.count).sum();
    let taxonomy = taxonomy::show(ctx)?;
    let mut modes: BTreeMap<String, u64> = BTreeMap::new();
    for one in &named {
        *modes.entry(one.mode.clone().unwrap_or_else(|| NONE.to_owned())).or_default() += one.count;
    }
    let mut modes: Vec<Way> = modes
        .into_iter()
        .map(|(mode, count)| {
            let name = mode_name(&taxonomy, &mode);
            Way { name, count, share: count as f64 / total.max(1) as f64 }
        })
        .collect();
    modes.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    assessment.modes = modes;
    let critical = named.iter().filter(|one| one.severity.as_deref() == Some("critical"));
    let unsafe_count: u64 = critical.map(|one| one.count).sum();
    let costs = (found.gathered.before.mean_cost(), found.gathered.now.mean_cost());
    let cost_ratio = match costs {
        (Some(before), Some(now)) if before > 0.0 => Some(now / before),
        _ => None,
    };
    assessment.severity = severity(assessment, incident, unsafe_count, cost_ratio);
    Ok(())
}

/// The severity by the runbook's rules, where `users` is the share of users hit above usual: what happens every day is
/// no incident.
fn severity(
    assessment: &Assessment,
    incident: &Incident,
    unsafe_count: u64,
    cost_ratio: Option<f64>,
) -> SeverityView {
    // Chance is no harm.
    let above = assessment.is_above();
    let share = assessment.users.and_then(|users| users.share_above).filter(|_| above);
    let suggested = incident.runbook.book.suggest(|figure| match figure {
        "users" => share,
        "unsafe" => Some(unsafe_count as f64),
        "cost_ratio" => cost_ratio,
        "requests" => Some(assessment.requests as f64),
        "errors" => assessment.rate.as_ref().map(|rate| rate.now),
        _ => None,
    });
    let mut why = Vec::new();
    if let Some(share) = share {
        why.push(format!("{} of users above usual", percent(share)));
    }
    if unsafe_count > 0 {
        why.push(format!("{unsafe_count} labelled critical"));
    }
    if let Some(ratio) = cost_ratio.filter(|ratio| *ratio >= 1.5) {
        why.push(format!("{ratio:.1} times the usual cost"));
    }
    // No rule holds: the least, where it is known that anything is wrong.
    let least = share.map(|_| Severity::Sev4);
    SeverityView { suggested: suggested.or(least), why: why.join(", ") }
}
