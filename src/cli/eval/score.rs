//! `tuesday eval score`.

use clap::Args;

use crate::cli::long::{self, Unit};
use crate::cli::{Face, output};
use crate::domain::{Error, Evaluator, Result, SetName};
use crate::ops::Access;
use crate::ops::run::services;
use crate::ops::score::{SampleScores, ScoreSpec, Scorer, by_name, of_set, score_sample};
use crate::text::figures::{percent, plural, thousands};
use crate::text::{clean_line, wrap};

/// Score the recorded traces of a sample with evaluators of tuesday.toml
///
/// Without names or --set, all evaluators look at them. Pass rates are weighted by the probability with which
/// each trace was drawn, so that they speak of the population; what could not be told is counted apart.
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
    /// Answer with one line of JSON a trace, as it is scored
    #[arg(long, conflicts_with = "json")]
    each: bool,
    /// Answer with JSON: see `tuesday help json`
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
    let spec = ScoreSpec { sample: args.sample.clone() };
    let scores = long::run(Unit::Traces, |cancel, progress| {
        let checks = evaluators.iter().map(|one| &one.check);
        let scorer = Scorer::new(config, services(&ctx, config, checks, cancel)?)?;
        let prepared = scorer.prepare(&evaluators)?;
        score_sample(&ctx, &scorer, &prepared, &spec, cancel, progress, |trace| {
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
    let rows = scores.evaluators.iter().map(|one| {
        let rate = one.passing.map_or_else(
            || "–".to_owned(),
            |it| format!("{} [{}, {}]", percent(it.rate), percent(it.lower), percent(it.upper)),
        );
        vec![
            one.evaluator.clone(),
            one.kind.clone(),
            thousands(one.passes.cast_signed()),
            thousands(one.fails.cast_signed()),
            thousands(one.errors.cast_signed()),
            rate,
            one.mean_score.map_or_else(String::new, |mean| format!("{mean:.2}")),
        ]
    });
    output::table(&["evaluator", "kind", "pass", "fail", "error", "passing", "score"], rows)?;
    let by =
        scores.evaluators.iter().filter_map(|one| Some(format!("{} by {}", one.evaluator, one.by.as_ref()?)));
    let by: Vec<String> = by.collect();
    for line in wrap(&clean_line(&by.join(", ")), 80).iter().filter(|_| !by.is_empty()) {
        output::text(line.as_str())?;
    }
    match scores.cost_usd {
        Some(cost) => output::text(&format!("Judging cost ${cost:.4}.")),
        None => Ok(()),
    }
}
