//! One prompt: its versions on a time line, with what traces, labels, runs and incidents say of each.

use jiff::Timestamp;
use serde::Serialize;

use super::figures::{Span, Traffic, hour_start, traffic};
use super::good::{Bar, Evidence, Good, version_of};
use super::{Home, named};
use crate::domain::Commit;
use crate::domain::incident::incident_name;
use crate::domain::prompt::TeamConfig;
use crate::domain::query::{PromptRef, Term, TimeBound, TimeRange, Word};
use crate::domain::switch::{SwitchEvent, SwitchOf};
use crate::domain::{Query, Result, RunName, Untrusted};
use crate::ops::Ctx;
use crate::stats::{CONFIDENCE, Interval, two_proportion_z, wilson};
use crate::store::Sums;
use crate::task::Cancel;
use crate::text::figures::percent;
use crate::wire::git::{History, histories};
use crate::wire::prompts_dir::{Mark, PromptFile, Version, load, notes};

/// The most slots that the time line has.
pub const SERIES: usize = 84;
/// Nanodollars in a dollar.
const NUSD: f64 = 1e9;
/// A difference of two shares that chance makes in one of twenty cases: z at 95 %.
const CLEAR: f64 = 1.959_964;
/// So many of each are needed for a difference to be told.
const LEAST: i64 = 20;

/// A prompt and its versions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PromptView {
    /// Its name.
    pub prompt: String,
    /// The feature that it belongs to.
    pub feature: Option<String>,
    /// Its folder.
    pub folder: String,
    /// The current version, where exactly one is marked.
    pub current: Option<String>,
    /// How it is marked: `name`, `file`, `link`, `none`.
    pub marked_by: &'static str,
    /// Start of the time that the figures are of.
    pub since: Timestamp,
    /// Its end: now.
    pub until: Timestamp,
    /// Hours in a slot of the time lines.
    pub slot_hours: i64,
    /// The versions, the newest first; then those that only traces name.
    pub versions: Vec<VersionView>,
    /// Where a version does clearly better or worse than the one that was served before it.
    pub changes: Vec<Change>,
    /// The version to go back to.
    pub last_known_good: Option<Good>,
    /// The newer ones that are not known to be good, with the reason.
    pub passed_over: Vec<(String, String)>,
    /// Each time the current version was changed by this program.
    pub switches: Vec<SwitchEvent>,
    /// What is not as it should be in the folder.
    pub oddities: Vec<String>,
}

/// A version of a prompt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VersionView {
    /// `v4`; empty for traces that name the prompt alone.
    pub version: Untrusted,
    /// Whether it is in the folder; traces may name one that is not.
    pub known: bool,
    /// Whether it is the current one.
    pub current: bool,
    /// Its file.
    pub file: Option<String>,
    /// SHA-256 of its text, hexadecimal.
    pub sha256: Option<String>,
    /// Who wrote it, by its front matter or git.
    pub author: Option<Untrusted>,
    /// When, by its front matter or git.
    pub date: Option<Untrusted>,
    /// The commit that brought its text.
    pub commit: Option<Commit>,
    /// Its file is not as it was committed last.
    pub uncommitted: bool,
    /// What is said of it.
    pub notes: Option<Untrusted>,
    /// Requests, in the time that was asked for.
    pub requests: u64,
    /// The hour of its first request ever.
    pub first_seen: Option<Timestamp>,
    /// The hour of its last request.
    pub last_seen: Option<Timestamp>,
    /// Share that failed.
    pub error_rate: Option<f64>,
    /// 95th percentile of the time, in milliseconds.
    pub p95_latency_ms: Option<f64>,
    /// Mean of the known costs, in US dollars.
    pub cost_per_request_usd: Option<f64>,
    /// Share of thumbs that are up.
    pub satisfaction: Option<f64>,
    /// How many thumbs those are.
    pub thumbs: u64,
    /// Labelled traces, of all time.
    pub labels: LabelShare,
    /// Runs of this very text, the newest first.
    pub runs: Vec<RunShare>,
    /// Its gate was met.
    pub gate_met: bool,
    /// Incidents that have its traces as evidence.
    pub incidents: Vec<String>,
    /// The time line.
    pub series: Series,
    /// The query of its traces.
    pub query: Query,
}

/// Labelled traces: a fail of one reviewer fails a trace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct LabelShare {
    /// How many pass.
    pub passed: u64,
    /// How many fail.
    pub failed: u64,
    /// The share that passes.
    pub pass_rate: Option<f64>,
    /// Its interval (Wilson), at [`CONFIDENCE`].
    pub interval: Option<Interval>,
}

/// What a run of a version came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunShare {
    /// The run.
    pub run: RunName,
    /// When it began.
    pub at: Timestamp,
    /// The eval set.
    pub set: String,
    /// Answers that pass.
    pub passed: u64,
    /// Answers that fail.
    pub failed: u64,
    /// The share that passes.
    pub pass_rate: Option<f64>,
    /// It has a result of every case.
    pub finished: bool,
}

/// A version's time line, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Series {
    /// Requests by slot.
    pub requests: Vec<u64>,
    /// Share of thumbs that are up, by slot.
    pub satisfaction: Vec<Option<f64>>,
}

/// A clear difference between a version and the one that was served before it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The hour in which the newer one was served first.
    pub at: Timestamp,
    /// The older version.
    pub from: Untrusted,
    /// The newer version.
    pub to: Untrusted,
    /// What differs: `satisfaction`, `errors`, `labels`.
    pub figure: &'static str,
    /// The older version's share.
    pub before: f64,
    /// The newer version's.
    pub after: f64,
    /// Whether it got worse.
    pub worse: bool,
}

impl Change {
    /// `v4 satisfies less than v3: 61.0 % against 84.0 %`.
    pub fn words(&self) -> String {
        let verb = match (self.figure, self.worse) {
            ("satisfaction", true) => "satisfies less than",
            ("satisfaction", false) => "satisfies more than",
            ("errors", true) => "fails more than",
            ("errors", false) => "fails less than",
            (_, true) => "passes less of its labels than",
            (_, false) => "passes more of its labels than",
        };
        let (from, to) = (self.from.raw(), self.to.raw());
        format!("{to} {verb} {from}: {} against {}", percent(self.after), percent(self.before))
    }
}

/// One prompt, with figures from `since` on.
///
/// # Errors
/// When the folder or the store cannot be read, or the work was cancelled.
pub fn show(
    ctx: &Ctx,
    team: &TeamConfig,
    home: &Home,
    since: Timestamp,
    cancel: &Cancel,
) -> Result<PromptView> {
    let folder = home.look()?;
    let now = ctx.clock.now();
    let span = Span::new(since, now, SERIES);
    let mut traffic = traffic(ctx, home, span)?;
    cancel.check()?;
    let evidence = Evidence::gather(ctx, home)?;
    let files: Vec<_> = folder.versions.iter().map(|version| version.path.clone()).collect();
    let mut histories = histories(&home.folder, &files, cancel)?;
    let mut incidents: Vec<(String, Vec<(i64, u64)>)> = Vec::new();
    for (slice, of) in ctx.store.incidents_by_version()? {
        if let Some(version) = version_of(ctx, home, slice)? {
            incidents.push((version, of));
        }
    }
    let maker = Maker { ctx, team, home, evidence: &evidence, incidents: &incidents, span, now };
    let mut versions = Vec::new();
    for version in folder.versions.iter().rev() {
        let history = histories.remove(&version.path).unwrap_or_default();
        versions.push(maker.known(version, history, traffic.remove(&version.version))?);
    }
    for (version, traffic) in traffic {
        versions.push(maker.view(&version, None, Some(traffic))?);
    }
    let current = folder.current().map(|version| version.version.clone());
    let search =
        evidence.search(ctx, home, &folder, current.as_deref().unwrap_or_default(), Bar::of(team))?;
    Ok(PromptView {
        prompt: home.name.clone(),
        feature: home.feature.clone(),
        folder: named(team, &home.folder),
        current,
        marked_by: match folder.mark {
            Mark::Name => "name",
            Mark::File(_) => "file",
            Mark::Link(_) => "link",
            Mark::None => "none",
        },
        since: span.from(),
        until: now,
        slot_hours: span.each,
        changes: changes(&versions),
        versions,
        last_known_good: search.good,
        passed_over: search.passed_over,
        switches: ctx.store.switches(SwitchOf::Prompt, &home.name)?,
        oddities: folder.oddities,
    })
}

struct Maker<'a> {
    ctx: &'a Ctx,
    team: &'a TeamConfig,
    home: &'a Home,
    evidence: &'a Evidence,
    incidents: &'a [(String, Vec<(i64, u64)>)],
    span: Span,
    now: Timestamp,
}

impl Maker<'_> {
    fn known(&self, version: &Version, history: History, traffic: Option<Traffic>) -> Result<VersionView> {
        let prompt = load(&self.home.name, version).ok();
        let mut view = self.view(&version.version, prompt.as_ref(), traffic)?;
        view.known = true;
        view.current = version.is_current;
        view.file = Some(named(self.team, &version.path));
        if let Some(prompt) = prompt {
            view.notes = prompt.front.notes.or_else(|| notes(&self.home.folder, &version.version));
            view.author = prompt.front.author;
            view.date = prompt.front.date;
        }
        view.uncommitted = history.uncommitted;
        if let Some(commit) = history.commit {
            view.author = view.author.or_else(|| Some(commit.author.clone()));
            view.date = view.date.or_else(|| Some(Untrusted::new(commit.at.to_string())));
            view.commit = Some(commit);
        }
        Ok(view)
    }

    fn view(
        &self,
        version: &str,
        prompt: Option<&PromptFile>,
        traffic: Option<Traffic>,
    ) -> Result<VersionView> {
        let labels = self.evidence.labels.iter().find(|(of, _)| of == version).map(|(_, counts)| *counts);
        let (passed, failed) = labels.unwrap_or_default();
        let mut runs = Vec::new();
        for run in prompt.into_iter().flat_map(|prompt| self.evidence.runs_of(prompt)) {
            let tally = self.ctx.store.run_tally(&run.head.name)?;
            runs.push(RunShare {
                run: run.head.name.clone(),
                at: run.head.at,
                set: run.head.set.clone(),
                passed: tally.passed,
                failed: tally.failed,
                pass_rate: share(tally.passed, tally.passed + tally.failed),
                finished: run.done >= run.head.cases,
            });
        }
        let incidents = self.incidents.iter().filter(|(of, _)| of == version).flat_map(|(_, of)| of);
        let served = traffic.as_ref().map(|traffic| traffic.served);
        let slots = traffic.as_ref().map(|traffic| traffic.slots.as_slice()).unwrap_or_default();
        let sums = traffic.as_ref().map(|traffic| traffic.sums.clone()).unwrap_or_default();
        Ok(VersionView {
            version: version.into(),
            known: false,
            current: false,
            file: None,
            sha256: prompt.map(|prompt| prompt.sha256.clone()),
            author: None,
            date: None,
            commit: None,
            uncommitted: false,
            notes: None,
            requests: whole(sums.requests),
            first_seen: served.map(|served| hour_start(served.first)),
            last_seen: served.map(|served| hour_start(served.last)),
            error_rate: share(whole(sums.errors()), whole(sums.requests)),
            p95_latency_ms: sums.latency.quantile(0.95),
            cost_per_request_usd: (sums.priced > 0)
                .then(|| sums.cost_nusd as f64 / sums.priced as f64 / NUSD),
            satisfaction: satisfied(&sums),
            thumbs: whole(sums.ups + sums.downs),
            labels: LabelShare {
                passed,
                failed,
                pass_rate: share(passed, passed + failed),
                interval: wilson(passed as f64, (passed + failed) as f64, CONFIDENCE),
            },
            runs,
            gate_met: prompt.is_some_and(|prompt| self.evidence.gate_met(prompt)),
            incidents: incidents.map(|(number, _)| incident_name(*number)).collect(),
            series: Series {
                requests: slots.iter().map(|sums| whole(sums.requests)).collect(),
                satisfaction: slots.iter().map(satisfied).collect(),
            },
            query: self.query(version),
        })
    }

    fn query(&self, version: &str) -> Query {
        let any = PromptRef {
            name: Some(Word::exact(self.home.name.as_str())),
            version: (!version.is_empty()).then(|| Word::exact(version)),
        };
        let within = TimeRange::Within(TimeBound::At(self.span.from()), TimeBound::At(self.now));
        Query::all().with(Term::Prompt(vec![any])).with(Term::Time(within))
    }
}

/// Clear differences between versions that followed each other in traffic.
fn changes(versions: &[VersionView]) -> Vec<Change> {
    let mut served: Vec<&VersionView> = versions.iter().filter(|version| version.requests > 0).collect();
    served.sort_by_key(|version| version.first_seen);
    let mut changes = Vec::new();
    for pair in served.windows(2) {
        let [old, new] = pair else { continue };
        let counts = |share: Option<f64>, n: u64| (share.unwrap_or(0.0) * n as f64, n as f64);
        let figures = [
            (
                "satisfaction",
                counts(old.satisfaction, old.thumbs),
                counts(new.satisfaction, new.thumbs),
                false,
            ),
            ("errors", counts(old.error_rate, old.requests), counts(new.error_rate, new.requests), true),
            (
                "labels",
                counts(old.labels.pass_rate, old.labels.passed + old.labels.failed),
                counts(new.labels.pass_rate, new.labels.passed + new.labels.failed),
                false,
            ),
        ];
        for (figure, (ka, na), (kb, nb), lower_is_better) in figures {
            if na < LEAST as f64 || nb < LEAST as f64 {
                continue;
            }
            let (before, after) = (ka / na, kb / nb);
            if two_proportion_z(ka, na, kb, nb).abs() < CLEAR {
                continue;
            }
            changes.push(Change {
                at: new.first_seen.unwrap_or_default(),
                from: old.version.clone(),
                to: new.version.clone(),
                figure,
                before,
                after,
                worse: (after < before) != lower_is_better,
            });
        }
    }
    changes
}

fn satisfied(sums: &Sums) -> Option<f64> {
    share(whole(sums.ups), whole(sums.ups + sums.downs))
}

fn share(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

fn whole(n: i64) -> u64 {
    n.max(0).cast_unsigned()
}
