//! Item 6: an earlier version is known to be good, and going back to it was practised within the limit.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::candidate::Candidate;
use super::proved::Counts;
use super::said::{Said, above};
use crate::domain::gate::{Decision, Need, Proof, Verdict};
use crate::domain::{Error, Query, Result, Untrusted};
use crate::ops::figures;
use crate::stats::{CONFIDENCE, wilson};
use crate::text::figures::{duration, percent};
use crate::wire::prompts_dir::{list_prompts, read_prompt};

/// Labels from which a version's traffic tells that it is good.
const ENOUGH_LABELS: u64 = 200;
/// How far back labelled traffic is looked at.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A version to go back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Good {
    /// `v4`.
    pub version: String,
    /// Why it is known to be good.
    pub why: String,
}

/// The last known good version: the newest one before the candidate whose gate was met, or of whose text a run
/// passes more than the gate asks, or whose labelled traffic does.
pub(super) fn last_known_good(candidate: &Candidate<'_>) -> Result<Option<Good>> {
    let (config, name) = (candidate.config, &candidate.prompt_name);
    if let Some(to) = &candidate.spec.rollback.to {
        let known = read_prompt(&config.prompts_dir, &format!("{name}@{to}")).is_ok();
        return Ok(known.then(|| Good { version: to.clone(), why: "named in the gate file".to_owned() }));
    }
    let number = |version: &str| version.strip_prefix('v').and_then(|digits| digits.parse::<u64>().ok());
    let own = number(&candidate.version).unwrap_or(u64::MAX);
    let mut earlier: BTreeMap<u64, String> = BTreeMap::new();
    let listed = list_prompts(&config.prompts_dir).into_iter().find(|(folder, _)| folder == name);
    for version in listed.into_iter().flat_map(|(_, versions)| versions) {
        earlier.insert(version.number, version.version);
    }
    let runs = candidate.ctx.store.runs()?;
    for (_, version) in earlier.range(..own).rev() {
        let Ok(prompt) = read_prompt(&config.prompts_dir, &format!("{name}@{version}")) else { continue };
        let rows = candidate.ctx.store.gate_evidence(&candidate.feature, version)?;
        let met = |proof: &Proof| matches!(proof, Proof::Decided { decision: Decision::Met, .. });
        if rows.iter().any(|row| row.evidence.prompt_sha256 == prompt.sha256 && met(&row.evidence.proof)) {
            return Ok(Some(Good { version: version.clone(), why: "its gate was met".to_owned() }));
        }
        let run = runs.iter().find(|run| {
            run.head.prompt_hash.as_deref() == Some(&prompt.sha256) && run.done >= run.head.cases
        });
        let Some(run) = run else { continue };
        let counts = Counts::of(&candidate.ctx.store.run_results(&run.head.name)?);
        let (eval, n) = (&candidate.spec.eval, counts.told());
        if above(counts.passed, n, eval.min, Need::Point, eval.min_cases).verdict == Verdict::Met {
            let share = percent(counts.passed as f64 / n as f64);
            let why = format!("its run {} passes {share} of {n}", run.head.name);
            return Ok(Some(Good { version: version.clone(), why }));
        }
    }
    from_traffic(candidate, own)
}

/// The same by the labels on traces, for versions of which nothing else is known.
fn from_traffic(candidate: &Candidate<'_>, own: u64) -> Result<Option<Good>> {
    let since = candidate.now.saturating_sub(LOOK_BACK).unwrap_or(Timestamp::MIN);
    let of = format!("feature:{} prompt:{}", candidate.feature, candidate.prompt_name);
    let counted = |label: &str| -> Result<Vec<(Untrusted, u64)>> {
        let Ok(query) = Query::parse(&format!("{of} label:{label}")) else { return Ok(Vec::new()) };
        let taken = figures::figures(candidate.ctx, &query, since, candidate.now, candidate.cancel)?;
        Ok(taken.by_version.into_iter().map(|(name, tally)| (name, tally.requests)).collect())
    };
    let (passes, fails) = (counted("pass")?, counted("fail")?);
    let mut versions: BTreeMap<u64, (String, u64, u64)> = BTreeMap::new();
    for (list, is_pass) in [(&passes, true), (&fails, false)] {
        for (label, n) in list {
            let Some((_, version)) = label.raw().rsplit_once('@') else { continue };
            let Some(number) = version.strip_prefix('v').and_then(|digits| digits.parse().ok()) else {
                continue;
            };
            let of = versions.entry(number).or_insert_with(|| (version.to_owned(), 0, 0));
            if is_pass { of.1 += n } else { of.2 += n }
        }
    }
    for (version, passed, failed) in versions.range(..own).rev().map(|(_, of)| of) {
        let n = passed + failed;
        let lower = wilson(*passed as f64, n as f64, CONFIDENCE).map_or(0.0, |ends| ends.lower);
        if n >= ENOUGH_LABELS && lower >= candidate.spec.eval.min {
            let share = percent(*passed as f64 / n as f64);
            let why = format!("people pass {share} of {n} labelled traces of it");
            return Ok(Some(Good { version: version.clone(), why }));
        }
    }
    Ok(None)
}

/// The command of a rollback to a version: its words put in, the program found from the configuration's folder.
///
/// # Errors
/// `NotSo` where none is configured; `Usage` where it names what nobody knows.
pub(super) fn argv(candidate: &Candidate<'_>, to: &str) -> Result<Vec<String>> {
    let spec = &candidate.spec.rollback;
    if spec.command.is_empty() {
        return Err(Error::not_so(format!("No rollback command is configured for {}.", candidate.feature))
            .hint(format!(
                "Write [item.rollback] command = [\"./rollback\", \"{{{{to}}}}\"] into {}",
                candidate.gate_file()
            )));
    }
    let words = spec.command.iter().chain(&spec.dry_run).map(|word| match word.as_str() {
        "{{feature}}" => Ok(candidate.feature.clone()),
        "{{prompt}}" => Ok(candidate.prompt_name.clone()),
        "{{from}}" => Ok(candidate.version.clone()),
        "{{to}}" => Ok(to.to_owned()),
        other if other.contains("{{") => {
            Err(Error::usage(format!("The rollback command has a word that stands for nothing: {other}"))
                .hint("{{feature}}, {{prompt}}, {{from}} and {{to}} stand for whole arguments."))
        }
        other => Ok(other.to_owned()),
    });
    let mut argv: Vec<String> = words.collect::<Result<_>>()?;
    if let Some(program) = argv.first_mut()
        && program.contains('/')
    {
        *program = candidate.config.home.join(&*program).display().to_string();
    }
    Ok(argv)
}

/// Item 6.
pub(super) fn item(candidate: &Candidate<'_>) -> Result<Said> {
    let spec = &candidate.spec.rollback;
    let Some(good) = last_known_good(candidate)? else {
        let words = format!(
            "No version before {} is known to be good: none has met its gate, nor a run above {}, nor {ENOUGH_LABELS} labels that prove it.",
            candidate.version,
            percent(candidate.spec.eval.min)
        );
        let next = format!(
            "run the eval set on an earlier version, or name one: [item.rollback] to in {}",
            candidate.gate_file()
        );
        return Ok(Said::new(Verdict::NotMet, "no version known to be good", words).next(next));
    };
    let back = format!("The way back is to {}: {}.", good.version, good.why);
    let drill = format!("tuesday gate drill {}", candidate.words());
    let argv = match argv(candidate, &good.version) {
        Ok(argv) => argv,
        Err(error) => {
            let said = Said::new(Verdict::NotMet, "no rollback command", format!("{back} {}", error.what));
            return Ok(said.next(error.hints.join(" ")));
        }
    };
    let limit = duration(spec.limit_ms as f64);
    let Some(row) = candidate.newest(super::Item::Rollback, |proof| matches!(proof, Proof::Drill { .. }))
    else {
        let words = format!("{back} It was never practised.");
        return Ok(Said::new(Verdict::NotEnoughData, format!("to {}, never practised", good.version), words)
            .next(drill));
    };
    let Proof::Drill { to, argv: practised, seconds, code, timed_out, said: last } = &row.evidence.proof
    else {
        return Ok(Said::new(Verdict::NotEnoughData, "never practised", back).next(drill));
    };
    let took = duration(seconds * 1000.0);
    let same = practised.len() == argv.len() && practised.iter().zip(&argv).all(|(a, b)| a.raw() == b);
    let said = if *to != good.version {
        Said::new(
            Verdict::Stale,
            format!("practised to {to}, not {}", good.version),
            format!("{back} The drill went to {to}."),
        )
    } else if !same {
        Said::new(
            Verdict::Stale,
            "the command has changed",
            format!("{back} The command has changed since the drill."),
        )
    } else if candidate.age_ms(row.at) > spec.max_age_ms {
        let age = duration(spec.max_age_ms as f64);
        Said::new(Verdict::Stale, "the drill is too old", format!("{back} The drill is older than {age}."))
    } else if *timed_out || seconds * 1000.0 > spec.limit_ms as f64 {
        Said::new(
            Verdict::NotMet,
            format!("not back within {limit}"),
            format!("{back} The drill was not over within {limit}."),
        )
    } else if *code != Some(0) {
        let code = code.map_or_else(|| "a signal".to_owned(), |code| format!("code {code}"));
        let words = format!("{back} The drill ended with {code}: {}", last.raw());
        Said::new(Verdict::NotMet, format!("the drill ended with {code}"), words)
    } else {
        let words = format!("{back} The drill answered in {took}; it may take {limit}.");
        Said::new(Verdict::Met, format!("to {} in {took}, dry run", good.version), words)
    };
    Ok(said
        .with("seconds", *seconds)
        .with("limit_seconds", spec.limit_ms as f64 / 1000.0)
        .by(row)
        .next(drill))
}
