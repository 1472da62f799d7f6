//! One run: what it came to, and its cases.

use ratatui::layout::Rect;

use super::super::{CASES, Going, RunPage, lines};
use super::{beside, column, counts, head, incomplete, rule, waiting};
use crate::domain::{CaseResult, Score};
use crate::ops::run::RunView;
use crate::text::{Line, Role, Style, figures};
use crate::tui::canvas::{Canvas, below, inside};
use crate::tui::screen::Env;
use crate::tui::words::{line, words};

pub fn run(page: &RunPage, going: Option<&Going>, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(view) = &page.view else {
        let title = words().put(Style::of(Role::Heading), page.name.as_str()).done();
        return waiting(canvas, area, &title, "reading the run…");
    };
    let rate =
        view.pass_rate.map_or_else(|| "nothing told".to_owned(), |_| format!("{} pass", view.pass_words()));
    let title = words()
        .put(Style::of(Role::Heading), format!("{}@v{}", view.set, view.set_version))
        .muted(" → ")
        .plain(view.prompt.as_deref().unwrap_or(&view.target))
        .muted(format!(" · {}", counts(&page.cases, "case")))
        .done();
    head(canvas, area, &title, &line(Role::Plain, rate));
    let row = inside(Rect { height: 1.min(area.height.saturating_sub(1)), ..below(area, 1) });
    canvas.line(
        Rect { x: area.x, width: area.width, ..row },
        &line(Role::Plain, " ".repeat(usize::from(area.width))),
    );
    canvas.line(row, &going.map_or_else(|| facts(view, env), |going| going_line(view, going)));
    rule(canvas, area, 2);
    let beside = beside(area);
    let mut list = inside(below(area, 3));
    if let Some(beside) = beside {
        list.width = beside.x.saturating_sub(list.x + 2);
    }
    page.cases.shown.view(canvas, list, CASES, |canvas, row, at, _| {
        if let Some(case) = page.cases.all.get(*at) {
            canvas.line(row, &case_line(case, usize::from(row.width)));
        }
    });
    if page.cases.all.is_empty() {
        canvas.line(list, &line(Role::Muted, "No case has its result yet; they appear as they land."));
    }
    if let (Some(beside), Some((_, text)), Some(_)) = (beside, &page.beside, page.cases.selected()) {
        canvas.rule_down(Rect { x: beside.x - 1, width: 1, ..beside });
        canvas.lines(Rect { x: beside.x + 1, width: beside.width.saturating_sub(1), ..beside }, &text.lines);
    }
}

/// How far a run is that goes on here; its pass rate stands above.
fn going_line(run: &RunView, going: &Going) -> Line {
    words().line(&going.bar()).muted(format!(" · {}", figures::dollars(run.cost_usd))).done()
}

/// What it cost and took; first why it is not complete, where it is not.
fn facts(run: &RunView, env: &Env) -> Line {
    let mut out = words();
    if let Some(why) = incomplete(run) {
        out = out.put(Role::Alert, format!("! {why}")).muted(" · ");
    }
    let mut parts = vec![run.run.to_string(), figures::dollars(run.cost_usd)];
    for (name, ms) in [("mean", run.latency_ms.mean), ("p95", run.latency_ms.p95)] {
        parts.extend(ms.map(|ms| format!("{name} {}", figures::duration(ms))));
    }
    let when = figures::when(run.at.as_millisecond(), env.now_ms(), &env.zone);
    if run.errors > 0 {
        parts.push(figures::plural(usize::try_from(run.errors).unwrap_or(usize::MAX), "error"));
    }
    let kind = if run.target_kind == run.target { String::new() } else { format!(" ({})", run.target_kind) };
    parts.push(format!("{}{kind}", run.target));
    parts.push(format!("by {} {when}", run.by));
    out.muted(parts.join(" · ")).done()
}

/// One case: what it came to, what it is, what went in, and each evaluator's word, the failing first.
fn case_line(case: &CaseResult, cols: usize) -> Line {
    let mut said: Vec<_> = case.assessments.iter().collect();
    said.sort_by_key(|one| lines::order(one.outcome));
    let mut words_of = words();
    if let crate::domain::Answered::Error(error) = &case.answered {
        words_of = words_of.put(Role::Alert, error.kind.words());
    }
    for one in said {
        let (role, mark) = lines::mark(one.outcome);
        let score = one.score.filter(Score::says_more).map(|score| format!(" {}", lines::score(score.value)));
        words_of = words_of
            .put(role, mark)
            .plain(format!(" {}", one.evaluator))
            .maybe(Role::Muted, score)
            .plain("  ");
    }
    let fixed = 8 + 10 + 14;
    let room = cols.saturating_sub(fixed);
    let asked = room / 2;
    let text = words().line(&Line::new(vec![lines::word(case.outcome())]));
    let missing = 8_usize.saturating_sub(text.width());
    text.plain(" ".repeat(missing))
        .put(Role::Accent, column(case.case.as_str(), 10))
        .muted(column(case.category.raw(), 14))
        .plain(column(case.input.asked(200).raw(), asked))
        .line(&words_of.done())
        .done()
}
