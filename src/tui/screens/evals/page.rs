//! A case in full, and what reading a file back did: as lines to scroll.

use crate::command::Id;
use crate::domain::{CaseId, Content, ExpectedKind, Kept, SetName, Untrusted};
use crate::ops::promote::{CaseHistoryView, CaseView, ImportReport, Resembles};
use crate::text::{Line, Role, figures, readable, wrap_line};
use crate::tui::overlays::like;
use crate::tui::screen::Env;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::words::{line, span, words};

use super::one_line;

/// The columns before the text.
const LABELS: usize = 11;

/// The page of a case.
#[derive(Debug)]
pub struct CasePage {
    pub view: CaseHistoryView,
    pub scroll: Scroll,
    pub lines: Vec<Line>,
    width: usize,
}

impl CasePage {
    /// A page at this place of its text.
    pub fn new(view: CaseHistoryView, scroll: Scroll) -> Self {
        Self { view, scroll, lines: Vec::new(), width: 0 }
    }

    /// Whether it is about the same case.
    pub fn is(&self, other: &CaseHistoryView) -> bool {
        match (&self.view.case, &other.case) {
            (Some(a), Some(b)) => a.id == b.id && a.set == b.set,
            _ => false,
        }
    }

    /// The set and the case; `None` for a retired one.
    pub fn names(&self) -> Option<(SetName, CaseId)> {
        self.view.case.as_ref().map(|case| (case.set.clone(), case.id.clone()))
    }

    /// Lays the text out for this many columns, unless it is.
    pub fn lay(&mut self, width: usize, env: &Env) {
        if self.width != width {
            self.width = width;
            self.lines = case_lines(&self.view, width, env);
        }
    }

    /// Moves as a command of moving says.
    pub fn command(&mut self, id: Id, page: usize) -> bool {
        self.scroll.command(id, self.lines.len(), page)
    }

    /// Moves by lines.
    pub fn scroll_by(&mut self, rows: i64, page: usize) {
        self.scroll.by(rows, self.lines.len(), page);
    }
}

/// What stands before the first line of a field, and before the others.
fn label(name: &str) -> (crate::text::Span, crate::text::Span) {
    (span(Role::Muted, format!("{name:<LABELS$}")), span(Role::Plain, " ".repeat(LABELS)))
}

fn field(lines: &mut Vec<Line>, name: &str, text: impl IntoIterator<Item = Line>, width: usize) {
    let (first, rest) = label(name);
    let mut before = first;
    for text in text {
        lines.extend(wrap_line(&text, width, std::slice::from_ref(&before), std::slice::from_ref(&rest)));
        before = rest.clone();
    }
}

fn texts(lines: &mut Vec<Line>, name: &str, text: Option<&Untrusted>, width: usize) {
    if let Some(text) = text {
        field(lines, name, readable(text.raw(), width.saturating_sub(LABELS)), width);
        lines.push(Line::default());
    }
}

/// The fields of a case that a person reads first.
pub fn body_lines(case: &CaseView, resembles: &[Resembles], width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    content(&mut lines, "input", &case.input, width);
    let expected = if case.expected_kind == ExpectedKind::Behaviour { "behaviour" } else { "expected" };
    if case.expected.is_none() {
        let nothing = "nothing yet: say what the answer should be, or should do";
        field(&mut lines, expected, [line(Role::Alert, nothing)], width);
        lines.push(Line::default());
    }
    texts(&mut lines, expected, case.expected.as_ref(), width);
    texts(&mut lines, "reasoning", case.reasoning.as_ref(), width);
    if !case.checks.is_empty() {
        field(&mut lines, "checks", case.checks.iter().map(|check| line(Role::Plain, check.line())), width);
        lines.push(Line::default());
    }
    if !resembles.is_empty() {
        field(&mut lines, "like", resembles.iter().map(like), width);
        lines.push(Line::default());
    }
    if let Some(trace) = &case.trace {
        field(&mut lines, "trace", [line(Role::Accent, one_line(trace))], width);
    }
    lines
}

fn case_lines(view: &CaseHistoryView, width: usize, env: &Env) -> Vec<Line> {
    let mut lines = match &view.case {
        Some(case) => body_lines(case, &view.resembles, width),
        None => vec![line(Role::Alert, "This case is retired."), Line::default()],
    };
    if let Some(label) = &view.label {
        let verdict = label.verdict.map_or("a note", |verdict| verdict.word());
        let mode = label.mode.as_ref().map(|mode| format!(", {}", mode.as_str().replace('_', " ")));
        let when = figures::when(label.at.as_millisecond(), env.now_ms(), &env.zone);
        let text = words()
            .plain(verdict)
            .maybe(Role::Plain, mode)
            .muted(format!(" by {} {when}", one_line(&label.reviewer)))
            .maybe(Role::Alert, (!label.stands).then_some("  changed since"));
        field(&mut lines, "label", [text.done()], width);
    }
    let history = view.history.iter().rev().map(|event| {
        let when = figures::when(event.at.as_millisecond(), env.now_ms(), &env.zone);
        let expected = event
            .body
            .as_ref()
            .and_then(|body| body.expected.as_ref())
            .map(|text| format!("  {}", one_line(text)));
        let did = match event.kind.word() {
            "add" => "added",
            "edit" => "changed",
            _ => "retired",
        };
        words()
            .put(Role::Accent, format!("v{}", event.version))
            .plain(format!(" {did}"))
            .muted(format!(" by {} {when}", one_line(&event.by)))
            .maybe(Role::Muted, expected)
            .done()
    });
    field(&mut lines, "history", history, width);
    lines
}

/// Text, or messages with their roles.
fn content(lines: &mut Vec<Line>, name: &str, content: &Content, width: usize) {
    let cols = width.saturating_sub(LABELS);
    match content {
        Content::Text(text) => field(lines, name, readable(text.raw(), cols), width),
        Content::Messages(messages) => {
            for message in messages {
                let role = one_line(&message.role);
                let mut text = String::new();
                message.each_text(&mut |piece| {
                    if !text.is_empty() {
                        text.push('\n');
                    }
                    text.push_str(piece);
                });
                field(lines, &role, readable(&text, cols), width);
            }
        }
    }
    lines.push(Line::default());
}

/// What reading a file back did.
pub fn read_lines(report: &ImportReport) -> Vec<Line> {
    const WIDTH: usize = 74;
    let taken = &report.taken;
    let mut lines = Vec::new();
    for bad in &taken.rejected {
        let first = [span(Role::Fail, format!("line {}: ", bad.line))];
        lines.extend(wrap_line(&line(Role::Plain, &bad.reason), WIDTH, &first, &[span(Role::Plain, "  ")]));
    }
    if !taken.rejected.is_empty() {
        lines.push(line(
            Role::Muted,
            "Bad lines were kept out, nothing was retired, and the file was left as it is.",
        ));
        lines.push(Line::default());
    }
    for conflict in &taken.conflicts {
        let said = |value: &serde_json::Value| match value {
            serde_json::Value::Null => "nothing".to_owned(),
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let stands = if conflict.kept == Kept::File { "the file's stands" } else { "the store's stands" };
        lines.push(
            words()
                .put(Role::Alert, "both changed ")
                .put(Role::Accent, conflict.case.as_str())
                .plain(format!(" {}", conflict.field))
                .muted(format!(": {stands}"))
                .done(),
        );
        field(&mut lines, "  store", [line(Role::Plain, said(&conflict.store))], WIDTH);
        field(&mut lines, "  file", [line(Role::Plain, said(&conflict.file))], WIDTH);
    }
    let ids = |ids: &[CaseId]| figures::list_of(&ids.iter().map(CaseId::as_str).collect::<Vec<_>>(), "and");
    let changed: Vec<CaseId> = taken.changed.iter().map(|changed| changed.case.clone()).collect();
    for (name, which) in
        [("added", &taken.added), ("changed", &changed), ("retired", &taken.retired), ("kept", &taken.kept)]
    {
        if !which.is_empty() {
            field(&mut lines, name, [line(Role::Plain, ids(which))], WIDTH);
        }
    }
    lines
}
