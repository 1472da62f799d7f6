//! The list of samples, and drawing one.
//!
//! ```text
//!  sample   reviewed   of traces  drawn      by   rule
//!  week-47  37 of 100      9,812  Tue 09:31  ann  1 %, seed 0
//! ```
//! Where a rule does not fit into its column, that of the sample under the cursor stands below the list.

use ratatui::layout::Rect;

use crate::command::table::review as rows;
use crate::domain::sample::{parse_rate, parse_since};
use crate::domain::{Dimension, Error, Method, Result};
use crate::ops::review::{RateView, RatesView};
use crate::ops::sample::{DrawSpec, SampleLine};
use crate::text::{Line, Role, figures, pad, truncate_line, wrap_line};
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::overlays::{Field, Form, Page, Tag};
use crate::tui::screen::Env;
use crate::tui::widgets::list::List;
use crate::tui::words::{line, one_line, words};

pub const SAMPLES: Pane = Pane("samples");
pub const DRAW: Tag = Tag("draw");
pub const SAMPLE: Tag = Tag("sample");

/// Draws the list into `area`.
pub fn view(list: Option<&List<SampleLine>>, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let row = |y: u16| Rect { y: inside.y + y, height: 1, ..inside };
    let title = match list {
        Some(list) if !list.is_empty() => figures::plural(list.rows().len(), "sample"),
        _ => "Samples".to_owned(),
    };
    canvas.line(row(0), &line(Role::Title, title));
    canvas.rule(Rect { y: area.y + 1, height: 1, ..area });
    let Some(list) = list else {
        canvas.line(row(2), &line(Role::Muted, "loading the samples…"));
        return;
    };
    if list.is_empty() {
        canvas
            .lines(Rect { y: inside.y + 3, height: inside.height.saturating_sub(3), ..inside }, &empty(env));
        return;
    }
    let table = Table::fit(list.rows().iter(), env, usize::from(inside.width) - 2);
    canvas.line(row(2), &table.line(&HEADS.map(|head| line(Role::Muted, head))));
    let below: Vec<Line> = match list.selected() {
        Some(sample) if !table.rules => {
            let rule = line(Role::Muted, sample.rule.describe());
            wrap_line(&rule, usize::from(inside.width), &[], &[]).into_iter().take(4).collect()
        }
        _ => Vec::new(),
    };
    let under = u16::try_from(below.len()).unwrap_or(0);
    let under = if under > 0 { under + 1 } else { 0 };
    let rows = Rect { y: inside.y + 3, height: inside.height.saturating_sub(3 + under), ..inside };
    list.view(canvas, rows, SAMPLES, |canvas, row, sample, _| {
        canvas.line(row, &table.line(&cells(sample, env)));
    });
    if under > 0 {
        canvas.rule(Rect { y: rows.bottom(), height: 1, ..area });
        canvas.lines(Rect { y: rows.bottom() + 1, height: under - 1, ..inside }, &below);
    }
}

/// What stands over the columns.
const HEADS: [&str; 6] = ["sample", "reviewed", "of traces", "drawn", "by", "rule"];

/// What a sample says in each column.
fn cells(sample: &SampleLine, env: &Env) -> [Line; 6] {
    let done = sample.reviewed >= sample.size;
    let reviewed = format!("{} of {}", thousands(sample.reviewed), thousands(sample.size));
    let reviewed = if done { words().put(Role::Pass, reviewed + " ✓") } else { words().plain(reviewed) };
    [
        line(Role::Plain, &sample.name),
        reviewed.done(),
        line(Role::Plain, thousands(sample.population)),
        line(Role::Plain, figures::when(sample.drawn_at.as_millisecond(), env.now_ms(), &env.zone)),
        line(Role::Plain, one_line(&sample.by)),
        line(Role::Muted, sample.rule.describe()),
    ]
}

/// The widths of the columns, fitted to what stands in them.
struct Table {
    widths: [usize; 5],
    /// Whether every rule fits into the last column.
    rules: bool,
}

impl Table {
    fn fit<'a>(samples: impl Iterator<Item = &'a SampleLine>, env: &Env, columns: usize) -> Self {
        const MOST: usize = 28;
        let mut widths = std::array::from_fn(|at| crate::text::width(HEADS[at]));
        let mut rule = 0;
        for cells in samples.map(|sample| cells(sample, env)) {
            for (width, cell) in widths.iter_mut().zip(&cells) {
                *width = cell.width().min(MOST).max(*width);
            }
            rule = cells[5].width().max(rule);
        }
        let used: usize = widths.iter().map(|width| width + 2).sum();
        Self { widths, rules: used + rule <= columns }
    }

    fn line(&self, cells: &[Line; 6]) -> Line {
        let mut all = words();
        for (at, (cell, width)) in cells.iter().zip(self.widths).enumerate() {
            let cell = truncate_line(cell, width);
            let fill = " ".repeat(width - cell.width());
            // The one column of figures ends where they do.
            all = if at == 2 { all.plain(fill).line(&cell) } else { all.line(&cell).plain(fill) };
            all = all.plain("  ");
        }
        if self.rules { all.line(&cells[5]).done() } else { all.done() }
    }
}

fn empty(env: &Env) -> Vec<Line> {
    vec![
        line(Role::Plain, "No samples yet."),
        Line::default(),
        words()
            .plain("Press ")
            .key(env.key(rows::DRAW))
            .plain(" to draw one: a steady share of the traces, the same whoever draws,")
            .done(),
        line(Role::Plain, "so that what you label says something about all of them."),
        Line::default(),
        line(Role::Muted, "If the store is empty: `tuesday import FILE` brings traces in."),
    ]
}

fn thousands(n: u64) -> String {
    figures::thousands(i64::try_from(n).unwrap_or(i64::MAX))
}

fn cell(text: &str, cols: usize) -> String {
    pad(&crate::text::clean_line(text), cols).into_string()
}

/// The form for a draw. `values` are those of a former try, with what was wrong with them.
pub fn form(values: Option<&[String]>, wrong: Option<&Error>, taken: &[&str], env: &Env) -> Form {
    let value = |at: usize, first: &str| {
        values.and_then(|values| values.get(at)).cloned().unwrap_or_else(|| first.to_owned())
    };
    let fields = vec![
        Field::new("name", &value(0, &free_name(taken, env)), "what the sample is called from now on"),
        Field::new("how many", &value(1, "1%"), "a share of the traces (1%) or a number (200)"),
        Field::new("where", &value(2, ""), "a query: feedback:down model:gpt-4o; empty for all traces"),
        Field::new("since", &value(3, "7d"), "7d, 36h, 2w, a date; empty for all times"),
        Field::new("strata", &value(4, ""), "draw within each of: prompt_version, model, feedback, …"),
        Field::new("suspicious", &value(5, "no"), "yes: only thumbs down, reports, errors and fallbacks"),
    ];
    let form = Form::new(DRAW, line(Role::Title, "Draw a sample"), fields);
    match wrong {
        Some(error) => {
            let hint = error.hints.first().map(|hint| format!(" {hint}")).unwrap_or_default();
            form.with_error(format!("{}{hint}", error.what.lines().next().unwrap_or_default()))
        }
        None => form,
    }
}

/// `week-47`, or with a number behind it when that is taken.
fn free_name(taken: &[&str], env: &Env) -> String {
    let week = env.zone.to_datetime(env.now).date().iso_week_date().week();
    let name = format!("week-{week:02}");
    let mut free = name.clone();
    let mut number = 2;
    while taken.contains(&free.as_str()) {
        free = format!("{name}-{number}");
        number += 1;
    }
    free
}

/// What the form asks for.
pub fn spec(values: &[String], env: &Env) -> Result<DrawSpec> {
    let value = |at: usize| values.get(at).map(|value| value.trim()).unwrap_or_default();
    let many = value(1);
    let method = match many.parse::<u64>() {
        Ok(size) => Method::Size(size),
        Err(_) => Method::Rate(parse_rate(many)?),
    };
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let strata = value(4)
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(Dimension::from_word)
        .collect::<Result<_>>()?;
    let suspicious = match value(5) {
        "" | "no" | "n" => false,
        "yes" | "y" => true,
        other => return Err(Error::usage(format!("`{other}` is neither yes nor no."))),
    };
    Ok(DrawSpec {
        name: value(0).to_owned(),
        method,
        query: some(value(2)),
        since: some(value(3)).map(|text| parse_since(&text, env.now)).transpose()?,
        strata,
        suspicious,
        seed: 0,
    })
}

/// What the labels of a sample say, as a page.
pub fn rates(name: &str, rates: &RatesView, mode_name: impl Fn(&crate::domain::ModeId) -> String) -> Page {
    let share = |rate: &RateView| {
        format!(
            "{:>7}  [{}, {}]",
            figures::percent(rate.rate),
            figures::percent(rate.lower),
            figures::percent(rate.upper)
        )
    };
    let mut lines = Vec::new();
    for reviewer in &rates.reviewers {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(
            words()
                .put(Role::Title, reviewer.reviewer.raw())
                .muted(format!(
                    " · {} reviewed: {} pass, {} fail, {} unsure",
                    reviewer.reviewed, reviewer.passes, reviewer.fails, reviewer.unsure
                ))
                .done(),
        );
        if let Some(failing) = &reviewer.failing {
            lines.push(words().put(Role::Fail, cell("failing", 28)).plain(share(failing)).done());
        }
        for mode in &reviewer.modes {
            let name = format!("  {}", mode_name(&mode.mode));
            lines.push(
                words()
                    .plain(cell(&name, 28))
                    .plain(share(&mode.rate))
                    .muted(format!("  n {}", mode.n))
                    .done(),
            );
        }
    }
    for agreement in &rates.agreement {
        let [a, b] = &agreement.reviewers;
        let kappa = agreement.kappa.map_or_else(|| "—".to_owned(), |kappa| format!("{kappa:.2}"));
        lines.push(Line::default());
        lines.push(
            words()
                .put(Role::Title, format!("{} and {}", a.raw(), b.raw()))
                .plain(format!(
                    " agree on {} of {} in common, kappa {kappa}",
                    figures::percent(agreement.share),
                    agreement.n
                ))
                .done(),
        );
    }
    if lines.is_empty() {
        lines.push(line(Role::Plain, "Nobody has labelled anything in it yet."));
    } else {
        lines.push(Line::default());
        lines.push(line(
            Role::Muted,
            "Shares of all the traces that could have been drawn, with 95 % intervals.",
        ));
    }
    Page::new(words().put(Role::Title, name).muted(" · what the labels say"), lines)
}
