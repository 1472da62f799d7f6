//! The list of runs.

use ratatui::layout::Rect;

use super::super::{LIST, RunsScreen};
use super::{body, column, counts, head, incomplete, right, waiting};
use crate::command::table::{app, runs as table};
use crate::ops::run::RunView;
use crate::text::{Line, Role, Style, figures, width};
use crate::tui::canvas::{Canvas, below, inside};
use crate::tui::screen::Env;
use crate::tui::words::{line, words};

pub fn list(screen: &RunsScreen, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
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
