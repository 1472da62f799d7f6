//! Two runs compared: the table that decides, and the cases.

use ratatui::layout::Rect;

use super::super::{COMPARED, ComparisonPage, lines};
use super::{LEAST, body, column, counts, head, right, rule, waiting};
use crate::ops::compare::{self, CaseLine, CompareView, Decision};
use crate::text::{Line, Role, Style, figures, width, wrap_line};
use crate::tui::canvas::{Canvas, below, inside};
use crate::tui::words::{line, span, words};

pub fn comparison(page: &ComparisonPage, canvas: &mut Canvas<'_>, area: Rect) {
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
