//! Is it real, or is the meter broken: what the first phase of an incident shows.

use jiff::Timestamp;
use serde::Serialize;

use super::figures::DAY_MS;
use super::gather::Gathered;
use super::instant;
use super::measure::Measure;
use super::read::{feature_id, mode_name, of_its_alert};
use crate::domain::incident::{Incident, Outcome, incident_name};
use crate::domain::monitor::{Alert, AlertState, Monitors};
use crate::domain::query::failure_word;
use crate::domain::{
    FeedbackKind, Outcome as JudgeOutcome, Result, Status, Thumbs, Trace, Untrusted, judges_changed,
    speaking, stated_language,
};
use crate::ops::{Ctx, monitor, taxonomy};
use crate::stats::{CONFIDENCE, cohen_kappa};
use crate::store::{Beside, HOUR_MS, IncidentRef, JudgedSet};
use crate::task::Cancel;
use crate::text::clean_line;
use crate::text::figures::{duration, fixed};

/// Traces named.
const EXAMPLES: usize = 5;
/// Alerts read to find the incident's.
pub(super) const ALERTS: usize = 500;
/// Earlier incidents named.
const SIMILAR: usize = 3;
/// Milliseconds of the time in which judges and samples are looked at.
const METER_MS: i64 = 28 * DAY_MS;

/// What is known when an incident is detected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Detection {
    /// The incident.
    pub incident: String,
    /// When it was looked.
    pub as_of: Timestamp,
    /// The alert that it was opened for.
    pub alert: Option<AlertFacts>,
    /// Other alerts about the same feature that are out.
    pub also: Vec<AlertName>,
    /// What counts as failing in the next two.
    pub measure: &'static str,
    /// The share that fails in each of the last 24 hours, oldest first; `None` where nothing is known.
    pub trend: Vec<Option<f64>>,
    /// Whether the meter works.
    pub meter: Vec<MeterCheck>,
    /// Failing traces to read, the worst first.
    pub examples: Vec<ExampleView>,
    /// Earlier incidents of the same feature, the newest first.
    pub similar: Vec<Similar>,
}

/// The alert that an incident was opened for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertFacts {
    /// `A-7`.
    pub id: String,
    /// The rule.
    pub rule: String,
    /// When it was raised.
    pub fired_at: Timestamp,
    /// Whether it is out.
    pub state: AlertState,
    /// In one line, with the interval.
    pub summary: String,
    /// The figure, its interval, what is usual, of how many.
    pub value: Option<f64>,
    /// The 95 % interval.
    pub interval: Option<[f64; 2]>,
    /// What is usual.
    pub usual: Option<f64>,
    /// How many it is of.
    pub n: u64,
    /// The probability of this or worse when nothing changed.
    pub p_value: Option<f64>,
    /// False alarms a month that the rule is to be expected to raise; `None`: not known.
    pub expected_false_pages_per_month: Option<f64>,
}

/// An alert by its name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertName {
    /// `A-8`.
    pub id: String,
    /// The rule.
    pub rule: String,
    /// When it was raised.
    pub fired_at: Timestamp,
}

/// A look at the meter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeterCheck {
    /// `ingest`, `judge`, `sampling`, `agreement`.
    pub check: &'static str,
    /// Whether it is well; `None` where there is nothing to look at.
    pub ok: Option<bool>,
    /// In words.
    pub says: String,
}

/// A failing trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExampleView {
    /// Its id.
    pub id: Untrusted,
    /// When.
    pub at: Option<Timestamp>,
    /// Its language, where the source states it.
    pub language: Option<Untrusted>,
    /// The first words of the question.
    pub asked: Untrusted,
    /// How it fails: a failure mode, where somebody named one, else what is said of it.
    pub how: Untrusted,
}

/// An earlier incident.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Similar {
    /// `INC-3`.
    pub id: String,
    /// Its title.
    pub title: Untrusted,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// As what it was closed.
    pub outcome: Option<Outcome>,
}

/// What is known of the incident of this name at the moment of its detection. Reads a day of requests.
///
/// # Errors
/// `NotSo` when there is no such incident, or its feature has no traces; `Cancelled`.
pub fn detect(ctx: &Ctx, name: &str, monitors: &Monitors, cancel: &Cancel) -> Result<Detection> {
    let incident = ctx.store.incident(&IncidentRef::parse(name)?)?.incident;
    let feature = incident.feature.as_ref().map(|name| feature_id(ctx, name)).transpose()?;
    let alert = of_its_alert(ctx, &incident)?;
    let measure = alert.as_ref().and_then(|alert| Measure::of_alert(&alert.evidence));
    let measure = measure.unwrap_or(Measure::Complaints);
    let now = ctx.clock.now().as_millisecond();
    let until = incident.closed.as_ref().map_or(now, |closing| closing.at.as_millisecond());
    let from = until - DAY_MS;
    let mut gathered = Gathered::default();
    let mut hours = [(0_u64, 0_u64); 24];
    let mut newest = None;
    ctx.store.each_request(feature, (from, until), Beside::default(), cancel, |row| {
        newest = newest.max(Some(row.at));
        gathered.add(row, true, measure);
        if let (Some(fails), Some(hour)) = (
            measure.fails(row),
            usize::try_from((row.at - from) / HOUR_MS).ok().and_then(|hour| hours.get_mut(hour)),
        ) {
            hour.0 += 1;
            hour.1 += u64::from(fails);
        }
    })?;
    let requests = gathered.now.requests;
    let worst: Vec<i64> = gathered.worst(|_| true, EXAMPLES).iter().map(|bad| bad.seq).collect();
    let mut ids = alert.as_ref().map(|alert| alert.evidence.traces.clone()).unwrap_or_default();
    if ids.is_empty() {
        ids = ctx.store.ids_at(&worst)?;
    }
    ids.truncate(EXAMPLES);
    Ok(Detection {
        incident: incident.name(),
        as_of: instant(now),
        also: also(ctx, &incident, alert.as_ref())?,
        alert: alert.map(|alert| alert_facts(ctx, alert, monitors)).transpose()?,
        measure: measure.name(),
        trend: hours.iter().map(|(n, k)| (*n > 0).then(|| *k as f64 / *n as f64)).collect(),
        meter: meter(ctx, feature, (newest, requests), until)?,
        examples: ids.iter().filter_map(|id| example(ctx, id, measure).transpose()).collect::<Result<_>>()?,
        similar: similar(ctx, &incident)?,
    })
}

fn alert_facts(ctx: &Ctx, alert: Alert, monitors: &Monitors) -> Result<AlertFacts> {
    // A rule that is gone from the configuration has no price any more.
    let known = monitors.rules.iter().any(|rule| rule.id == alert.rule);
    let price = if known {
        monitor::show(ctx, monitors, &alert.rule)?.monitor.expected_false_pages_per_month
    } else {
        None
    };
    let (id, state) = (alert.name(), alert.state());
    let of = alert.evidence;
    Ok(AlertFacts {
        id,
        rule: alert.rule,
        fired_at: alert.fired_at,
        state,
        summary: of.summary,
        value: of.value,
        interval: of.interval,
        usual: of.usual,
        n: of.n,
        p_value: of.p_value,
        expected_false_pages_per_month: price,
    })
}

/// Other alerts that are out and about the same feature.
fn also(ctx: &Ctx, incident: &Incident, own: Option<&Alert>) -> Result<Vec<AlertName>> {
    let out = ctx.store.alerts(true, ALERTS)?.into_iter().filter(|alert| {
        let feature = alert.group.get("feature");
        own.is_none_or(|own| own.number != alert.number)
            && (feature.is_none() || incident.feature.is_none() || feature == incident.feature.as_ref())
    });
    Ok(out.map(|alert| AlertName { id: alert.name(), rule: alert.rule, fired_at: alert.fired_at }).collect())
}

/// A failing trace; `None` where it has been deleted since.
fn example(ctx: &Ctx, id: &Untrusted, measure: Measure) -> Result<Option<ExampleView>> {
    const WORDS: usize = 60;
    let Ok(found) = ctx.store.wanted_trace(id) else { return Ok(None) };
    let modes = ctx.store.labels_of(id)?.into_iter().find_map(|row| row.body.mode);
    let how = match modes {
        Some(mode) => mode_name(&taxonomy::show(ctx)?, mode.as_str()),
        None => said_of(&found.trace, measure).replace('_', " ").into(),
    };
    Ok(Some(ExampleView {
        id: id.clone(),
        at: found.trace.time,
        language: stated_language(&found.trace.metadata).map(Untrusted::from),
        asked: found.trace.input.asked(WORDS),
        how,
    }))
}

/// How a trace fails, by itself.
fn said_of(trace: &Trace, measure: Measure) -> &'static str {
    if trace.status == Status::Error {
        return trace.error_kind.map_or("error", failure_word);
    }
    let said = |kind: &dyn Fn(&FeedbackKind) -> bool| trace.feedback.iter().any(|one| kind(&one.kind));
    if said(&|kind| matches!(kind, FeedbackKind::Report)) {
        "reported"
    } else if said(&|kind| matches!(kind, FeedbackKind::Thumbs(Thumbs::Down))) {
        "thumbs down"
    } else if said(&|kind| matches!(kind, FeedbackKind::FollowUp)) {
        "asked again"
    } else {
        measure.name()
    }
}

fn similar(ctx: &Ctx, incident: &Incident) -> Result<Vec<Similar>> {
    let others = ctx.store.incidents()?.into_iter().filter(|row| {
        row.number != incident.number
            && row.feature == incident.feature
            && row.opened_at <= incident.opened_at
    });
    let mut others: Vec<Similar> = others
        .map(|row| Similar {
            id: incident_name(row.number),
            title: row.title,
            opened_at: row.opened_at,
            outcome: row.closed.map(|(_, outcome)| outcome),
        })
        .collect();
    others.sort_by_key(|one| std::cmp::Reverse(one.opened_at));
    others.truncate(SIMILAR);
    Ok(others)
}

/// Whether what is seen is the product's doing, or the meter's.
fn meter(
    ctx: &Ctx,
    feature: Option<i64>,
    (newest, requests): (Option<i64>, u64),
    until: i64,
) -> Result<Vec<MeterCheck>> {
    let samples = ctx.store.samples()?;
    let mut drawn: Vec<_> = samples
        .iter()
        .filter(|one| one.rule.speaks_of_all() && one.drawn_at.as_millisecond() >= until - METER_MS)
        .collect();
    drawn.sort_by_key(|one| one.drawn_at);
    let names: Vec<&str> = drawn.iter().map(|one| one.name.as_str()).collect();
    let mut set = ctx.store.judged(&names, (until - METER_MS, until))?;
    set.rows.retain(|row| feature.is_none_or(|id| row.slice.feature == id));
    let rules: Vec<String> = drawn
        .iter()
        .map(|one| {
            // The seed and the time are others each week; how it is drawn is not.
            let mut rule = one.rule.clone();
            (rule.seed, rule.since, rule.query) = (0, None, None);
            rule.describe()
        })
        .collect();
    Ok(vec![ingest(newest, requests, until), judge(&set, until), sampling(&rules), agreement(&set)])
}

/// Requests must have come lately: within ten minutes, or five times the mean time between two.
fn ingest(newest: Option<i64>, requests: u64, until: i64) -> MeterCheck {
    const LEAST_MS: i64 = 600_000;
    let Some(newest) = newest else {
        let says = "no requests in the last 24 h".to_owned();
        return MeterCheck { check: "ingest", ok: Some(false), says };
    };
    let gap = DAY_MS / i64::try_from(requests.max(1)).unwrap_or(1);
    let lag = until - newest;
    let says = format!("last request {} ago", duration(lag as f64));
    MeterCheck { check: "ingest", ok: Some(lag <= LEAST_MS.max(5 * gap)), says }
}

/// Each evaluator is the one it was four weeks ago.
fn judge(set: &JudgedSet, until: i64) -> MeterCheck {
    let words = || {
        set.rows.iter().flat_map(|row| &row.verdicts.words).filter(|word| word.outcome != JudgeOutcome::Error)
    };
    let check = "judge";
    let Some(oldest) = words().map(|word| word.at).min() else {
        let says = "no judge in 28 d".to_owned();
        return MeterCheck { check, ok: None, says };
    };
    let now: Vec<_> = speaking(&set.judges, words()).into_iter().map(|at| set.judges[at].clone()).collect();
    // Of each that speaks now, who spoke under its name before.
    let mut before = Vec::new();
    let mut since = None;
    for one in &now {
        let of = |word: &&crate::domain::JudgeWord| set.judges[word.judge] == *one;
        let first = words().filter(of).map(|word| word.at).min();
        let older = words().filter(|word| {
            let other = &set.judges[word.judge];
            other.evaluator == one.evaluator && other != one && Some(word.at) < first
        });
        match older.max_by_key(|word| word.at) {
            Some(word) => {
                before.push(set.judges[word.judge].clone());
                since = since.max(first);
            }
            None => before.push(one.clone()),
        }
    }
    match judges_changed(&before, &now) {
        None => MeterCheck {
            check,
            ok: Some(true),
            says: format!("judge unchanged for {}", duration((until - oldest) as f64)),
        },
        Some(why) => {
            let ago =
                since.map_or_else(String::new, |at| format!(" since {} ago", duration((until - at) as f64)));
            MeterCheck { check, ok: Some(false), says: format!("{}{ago}", clean_line(&why)) }
        }
    }
}

fn sampling(rules: &[String]) -> MeterCheck {
    let check = "sampling";
    let (ok, says) = match rules {
        [] => (None, "no sample of all traffic in 28 d".to_owned()),
        [one] => (None, format!("one sample in 28 d: {}", clean_line(one))),
        [.., before, last] if before == last => {
            (Some(true), format!("sampling rule unchanged: {}", clean_line(last)))
        }
        [.., before, last] => {
            (Some(false), format!("sampling rule {}, before {}", clean_line(last), clean_line(before)))
        }
    };
    MeterCheck { check, ok, says }
}

/// Judge and people agree beyond chance, where both told of the same traces.
fn agreement(set: &JudgedSet) -> MeterCheck {
    /// Below this the judge's word is not to be trusted by itself (Landis and Koch's “moderate” ends there).
    const TRUSTED: f64 = 0.6;
    const LEAST: usize = 10;
    let pairs = set
        .rows
        .iter()
        .filter_map(|row| Some((row.verdicts.people()?, row.verdicts.judge(&set.judges, |_| true)?)));
    let check = "agreement";
    let Some(found) = cohen_kappa(pairs) else {
        return MeterCheck { check, ok: None, says: "no trace judged by both kinds".to_owned() };
    };
    let n = found.n;
    let Some(kappa) = found.kappa else {
        return MeterCheck {
            check,
            ok: None,
            says: format!("judge and people said the same throughout ({n})"),
        };
    };
    let ends = found
        .kappa_interval(CONFIDENCE)
        .map_or_else(String::new, |ends| format!(" [{}, {}]", fixed(ends.lower, 2), fixed(ends.upper, 2)));
    let says = format!("judge vs people kappa {} ({n}){ends}", fixed(kappa, 2));
    MeterCheck { check, ok: (n >= LEAST).then_some(kappa >= TRUSTED), says }
}
