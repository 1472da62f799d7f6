//! `tuesday sample draw|list|show`.

use clap::{Args, Subcommand};

use super::long::{self, Unit};
use super::{Face, output};
use crate::domain::sample::{parse_rate, parse_since};
use crate::domain::{Dimension, Method, Result};
use crate::ops::sample::{DrawSpec, SampleView, draw, list, show};
use crate::ops::{Access, Ctx};
use crate::text::figures::{percent, plural, thousands};

/// Draw samples of the traces, and show them
#[derive(Args, Debug)]
pub(super) struct SampleArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Draw a sample and freeze it: the same traces whoever draws
    Draw(DrawArgs),
    /// List the samples, newest first
    List {
        /// Answer with JSON: see `tuesday help json`
        #[arg(long)]
        json: bool,
    },
    /// Show one sample: its rule, what its labels say, and with --json its members
    Show {
        /// The sample's name
        name: String,
        /// Answer with JSON: see `tuesday help json`
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args, Debug)]
struct DrawArgs {
    /// The sample's name
    name: String,
    /// Each trace with this probability: 1%, 0.01 [default: 1%, or all with --suspicious]
    #[arg(long, value_name = "SHARE", conflicts_with = "size")]
    rate: Option<String>,
    /// This many traces; with --strata as evenly over the strata as they reach
    #[arg(long, value_name = "N")]
    size: Option<u64>,
    /// Only traces that this query holds for
    #[arg(long = "where", value_name = "QUERY")]
    query: Option<String>,
    /// Only traces since then: 7d, 36h, 2w, a date, a time
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Draw within each combination of prompt_version, prompt, model, feature, feedback, status
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    strata: Vec<String>,
    /// Another seed is another draw
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Only thumbs down, reports, errors and fallbacks
    #[arg(long)]
    suspicious: bool,
    /// Answer with JSON: see `tuesday help json`
    #[arg(long)]
    json: bool,
}

pub(super) fn run(face: &Face, args: &SampleArgs) -> Result<u8> {
    match &args.what {
        What::Draw(args) => {
            let ctx = face.ctx(Access::Existing)?;
            let spec = spec(&ctx, args)?;
            let view = long::run(Unit::Traces, |cancel, progress| draw(&ctx, &spec, cancel, progress))?;
            if args.json {
                output::json(&view)?;
            } else {
                output::text(&format!(
                    "Drew {}: {} of {}. Review it with `tuesday review {:?}`.",
                    view.name,
                    thousands(view.size.cast_signed()),
                    plural(usize::try_from(view.population).unwrap_or(usize::MAX), "trace"),
                    view.name
                ))?;
                for note in &view.notes {
                    output::text(note.raw())?;
                }
            }
        }
        What::List { json } => {
            let ctx = face.ctx(Access::ReadOnly)?;
            let lines = list(&ctx)?;
            if *json {
                output::json(&lines)?;
            } else if lines.is_empty() {
                output::text("There is no sample yet. Draw one with `tuesday sample draw NAME --rate 1%`.")?;
            } else {
                let rows = lines.iter().map(|line| {
                    vec![
                        line.name.clone(),
                        thousands(line.size.cast_signed()),
                        thousands(line.population.cast_signed()),
                        format!("{} of {}", line.reviewed, line.size),
                        line.drawn_at.strftime("%Y-%m-%d %H:%M").to_string(),
                        line.by.raw().to_owned(),
                        line.rule.describe(),
                    ]
                });
                output::table(&["sample", "size", "of", "you reviewed", "drawn (UTC)", "by", "rule"], rows)?;
            }
        }
        What::Show { name, json } => {
            let ctx = face.ctx(Access::ReadOnly)?;
            let view = show(&ctx, name)?;
            if *json { output::json(&view)? } else { print(&view)? }
        }
    }
    Ok(0)
}

fn spec(ctx: &Ctx, args: &DrawArgs) -> Result<DrawSpec> {
    let method = match (&args.rate, args.size) {
        (Some(rate), _) => Method::Rate(parse_rate(rate)?),
        (None, Some(size)) => Method::Size(size),
        (None, None) if args.suspicious => Method::Rate(1.0),
        (None, None) => Method::Rate(0.01),
    };
    Ok(DrawSpec {
        name: args.name.clone(),
        method,
        query: args.query.clone(),
        since: args.since.as_deref().map(|text| parse_since(text, ctx.clock.now())).transpose()?,
        strata: args.strata.iter().map(|word| Dimension::from_word(word)).collect::<Result<_>>()?,
        suspicious: args.suspicious,
        seed: args.seed,
    })
}

fn print(view: &SampleView) -> Result<()> {
    output::text(&format!(
        "{}: {} of {}, drawn {} by {}\n{}",
        view.name,
        thousands(view.size.cast_signed()),
        plural(usize::try_from(view.population).unwrap_or(usize::MAX), "trace"),
        view.drawn_at.strftime("%Y-%m-%d %H:%M UTC"),
        view.by.raw(),
        view.rule.describe()
    ))?;
    if view.rates.reviewers.is_empty() {
        output::text(&format!("Nobody has labelled it yet: `tuesday review {:?}`.", view.name))?;
    }
    for of in &view.rates.reviewers {
        let mut line = format!(
            "{}: {} reviewed, {} fail, {} unsure",
            of.reviewer.raw(),
            of.reviewed,
            of.fails,
            of.unsure
        );
        if let Some(rate) = of.failing {
            line += &format!(
                "; failing {} [{}, {}] of the population",
                percent(rate.rate),
                percent(rate.lower),
                percent(rate.upper)
            );
        }
        output::text(&line)?;
        for mode in &of.modes {
            let rate = mode.rate;
            output::text(&format!(
                "  {} {} [{}, {}], {}",
                mode.mode.as_str(),
                percent(rate.rate),
                percent(rate.lower),
                percent(rate.upper),
                plural(mode.n, "trace")
            ))?;
        }
    }
    for pair in &view.rates.agreement {
        let kappa = pair.kappa.map_or_else(|| "kappa undefined".to_owned(), |k| format!("kappa {k:.2}"));
        let [a, b] = &pair.reviewers;
        output::text(&format!(
            "{} and {}: {} on {} labelled by both, {kappa}",
            a.raw(),
            b.raw(),
            percent(pair.share),
            plural(pair.n, "trace")
        ))?;
    }
    Ok(())
}
