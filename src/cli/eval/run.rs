//! `tuesday eval run`.

use clap::Args;

use super::super::evals::tell_taken;
use super::long::{self, Unit};
use super::show::told;
use super::{Face, output};
use crate::domain::{Result, RunName, SetName};
use crate::ops::Access;
use crate::ops::run::{self, EstimateView, RunSpec, estimate, run as run_set};
use crate::task::Cancel;
use crate::text::figures::{dollars, duration, plural, thousands};
use crate::text::{Clean, clean_line, wrap};

/// Put an eval set through a target
///
/// What was changed in the set's file by hand is taken first. Each result is kept as it lands: a run that was stopped, or killed, goes on with --resume, and no case
/// is asked twice. Answers that were given to the same before come from the cache and say so.
#[derive(Args, Debug)]
pub(super) struct RunArgs {
    /// The eval set
    #[arg(long)]
    set: String,
    /// What is asked: a table [targets.NAME] of tuesday.toml, or recorded for the outputs in the traces
    #[arg(long)]
    target: String,
    /// The version of the set [default: the newest]
    #[arg(long, value_name = "N")]
    version: Option<u64>,
    /// The name of the run [default: made of set, target and a number]
    #[arg(long)]
    name: Option<String>,
    /// Requests at a time [default: as the target says, else 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrency: Option<u16>,
    /// Stop before it costs more than this, in US dollars
    #[arg(long, value_name = "USD", value_parser = usd)]
    max_usd: Option<f64>,
    /// Go on with the run of that name, or the newest of this set and target; begins one where there is none
    #[arg(long)]
    resume: bool,
    /// Go on, and ask those again that have an error as their result
    #[arg(long)]
    retry_errors: bool,
    /// Take no answer from the cache
    #[arg(long)]
    no_cache: bool,
    /// Say what it would cost, and ask nothing
    #[arg(long)]
    estimate: bool,
    /// Answer with JSON: see `tuesday help json-eval`
    #[arg(long)]
    json: bool,
}

fn usd(text: &str) -> std::result::Result<f64, String> {
    match text.trim_start_matches('$').parse::<f64>() {
        Ok(usd) if usd.is_finite() && usd >= 0.0 => Ok(usd),
        _ => Err("write dollars, such as 2.50".to_owned()),
    }
}

pub(super) fn run(face: &Face, args: &RunArgs) -> Result<u8> {
    let config = &face.config.evaluation;
    let set = SetName::parse(&args.set)?;
    let spec = RunSpec {
        version: args.version,
        name: args.name.as_deref().map(RunName::parse).transpose()?,
        concurrency: args.concurrency.map(usize::from),
        max_usd: args.max_usd,
        resume: args.resume,
        retry_errors: args.retry_errors,
        cache: !args.no_cache,
        ..run::spec(config, set, &args.target)?
    };
    if args.estimate {
        let view = estimate(&face.ctx(Access::ReadOnly)?, &spec, &Cancel::default())?;
        if args.json {
            output::json(&view)?;
        } else {
            output::text(&estimated(&view))?;
        }
        return Ok(0);
    }
    let ctx = face.ctx(Access::Existing)?;
    if let Some(file) = run::take_edits(&ctx, &spec)? {
        tell_taken(&file.taken, "taken from the file: ", |line| {
            output::note(&line);
            Ok(())
        })?;
    }
    if !args.json {
        output::note(&estimated(&estimate(&ctx, &spec, &Cancel::default())?));
    }
    let view = long::run(Unit::Cases, |cancel, progress| {
        // What is being asked at a Ctrl-C is paid for: the loop gives it a few seconds to come.
        let never = Cancel::default();
        let asker = run::asker(&ctx, config, &spec, &never)?;
        let scores = run::scores(&ctx, config, &spec, &never)?;
        run_set(&ctx, &spec, asker, scores, cancel, progress)
    })?;
    if args.json {
        output::json(&view)?;
    } else {
        told(&view)?;
        output::text(&format!("\nThe cases: tuesday eval show {}", view.run))?;
    }
    Ok(u8::from(!view.is_complete()))
}

fn estimated(view: &EstimateView) -> String {
    let number = |n: u64| thousands(i64::try_from(n).unwrap_or(i64::MAX));
    let mut text = plural(usize::try_from(view.cases).unwrap_or(usize::MAX), "case");
    if view.cached > 0 {
        text.push_str(&format!(", {} of them from the cache", number(view.cached)));
    }
    if view.tokens_in + view.tokens_out > 0 {
        text.push_str(&format!(
            ", about {} tokens in and {} out",
            number(view.tokens_in),
            number(view.tokens_out)
        ));
    }
    match view.cost_usd {
        Some(cost) => text.push_str(&format!(": about {}", dollars(cost))),
        None => text.push_str(": what it costs is not known"),
    }
    if let Some(most) = view.at_most_usd.filter(|most| *most > 0.0) {
        text.push_str(&format!(", at most {}", dollars(most)));
    }
    if let Some(ms) = view.takes_ms.filter(|ms| *ms > 0.0) {
        text.push_str(&format!("; about {}", duration(ms)));
    }
    let based_on = format!("Based on: {}.", view.based_on);
    let lines = [format!("{text}."), based_on];
    let lines = lines.iter().flat_map(|line| wrap(&clean_line(line), output::columns()));
    lines.map(Clean::into_string).collect::<Vec<_>>().join("\n")
}
