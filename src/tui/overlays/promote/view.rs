//! How the form stands on the screen, and what is said under its rule.

use ratatui::layout::Rect;

use super::{EACH, FIELDS, Field, LABELS, Promote, Subject};
use crate::domain::Error;
use crate::ops::promote::{CaseDraft, Resembles};
use crate::text::{Line, Role, figures};
use crate::tui::canvas::{Canvas, Hit};
use crate::tui::widgets::area::Area;
use crate::tui::words::{line, one_line, words};

impl Promote {
    pub(super) fn title(&self) -> Line {
        match &self.subject {
            Subject::Case { set, id } => {
                words().plain("Case ").put(Role::Accent, id.as_str()).plain(format!(" of {set}")).done()
            }
            Subject::New(drafts) => match &drafts[..] {
                [draft] => {
                    let trace = draft.body.trace.as_ref().map(one_line).unwrap_or_default();
                    words().plain("Promote ").put(Role::Accent, trace).done()
                }
                many => words().plain("Promote ").plain(figures::plural(many.len(), "trace")).done(),
            },
        }
    }

    /// The fields with their heights, top to bottom, in this many columns and at most this many rows:
    /// as much as each text takes and a row more, the longest cut first.
    pub(super) fn laid(&self, columns: u16, rows: u16) -> Vec<(Field, u16)> {
        let mut laid = Vec::new();
        if matches!(self.subject, Subject::New(_)) {
            laid.push((Field::Set, 1));
        }
        laid.push((Field::Category, 1));
        let fixed = u16::try_from(laid.len()).unwrap_or(2);
        let tall = |area: &Area| area.height(columns.saturating_sub(LABELS)).saturating_add(1).clamp(2, 14);
        let mut texts = vec![
            (Field::Expected, tall(&self.expected)),
            (Field::Reasoning, tall(&self.reasoning)),
            (Field::Checks, tall(&self.checks)),
        ];
        if self.shows_input() {
            texts.insert(0, (Field::Input, tall(&self.input)));
        }
        while texts.iter().map(|(_, height)| height).sum::<u16>() + fixed > rows {
            match texts.iter_mut().max_by_key(|(_, height)| *height) {
                Some((_, height)) if *height > 1 => *height -= 1,
                _ => break,
            }
        }
        laid.extend(texts);
        laid
    }

    pub(super) fn field(&self, canvas: &mut Canvas<'_>, row: Rect, field: Field) {
        let focus = field == self.focus;
        let name = match field {
            Field::Set => "set",
            Field::Category => "category",
            Field::Input => "input",
            Field::Expected => "expected",
            Field::Reasoning => "reasoning",
            Field::Checks => "checks",
        };
        let label = words()
            .put(Role::Accent, if focus { "› " } else { "  " })
            .put(if focus { Role::Accent } else { Role::Muted }, name)
            .done();
        canvas.line(Rect { height: 1, ..row }, &label);
        let value = Rect { x: row.x + LABELS, width: row.width.saturating_sub(LABELS), ..row };
        if let Some(index) = self.order().iter().position(|of| *of == field) {
            canvas.hit(row, Hit::Row { pane: FIELDS, index });
        }
        let help = |text: &'static str| line(Role::Muted, text);
        let many = !self.shows_input();
        match field {
            Field::Set | Field::Category => {
                let input = if field == Field::Set { &self.set } else { &self.category };
                let value = if focus { canvas.line_right(value, &help("↑↓ others")) } else { value };
                if input.text().is_empty() && !focus {
                    canvas.line(value, &help("as each trace says"));
                } else {
                    input.view(canvas, value, focus);
                }
            }
            Field::Input => {
                self.input.view(canvas, value, focus);
                if self.fixed_input && row.height > 1 {
                    canvas.line(Rect { y: row.y + 1, height: 1, width: LABELS, ..row }, &help("  as it is"));
                }
            }
            Field::Expected => {
                if row.height > 1 {
                    let kind = words().plain("  ").put(Role::Muted, self.kind.word()).done();
                    canvas.line(Rect { y: row.y + 1, height: 1, width: LABELS, ..row }, &kind);
                }
                let help = "what the answer should be, or should do";
                self.text(canvas, value, &self.expected, focus, if many { EACH } else { help });
            }
            Field::Reasoning => {
                self.text(
                    canvas,
                    value,
                    &self.reasoning,
                    focus,
                    if many { EACH } else { "why that is expected" },
                );
            }
            Field::Checks => {
                self.text(
                    canvas,
                    value,
                    &self.checks,
                    focus,
                    "one a line, such as  forbidden: transfer your balance",
                );
            }
        }
    }

    pub(super) fn text(
        &self,
        canvas: &mut Canvas<'_>,
        value: Rect,
        area: &Area,
        focus: bool,
        help: &'static str,
    ) {
        area.view(canvas, value, focus);
        if area.text().is_empty() {
            let place = Rect { x: value.x + 1, width: value.width.saturating_sub(1), ..value };
            canvas.line(place, &line(Role::Muted, help));
        }
    }

    /// What stands under the rule, most urgent first.
    pub(super) fn foot(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = self.error.clone().into_iter().collect();
        lines.push(self.from.clone());
        if let Subject::New(drafts) = &self.subject
            && drafts.len() > 1
        {
            let alike = drafts.iter().filter(|draft| !draft.resembles.is_empty()).count();
            let exact = drafts.iter().filter(|draft| draft.resembles.iter().any(|other| other.exact)).count();
            if alike > 0 {
                let words =
                    words().put(Role::Alert, "≈ ").plain(format!("{alike} resemble cases of the set"));
                lines.push(words.muted(format!("; {exact} word for word: those are left out")).done());
            }
        }
        for other in self.resembles.iter().take(2) {
            lines.push(like(other));
        }
        lines
    }
}

/// `≈ 79 % like c-7k2m9q  I was billed an overdraft fee…`
pub fn like(other: &Resembles) -> Line {
    let how = if other.exact {
        "= same as".to_owned()
    } else {
        format!("≈ {} like", figures::percent_to(other.similarity, 0))
    };
    words()
        .put(Role::Alert, how)
        .plain(" ")
        .put(Role::Accent, other.case.as_str())
        .plain("  ")
        .muted(one_line(&other.input))
        .done()
}

/// Where the words of the drafts come from.
pub(super) fn from(drafts: &[CaseDraft]) -> Line {
    match drafts {
        [draft] => match &draft.from {
            None => words()
                .put(Role::Alert, "nobody has labelled this trace: ")
                .muted("expected and reasoning are up to you")
                .done(),
            Some(label) => {
                let verdict = label.verdict.map_or("a note", |verdict| verdict.word());
                let mode = label.mode.as_ref().map(|mode| format!(", {}", one_line(mode).replace('_', " ")));
                words()
                    .muted(format!("from {}'s label: {verdict}", one_line(&label.reviewer)))
                    .maybe(Role::Muted, mode)
                    .done()
            }
        },
        many => {
            let labelled = many.iter().filter(|draft| draft.from.is_some()).count();
            let already = many.iter().filter(|draft| draft.already.is_some()).count();
            let there = (already > 0).then(|| format!(" · {already} in the set already"));
            words()
                .muted(format!("{labelled} of {} are labelled", many.len()))
                .maybe(Role::Muted, there)
                .done()
        }
    }
}

pub(super) fn said(error: &Error) -> Line {
    let hint = error.hints.first().map(|hint| format!("  → {hint}"));
    words().put(Role::Fail, "✗ ").plain(&error.what).maybe(Role::Muted, hint).done()
}
