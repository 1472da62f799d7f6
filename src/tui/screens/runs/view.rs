//! How the screen is drawn.
//!
//! ```text
//!  Runs                                                        2 runs, baseline v3
//! ────────────────────────────────────────────────────────────────────────────────
//!    run           when         cases          pass rate    errors   mean     cost
//!  ◆ support-v3    Tue 09:31    13 of 13   92.3 % [66.7, …]      0  1.2 s  $0.0312
//!
//!  support@v14 → customer_support@v4                       46.2 % [23.2, 70.9] pass
//!  support-v4 · recorded · by ann Tue 09:31 · $0.0312 · mean 2.1 s · p95 3.4 s
//! ────────────────────────────────────────────────────────────────────────────────
//!  ✗ fail  c-7k2m9q  plain         I was charged an overdraft…  ✗ forbidden ✓ length
//!
//!  support · v3 → v4 · 13 cases                                    HOLD: pass rate
//! ────────────────────────────────────────────────────────────────────────────────
//!                  current      new    change  95 %            test
//!  accuracy         92.3 %   46.2 %  −46.2 pp  [−72.2, −12.6]  ✗ below target
//!  HOLD: the pass rate of 46.2 % is below 90 %
//! ────────────────────────────────────────────────────────────────────────────────
//!  newly failing 6 · newly passing 0 · both fail 1 · both pass 6
//!  c-7k2m9q  plain         We take it back: your salary …    ✗ was ✓  forbidden
//! ```
//! From 120 columns on, the case under the cursor stands beside the cases of a run.

use ratatui::layout::Rect;

use super::{
    CASES, COMPARED, ComparisonPage, DISAGREEMENTS, Filtered, Going, LIST, Page, RunPage, RunsScreen, TEXT,
    Text, TrustPage, lines,
};
use crate::command::table::{app, runs as table};
use crate::domain::{CaseId, CaseResult, RunName, Score, Untrusted};
use crate::ops::compare::{self, CaseLine, CompareView, Decision, Disagreement};
use crate::ops::run::RunView;
use crate::text::{Line, Role, Style, clean_line, figures, pad, pad_left, truncate, width, wrap_line};
use crate::tui::canvas::{Canvas, below, inside};
use crate::tui::screen::Env;
use crate::tui::words::{line, one_line, span, words};

/// From this width on the cases of a run have the one under the cursor beside them.
const WIDE: u16 = 120;
/// Text wider than this is hard to read; two answers beside each other take all there is.
const WIDEST: u16 = 200;
/// Rows of a list that stay however long the table above it is.
const LEAST: u16 = 4;

/// What is below the title and its rule.
pub fn body(area: Rect) -> Rect {
    below(area, 2)
}

/// The columns of a text to read, the scroll bar's left out.
pub fn text_cols(area: Rect) -> usize {
    usize::from(inside(area).width.saturating_sub(2).min(WIDEST))
}

/// The pane beside the cases of a run, where there is room for one.
pub fn beside(area: Rect) -> Option<Rect> {
    let list = area.width * 11 / 20;
    let body = below(area, 3);
    (area.width >= WIDE).then(|| Rect {
        x: body.x + list,
        width: body.width.saturating_sub(list + 1),
        ..body
    })
}

/// Draws the page that lies on top.
pub fn view(screen: &RunsScreen, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    match screen.pile.last() {
        None => list(screen, env, canvas, area),
        Some(Page::Run(page)) => run(page, screen.going(&page.name), env, canvas, area),
        Some(Page::Case(case, text)) => {
            let title = title_of(case.case.as_str(), run_below(screen));
            reading(canvas, area, &title, position(screen), text);
        }
        Some(Page::Comparison(page)) => comparison(page, canvas, area),
        Some(Page::Pair(page)) => {
            let title = title_of(page.case.as_str(), None);
            if page.view.is_some() {
                reading(canvas, area, &title, position(screen), &page.text);
            } else {
                waiting(canvas, area, &title, "reading the case…");
            }
        }
        Some(Page::Trust(page)) => trust(page, canvas, area),
    }
}

fn run_below(screen: &RunsScreen) -> Option<&RunName> {
    screen.pile.iter().rev().find_map(|page| match page {
        Page::Run(page) => Some(&page.name),
        _ => None,
    })
}

fn title_of(case: &str, run: Option<&RunName>) -> Line {
    words().put(Style::of(Role::Heading), case).maybe(Role::Muted, run.map(|run| format!(" in {run}"))).done()
}

/// `3 of 13`, of the list below the page.
fn position(screen: &RunsScreen) -> Line {
    let list = screen.pile.iter().rev().find_map(|page| match page {
        Page::Run(page) => Some(&page.cases.shown),
        Page::Comparison(page) => Some(&page.cases.shown),
        _ => None,
    });
    list.map(|list| line(Role::Muted, format!("{} of {}", list.position().unwrap_or(0), list.rows().len())))
        .unwrap_or_default()
}

/// Draws a title with what stands at its right, and the rule below.
fn head(canvas: &mut Canvas<'_>, area: Rect, left: &Line, right: &Line) {
    let row = inside(Rect { height: 1.min(area.height), ..area });
    let room = canvas.line_right(row, right);
    canvas.line(room, left);
    rule(canvas, area, 1);
}

fn rule(canvas: &mut Canvas<'_>, area: Rect, at: u16) {
    if at < area.height {
        canvas.rule(Rect { y: area.y + at, height: 1, ..area });
    }
}

fn waiting(canvas: &mut Canvas<'_>, area: Rect, title: &Line, what: &str) {
    head(canvas, area, title, &Line::default());
    canvas.line(inside(body(area)), &line(Role::Muted, what));
}

fn reading(canvas: &mut Canvas<'_>, area: Rect, title: &Line, right: Line, text: &Text) {
    head(canvas, area, title, &right);
    text.scroll.view(canvas, inside(body(area)), TEXT, &text.lines);
}

/// The counts of a filtered list: `13 cases`, or `2 of 13 with "fee"`.
fn counts<T>(rows: &Filtered<T>, one: &str) -> String {
    let all = rows.all.len();
    if rows.filter.is_empty() {
        return figures::plural(all, one);
    }
    format!("{} of {} with \"{}\"", rows.shown.rows().len(), figures::plural(all, one), rows.filter)
}

fn column(text: &str, wide: usize) -> String {
    pad(&truncate(&clean_line(text), wide.saturating_sub(1)), wide).into_string()
}

fn right(text: &str, wide: usize) -> String {
    pad_left(&clean_line(text), wide).into_string()
}

// ---- the list of runs

fn list(screen: &RunsScreen, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    let title = words().put(Style::of(Role::Heading), "Runs").done();
    let Some(runs) = &screen.runs else { return waiting(canvas, area, &title, "reading the runs…") };
    let baseline = screen.baseline.as_ref().map(|name| format!(" · baseline {name}"));
    let right = words().muted(counts(runs, "run")).maybe(Role::Accent, baseline).done();
    head(canvas, area, &title, &right);
    let body = inside(body(area));
    if runs.all.is_empty() {
        return canvas.lines(body, &empty(env));
    }
    let heads = ["cases", "pass rate", "err", "mean", "cost"];
    let columns = columns(&runs.all);
    let wide: Vec<usize> = heads
        .iter()
        .zip(&columns)
        .map(|(head, column)| column.iter().map(|cell| width(cell)).fold(width(head), usize::max))
        .collect();
    let names = runs.all.iter().map(|run| width(run.run.as_str())).max().unwrap_or(0);
    let figures_cols: usize = wide.iter().map(|wide| wide + 2).sum();
    // What the figures and the time leave is the name's, then the set's and target's.
    let room = usize::from(body.width).saturating_sub(2 + 12 + figures_cols);
    let name = names.clamp(6, 40).min(room.saturating_sub(1).max(6)) + 1;
    let of = room.saturating_sub(name);
    let put = |name_of: &str, of_what: &str, when: &str, cells: &mut dyn Iterator<Item = String>| {
        let what = if of >= 16 { column(of_what, of) } else { " ".repeat(of) };
        let mut text = format!("{}{what}{}", column(name_of, name), column(when, 12));
        for (cell, wide) in cells.zip(&wide) {
            text.push_str(&right_of(&cell, *wide));
        }
        text
    };
    let [header, rows, foot] = [
        Rect { height: 1.min(body.height), ..body },
        Rect { height: body.height.saturating_sub(4), ..below(body, 1) },
        below(body, body.height.saturating_sub(3)),
    ];
    let text = put("run", "set → target", "when", &mut heads.iter().map(|head| (*head).to_owned()));
    canvas.line(header, &words().muted("  ").muted(text).done());
    runs.shown.view(canvas, rows, LIST, |canvas, row, at, _| {
        let Some(run) = runs.all.get(*at) else { return };
        let when = figures::when(run.at.as_millisecond(), env.now_ms(), &env.zone);
        let mut cells = columns.iter().filter_map(|column| column.get(*at).cloned());
        let text = put(run.run.as_str(), &set_and_target(run), &when, &mut cells);
        let is_baseline = screen.baseline.as_ref() == Some(&run.run);
        let is_going = screen.going(&run.run).is_some();
        let mark = if is_baseline {
            "◆ "
        } else if is_going {
            "▸ "
        } else if run.is_complete() {
            "  "
        } else {
            "! "
        };
        let role = if is_baseline || is_going { Role::Accent } else { Role::Alert };
        canvas.line(row, &words().put(role, mark).plain(text).done());
    });
    if let Some(run) = runs.selected() {
        canvas.rule(Rect { x: area.x, width: area.width, height: 1, ..foot });
        let lines = match screen.going(&run.run) {
            Some(going) => [going.bar(), going.note()],
            None => [run_line(run), state_line(run, env)],
        };
        canvas.lines(below(foot, 1), &lines);
    } else {
        canvas.line(rows, &line(Role::Muted, "No run has these words; esc shows all."));
    }
}

fn right_of(cell: &str, wide: usize) -> String {
    format!("  {}", right(cell, wide))
}

/// The figures of the runs, by column.
fn columns(runs: &[RunView]) -> [Vec<String>; 5] {
    let of = |cell: &dyn Fn(&RunView) -> String| runs.iter().map(cell).collect::<Vec<_>>();
    let unknown = || figures::UNKNOWN.to_owned();
    let rates = figures::on_point(&of(&|run| run.pass_rate.map_or_else(unknown, figures::percent)));
    let ends = of(&|run| {
        run.pass_interval.map_or_else(String::new, |ends| {
            format!("[{}, {}]", figures::fixed(ends.lower * 100.0, 0), figures::fixed(ends.upper * 100.0, 0))
        })
    });
    let most = ends.iter().map(|ends| width(ends)).max().unwrap_or(0);
    [
        of(&|run| format!("{} of {}", run.done, run.cases)),
        rates.iter().zip(&ends).map(|(rate, ends)| format!("{rate} {ends:<most$}")).collect(),
        of(&|run| run.errors.to_string()),
        figures::on_point(&of(&|run| {
            run.latency_ms.mean.map_or_else(unknown, |ms| figures::seconds_to(ms, 2))
        })),
        figures::on_point(&of(&|run| figures::dollars(run.cost_usd))),
    ]
}

fn set_and_target(run: &RunView) -> String {
    format!("{} → {}", run.set, run.prompt.as_deref().unwrap_or(&run.target))
}

/// `support-v4  support@v14 → candidate (openai small) · customer_support@v4`.
fn run_line(run: &RunView) -> Line {
    let prompt = run.prompt.as_ref().map(|prompt| format!(" · prompt {prompt}"));
    let kind = (run.target_kind != run.target).then(|| format!(" ({})", run.target_kind));
    words()
        .put(Role::Accent, run.run.as_str())
        .plain(format!("  {}@v{} → {}", run.set, run.set_version, run.target))
        .maybe(Role::Muted, kind)
        .maybe(Role::Plain, prompt)
        .done()
}

/// Who began it, and why it is not complete where it is not.
fn state_line(run: &RunView, env: &Env) -> Line {
    let counts = format!("{} passed, {} failed, {} errors", run.passed, run.failed, run.errors);
    let when = figures::when(run.at.as_millisecond(), env.now_ms(), &env.zone);
    let by = format!(" · by {} {when}", run.by);
    match incomplete(run) {
        Some(why) => words().put(Role::Alert, format!("! {why}")).muted(format!(" · {counts}")).done(),
        None => words().muted(counts).muted(by).done(),
    }
}

fn incomplete(run: &RunView) -> Option<String> {
    if run.is_complete() {
        return None;
    }
    let left = run.cases - run.done;
    Some(match &run.stopped {
        Some(why) => format!("stopped with {left} left: {why}"),
        None => format!("not finished: {left} left, at work or ended midway"),
    })
}

/// What to do while there is no run.
fn empty(env: &Env) -> Vec<Line> {
    vec![
        Line::default(),
        line(Role::Plain, "No run yet."),
        Line::default(),
        line(Role::Plain, "A run puts an eval set through a target and keeps each answer with what the"),
        words()
            .plain("evaluators say of it. Begin one with ")
            .key(env.key(table::START))
            .plain(", or on the command line:")
            .done(),
        Line::default(),
        line(Role::Key, "  tuesday eval run --set SET --target TARGET"),
        Line::default(),
        words()
            .muted("The sets: ")
            .key(env.key(app::GO_EVALS))
            .muted(". Targets are tables [targets.NAME] of tuesday.toml;")
            .done(),
        line(Role::Muted, "the target `recorded` needs none: it takes the answers that are in the traces."),
    ]
}

// ---- one run

fn run(page: &RunPage, going: Option<&Going>, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
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

// ---- two runs compared

fn comparison(page: &ComparisonPage, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(view) = &page.view else {
        let title = words().plain(format!("{} → {}", page.baseline, page.candidate)).done();
        return waiting(canvas, area, &title, "comparing the runs…");
    };
    let role = match view.decision {
        Decision::Ship => Role::Pass,
        Decision::Hold => Role::Fail,
        Decision::NotEnoughData => Role::Alert,
    };
    let headline = line(Style::of(role).bold(), compare::headline(view));
    head(canvas, area, &line(Role::Heading, title(view)), &headline);
    let inner = inside(body(area));
    let tall = area.height >= 36;
    let mut above = table(view, usize::from(inner.width));
    above.extend(said(view, usize::from(inner.width), tall));
    // The list keeps some rows, whatever stands above it.
    let most = inner.height.saturating_sub(LEAST + 2);
    let rows = u16::try_from(above.len()).unwrap_or(u16::MAX).min(most);
    canvas.lines(Rect { height: rows, ..inner }, &above);
    rule(canvas, area, 2 + rows);
    let tally = Rect { height: 1, ..below(inner, rows + 1) };
    let left = if page.cases.filter.is_empty() {
        Line::default()
    } else {
        line(Role::Muted, counts(&page.cases, "case"))
    };
    let room = canvas.line_right(tally, &left);
    canvas.line(room, &line(Role::Plain, compare::tally(view)));
    let list = below(inner, rows + 2);
    page.cases.shown.view(canvas, list, COMPARED, |canvas, row, at, _| {
        if let Some(case) = page.cases.all.get(*at) {
            canvas.line(row, &compared_line(case, usize::from(row.width)));
        }
    });
}

/// `support · v3 → v4 · 23 cases`: of two versions of one prompt the versions say enough.
fn title(view: &CompareView) -> String {
    let versions = |side: &compare::Side| {
        side.prompt
            .as_deref()
            .and_then(|prompt| prompt.split_once('@'))
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
    };
    match (versions(&view.baseline), versions(&view.candidate)) {
        (Some((a, before)), Some((b, after))) if a == b && before != after => {
            let cases = figures::plural(usize::try_from(view.cases).unwrap_or(usize::MAX), "case");
            format!("{} · {before} → {after} · {cases}", view.set)
        }
        _ => compare::title(view),
    }
}

/// The table that decides.
fn table(view: &CompareView, cols: usize) -> Vec<Line> {
    let rows = compare::rows(view);
    let figures = |head: &str, of: fn(&compare::Row) -> &str| -> Vec<String> {
        let cells = figures::on_point(&rows.iter().map(of).collect::<Vec<_>>());
        let most = cells.iter().map(|cell| width(cell)).max().unwrap_or(0).max(width(head));
        std::iter::once(head).chain(cells.iter().map(String::as_str)).map(|cell| right(cell, most)).collect()
    };
    let columns = [
        figures("current", |row| &row.current),
        figures("new", |row| &row.new),
        figures("change", |row| &row.change),
    ];
    let interval = rows.iter().map(|row| width(&row.interval)).max().unwrap_or(0).max(5) + 1;
    let name = rows.iter().map(|row| width(&row.name)).max().unwrap_or(0).clamp(8, 15) + 1;
    let gap = if cols < 100 { " " } else { "   " };
    let line_of = |at: usize, first: &str, ends: &str| {
        let mut text = column(first, name);
        for figure in &columns {
            text.push_str(gap);
            text.push_str(figure.get(at).map_or("", String::as_str));
        }
        text.push_str("  ");
        text.push_str(&column(ends, interval));
        text.push_str(gap);
        text
    };
    let mut out = vec![line(Role::Muted, line_of(0, "", "95 %") + "test")];
    for (at, row) in rows.iter().enumerate() {
        let role = match row.tone {
            "better" => Role::Better,
            "worse" => Role::Worse,
            _ => Role::Plain,
        };
        let text = line_of(at + 1, &row.name, &row.interval);
        // Where there is no room for both, the word says more than the figure of the test.
        let fits = width(&text) + width(&row.test) <= cols;
        let test = if fits { row.test.as_str() } else { row.test.split(", ").next().unwrap_or_default() };
        out.push(crate::text::truncate_line(&words().plain(text).put(role, test).done(), cols));
    }
    out
}

/// The decision's reason in words; where there is room, also what to know besides.
fn said(view: &CompareView, cols: usize, tall: bool) -> Vec<Line> {
    const REASON: usize = 2;
    let wrapped =
        |role: Role, text: &str| wrap_line(&line(role, text), cols, &[], &[span(Role::Plain, "  ")]);
    let mut reason = wrapped(Role::Plain, &format!("{}: {}", view.decision.words(), view.reason));
    if !tall && reason.len() > REASON {
        reason.truncate(REASON);
        if let Some(last) = reason.last_mut() {
            *last = crate::text::truncate_line(last, cols.saturating_sub(2));
            last.push(span(Role::Muted, " …"));
        }
    }
    if let Some(enough) = view.enough_cases {
        let cases = figures::plural(usize::try_from(enough).unwrap_or(usize::MAX), "case");
        reason.extend(wrapped(Role::Plain, &format!("{cases} would be enough to tell.")));
    }
    if tall {
        reason.extend(wrapped(Role::Muted, &view.multiplicity));
        for note in &view.notes {
            reason.extend(wrapped(Role::Muted, &format!("note: {note}")));
        }
        if view.categories.len() > 1 {
            reason.push(Line::default());
            reason.extend(view.categories.iter().map(category_line));
        }
    }
    reason
}

fn category_line(of: &compare::CategoryLine) -> Line {
    let cases = figures::plural(usize::try_from(of.cases).unwrap_or(usize::MAX), "case");
    let mut out = words()
        .muted(column(of.category.raw(), 16))
        .plain(right(&figures::percent(of.current), 8))
        .muted(" → ")
        .plain(right(&figures::percent(of.new), 8))
        .muted(format!("  {cases}"));
    if of.regressed > 0 {
        out = out.put(Role::Worse, format!(", {} newly failing", of.regressed));
    }
    if of.fixed > 0 {
        out = out.put(Role::Better, format!(", {} newly passing", of.fixed));
    }
    out.done()
}

/// One case: what it is, what was expected, how it stands and stood, and who decided.
fn compared_line(case: &CaseLine, cols: usize) -> Line {
    let decided = if cols >= 110 { 24 } else { 14 };
    let why = if cols >= 110 { cols / 4 } else { 0 };
    let about = cols.saturating_sub(10 + 14 + 10 + decided + why);
    let ((new, new_mark), (old, old_mark)) = (lines::mark(case.new), lines::mark(case.current));
    words()
        .put(Role::Accent, column(case.case.as_str(), 10))
        .muted(column(case.category.raw(), 14))
        .plain(column(case.about.raw(), about))
        .put(new, new_mark)
        .muted(" was ")
        .put(old, old_mark)
        .plain("  ")
        .plain(column(&compare::decided(case), decided))
        .muted(column(case.why.raw(), why))
        .done()
}

// ---- trust in a judge

fn trust(page: &TrustPage, canvas: &mut Canvas<'_>, area: Rect) {
    let title =
        words().put(Style::of(Role::Heading), "Trust in the judge").muted(format!(" · {}", page.name)).done();
    let Some(view) = &page.view else {
        return waiting(canvas, area, &title, "holding it against the labels…");
    };
    let inner = inside(body(area));
    let Some(judge) = page.judge() else {
        head(canvas, area, &title, &Line::default());
        return canvas.lines(inner, &no_judge());
    };
    let at =
        line(Role::Muted, format!("{} of {}", page.judge + 1, figures::plural(view.judges.len(), "judge")));
    head(canvas, area, &title, &at);
    let above = lines::judge(judge, usize::from(inner.width));
    let rows = u16::try_from(above.len()).unwrap_or(u16::MAX).min(inner.height.saturating_sub(LEAST + 2));
    canvas.lines(Rect { height: rows, ..inner }, &above);
    rule(canvas, area, 2 + rows);
    let count = judge.disagreements.len();
    let text = match count {
        0 if judge.labelled == 0 => "no answer of this run is labelled".to_owned(),
        0 => "judge and labels agree on all".to_owned(),
        _ => format!("{}, to look at", figures::plural(count, "disagreement")),
    };
    canvas.line(below(inner, rows + 1), &line(Role::Plain, text));
    page.disagreements.view(canvas, below(inner, rows + 2), DISAGREEMENTS, |canvas, row, one, _| {
        canvas.line(row, &disagreement_line(one));
    });
}

fn disagreement_line(one: &Disagreement) -> Line {
    let score = one.score.map(|score| format!(" {}", lines::score(score)));
    let reviewers: Vec<String> = one.reviewers.iter().map(one_line).collect();
    let note = one.note.as_ref().map(|note: &Untrusted| format!(": {}", one_line(note)));
    words()
        .put(Role::Accent, column(one.case.as_ref().map_or("", CaseId::as_str), 10))
        .muted("judge ")
        .line(&Line::new(vec![lines::word(one.judge)]))
        .maybe(Role::Plain, score)
        .muted(format!("  {} ", figures::list_of(&reviewers, "and")))
        .line(&Line::new(vec![lines::verdict(one.label)]))
        .maybe(Role::Plain, note)
        .muted(format!("  judge: {}", one_line(&one.explanation)))
        .done()
}

/// What to do while no judge spoke.
fn no_judge() -> Vec<Line> {
    vec![
        Line::default(),
        line(Role::Plain, "No judge spoke in this run."),
        Line::default(),
        line(
            Role::Plain,
            "A judge is an [[evaluator]] of tuesday.toml with kind = \"judge\". How far it can be",
        ),
        line(Role::Plain, "trusted is told by what people labelled: run the set with --target recorded, and"),
        line(Role::Plain, "label the traces of its cases in Review."),
    ]
}
