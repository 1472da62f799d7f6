//! The comparison for other readers: Markdown for a pull request, JUnit XML for CI, one HTML file.
//!
//! What models and users wrote is cleaned first and then escaped for the form: in Markdown it stands in code
//! spans, where no link, mention or markup of it is alive; the templates of HTML and XML escape by
//! themselves.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, context};
use serde::Serialize;

use super::show::{became, decided, headline, rows, tally, title};
use super::{Became, CaseLine, CaseView, CompareView, State};
use crate::domain::{Error, Result};
use crate::text::figures::percent;
use crate::text::{Role, clean_line, clean_str, diff};

/// Cases that a pull request is shown of each kind.
const LISTED: usize = 50;
/// Columns of a difference in HTML.
const COLS: usize = 88;

#[derive(Debug, Clone, Serialize)]
struct CaseRow {
    case: String,
    category: String,
    about: String,
    became: &'static str,
    tone: &'static str,
    decided: String,
    why: String,
}

impl CaseRow {
    fn of(line: &CaseLine) -> Self {
        Self {
            case: line.case.as_str().to_owned(),
            category: clean_line(line.category.raw()).into_string(),
            about: clean_line(line.about.raw()).into_string(),
            became: became(line),
            tone: match line.became {
                Became::Regressed | Became::BothFail => "worse",
                Became::Fixed | Became::BothPass => "better",
                Became::NoWord => "",
            },
            decided: decided(line),
            why: clean_line(line.why.raw()).into_string(),
        }
    }
}

#[derive(Debug, Clone, Serialize)]
struct CheckRow {
    words: String,
    state: &'static str,
    tone: &'static str,
    threshold: &'static str,
}

fn checks(view: &CompareView) -> Vec<CheckRow> {
    let row = |check: &super::CheckView| CheckRow {
        words: clean_line(&check.words).into_string(),
        state: check.state.words(),
        tone: match check.state {
            State::Met => "better",
            State::NotMet => "worse",
            State::Open | State::Unknown => "",
        },
        threshold: check.threshold,
    };
    view.checks.iter().map(row).collect()
}

fn of_kind(view: &CompareView, kind: Became) -> Vec<CaseRow> {
    view.lines.iter().filter(|line| line.became == kind).map(CaseRow::of).collect()
}

/// The comparison as Markdown.
pub fn markdown(view: &CompareView) -> Result<String> {
    let kind = |name: &str, kind: Became| {
        let mut rows = of_kind(view, kind);
        let more = rows.len().saturating_sub(LISTED);
        rows.truncate(LISTED);
        context! { name, rows => Serde(rows), more }
    };
    render(
        AutoEscape::None,
        include_str!("templates/compare.md"),
        context! {
            groups => [kind("Newly failing", Became::Regressed), kind("Newly passing", Became::Fixed),
                       kind("Failing in both", Became::BothFail), kind("Without a word", Became::NoWord)],
            ..common(view)
        },
    )
}

/// The comparison as JUnit XML: a newly failing case is a failure, one without a word in the candidate an
/// error, one that fails in both or could not be paired is skipped.
pub fn junit(view: &CompareView) -> Result<String> {
    let no_word: Vec<CaseRow> = of_kind(view, Became::NoWord);
    let passed: Vec<CaseRow> =
        of_kind(view, Became::Fixed).into_iter().chain(of_kind(view, Became::BothPass)).collect();
    let left_out: Vec<(&str, &str)> = [
        (&view.left_out.only_baseline, "only in the baseline"),
        (&view.left_out.only_candidate, "only in the candidate"),
        (&view.left_out.changed, "changed between the runs"),
    ]
    .into_iter()
    .flat_map(|(ids, why)| ids.iter().map(move |id| (id.as_str(), why)))
    .collect();
    let skipped = view.both_fail.len() + left_out.len();
    render(
        AutoEscape::Html,
        include_str!("templates/compare.xml"),
        context! {
            regressed => Serde(of_kind(view, Became::Regressed)),
            both_fail => Serde(of_kind(view, Became::BothFail)),
            tests => view.lines.len() + left_out.len(),
            skipped,
            no_word => Serde(no_word),
            passed => Serde(passed),
            left_out => Serde(left_out),
            ..common(view)
        },
    )
}

/// The comparison as one HTML file without scripts, for light and dark.
pub fn html(view: &CompareView) -> Result<String> {
    let categories: Vec<_> = view
        .categories
        .iter()
        .map(|line| {
            context! {
                category => clean_line(line.category.raw()).into_string(),
                current => percent(line.current), new => percent(line.new),
                cases => line.cases, regressed => line.regressed, fixed => line.fixed,
            }
        })
        .collect();
    let cases = view.lines.iter().filter(|line| line.became != Became::BothPass);
    render(
        AutoEscape::Html,
        include_str!("templates/compare.html"),
        context! {
            categories,
            cases => Serde(cases.map(CaseRow::of).collect::<Vec<_>>()),
            opened => Serde(view.opened.iter().map(Opened::of).collect::<Vec<_>>()),
            ..common(view)
        },
    )
}

fn common(view: &CompareView) -> minijinja::Value {
    context! {
        title => title(view),
        set => view.set.as_str(),
        baseline => view.baseline.run.as_str(),
        candidate => view.candidate.run.as_str(),
        headline => headline(view),
        decision => view.decision.words(),
        tone => if view.decision == super::Decision::Hold { "worse" } else { "" },
        reason => clean_line(&view.reason).into_string(),
        multiplicity => view.multiplicity.as_str(),
        metrics => Serde(rows(view)),
        checks => Serde(checks(view)),
        tally => tally(view),
        notes => view.notes.iter().map(|note| clean_line(note).into_string()).collect::<Vec<_>>(),
    }
}

/// A case with its answers, for HTML.
#[derive(Debug, Clone, Serialize)]
struct Opened {
    case: String,
    became: &'static str,
    input: String,
    expected: Option<String>,
    lines: Vec<DiffLine>,
    words: Vec<Word>,
}

#[derive(Debug, Clone, Serialize)]
struct DiffLine {
    tone: &'static str,
    parts: Vec<(bool, String)>,
}

#[derive(Debug, Clone, Serialize)]
struct Word {
    evaluator: String,
    baseline: String,
    candidate: String,
}

impl Opened {
    fn of(view: &CaseView) -> Self {
        let word = |one: &Option<crate::domain::Assessment>| {
            one.as_ref().map_or_else(
                || "—".to_owned(),
                |one| clean_line(&format!("{}: {}", one.outcome.word(), one.explanation.raw())).into_string(),
            )
        };
        let lines = diff(view.baseline.raw(), view.candidate.raw(), COLS).into_iter().map(|line| DiffLine {
            tone: match line.spans.first().map(|span| span.style.role) {
                Some(Role::Removed) => "removed",
                Some(Role::Added) => "added",
                _ => "",
            },
            parts: line.spans.iter().map(|s| (s.style.bold, s.text.as_str().to_owned())).collect(),
        });
        Self {
            case: view.case.as_str().to_owned(),
            became: if view.became == Became::Regressed { "newly failing" } else { "newly passing" },
            input: clean_str(view.input.raw()).into_string(),
            expected: view.expected.as_ref().map(|text| clean_str(text.raw()).into_string()),
            lines: lines.collect(),
            words: view
                .evaluators
                .iter()
                .map(|one| Word {
                    evaluator: clean_line(&one.evaluator).into_string(),
                    baseline: word(&one.baseline),
                    candidate: word(&one.candidate),
                })
                .collect(),
        }
    }
}

/// A code span of hostile text for a cell of a table: nothing in it can end the span or the cell.
fn code(text: &str) -> String {
    let text = text.replace('`', "'").replace('|', "\\|");
    if text.trim().is_empty() { String::new() } else { format!("`{}`", text.trim()) }
}

fn render(escape: AutoEscape, template: &'static str, values: minijinja::Value) -> Result<String> {
    let failed = |e| Error::failed("The report cannot be written.").because(e);
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(move |_| escape.clone());
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(failed)?;
    environment.set_syntax(syntax);
    environment.add_filter("code", |text: &str| code(text));
    environment.add_template("report", template).map_err(failed)?;
    environment.get_template("report").and_then(|report| report.render(values)).map_err(failed)
}
