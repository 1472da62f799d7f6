//! `tuesday eval score`.

use clap::Args;

use crate::cli::long::{self, Unit};
use crate::cli::{Face, output};
use crate::domain::{Error, Evaluator, Result, SetName};
use crate::ops::Access;
use crate::ops::run::services;
use crate::ops::score::{SampleScores, ScoreSpec, Scorer, by_name, of_set, score_sample};
use crate::text::figures::{UNKNOWN, dollars, fixed, list_of, plural, share_within, thousands};

/// Score the recorded traces of a sample with evaluators of tuesday.toml
///
/// Without names or --set, all evaluators look at them. Pass rates are weighted by the probability with which
/// each trace was drawn, so that they speak of the population; what could not be told is counted apart. Each
/// word is kept: a judge that has spoken of a trace is not paid for it again.
#[derive(Args, Debug)]
pub(super) struct ScoreArgs {
    /// The evaluators, by name
    #[arg(value_name = "EVALUATOR", conflicts_with = "set")]
    evaluators: Vec<String>,
    /// The sample
    #[arg(long, value_name = "NAME")]
    sample: String,
    /// The evaluators of this eval set
    #[arg(long)]
    set: Option<String>,
    /// Ask again where an evaluator has spoken of a trace before
    #[arg(long)]
    no_cache: bool,
    /// Answer with one line of JSON a trace, as it is scored
    #[arg(long, conflicts_with = "json")]
    each: bool,
    /// Answer with JSON: see `tuesday help json-eval`
    #[arg(long)]
    json: bool,
}

pub(super) fn run(face: &Face, args: &ScoreArgs) -> Result<u8> {
    let config = &face.config.evaluation;
    let evaluators: Vec<Evaluator> = match &args.set {
        Some(set) => of_set(config, &SetName::parse(set)?),
        None if args.evaluators.is_empty() => config.evaluators.iter().map(|(one, _)| one.clone()).collect(),
        None => by_name(config, &args.evaluators)?,
    };
    if evaluators.is_empty() {
        return Err(Error::not_so("There is no evaluator to score with.").hint(
            "Describe one as [[evaluator]] in tuesday.toml; `tuesday init` writes one with examples.",
        ));
    }
    let ctx = face.ctx(Access::Existing)?;
    let spec = ScoreSpec { sample: args.sample.clone(), cache: !args.no_cache };
    let scores = long::run(Unit::Traces, |cancel, progress| {
        let checks = evaluators.iter().map(|one| &one.check);
        let scorer = Scorer::new(config, services(&ctx, config, checks, cancel)?)?;
        let prepared = scorer.prepare(&evaluators)?;
        score_sample(&ctx, &scorer, prepared, &spec, cancel, progress, |trace| {
            if args.each { output::json_line(&trace) } else { Ok(()) }
        })
    })?;
    match (args.json, args.each) {
        (true, _) => output::json(&scores)?,
        (false, true) => {}
        (false, false) => print(&scores)?,
    }
    Ok(0)
}

fn print(scores: &SampleScores) -> Result<()> {
    let count = usize::try_from(scores.traces).unwrap_or(usize::MAX);
    output::text(&format!("{}: {} scored", scores.sample, plural(count, "trace")))?;
    if scores.missing > 0 {
        output::text(&format!(
            "{} of the sample are not in the store.",
            thousands(scores.missing.cast_signed())
        ))?;
    }
    let number = |n: u64| thousands(n.cast_signed());
    let rows = scores.evaluators.iter().map(|one| {
        let mut row = vec![one.evaluator.clone(), one.kind.clone()];
        if one.does_not_apply > 0 {
            let none = || UNKNOWN.to_owned();
            row.extend([none(), none(), none(), "does not apply".to_owned(), String::new()]);
            return row;
        }
        row.extend([one.passes, one.fails, one.errors].map(number));
        row.push(
            one.passing
                .map_or_else(|| UNKNOWN.to_owned(), |it| share_within(it.rate, Some([it.lower, it.upper]))),
        );
        row.push(one.mean_score.map_or_else(String::new, |mean| fixed(mean, 2)));
        row
    });
    output::fitted_table(&["evaluator", "kind", "pass", "fail", "error", "passing", "score"], rows)?;
    let unfit: Vec<String> = scores
        .evaluators
        .iter()
        .filter(|one| one.does_not_apply > 0)
        .map(|one| format!("{} ({})", one.evaluator, one.kind))
        .collect();
    if !unfit.is_empty() {
        let (compare, give) = if unfit.len() == 1 {
            ("compares", "Give it a value of its own, or run it on eval cases.")
        } else {
            ("compare", "Give them values of their own, or run them on eval cases.")
        };
        output::prose(
            &format!(
                "{} {compare} with an expected answer, and a recorded trace has none: left out. {give}",
                list_of(&unfit, "and")
            ),
            0,
        )?;
    }
    let by =
        scores.evaluators.iter().filter_map(|one| Some(format!("{}: {}", one.evaluator, one.by.as_ref()?)));
    let by: Vec<String> = by.collect();
    if !by.is_empty() {
        output::prose(&format!("Who spoke: {}.", by.join("; ")), 0)?;
    }
    let before = scores.evaluators.iter().filter(|one| one.cached > 0);
    let before: Vec<String> =
        before.map(|one| format!("{}, {}", one.evaluator, number(one.cached))).collect();
    if !before.is_empty() {
        output::prose(&format!("From the cache: {}. --no-cache asks again.", before.join("; ")), 0)?;
    }
    match scores.cost_usd {
        Some(cost) => output::text(&format!("Judging cost {}.", dollars(cost))),
        None => Ok(()),
    }
}
