//! What an alert stands on: the slices that explain most of the excess, the traces to look at first.

use std::collections::BTreeMap;

use super::instance::{Instance, KINDS};
use super::latency::{in_words, times};
use super::look::Look;
use super::pin::heard;
use super::world::World;
use crate::domain::monitor::{DAY_MS, Evidence, Life, Metric, SliceShare, Times};
use crate::domain::query::{
    FeedbackWord, NameField, NumberField, NumberTest, PromptRef, Term, TimeBound, TimeRange, Word,
};
use crate::domain::{Query, Result};
use crate::ops::Ctx;
use crate::stats::{SliceCell, attribute};
use crate::store::{Against, Example, SliceCount};
use crate::text::clean_line;
use crate::text::figures::{dollars, duration, percent, share_within, thousands};

/// Dimensions of attribution, in the order of [`SliceCount::values`].
const DIMENSIONS: [&str; 3] = ["model", "prompt", "topic"];
/// Traces read of the window, and of the time before it.
const MOST: usize = 20_000;
/// Traces named.
const EXAMPLES: usize = 10;
/// Slices kept.
const SLICES: usize = 5;
/// The time before the window that slices are held against.
const BEFORE_MS: i64 = 7 * DAY_MS;

/// The evidence of a look. `life` knows earlier alerts.
pub(super) fn gather(
    ctx: &Ctx,
    of: &Instance<'_>,
    life: &Life,
    world: &World,
    seen: &Look,
) -> Result<Evidence> {
    let query = query(of, world, seen);
    let mut evidence = Evidence {
        summary: String::new(),
        metric: of.rule.metric.name().to_owned(),
        value: seen.value,
        interval: seen.interval,
        usual: seen.usual,
        n: seen.n,
        count: seen.count,
        p_value: seen.p_value,
        latency: times(ctx, of, seen.window)?,
        window: Some([instant(seen.window.0), instant(seen.window.1)]),
        query: query.to_string(),
        ..Evidence::default()
    };
    if let Some(against) = against(of) {
        let now = ctx.store.cells(&of.cut, seen.window, against, MOST)?;
        // What was bad before is no part of what is usual.
        let over = life.bad_times.iter().map(|(_, to)| *to).filter(|to| *to <= seen.window.0);
        let clean = over.max().unwrap_or(i64::MIN);
        let before = ((seen.window.0 - BEFORE_MS).max(clean), seen.window.0);
        let (before, _) = ctx.store.cells(&of.cut, before, against, MOST)?;
        explain(&mut evidence, now.0, before, now.1);
    } else if of.rule.metric == Metric::FailShare {
        let heard = heard(of, life, world);
        let told = world.settled_of(of.feature, &heard);
        let failed = told.filter(|(one, failed)| *failed && one.ts < seen.at);
        evidence.traces = failed.map(|(one, _)| one.trace.clone()).collect();
        evidence.traces.reverse();
        evidence.traces.truncate(EXAMPLES);
    }
    evidence.summary = summary(of, seen, &evidence);
    Ok(evidence)
}

/// What counts against a metric, where traces can say so.
fn against(of: &Instance<'_>) -> Option<Against> {
    match of.rule.metric {
        Metric::ErrorShare(_) => of.kind.map(Against::Error),
        Metric::FallbackShare => Some(Against::Fallback),
        Metric::NegativeShare => Some(Against::Negative),
        Metric::SlowShare(ms) => Some(Against::Slow(ms)),
        _ => None,
    }
}

fn explain(
    evidence: &mut Evidence,
    now: Vec<SliceCount>,
    before: Vec<SliceCount>,
    mut examples: Vec<Example>,
) {
    // Of very much traffic the newest part was read, and stands for all of it.
    let read: u64 = now.iter().map(|cell| cell.n).sum();
    let scale = (evidence.n as f64 / read.max(1) as f64).max(1.0);
    let mut cells: BTreeMap<[String; 3], SliceCell> = BTreeMap::new();
    for (cell, is_now) in
        now.into_iter().map(|cell| (cell, true)).chain(before.into_iter().map(|cell| (cell, false)))
    {
        let figures = (cell.n as f64, cell.count as f64);
        let slot = cells
            .entry(cell.values.clone())
            .or_insert_with(|| SliceCell { values: cell.values.to_vec(), ..SliceCell::default() });
        if is_now { slot.now = figures } else { slot.before = figures }
    }
    let found = attribute(&cells.into_values().collect::<Vec<_>>());
    evidence.excess = Some(found.excess.max(0.0) * scale);
    evidence.slices = found
        .ranked
        .iter()
        .take(SLICES)
        .map(|one| SliceShare {
            slice: one
                .slice
                .iter()
                .map(|(at, value)| (DIMENSIONS[*at].to_owned(), value.as_str().into()))
                .collect(),
            n: (one.now.0 * scale).round() as u64,
            count: (one.now.1 * scale).round() as u64,
            excess: one.excess * scale,
            share: one.share,
            rate_outside: one.rate_outside,
        })
        .collect();
    // Those of the telling slice first, then the worst, then the newest.
    let telling = found.ranked.first().map(|one| one.slice.clone()).unwrap_or_default();
    let within = |one: &Example| telling.iter().all(|(at, value)| one.values[*at] == *value);
    examples.sort_by_key(|one| std::cmp::Reverse((within(one), one.weight, one.at)));
    evidence.traces = examples.into_iter().take(EXAMPLES).map(|one| one.id).collect();
}

/// The query of all traces that count against the rule in the window.
fn query(of: &Instance<'_>, world: &World, seen: &Look) -> Query {
    let mut query = Query::all();
    if let Some(name) = of.feature.and_then(|id| world.names.get(&id)) {
        let any = vec![Word::exact(name.raw())];
        query = query.with(Term::Name { field: NameField::Feature, any });
    }
    let name = |id: Option<i64>| id.and_then(|id| world.names.get(&id)).map(|name| Word::exact(name.raw()));
    for (field, id) in [(NameField::Model, of.cut.model), (NameField::Language, of.cut.language)] {
        if let Some(word) = name(id) {
            query = query.with(Term::Name { field, any: vec![word] });
        }
    }
    let prompt = PromptRef { name: name(of.cut.prompt), version: name(of.cut.version) };
    if prompt.name.is_some() || prompt.version.is_some() {
        query = query.with(Term::Prompt(vec![prompt]));
    }
    let within =
        TimeRange::Within(TimeBound::At(instant(seen.window.0)), TimeBound::At(instant(seen.window.1)));
    query = query.with(Term::Time(within));
    match of.rule.metric {
        Metric::FailShare => query.with(Term::Judged(vec![false])),
        Metric::ErrorShare(_) => {
            query.with(Term::Error(of.kind.map(|kind| KINDS[kind]).into_iter().collect()))
        }
        Metric::FallbackShare => query.with(Term::Fallback(vec![true])),
        Metric::NegativeShare => {
            query.with(Term::Feedback(vec![FeedbackWord::Down, FeedbackWord::Report, FeedbackWord::FollowUp]))
        }
        Metric::SlowShare(ms) => {
            query.with(Term::Number { field: NumberField::Latency, test: NumberTest::Gt(ms * 1000) })
        }
        _ => query,
    }
}

/// The look in one line: the figure, of how many, what is usual, and the slice that explains it.
fn summary(of: &Instance<'_>, seen: &Look, evidence: &Evidence) -> String {
    let mut text = figure(of, seen, evidence.latency.as_ref());
    if let (Some(first), Some(excess)) =
        (evidence.slices.first(), evidence.excess.filter(|excess| *excess >= 1.0))
    {
        text.push_str(&format!(
            "; {}: {} of {} more than usual",
            slice_words(first),
            first.excess.min(excess).round(),
            excess.round()
        ));
    }
    text
}

fn slice_words(slice: &SliceShare) -> String {
    let names = slice.slice.iter().map(|(name, value)| format!("{name} {}", clean_line(value.raw())));
    names.collect::<Vec<_>>().join(" × ")
}

/// The evidence as a title: the figure without what is said of it, and the slice that explains it.
pub(super) fn headline(evidence: &Evidence) -> String {
    let text = evidence.summary.as_str();
    let is_open = |before: &str| before.matches('[').count() > before.matches(']').count();
    let ends = [", ", "; "].into_iter().flat_map(|sign| text.match_indices(sign)).map(|(at, _)| at);
    let figure = ends.filter(|at| !is_open(&text[..*at])).min().map_or(text, |end| &text[..end]);
    match evidence.slices.first().filter(|_| evidence.excess.is_some_and(|excess| excess >= 1.0)) {
        Some(slice) => format!("{figure} · {}", slice_words(slice)),
        None => figure.to_owned(),
    }
}

/// The figure in words: `9.8 % [8.4, 11.4] of 1,512 in 24 h, usually 4.1 %`.
pub(super) fn figure(of: &Instance<'_>, seen: &Look, latency: Option<&Times>) -> String {
    let Some(value) = seen.value else { return seen.note.clone() };
    let span = duration((seen.window.1 - seen.window.0) as f64);
    let n = thousands(seen.n.cast_signed());
    let usual = |text: String| seen.usual.map_or_else(String::new, |_| format!(", usually {text}"));
    match of.rule.metric {
        Metric::SessionCost => {
            let interval = seen.interval.map_or_else(String::new, |[a, b]| format!(" [{a:.2}, {b:.2}]"));
            format!("{value:.2} times the usual cost{interval} of {n} sessions in {span}; {}", seen.note)
        }
        Metric::RequestCost => {
            format!(
                "{} a request of {n} in {span}{}; {}",
                dollars(value),
                usual(dollars(seen.usual.unwrap_or(0.0))),
                seen.note
            )
        }
        Metric::Spend => seen.note.clone(),
        Metric::Requests => match seen.note.as_str() {
            "" => format!("{n} requests in the last hour"),
            silent => format!("{silent}; {value:.1} requests were to be expected in it"),
        },
        Metric::FailShare => {
            let chart = if seen.note.is_empty() { String::new() } else { format!("; {}", seen.note) };
            format!(
                "{} of the last {n} judged fail, target {}{chart}",
                share_within(value, seen.interval),
                percent(seen.usual.unwrap_or(0.0))
            )
        }
        _ if seen.note.contains("budget") => format!("{value:.1} {} ({n} requests in {span})", seen.note),
        Metric::SlowShare(ms) => format!(
            "{}{} of {n} over {} in {span}{}",
            latency.map_or_else(String::new, |times| format!("{}; ", in_words(times))),
            share_within(value, seen.interval),
            duration(ms as f64),
            usual(percent(seen.usual.unwrap_or(0.0)))
        ),
        _ => format!(
            "{} of {n} in {span}{}",
            share_within(value, seen.interval),
            usual(percent(seen.usual.unwrap_or(0.0)))
        ),
    }
}

/// A time of milliseconds since the epoch.
pub(super) fn instant(ms: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(ms).unwrap_or_default()
}
