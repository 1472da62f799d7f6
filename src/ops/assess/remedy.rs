//! What would help: the acting steps of the runbook replayed on the last hour, and the versions to go back to.

use jiff::Timestamp;
use serde::Serialize;

use super::figures::{Assessment, Found, figures};
use super::gather::Part;
use super::instant;
use super::measure::Measure;
use super::read::{AssessRequest, Lookup, Subject};
use crate::domain::incident::incident_name;
use crate::domain::prompt::TeamConfig;
use crate::domain::query::{NameField, PromptRef, Term, Word};
use crate::domain::runbook::{Phase, StepKind};
use crate::domain::switch::Power;
use crate::domain::{Query, Result, Untrusted};
use crate::ops::prompt::DiffView;
use crate::ops::{Ctx, prompt};
use crate::stats::{CONFIDENCE, Interval, wilson};
use crate::store::{Beside, HOUR_MS};
use crate::task::Cancel;
use crate::text::figures::{percent, share_within, thousands};

/// Known outcomes that the last hour must have to be replayed; with fewer the last day is.
const LEAST: f64 = 20.0;
/// Judged or otherwise known requests from which on traffic tells that a version is good.
const ENOUGH: f64 = 200.0;
/// Milliseconds of a part of [`Containment::answered`].
const PART_MS: i64 = 300_000;

/// What would stop the harm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Containment {
    /// The incident.
    pub incident: String,
    /// When it was looked.
    pub as_of: Timestamp,
    /// What counts as failing.
    pub measure: &'static str,
    /// The time that is replayed: the last hour, or the last day where that has few requests.
    pub window: [Timestamp; 2],
    /// Requests in it.
    pub requests: u64,
    /// Failures more than usual in it, of those whose outcome is known; `None`: what is usual is not known.
    pub excess: Option<f64>,
    /// The version that the first slice names.
    pub guilty: Option<Untrusted>,
    /// The acting steps, what prevents most first, and of those the one that touches least.
    pub options: Vec<OptionView>,
    /// Requests that the model answered, in each five minutes of the last hour, oldest first.
    pub answered: Vec<u64>,
}

/// An acting step of the runbook, replayed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OptionView {
    /// Its number in the runbook.
    pub step: usize,
    /// Its id.
    pub id: String,
    /// `flag`, `rollback`, `command`, `http`.
    pub kind: &'static str,
    /// The phase it stands in.
    pub phase: Phase,
    /// Its title.
    pub title: Untrusted,
    /// What it touches, in words; `None` where only the team knows.
    pub scope: Option<String>,
    /// Failures more than usual that it would have prevented.
    pub prevented: Option<f64>,
    /// The share of the requests that it touches.
    pub traffic: Option<f64>,
    /// How it is taken back.
    pub undo: Option<Untrusted>,
}

/// What would stop the harm of this incident. Reads as much as an assessment, and the last day.
///
/// # Errors
/// As those of [`assess`](super::assess).
pub fn contain(ctx: &Ctx, name: &str, cancel: &Cancel) -> Result<Containment> {
    let subject = Subject::of(ctx, name, AssessRequest::default())?;
    let (mut found, mut names) = (subject.find(ctx, cancel)?, Lookup::new(ctx));
    let now = ctx.clock.now().as_millisecond();
    let (assessment, _) = figures(&mut found, now, &mut names)?;
    let guilty = guilty(&found, &assessment.slices.ranked, &mut names)?;
    let usual = assessment.rate.as_ref().and_then(|rate| rate.usual);
    let until = subject.spec.until;
    // Requests, known and failing: all, and those of the guilty version, in the last hour and in the last day.
    let mut sums = [[[0.0; 3]; 2]; 2];
    let mut answered = vec![0_u64; 12];
    let day = until - 24 * HOUR_MS;
    ctx.store.each_request(subject.feature, (day, until), Beside::default(), cancel, |row| {
        let by_guilty = guilty.as_ref().is_some_and(|(ids, _)| *ids == (row.slice.prompt, row.slice.version));
        // What a fallback answers is switched off already.
        let by_model = !row.is_fallback();
        let fails = found.measure.fails(row);
        for (span, from) in sums.iter_mut().zip([until - HOUR_MS, day]) {
            for (sum, counts) in span.iter_mut().zip([by_model, by_guilty && by_model]) {
                if counts && row.at >= from {
                    sum[0] += 1.0;
                    sum[1] += f64::from(u8::from(fails.is_some()));
                    sum[2] += f64::from(u8::from(fails == Some(true)));
                }
            }
        }
        let part = usize::try_from((row.at - (until - HOUR_MS)).div_euclid(PART_MS)).ok();
        if let Some(count) = part.and_then(|part| answered.get_mut(part)) {
            *count += u64::from(by_model && row.failure().is_none());
        }
    })?;
    let (at, from) = if sums[0][0][1] >= LEAST { (0, until - HOUR_MS) } else { (1, day) };
    let [all, of_guilty] = sums[at];
    let excess = |sum: [f64; 3]| usual.map(|usual| (sum[2] - sum[1] * usual).max(0.0));
    let whole = excess(all);
    let share = |sum: [f64; 3]| (all[0] > 0.0).then(|| sum[0] / all[0]);
    let options = subject.incident.runbook.book.steps.iter().enumerate().filter_map(|(index, step)| {
        let undo = match &step.kind {
            StepKind::Flag { undo, .. } => undo.clone(),
            _ => None,
        };
        let (scope, prevented, traffic) = match &step.kind {
            // It lets the harm on again.
            StepKind::Flag { to, .. } if to.raw() == Power::On.word() => return None,
            StepKind::Flag { .. } => (Some("all that the model answers".to_owned()), whole, share(all)),
            StepKind::Rollback { .. } => match &guilty {
                Some((_, name)) => (
                    Some(format!("what {} answers", crate::text::clean_line(name.raw()))),
                    excess(of_guilty).map(|prevented| prevented.min(whole.unwrap_or(prevented))),
                    share(of_guilty),
                ),
                None => (Some("no version is guilty".to_owned()), Some(0.0), None),
            },
            StepKind::Command { .. } | StepKind::Http { .. } => (None, None, None),
            _ => return None,
        };
        matches!(step.phase, Phase::Contain | Phase::Fix).then(|| OptionView {
            step: index + 1,
            id: step.id.clone(),
            kind: step.kind.name(),
            phase: step.phase,
            title: step.title.clone(),
            scope,
            prevented,
            traffic,
            undo,
        })
    });
    let mut options: Vec<OptionView> = options.collect();
    // Within a tenth of all that is to be prevented two do as well as each other; then less is better.
    let tenth = whole.unwrap_or(0.0) / 10.0;
    let rank = |one: &OptionView| {
        let prevented = one.prevented.map_or(-1, |prevented| (prevented / tenth.max(1.0)).round() as i64);
        (std::cmp::Reverse(prevented), one.traffic.map_or(1001, |share| (share * 1000.0) as i64), one.step)
    };
    options.sort_by_key(rank);
    Ok(Containment {
        incident: subject.incident.name(),
        as_of: instant(now),
        measure: found.measure.name(),
        window: [instant(from), instant(until)],
        requests: all[0] as u64,
        excess: whole,
        guilty: guilty.map(|(_, name)| name),
        options,
        answered,
    })
}

/// A prompt version by its ids, and its name.
type Version = ((i64, i64), Untrusted);

/// The version that the first slices name: of one that explains best, or of the one beside it.
fn guilty(found: &Found, ranked: &[super::SliceView], names: &mut Lookup<'_>) -> Result<Option<Version>> {
    let named = ranked.iter().take(2).flat_map(|one| &one.slice).find(|(dimension, _)| dimension == "prompt");
    let Some((_, wanted)) = named else { return Ok(None) };
    for part in found.gathered.served.keys() {
        if let Part::Version(prompt, version) = part
            && names.version(*prompt, *version)? == wanted.raw()
        {
            return Ok(Some(((*prompt, *version), wanted.clone())));
        }
    }
    Ok(None)
}

/// The versions of the prompt with their record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Versions {
    /// The incident.
    pub incident: String,
    /// When it was looked.
    pub as_of: Timestamp,
    /// What counts as failing.
    pub measure: &'static str,
    /// The versions, the one that came last first.
    pub versions: Vec<VersionRow>,
    /// The version to go back to, and why that one.
    pub last_good: Option<LastGood>,
    /// What differs between that and the guilty one, in words taken away and added.
    pub difference: Option<Difference>,
}

/// A version in the traffic of an incident and of the time before.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VersionRow {
    /// `customer_support@v4`.
    pub version: Untrusted,
    /// It is the current one, by the team's folder.
    pub current: bool,
    /// First and last request in the time that was read.
    pub seen: [Timestamp; 2],
    /// Requests in it.
    pub requests: u64,
    /// Those whose outcome is known.
    pub known: u64,
    /// The share of them that does not fail.
    pub pass: Option<f64>,
    /// Its 95 % interval.
    pub interval: Option<Interval>,
    /// The newest run of its text, and the share that passed.
    pub run: Option<(String, f64)>,
    /// `guilty`, `last_good`, `incident`, `unknown`.
    pub verdict: Verdict,
    /// Incidents that have its traces as evidence, but this one.
    pub incidents: Vec<String>,
    /// The query of its requests.
    pub query: String,
}

/// What is held of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The first slice names it.
    Guilty,
    /// The one to go back to.
    LastGood,
    /// Another incident is held against it.
    Incident,
    /// Nothing is.
    Unknown,
}

/// A version to go back to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastGood {
    /// Which.
    pub version: Untrusted,
    /// Why.
    pub why: String,
}

/// What differs between two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The older one.
    pub from: String,
    /// The newer one.
    pub to: String,
    /// Words taken away.
    pub removed: usize,
    /// Words added.
    pub added: usize,
    /// The first words that were added.
    pub first_added: Untrusted,
}

/// The versions of the incident's prompt with what traffic, runs and incidents say of each. Reads as much as an
/// assessment, and the team's folder of prompts where there is one.
///
/// # Errors
/// As those of [`assess`](super::assess).
pub fn versions(ctx: &Ctx, team: &TeamConfig, name: &str, cancel: &Cancel) -> Result<Versions> {
    let subject = Subject::of(ctx, name, AssessRequest::default())?;
    let mut found = subject.find(ctx, cancel)?;
    let now = ctx.clock.now().as_millisecond();
    let (assessment, _) = figures(&mut found, now, &mut Lookup::new(ctx))?;
    let mut made = versions_of(ctx, team, (&subject, &found), &assessment, cancel)?;
    made.difference = difference(team, &made).map(|diff| {
        let added = diff.parts.iter().find(|part| part.change == crate::text::WordChange::Added);
        Difference {
            removed: diff.removed,
            added: diff.added,
            first_added: added.map(|part| part.text.clone()).unwrap_or_default(),
            from: diff.from,
            to: diff.to,
        }
    });
    Ok(made)
}

/// The same of what was found, without the difference.
pub(super) fn versions_of(
    ctx: &Ctx,
    team: &TeamConfig,
    (subject, found): (&Subject, &Found),
    assessment: &Assessment,
    cancel: &Cancel,
) -> Result<Versions> {
    let mut names = Lookup::new(ctx);
    let guilty = guilty(found, &assessment.slices.ranked, &mut names)?;
    let mut rows = Vec::new();
    for (part, served) in &found.gathered.served {
        let Part::Version(prompt, version) = part else { continue };
        let name = names.version(*prompt, *version)?;
        let (n, k) = found.gathered.of_version((*prompt, *version));
        let interval = wilson(n - k, n, CONFIDENCE);
        let is_guilty = guilty.as_ref().is_some_and(|(ids, _)| *ids == (*prompt, *version));
        rows.push(VersionRow {
            current: false,
            seen: [instant(served.seen.0), instant(served.seen.1)],
            requests: served.requests,
            known: n as u64,
            pass: (n > 0.0).then(|| 1.0 - k / n),
            interval,
            run: None,
            verdict: if is_guilty { Verdict::Guilty } else { Verdict::Unknown },
            incidents: Vec::new(),
            query: query_of(subject, &name),
            version: name.into(),
        });
    }
    rows.sort_by_key(|row| std::cmp::Reverse((row.seen[0], row.requests)));
    let mut made = Versions {
        incident: subject.incident.name(),
        as_of: assessment.as_of,
        measure: found.measure.name(),
        versions: rows,
        last_good: None,
        difference: None,
    };
    add_record(ctx, team, &mut made, found.window.0, cancel)?;
    let onset = instant(found.window.0);
    if made.last_good.is_none() {
        made.last_good = good_by_traffic(&made.versions, onset, found.measure);
    }
    if let Some(good) = &made.last_good {
        let held = made.versions.iter_mut().find(|row| row.version == good.version);
        if let Some(row) = held.filter(|row| row.verdict != Verdict::Guilty) {
            row.verdict = Verdict::LastGood;
        }
    }
    Ok(made)
}

fn query_of(subject: &Subject, name: &str) -> String {
    let word = |text: &str| (!text.is_empty()).then(|| Word::exact(text));
    let (prompt, version) = name.rsplit_once('@').unwrap_or((name, ""));
    let mut query = Query::all();
    if let Some(feature) = &subject.incident.feature {
        query = query.with(Term::Name { field: NameField::Feature, any: vec![Word::exact(feature.raw())] });
    }
    query.with(Term::Prompt(vec![PromptRef { name: word(prompt), version: word(version) }])).to_string()
}

/// The prompt that a version is of, where the team's folders have it.
pub(super) fn home_of(team: &TeamConfig, version: &Untrusted) -> Option<(prompt::Home, String)> {
    let (name, version) = version.raw().rsplit_once('@')?;
    Some((prompt::home(team, name).ok()?, version.to_owned()))
}

/// Adds what the team's folder, runs and incidents say.
fn add_record(ctx: &Ctx, team: &TeamConfig, made: &mut Versions, onset: i64, cancel: &Cancel) -> Result<()> {
    let guilty = made.versions.iter().find(|row| row.verdict == Verdict::Guilty);
    let Some((home, before)) = guilty.or(made.versions.first()).and_then(|row| home_of(team, &row.version))
    else {
        return Ok(());
    };
    let since = instant(onset - 28 * 24 * HOUR_MS);
    let view = prompt::show(ctx, team, &home, since, cancel)?;
    for row in &mut made.versions {
        let of = row.version.raw().rsplit_once('@').filter(|(name, _)| *name == home.name);
        let known =
            view.versions.iter().find(|one| of.is_some_and(|(_, version)| one.version.raw() == version));
        if let Some(one) = known {
            row.current = one.current;
            let newest = one.runs.iter().find_map(|run| Some((run.run.as_str().to_owned(), run.pass_rate?)));
            row.run = newest;
            row.incidents = one.incidents.iter().filter(|name| **name != made.incident).cloned().collect();
            if !row.incidents.is_empty() && row.verdict == Verdict::Unknown {
                row.verdict = Verdict::Incident;
            }
        }
    }
    let search = prompt::last_known_good(ctx, &home, &before, prompt::Bar::of(team))?;
    made.last_good = search
        .good
        .map(|good| LastGood { version: format!("{}@{}", home.name, good.version).into(), why: good.why });
    Ok(())
}

/// The newest version before the onset whose traffic is known well, and that nothing is held against.
fn good_by_traffic(rows: &[VersionRow], onset: Timestamp, measure: Measure) -> Option<LastGood> {
    let row = rows
        .iter()
        .find(|row| row.verdict == Verdict::Unknown && row.seen[0] < onset && row.known as f64 >= ENOUGH)?;
    let (pass, ends) = (row.pass?, row.interval?);
    let not = if measure == Measure::Judged { "pass" } else { "are not complained of" };
    let share = share_within(pass, Some([ends.lower, ends.upper]));
    Some(LastGood {
        version: row.version.clone(),
        why: format!(
            "{share} of {} {not}, and no incident is held against it",
            thousands(row.known.cast_signed())
        ),
    })
}

/// The difference of the version to go back to and the guilty one. Without their texts there is none.
fn difference(team: &TeamConfig, made: &Versions) -> Option<DiffView> {
    let find = |verdict| made.versions.iter().find(|row| row.verdict == verdict);
    let (home, to) = home_of(team, &find(Verdict::Guilty)?.version)?;
    let (_, from) = home_of(team, &find(Verdict::LastGood)?.version)?;
    prompt::diff(&home, &from, &to).ok()
}

impl VersionRow {
    /// The verdict in words: `guilty`, `LAST GOOD`, `INC-3`.
    pub fn verdict_words(&self) -> String {
        match self.verdict {
            Verdict::Guilty => "guilty".to_owned(),
            Verdict::LastGood => "LAST GOOD".to_owned(),
            Verdict::Incident => self.incidents.first().cloned().unwrap_or_else(|| incident_name(0)),
            Verdict::Unknown => String::new(),
        }
    }

    /// The newest run in words: `r1 91.5 %`.
    pub fn run_words(&self) -> String {
        self.run.as_ref().map_or_else(|| "–".to_owned(), |(run, share)| format!("{run} {}", percent(*share)))
    }
}
