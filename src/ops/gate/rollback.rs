//! Item 6: an earlier version is known to be good, and going back to it was practised within the limit.

use super::candidate::Candidate;
use super::said::Said;
use crate::domain::gate::{Proof, Verdict};
use crate::domain::{Error, Result};
use crate::ops::prompt::{self, ENOUGH_LABELS};
use crate::text::figures::{duration, percent};
use crate::wire::prompts_dir::read_prompt;

/// A version to go back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Good {
    /// `v4`.
    pub version: String,
    /// Why it is known to be good.
    pub why: String,
}

/// The last known good version: the one that the gate file names, else the newest before the candidate that
/// something speaks for, by what the gate asks of an eval run.
pub(super) fn last_known_good(candidate: &Candidate<'_>) -> Result<Option<Good>> {
    let (config, name) = (candidate.config, &candidate.prompt_name);
    if let Some(to) = &candidate.spec.rollback.to {
        let known = read_prompt(&config.prompts_dir, &format!("{name}@{to}")).is_ok();
        return Ok(known.then(|| Good { version: to.clone(), why: "named in the gate file".to_owned() }));
    }
    let home = prompt::Home {
        name: name.clone(),
        folder: config.prompts_dir.join(name),
        feature: Some(candidate.feature.clone()),
    };
    let eval = &candidate.spec.eval;
    let bar = prompt::Bar { min_pass_rate: eval.min, min_cases: eval.min_cases, min_labels: ENOUGH_LABELS };
    let good = prompt::last_known_good(candidate.ctx, &home, &candidate.version, bar)?.good;
    Ok(good.map(|good| Good { version: good.version, why: good.why }))
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
            "No version before {} is known to be good: none has met its gate, nor a run of at least {} cases above {}, nor {ENOUGH_LABELS} labels that prove it.",
            candidate.version,
            candidate.spec.eval.min_cases,
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
