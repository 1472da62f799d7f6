//! How far a judge can be trusted.

use ratatui::layout::Rect;

use super::super::{DISAGREEMENTS, TrustPage, lines};
use super::{LEAST, body, column, head, rule, waiting};
use crate::domain::{CaseId, Untrusted};
use crate::ops::compare::Disagreement;
use crate::text::{Line, Role, Style, figures};
use crate::tui::canvas::{Canvas, below, inside};
use crate::tui::words::{line, one_line, words};

pub fn trust(page: &TrustPage, canvas: &mut Canvas<'_>, area: Rect) {
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
