//! `tuesday eval compare`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Face, output};
use crate::domain::{Assessment, CaseId, Error, Result, RunName};
use crate::ops::Access;
use crate::ops::compare::{AnswerView, CaseView, CompareSpec, case, compare, html, junit, markdown, text};
use crate::text::figures::{UNKNOWN, dollars, duration, fixed};
use crate::text::{Clean, Role, clean_line, clean_str, diff, json_out, width};

/// What decides, and how to set it.
const THRESHOLDS: &str = "\
Exit codes: 0 ship, 1 hold, 2 not enough data, 3 could not be compared.

What must hold stands in tuesday.toml; these are the defaults:
  [compare]
  min_pass_rate = 0.90      # of the cases
  max_regression = 0.05     # the pass rate's loss; the interval must rule out more
  max_cost_increase = 0.10  # of the cost of a request, as a share
  max_p95_ms = 3000         # the 95th percentile of the response time
  max_criterion_drop = 0.5  # of the mean rating on a judge's criterion
  max_error_rate = 0.05     # cases without an answer or a readable judge
  min_cases = 20            # fewer do not decide, unless they leave no doubt
  need = \"point\"            # or \"proven\": intervals, not figures, must hold
  # max_cost_usd = 0.05     # of a request; not looked at unless it is set
`inf` switches a `max_` off.";

/// Compare two runs of a set: what got better, what got worse, and whether to ship
#[derive(Args, Debug)]
#[command(after_long_help = THRESHOLDS)]
pub(super) struct CompareArgs {
    /// The run that stands
    baseline: String,
    /// The run that would take its place
    candidate: String,
    /// Show one case: what was expected, both answers, each evaluator's word
    #[arg(long, value_name = "ID", conflicts_with = "format")]
    case: Option<String>,
    /// Answer with JSON: see `tuesday help json-eval`
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write it to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(ValueEnum, Debug, Clone, Copy)]
enum Format {
    /// A table for the terminal
    Text,
    /// Markdown, for a pull request
    Md,
    /// JUnit XML, for CI
    Junit,
    /// A single HTML file
    Html,
}

/// What could not be compared must not look like a decision.
pub(super) fn run(face: &Face, args: &CompareArgs) -> Result<u8> {
    decide(face, args).or_else(|error| {
        output::error(&error);
        Ok(3)
    })
}

fn decide(face: &Face, args: &CompareArgs) -> Result<u8> {
    let (baseline, candidate) = (RunName::parse(&args.baseline)?, RunName::parse(&args.candidate)?);
    let ctx = face.ctx(Access::ReadOnly)?;
    if let Some(id) = &args.case {
        let view = case(&ctx, &baseline, &candidate, &CaseId::parse(id)?)?;
        let body = if args.json { as_json(&view)? } else { one_case(&view) };
        write(args, &body)?;
        return Ok(0);
    }
    let thresholds = face.config.thresholds.clone();
    let view = compare(&ctx, &CompareSpec { baseline, candidate, thresholds })?;
    let body = match args.format {
        _ if args.json => as_json(&view)?,
        Format::Text => text(&view),
        Format::Md => markdown(&view)?,
        Format::Junit => junit(&view)?,
        Format::Html => html(&view)?,
    };
    write(args, &body)?;
    Ok(view.decision.exit_code())
}

fn as_json(value: &impl serde::Serialize) -> Result<String> {
    json_out::to_string_pretty(value)
        .map_err(|e| Error::failed("The answer cannot be written as JSON.").because(e))
}

/// Every form is clean already; a last cleaning changes nothing of it.
fn write(args: &CompareArgs, body: &str) -> Result<()> {
    let Some(path) = &args.out else { return output::text(body.trim_end()) };
    std::fs::write(path, format!("{}\n", body.trim_end()))
        .map_err(|e| Error::failed(format!("{} cannot be written.", path.display())).because(e))
}

fn one_case(view: &CaseView) -> String {
    const COLS: usize = 80;
    let mut out = format!("{} of {} · {}\n", view.case, view.set, clean_line(view.category.raw()));
    if view.changed {
        out.push_str("the case changed between the runs: what follows is the candidate's\n");
    }
    let mut field = |name: &str, text: &Clean| {
        let mut name = name;
        for line in crate::text::wrap(text, COLS - 12) {
            out.push_str(&format!("{name:<12}{line}\n"));
            name = "";
        }
    };
    field("input", &clean_str(view.input.raw()));
    if let Some(expected) = &view.expected {
        field("expected", &clean_str(expected.raw()));
    }
    for (sign, side) in [("-", &view.baseline), ("+", &view.candidate)] {
        out.push_str(&format!("{sign} {}\n", side_line(side)));
    }
    for line in diff(view.baseline.raw(), view.candidate.raw(), COLS) {
        out.push_str(&marked(&line));
        out.push('\n');
    }
    let said = |one: &Option<Assessment>| one.as_ref().map_or_else(|| UNKNOWN.to_owned(), said);
    for word in &view.evaluators {
        out.push_str(&format!("{}\n", clean_line(&word.evaluator)));
        for (sign, one) in [("-", &word.baseline), ("+", &word.candidate)] {
            for (at, line) in crate::text::wrap(&Clean::from(said(one)), COLS - 4).into_iter().enumerate() {
                out.push_str(&format!("  {} {line}\n", if at == 0 { sign } else { " " }));
            }
        }
    }
    out
}

/// A line of the difference; on paper the words that changed stand in brackets.
fn marked(line: &crate::text::Line) -> String {
    let mut out = String::new();
    for span in &line.spans {
        let text = span.text.as_str();
        let blank = width(text.trim()) == 0;
        match span.style.role {
            Role::Removed if span.style.bold && !blank => out.push_str(&format!("[-{text}-]")),
            Role::Added if span.style.bold && !blank => out.push_str(&format!("{{+{text}+}}")),
            _ => out.push_str(text),
        }
    }
    out
}

fn side_line(side: &AnswerView) -> String {
    let mut facts = vec![side.run.to_string(), side.outcome.word().to_owned()];
    facts.extend(side.latency_ms.map(duration));
    facts.extend(side.cost_usd.map(dollars));
    if side.cached {
        facts.push("from the cache".to_owned());
    }
    if let Some(error) = &side.error {
        facts.push(error.kind.words().to_owned());
    }
    facts.join(" · ")
}

fn said(one: &Assessment) -> String {
    let score = one
        .score
        .map_or_else(String::new, |score| format!(" {} of {}", fixed(score.value, 2), fixed(score.max, 0)));
    let criteria: String =
        one.criteria.iter().map(|(name, rating)| format!(" · {name} {}", fixed(*rating, 1))).collect();
    format!("{}{score}{criteria} · {}", one.outcome.word(), one.explanation.raw())
}
