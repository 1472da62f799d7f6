//! A run for elsewhere: JSON, JUnit XML for a build server, Markdown for a pull request, and one HTML file.
//!
//! What models and users wrote is made printable here, for a report may well end on a terminal.

use std::time::Duration;

use minijinja::value::Serde;
use minijinja::{Environment, context};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use super::{RunShowView, RunView};
use crate::domain::{Answered, Assessment, CaseResult, Error, ExpectedKind, Outcome, Result, Score};
use crate::text::figures::{UNKNOWN, dollars, duration};
use crate::text::{clean_line, clean_str, json_out, truncate};

/// Columns of a text in a Markdown table.
const CELL: usize = 100;
/// Failing cases in a Markdown report; a pull request takes no more than 65,536 characters.
const MOST: usize = 50;

/// How a run is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// All that is known.
    Json,
    /// For a build server.
    Junit,
    /// For a pull request.
    Markdown,
    /// For a browser, in one file.
    Html,
}

/// Writes a run in this format. The text ends with a line break.
pub fn export(view: &RunShowView, format: ExportFormat) -> Result<String> {
    let mut text = match format {
        ExportFormat::Json => json_out::to_string_pretty(view).map_err(failed)?,
        ExportFormat::Junit => junit(view)?,
        ExportFormat::Markdown => markdown(view),
        ExportFormat::Html => html(view)?,
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

fn failed(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::failed("The run cannot be written in this format.").because(why)
}

/// Why a result is no pass: each evaluator's word that is none, or why there is no answer.
pub fn reasons(result: &CaseResult) -> Vec<String> {
    match &result.answered {
        Answered::Error(error) => vec![format!("{}: {}", error.kind.words(), clean_line(error.what.raw()))],
        Answered::Answer(_) => result
            .assessments
            .iter()
            .filter(|one| one.outcome != Outcome::Pass)
            .map(|one| format!("{}: {}", clean_line(&one.evaluator), clean_line(one.explanation.raw())))
            .collect(),
    }
}

fn answer_of(result: &CaseResult) -> Option<String> {
    // With its tool calls, which are no text.
    result.answer().map(|answer| clean_str(answer.output.plain_text().raw()).into_string())
}

fn junit(view: &RunShowView) -> Result<String> {
    let mut report = Report::new(format!("{} · {}", view.run.set, view.run.run));
    for category in &view.run.categories {
        let mut suite = TestSuite::new(clean_line(category.category.raw()).as_str());
        for result in view.results.iter().filter(|result| result.category == category.category) {
            suite.add_test_case(test_case(&view.run, result));
        }
        report.add_test_suite(suite);
    }
    report.to_string().map_err(failed)
}

fn test_case(run: &RunView, result: &CaseResult) -> TestCase {
    let why = reasons(result);
    let kind = match result.outcome() {
        Outcome::Pass => None,
        Outcome::Fail => Some(NonSuccessKind::Failure),
        Outcome::Error => Some(NonSuccessKind::Error),
    };
    let status = kind.map_or_else(TestCaseStatus::success, |kind| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(why.first().map_or("", String::as_str));
        status.set_description(story(result, &why));
        status
    });
    let mut case = TestCase::new(result.case.as_str(), status);
    case.set_classname(format!("{}.{}", run.set, clean_line(result.category.raw())));
    if let Some(ms) = result.answer().map(|answer| answer.latency_ms) {
        case.set_time(Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default());
    }
    case
}

fn story(result: &CaseResult, why: &[String]) -> String {
    let mut text = why.join("\n");
    let mut part = |name: &str, what: &str| {
        text.push_str(&format!("\n\n{name}:\n{what}"));
    };
    part("input", clean_str(result.input.plain_text().raw()).as_str());
    if let Some(expected) = &result.expected {
        part(expected_word(result.expected_kind), clean_str(expected.raw()).as_str());
    }
    if let Some(answer) = answer_of(result) {
        part("answer", &answer);
    }
    text
}

fn expected_word(kind: ExpectedKind) -> &'static str {
    match kind {
        ExpectedKind::Output => "expected",
        ExpectedKind::Behaviour => "expected behaviour",
    }
}

/// The figures of a run with their names, as every report has them.
fn figures(run: &RunView) -> Vec<(&'static str, String)> {
    let ms = |value: Option<f64>| value.map_or_else(|| UNKNOWN.to_owned(), duration);
    let mut all = vec![
        ("cases", format!("{} of {}", run.done, run.cases)),
        ("passed", run.passed.to_string()),
        ("failed", run.failed.to_string()),
        ("errors", run.errors.to_string()),
        ("pass rate", run.pass_words()),
        ("mean response time", ms(run.latency_ms.mean)),
        ("p95 response time", ms(run.latency_ms.p95)),
        ("paid", dollars(run.cost_usd)),
        ("cost per answer", run.cost_per_answer_usd.map_or_else(|| UNKNOWN.to_owned(), dollars)),
    ];
    if run.cached > 0 {
        all.push(("answers from the cache", run.cached.to_string()));
    }
    all
}

/// Names what was run, on one line.
pub fn title(run: &RunView) -> String {
    let prompt = run.prompt.as_ref().map_or(String::new(), |prompt| format!(" · {prompt}"));
    format!("{} · {} v{} · {} ({}){prompt}", run.run, run.set, run.set_version, run.target, run.target_kind)
}

fn markdown(view: &RunShowView) -> String {
    let run = &view.run;
    let mut out = format!("## {}\n\n", code(&title(run), CELL));
    if let Some(why) = &run.stopped {
        out.push_str(&format!("**Stopped before its end.** {}\n\n", code(why, CELL)));
    }
    out.push_str("| figure | value |\n|---|---:|\n");
    for (name, value) in figures(run) {
        out.push_str(&format!("| {name} | {value} |\n"));
    }
    out.push_str("\n| category | passed | failed | errors |\n|---|---:|---:|---:|\n");
    for c in &run.categories {
        let name = code(c.category.raw(), CELL);
        out.push_str(&format!("| {name} | {} | {} | {} |\n", c.passed, c.failed, c.errors));
    }
    if !run.evaluators.is_empty() {
        out.push_str("\n| evaluator | passed | failed | errors |\n|---|---:|---:|---:|\n");
        for e in &run.evaluators {
            let name = code(&e.evaluator, CELL);
            out.push_str(&format!("| {name} | {} | {} | {} |\n", e.passed, e.failed, e.errors));
        }
    }
    let bad: Vec<_> = view.results.iter().filter(|result| result.outcome() != Outcome::Pass).collect();
    if !bad.is_empty() {
        out.push_str("\n| case | outcome | input | why |\n|---|---|---|---|\n");
    }
    for result in bad.iter().take(MOST) {
        let (input, why) = (result.input.asked(CELL), reasons(result).join("; "));
        out.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            code(result.case.as_str(), CELL),
            result.outcome().word(),
            code(input.raw(), CELL),
            code(&why, CELL)
        ));
    }
    if bad.len() > MOST {
        out.push_str(&format!("\nand {} more.\n", bad.len() - MOST));
    }
    out
}

/// Text as a code span that holds in a table: nothing in it is markup, a link or a mention.
fn code(text: &str, most: usize) -> String {
    let text = truncate(&clean_line(text), most).into_string();
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let gap = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{gap}{}{gap}{fence}", text.replace('|', "\\|"))
}

#[derive(Serialize)]
struct Row {
    case: String,
    category: String,
    outcome: &'static str,
    input: String,
    expected_word: &'static str,
    expected: Option<String>,
    answer: Option<String>,
    error: Option<String>,
    cached: bool,
    said: Vec<Said>,
}

#[derive(Serialize)]
struct Said {
    evaluator: String,
    outcome: &'static str,
    score: String,
    explanation: String,
}

impl Said {
    fn of(one: &Assessment) -> Self {
        Self {
            evaluator: clean_line(&one.evaluator).into_string(),
            outcome: one.outcome.word(),
            score: one.score.filter(Score::says_more).map_or(String::new(), scale_words),
            explanation: clean_str(one.explanation.raw()).into_string(),
        }
    }
}

/// `4.70 of 10`, or `0.87` on a scale from 0 to 1.
fn scale_words(score: Score) -> String {
    let value = score_words(score.value);
    if score.max > 1.0 && score.max.is_finite() {
        return format!("{value} of {}", score_words(score.max));
    }
    value
}

/// A score with as many decimals as tell something.
pub fn score_words(value: f64) -> String {
    let text = crate::text::figures::fixed(value, 2);
    text.strip_suffix(".00").map_or(text.clone(), str::to_owned)
}

fn html(view: &RunShowView) -> Result<String> {
    let rows: Vec<Row> = view
        .results
        .iter()
        .map(|result| Row {
            case: result.case.to_string(),
            category: clean_line(result.category.raw()).into_string(),
            outcome: result.outcome().word(),
            input: clean_str(result.input.plain_text().raw()).into_string(),
            expected_word: expected_word(result.expected_kind),
            expected: result.expected.as_ref().map(|text| clean_str(text.raw()).into_string()),
            answer: answer_of(result),
            error: result.answer().is_none().then(|| reasons(result).join("; ")),
            cached: result.cached,
            said: result.assessments.iter().map(Said::of).collect(),
        })
        .collect();
    let groups = |name: &str, passed: u64, failed: u64, errors: u64| {
        (clean_line(name).into_string(), passed, failed, errors)
    };
    let run = &view.run;
    let categories: Vec<_> =
        run.categories.iter().map(|c| groups(c.category.raw(), c.passed, c.failed, c.errors)).collect();
    let evaluators: Vec<_> =
        run.evaluators.iter().map(|e| groups(&e.evaluator, e.passed, e.failed, e.errors)).collect();
    let mut environment = Environment::new();
    // The name decides that everything put in is escaped.
    environment.add_template("run.html", include_str!("run.html")).map_err(failed)?;
    let template = environment.get_template("run.html").map_err(failed)?;
    template
        .render(context! {
            title => clean_line(&title(run)).as_str(),
            at => run.at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
            by => clean_line(&run.by).as_str(),
            stopped => run.stopped.as_ref().map(|why| clean_line(why).into_string()),
            figures => Serde(figures(run)),
            tables => Serde([("category", categories), ("evaluator", evaluators)]),
            rows => Serde(&rows),
        })
        .map_err(failed)
}
