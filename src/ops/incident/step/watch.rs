//! A monitor step: one clean hour and enough requests. A breach starts the clock again; what is not proven says what
//! it still needs.
//!
//! The watch is worked out from the record and the traces whenever somebody looks: nothing has to run meanwhile. Time
//! counts as clean only where traces came, or so few were to be expected that none is no wonder.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::ground::Ground;
use super::look::subject;
use crate::domain::incident::{Act, Acting, Watch};
use crate::domain::runbook::template::VersionName;
use crate::domain::runbook::{Bound, Criterion, Op, Phase, StepKind};
use crate::domain::{Error, Result, Untrusted};
use crate::ops::measure::{Counts, Metric, Subject, Wanted, counts, cut, judgements, measure};
use crate::stats::{binomial_upper, clopper_pearson, proof_below};
use crate::store::{Cut, NameKind, Sums};
use crate::text::figures as words;

/// The probability below which so many failures are no chance.
const BREACH: f64 = 0.01;
/// The confidence of a criterion that says none.
const PROVE: f64 = 0.95;
/// A gap in which so many requests were to be expected is no wonder that none came.
const GAP: f64 = 5.0;
/// What is usual is taken over so long before the harm.
const USUAL: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Looks at a watch, at most: one that was left alone for weeks is looked at less finely.
const LOOKS: i64 = 2_000;

/// A watch as it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WatchView {
    /// `INC-7`.
    pub incident: String,
    /// The step's id.
    pub step: String,
    /// Its title.
    pub title: Untrusted,
    /// Where it stands.
    pub state: WatchState,
    /// When it began.
    pub begun_at: Timestamp,
    /// Since when nothing was amiss.
    pub clean_from: Timestamp,
    /// How long that is proven by data, in milliseconds.
    pub clean_ms: u64,
    /// How long it must be.
    pub for_ms: u64,
    /// Time without data that does not count, in milliseconds.
    pub unseen_ms: u64,
    /// When the clock started again, and why.
    pub resets: Vec<Reset>,
    /// The stages, in percent of the traffic, and how each stands.
    pub stages: Vec<StageView>,
    /// What must hold.
    pub criteria: Vec<CriterionView>,
    /// What to do next.
    pub next: Vec<String>,
}

/// A breach.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reset {
    /// When.
    pub at: Timestamp,
    /// What.
    pub why: Untrusted,
}

/// Where a watch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WatchState {
    /// It goes on.
    Watching,
    /// This stage was held: the next one can be entered.
    StageHeld,
    /// It is over: all was held for long enough, and proven.
    Held,
}

/// A stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StageView {
    /// Its share of the traffic.
    pub percent: u8,
    /// `done`, `running`, `next`.
    pub state: &'static str,
}

/// A criterion as it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CriterionView {
    /// What it is called.
    pub title: String,
    /// How many of how many since the clock started.
    pub k: u64,
    /// Of how many.
    pub n: u64,
    /// The figure.
    pub value: Option<f64>,
    /// The one-sided bound of Clopper and Pearson on the side that must be proven.
    pub bound: Option<f64>,
    /// What it is held against: `< 12.5 %`.
    pub must: String,
    /// The limit itself; none where there is nothing to make it of.
    pub limit: Option<f64>,
    /// Clean ones that are still missing; none where it is proven, or more than ten million.
    pub needs: Option<u64>,
    /// How it stands.
    pub state: CriterionState,
}

/// How a criterion stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CriterionState {
    /// It does not hold, and that is no chance.
    Breach,
    /// It holds, and that is no chance.
    Proven,
    /// There is too little to tell.
    Unproven,
}

impl CriterionState {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Breach => "BREACH",
            Self::Proven => "proven",
            Self::Unproven => "UNPROVEN",
        }
    }
}

/// Looks at the watch: begins it, starts its clock again at each breach, ends it when all was held. `enter`: a stage
/// that was held is left for the next one.
pub(super) fn advance(ground: Ground<'_>, enter: bool) -> Result<WatchView> {
    let mut ground = ground;
    let StepKind::Monitor { for_ms, every_ms, stages, must } = ground.step().kind.clone() else {
        return Err(Error::not_so(format!("“{}” does not watch.", ground.step().title.raw())));
    };
    let id = ground.step().id.clone();
    if ground.incident.steps[ground.index].acts.watch.is_none() {
        let bounds = must.iter().map(|of| bound(&ground, of)).collect::<Result<_>>()?;
        let first = stages.first().map(|stage| Acting::Stage { step: id.clone(), stage: *stage });
        let watch = Acting::Watch { step: id.clone(), bounds };
        ground = write(ground, [watch].into_iter().chain(first), None)?;
    }
    // Each breach is written down at its own time.
    for _ in 0..LOOKS {
        let watch = watch_of(&ground)?;
        let track = Track::read(&ground, &watch, &must, i64::try_from(every_ms).unwrap_or(i64::MAX))?;
        let settled = ground.incident.steps[ground.index].state.is_settled();
        if let (Some((at, why)), false) = (track.first_breach(&must, &watch), settled) {
            ground = write(ground, [Acting::Reset { step: id.clone(), why: why.into() }], Some(at))?;
            continue;
        }
        let mut view = track.view(&ground, &watch, &must, (for_ms, &stages));
        match (view.state, enter, settled) {
            (WatchState::StageHeld, true, false) => {
                let next = next_stage(&stages, watch.stage);
                let stage = next.map(|stage| Acting::Stage { step: id.clone(), stage });
                ground = write(ground, stage, None)?;
                continue;
            }
            (WatchState::Held, _, false) => {
                let words = format!(
                    "clean for {} and all proven",
                    crate::domain::incident::span_words(view.clean_ms)
                );
                write(ground, [Acting::Watched { step: id.clone(), words: words.into() }], None)?;
                view.next.clear();
            }
            _ => {}
        }
        return Ok(view);
    }
    Err(Error::failed("The watch does not come to an end.").hint("Look at the traces of the feature."))
}

fn write<'a>(
    ground: Ground<'a>,
    acts: impl IntoIterator<Item = Acting>,
    at: Option<Timestamp>,
) -> Result<Ground<'a>> {
    let name = ground.incident.name();
    let acts = acts.into_iter().map(Act::Acting).collect();
    crate::ops::incident::acts(ground.ctx, &name, acts, at)?;
    Ground::find(ground.ctx, ground.hands, &name, &ground.step().id, ground.cancel)
}

fn watch_of(ground: &Ground<'_>) -> Result<Watch> {
    let watch = ground.incident.steps[ground.index].acts.watch.clone();
    let mut watch = watch.ok_or_else(|| Error::failed("The watch that was begun is not in the record."))?;
    // What could not be told when it began may be by now.
    if let StepKind::Monitor { must, .. } = &ground.step().kind {
        for (known, criterion) in watch.bounds.iter_mut().zip(must).filter(|(known, _)| known.is_none()) {
            *known = bound(ground, criterion)?;
        }
    }
    Ok(watch)
}

fn next_stage(stages: &[u8], now: Option<u8>) -> Option<u8> {
    let at = stages.iter().position(|stage| Some(*stage) == now).map_or(0, |at| at + 1);
    stages.get(at).copied()
}

fn version(ground: &Ground<'_>, of: &Criterion) -> Result<Option<String>> {
    let Some(named) = &of.version else { return Ok(None) };
    VersionName::from_name(named.raw())
        .map_or_else(|| Ok(named.raw().to_owned()), |which| ground.version(which))
        .map(Some)
}

/// What a criterion is held against: halfway between what is usual and what it was in the incident.
fn bound(ground: &Ground<'_>, of: &Criterion) -> Result<Option<f64>> {
    let Bound::Halfway = of.value else {
        return Ok(match of.value {
            Bound::Is(value) => Some(value),
            Bound::Halfway => None,
        });
    };
    let Subject::Metric(metric) = subject(&of.metric)? else { return Ok(None) };
    let incident = &ground.incident;
    let day_before = || incident.opened_at.saturating_sub(SignedDuration::from_hours(24));
    let began = incident.began_at.unwrap_or_else(|| day_before().unwrap_or(incident.opened_at));
    let contained = incident.settled[Phase::Contain.index()].unwrap_or_else(|| ground.now());
    let version = version(ground, of)?;
    let over = |from, to| {
        let wanted = Wanted {
            metric,
            feature: ground.feature(),
            version: version.as_deref(),
            window: (from, to),
            baseline_ms: None,
        };
        measure(ground.ctx, &wanted, ground.cancel).map(|reading| reading.value)
    };
    let usual = over(began.saturating_sub(USUAL).unwrap_or(began), began)?;
    let bad = over(began, contained.max(began))?;
    Ok(usual.zip(bad).map(|(usual, bad)| usual.midpoint(bad)))
}

/// What came since the clock started, look by look.
struct Track {
    from: i64,
    step: i64,
    /// Requests in each part.
    requests: Vec<u64>,
    /// For each criterion: the counts up to the end of each part.
    counts: Vec<Vec<Counts>>,
    titles: Vec<String>,
}

impl Track {
    fn read(ground: &Ground<'_>, watch: &Watch, must: &[Criterion], every: i64) -> Result<Self> {
        let (from, now) = (watch.clean_from.as_millisecond(), ground.now().as_millisecond());
        let step = every.max(1_000).max((now - from) / LOOKS + 1);
        // Only whole parts: one that is not over would be looked at by chance.
        let parts = usize::try_from((now - from).max(0) / step).unwrap_or(0);
        let to = from + i64::try_from(parts).unwrap_or(0) * step;
        let of = cut(ground.ctx, ground.feature())?;
        let read = |cut: Option<Cut>| match cut {
            Some(cut) if parts > 0 => ground.ctx.store.parts(cut, (from, to), step),
            _ => Ok(vec![Sums::default(); parts]),
        };
        let all = read(of)?;
        let requests = all.iter().map(|sums| sums.requests.max(0).cast_unsigned()).collect();
        let (mut series, mut titles) = (Vec::new(), Vec::new());
        for criterion in must {
            ground.cancel.check()?;
            let Subject::Metric(metric) = subject(&criterion.metric)? else { continue };
            let version = version(ground, criterion)?;
            let each: Vec<Counts> = if metric == Metric::FailShare {
                let mut parts = vec![Counts::default(); parts];
                for (at, failed) in judgements(ground.ctx, ground.feature(), (from, to))? {
                    if let Some(part) =
                        usize::try_from((at - from) / step).ok().and_then(|at| parts.get_mut(at))
                    {
                        part.n += 1;
                        part.k += u64::from(failed);
                    }
                }
                parts
            } else {
                let id = match &version {
                    Some(version) => ground.ctx.store.name_id(NameKind::PromptVersion, version)?,
                    None => None,
                };
                let of_version = match (metric, id, of) {
                    (Metric::PromptShare, Some(id), Some(cut)) => {
                        read(Some(Cut { version: Some(id), ..cut }))?
                    }
                    _ => vec![Sums::default(); parts],
                };
                all.iter().zip(&of_version).map(|(sums, version)| counts(metric, sums, version)).collect()
            };
            let mut sum = Counts::default();
            series.push(
                each.into_iter()
                    .map(|part| {
                        sum = Counts { k: sum.k + part.k, n: sum.n + part.n };
                        sum
                    })
                    .collect(),
            );
            titles.push(match version {
                Some(version) => format!("{version} {}", metric.title()),
                None => metric.title(),
            });
        }
        Ok(Self { from, step, requests, counts: series, titles })
    }

    fn time(&self, parts: usize) -> Timestamp {
        let ms = self.from + i64::try_from(parts).unwrap_or(0) * self.step;
        Timestamp::from_millisecond(ms).unwrap_or_default()
    }

    /// The first look at which something was amiss.
    fn first_breach(&self, must: &[Criterion], watch: &Watch) -> Option<(Timestamp, String)> {
        (0..self.requests.len()).find_map(|part| {
            must.iter().enumerate().find_map(|(at, criterion)| {
                let seen = self.counts.get(at)?.get(part)?;
                let limit = watch.bounds.get(at).copied().flatten()?;
                is_breach(*seen, criterion.op, limit).then(|| {
                    let share = words::percent(seen.k as f64 / seen.n.max(1) as f64);
                    let must = must_words(criterion.op, Some(limit));
                    let why =
                        format!("{} {share} ({} of {}), must be {must}", self.titles[at], seen.k, seen.n);
                    (self.time(part + 1), why)
                })
            })
        })
    }

    /// The time that is proven clean, and the time without data.
    fn clean(&self) -> (u64, u64) {
        let parts = self.requests.len() as f64;
        let rate = self.requests.iter().sum::<u64>() as f64 / parts.max(1.0);
        let (mut unseen, mut run) = (0usize, 0usize);
        for requests in self.requests.iter().copied().chain([u64::MAX]) {
            if requests == 0 {
                run += 1;
            } else {
                unseen += if run as f64 * rate >= GAP { run } else { 0 };
                run = 0;
            }
        }
        // Where nothing came at all, nothing is proven.
        let unseen = if rate == 0.0 { self.requests.len() } else { unseen };
        let step = self.step.unsigned_abs();
        ((self.requests.len() - unseen) as u64 * step, unseen as u64 * step)
    }

    fn view(
        &self,
        ground: &Ground<'_>,
        watch: &Watch,
        must: &[Criterion],
        (for_ms, stages): (u64, &[u8]),
    ) -> WatchView {
        let (clean_ms, unseen_ms) = self.clean();
        let criteria: Vec<CriterionView> = must
            .iter()
            .enumerate()
            .filter_map(|(at, criterion)| {
                let seen = self.counts.get(at)?.last().copied().unwrap_or_default();
                let limit = watch.bounds.get(at).copied().flatten();
                Some(criterion_view(self.titles[at].clone(), seen, criterion, limit))
            })
            .collect();
        let all_proven = criteria.iter().all(|one| one.state == CriterionState::Proven);
        let held = clean_ms >= for_ms && all_proven;
        let state = match (held, next_stage(stages, watch.stage)) {
            (true, Some(_)) if watch.stage.is_some() => WatchState::StageHeld,
            (true, _) => WatchState::Held,
            (false, _) => WatchState::Watching,
        };
        let at = stages.iter().position(|stage| Some(*stage) == watch.stage);
        let (name, id) = (ground.incident.name(), ground.step().id.clone());
        let next = match state {
            WatchState::Watching => vec![
                format!("tuesday incident verify {name}"),
                format!("tuesday incident step {name} {id} done --note \"accepted unproven: …\""),
            ],
            WatchState::StageHeld => vec![format!("tuesday incident step {name} {id}")],
            WatchState::Held => Vec::new(),
        };
        WatchView {
            incident: name,
            step: id,
            title: ground.step().title.clone(),
            state,
            begun_at: watch.begun_at,
            clean_from: watch.clean_from,
            clean_ms,
            for_ms,
            unseen_ms,
            resets: watch.resets.iter().map(|(at, why)| Reset { at: *at, why: why.clone() }).collect(),
            stages: stages
                .iter()
                .enumerate()
                .map(|(index, percent)| StageView {
                    percent: *percent,
                    state: match at {
                        Some(now) if index < now || state == WatchState::Held => "done",
                        Some(now) if index == now => "running",
                        _ => "next",
                    },
                })
                .collect(),
            criteria,
            next,
        }
    }
}

/// Of a limit that must not be exceeded, the failures are `k`; of one that must be reached, the others.
fn failures(seen: Counts, op: Op, limit: f64) -> (u64, f64) {
    match op {
        Op::Gt | Op::Ge => (seen.n - seen.k, 1.0 - limit),
        Op::Lt | Op::Le | Op::Eq => (seen.k, limit),
    }
}

/// Exact one-sided: so many or more by chance in less than one case of a hundred.
fn is_breach(seen: Counts, op: Op, limit: f64) -> bool {
    let (k, limit) = failures(seen, op, limit);
    seen.n > 0 && k as f64 > limit * seen.n as f64 && binomial_upper(k, seen.n, limit) <= BREACH
}

fn criterion_view(title: String, seen: Counts, of: &Criterion, limit: Option<f64>) -> CriterionView {
    let alpha = 1.0 - of.prove.unwrap_or(PROVE);
    let mut view = CriterionView {
        title,
        k: seen.k,
        n: seen.n,
        value: (seen.n > 0).then(|| seen.k as f64 / seen.n as f64),
        bound: None,
        must: must_words(of.op, limit),
        limit,
        needs: None,
        state: CriterionState::Unproven,
    };
    let Some(limit) = limit else { return view };
    let (k, at_most) = failures(seen, of.op, limit);
    if let Some(proof) = proof_below(k, seen.n, at_most, alpha) {
        let flipped = matches!(of.op, Op::Gt | Op::Ge);
        view.bound = Some(if flipped { 1.0 - proof.upper } else { proof.upper });
        view.needs = proof.needed.filter(|_| !proof.proven).map(|needed| needed - seen.n);
        if proof.proven {
            view.state = CriterionState::Proven;
        }
    } else {
        // Nought or all can be held, not proven.
        view.bound = clopper_pearson(seen.k, seen.n, 1.0 - 2.0 * alpha).map(|ends| ends.upper);
        if view.value.is_some_and(|value| of.op.holds(value, limit)) {
            view.state = CriterionState::Proven;
        }
    }
    if is_breach(seen, of.op, limit) {
        view.state = CriterionState::Breach;
    }
    view
}

fn must_words(op: Op, limit: Option<f64>) -> String {
    match limit {
        Some(limit) => format!("{} {}", op.sign(), words::percent(limit)),
        None => "not known".to_owned(),
    }
}
