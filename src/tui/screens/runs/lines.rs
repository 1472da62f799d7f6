//! A case of a run, and a case of two runs, as lines to read; what a judge's trust rests on.

use std::ops::Range;

use crate::domain::{Answered, Assessment, CaseResult, ExpectedKind, Outcome, Score, Untrusted, Verdict};
use crate::ops::compare::{AnswerView, CaseView, Confusion, JudgeTrust, Rate};
use crate::text::{Line, Role, Span, Style, clean_str, diff, figures, side_by_side, wrap_line};
use crate::tui::words::{line, one_line, span, words};

/// The columns before the text of a field.
const LABELS: usize = 11;
/// From this many columns on, two answers stand beside each other.
const BESIDE: usize = 100;

/// The mark of an outcome; the word beside it is for whoever sees no colours.
pub fn mark(outcome: Outcome) -> (Role, &'static str) {
    match outcome {
        Outcome::Pass => (Role::Pass, "✓"),
        Outcome::Fail => (Role::Fail, "✗"),
        Outcome::Error => (Role::Alert, "!"),
    }
}

/// `✓ pass`.
pub fn word(outcome: Outcome) -> Span {
    let (role, mark) = mark(outcome);
    span(role, format!("{mark} {}", outcome.word()))
}

/// A figure without needless digits: `7`, `0.87`.
pub fn score(value: f64) -> String {
    let text = figures::fixed(value, 2);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A case as the run has it: what was expected, the answer with what decided marked in it, and each
/// evaluator's word.
pub fn case(case: &CaseResult, cols: usize) -> Vec<Line> {
    let mut out = Vec::new();
    let mut facts = Line::new(vec![word(case.outcome())]);
    let mut say = |text: String| facts.push(span(Role::Muted, format!(" · {text}")));
    say(one_line(&case.category));
    if let Some(answer) = case.answer() {
        say(figures::duration(answer.latency_ms));
        answer.cost_usd.into_iter().for_each(|usd| say(figures::dollars(usd)));
        answer.model.iter().for_each(|model| say(model.clone()));
    }
    if case.cached {
        say("from the cache".to_owned());
    }
    if case.attempts > 1 {
        say(figures::plural(usize::try_from(case.attempts).unwrap_or(usize::MAX), "attempt"));
    }
    field(&mut out, "came to", [facts], cols);
    input(&mut out, &case.input.asked(usize::MAX), cols);
    expected(&mut out, case.expected.as_ref(), case.expected_kind, cols);
    gap(&mut out);
    match &case.answered {
        Answered::Answer(answer) => {
            let text = answer.output.answer_text();
            let marks: Vec<(Range<usize>, Style)> = case
                .assessments
                .iter()
                .filter_map(|one| Some((one.span.clone()?, decided(one.outcome))))
                .collect();
            field(&mut out, "answer", marked(&text, marks), cols);
            let calls = answer.output.tool_calls().map(|call| {
                let name = one_line(&call.function.name);
                words().muted("tool ").plain(name).muted(format!(" {}", call.function.arguments)).done()
            });
            field(&mut out, "called", calls, cols);
        }
        Answered::Error(error) => {
            let what =
                words().put(Role::Alert, error.kind.words()).plain(format!(": {}", one_line(&error.what)));
            field(&mut out, "no answer", [what.done()], cols);
        }
    }
    gap(&mut out);
    let mut said: Vec<&Assessment> = case.assessments.iter().collect();
    said.sort_by_key(|one| order(one.outcome));
    for one in said {
        evaluator(&mut out, one, cols);
    }
    if let Some(trace) = &case.trace {
        gap(&mut out);
        field(&mut out, "trace", [line(Role::Accent, one_line(trace))], cols);
    }
    out
}

/// The failing first, then those without a word.
pub fn order(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Fail => 0,
        Outcome::Error => 1,
        Outcome::Pass => 2,
    }
}

/// How the text that decided is drawn: underlined, so that it shows without colours.
fn decided(outcome: Outcome) -> Style {
    Style { underline: true, bold: true, ..Style::of(mark(outcome).0) }
}

/// The evaluator's name, its word, and why.
fn evaluator(out: &mut Vec<Line>, one: &Assessment, cols: usize) {
    let mut head = Line::new(vec![word(one.outcome), span(Role::Plain, format!("  {}", one.evaluator))]);
    head.push(span(Role::Muted, assessment_facts(one)));
    field(out, "", [head], cols);
    let why = one_line(&one.explanation);
    if !why.is_empty() {
        field(out, "", [words().muted("    ").muted(why).done()], cols);
    }
}

/// ` 4 of 10 · accuracy 4, tone 8 · gpt-4o`.
fn assessment_facts(one: &Assessment) -> String {
    let mut facts = String::new();
    if let Some(given) = one.score.filter(Score::says_more) {
        facts.push_str(&format!(" {}", score(given.value)));
        if given.max > 1.0 && given.max.is_finite() {
            facts.push_str(&format!(" of {}", score(given.max)));
        }
    }
    if !one.criteria.is_empty() {
        let ratings: Vec<String> =
            one.criteria.iter().map(|(name, value)| format!("{name} {}", score(*value))).collect();
        facts.push_str(&format!(" · {}", ratings.join(", ")));
    }
    if let Some(by) = &one.by {
        facts.push_str(&format!(" · {by}"));
    }
    facts
}

/// A case of two runs: both answers beside each other where there is room, else one under the other,
/// with their differences marked.
pub fn pair(view: &CaseView, cols: usize) -> Vec<Line> {
    let mut out = Vec::new();
    let (before, after) = (&view.baseline, &view.candidate);
    let mut facts = Line::new(vec![word(after.outcome), span(Role::Muted, " was "), word(before.outcome)]);
    facts.push(span(Role::Muted, format!(" · {}", one_line(&view.category))));
    field(&mut out, "came to", [facts], cols);
    if view.changed {
        let changed = "The runs saw another input, or expected something else: this pair does not count.";
        field(&mut out, "", [line(Role::Alert, changed)], cols);
    }
    input(&mut out, &view.input, cols);
    expected(&mut out, view.expected.as_ref(), view.expected_kind, cols);
    gap(&mut out);
    if cols >= BESIDE {
        let half = cols.saturating_sub(3) / 2;
        let (left, right) = (side("current", before, half), side("new", after, half));
        let mut head = left;
        let missing = half.saturating_sub(head.width());
        head.push(span(Role::Plain, " ".repeat(missing)));
        head.push(span(Role::Rule, " │ "));
        out.push(words().line(&head).line(&right).done());
        out.extend(side_by_side(before.raw(), after.raw(), cols));
    } else {
        out.push(words().put(Role::Removed, "- ").line(&side("current", before, cols)).done());
        out.push(words().put(Role::Added, "+ ").line(&side("new", after, cols)).done());
        out.extend(diff(before.raw(), after.raw(), cols));
    }
    gap(&mut out);
    for said in &view.evaluators {
        let outcome = |one: &Option<Assessment>| {
            one.as_ref().map_or_else(|| span(Role::Muted, "no word"), |one| word(one.outcome))
        };
        let mut head =
            Line::new(vec![outcome(&said.candidate), span(Role::Muted, " was "), outcome(&said.baseline)]);
        head.push(span(Role::Plain, format!("  {}", said.evaluator)));
        field(&mut out, "", [head], cols);
        for (name, one) in [("current", &said.baseline), ("new", &said.candidate)] {
            if let Some(one) = one {
                let facts = assessment_facts(one);
                let gap = if facts.is_empty() || facts.starts_with(" ·") { "" } else { " ·" };
                let why = format!("{}{gap}{facts}", one_line(&one.explanation));
                field(&mut out, "", [words().muted(format!("    {name:<8} ")).plain(why).done()], cols);
            }
        }
    }
    if let Some(trace) = &view.trace {
        gap(&mut out);
        field(&mut out, "trace", [line(Role::Accent, one_line(trace))], cols);
    }
    out
}

/// `current support-v3 · 1.2 s · $0.0021`.
fn side(name: &str, view: &AnswerView, cols: usize) -> Line {
    let mut words = words().put(Style::of(Role::Heading), name).muted(format!(" {}", view.run));
    if let Some(error) = &view.error {
        words = words.put(Role::Alert, format!(" · no answer: {}", error.kind.words()));
    }
    let took = view.latency_ms.map(|ms| format!(" · {}", figures::duration(ms)));
    let cost = view.cost_usd.map(|usd| format!(" · {}", figures::dollars(usd)));
    let words = words.maybe(Role::Muted, took).maybe(Role::Muted, cost);
    crate::text::truncate_line(
        &words.maybe(Role::Muted, view.cached.then_some(" · from the cache")).done(),
        cols,
    )
}

fn input(out: &mut Vec<Line>, text: &Untrusted, cols: usize) {
    gap(out);
    field(out, "input", plain(text.raw()), cols);
}

fn expected(out: &mut Vec<Line>, text: Option<&Untrusted>, kind: ExpectedKind, cols: usize) {
    gap(out);
    let name = if kind == ExpectedKind::Behaviour { "behaviour" } else { "expected" };
    match text {
        Some(text) => field(out, name, plain(text.raw()), cols),
        None => field(out, name, [line(Role::Muted, "nothing: the evaluators alone decide")], cols),
    }
}

fn gap(out: &mut Vec<Line>) {
    if out.last().is_some_and(|line| !line.is_empty()) {
        out.push(Line::default());
    }
}

/// Adds lines under a label at their left.
fn field(out: &mut Vec<Line>, name: &str, text: impl IntoIterator<Item = Line>, cols: usize) {
    let rest = span(Role::Plain, " ".repeat(LABELS));
    let mut before = span(Role::Muted, format!("{name:<LABELS$}"));
    for text in text {
        out.extend(wrap_line(&text, cols, std::slice::from_ref(&before), std::slice::from_ref(&rest)));
        before = rest.clone();
    }
}

fn plain(text: &str) -> Vec<Line> {
    marked(text, Vec::new())
}

/// The text's lines, with these of its bytes in another style. A range that is not of this text, or lies
/// in one that was marked already, is left out.
fn marked(text: &str, mut marks: Vec<(Range<usize>, Style)>) -> Vec<Line> {
    marks.sort_by_key(|(range, _)| range.start);
    let mut out = vec![Line::default()];
    let mut add = |piece: &str, style: Style| {
        for (at, part) in clean_str(piece).as_str().split('\n').enumerate() {
            if at > 0 {
                out.push(Line::default());
            }
            if let Some(last) = out.last_mut() {
                last.push(span(style, part));
            }
        }
    };
    let mut at = 0;
    for (range, style) in marks {
        if range.start < at || range.is_empty() {
            continue;
        }
        let (Some(before), Some(piece)) = (text.get(at..range.start), text.get(range.clone())) else {
            continue;
        };
        add(before, Style::default());
        add(piece, style);
        at = range.end;
    }
    add(text.get(at..).unwrap_or_default(), Style::default());
    while out.len() > 1 && out.last().is_some_and(Line::is_empty) {
        out.pop();
    }
    out
}

/// What the trust in a judge rests on.
///
/// ```text
///  judge      tone by gpt-4o
///  reports    92.0 % [86.2, 95.5] pass of 150, corrected 88.1 % [80.2, 94.9]
///  agreement  91.2 %, kappa 0.71 [0.52, 0.90] of 68 labelled
///  passes     40 of 42 labelled passes it passes: 95.2 % [84.2, 98.7]
///  failures   22 of 26 labelled failures it fails: 84.6 % [66.5, 93.8]
///
///                  labelled pass  labelled fail
///  judge passes               40              4
///  judge fails                 2             22
/// ```
pub fn judge(judge: &JudgeTrust, cols: usize) -> Vec<Line> {
    let mut out = Vec::new();
    let by = judge.by.as_ref().map(|by| format!(" by {by}"));
    field(
        &mut out,
        "judge",
        [words().put(Style::of(Role::Heading), &judge.evaluator).maybe(Role::Muted, by).done()],
        cols,
    );
    let rate = |rate: &Rate| {
        rate.share.map_or_else(
            || figures::UNKNOWN.to_owned(),
            |of| figures::share_within(of, rate.interval.map(|ends| [ends.lower, ends.upper])),
        )
    };
    let corrected = judge.corrected.map(|found| {
        format!(
            ", corrected {}",
            figures::share_within(found.rate, Some([found.interval.lower, found.interval.upper]))
        )
    });
    let no_word = (judge.no_word > 0).then(|| format!(", no word on {}", judge.no_word));
    let reports = words()
        .plain(rate(&judge.reported))
        .muted(format!(" pass of {}", judge.reported.n))
        .maybe(Role::Plain, corrected)
        .maybe(Role::Muted, no_word);
    field(&mut out, "reports", [reports.done()], cols);
    field(&mut out, "", [line(Role::Muted, &judge.words)], cols);
    let unknown = || figures::UNKNOWN.to_owned();
    let kappa = judge.kappa.map_or_else(unknown, |kappa| figures::fixed(kappa, 2));
    let ends = judge
        .kappa_interval
        .map(|ends| format!(" [{}, {}]", figures::fixed(ends.lower, 2), figures::fixed(ends.upper, 2)));
    let agreement = words()
        .plain(judge.agreement.map_or_else(unknown, figures::percent))
        .plain(format!(", kappa {kappa}"))
        .maybe(Role::Plain, ends)
        .muted(format!(" of {} labelled", judge.labelled))
        .maybe(Role::Muted, (judge.undecided > 0).then(|| format!(", {} undecided", judge.undecided)));
    field(&mut out, "agreement", [agreement.done()], cols);
    for (name, of, what) in [
        ("passes", &judge.true_positive, "labelled passes it passes"),
        ("failures", &judge.true_negative, "labelled failures it fails"),
    ] {
        let text = words().plain(format!("{} of {}", of.k, of.n)).muted(format!(" {what}: ")).plain(rate(of));
        field(&mut out, name, [text.done()], cols);
    }
    out.push(Line::default());
    out.extend(confusion(&judge.confusion));
    out
}

fn confusion(of: &Confusion) -> Vec<Line> {
    let row = |name: &str, pass: u64, fail: u64, right: usize| {
        let role = |at: usize| if at == right { Role::Pass } else { Role::Fail };
        words()
            .muted(format!("{name:<14}"))
            .put(if pass > 0 { role(0) } else { Role::Muted }, format!("{pass:>14}"))
            .put(if fail > 0 { role(1) } else { Role::Muted }, format!("{fail:>16}"))
            .done()
    };
    vec![
        line(Role::Muted, format!("{:<14}{:>14}{:>16}", "", "labelled pass", "labelled fail")),
        row("judge passes", of.pass_pass, of.judge_pass_label_fail, 0),
        row("judge fails", of.judge_fail_label_pass, of.fail_fail, 1),
    ]
}

/// The mark of a label's verdict, with its word.
pub fn verdict(verdict: Verdict) -> Span {
    let (role, mark) = crate::tui::screens::known::mark(verdict);
    span(role, format!("{mark} {}", verdict.word()))
}
