//! A case in full as blocks to read, and what reading a file back did as lines.

use crate::domain::{CaseId, ExpectedKind, Kept, SetName, Untrusted};
use crate::ops::promote::{CaseHistoryView, CaseView, ImportReport, Resembles};
use crate::text::{Line, Role, figures, wrap_line};
use crate::tui::overlays::like;
use crate::tui::screen::Env;
use crate::tui::screens::known;
use crate::tui::widgets::talk::{Block, Part, Talk, of_content};
use crate::tui::words::{line, one_line, span, words};

/// The columns before the text of a field.
const LABELS: usize = 11;

/// The page of a case.
#[derive(Debug)]
pub struct CasePage {
    pub view: CaseHistoryView,
    pub talk: Talk,
}

impl CasePage {
    /// The page of a case. When it was on screen before, the place in its text stays.
    pub fn new(view: CaseHistoryView, before: Option<Self>, env: &Env) -> Self {
        let blocks = case_blocks(&view, env);
        let talk = match before.filter(|before| before.is(&view)) {
            Some(before) if before.talk.is_of(&blocks) => before.talk,
            Some(before) => Talk::of(blocks, env.size.0).scrolled_as(&before.talk),
            None => Talk::of(blocks, env.size.0),
        };
        Self { view, talk }
    }

    /// Whether it is about the same case.
    fn is(&self, other: &CaseHistoryView) -> bool {
        match (&self.view.case, &other.case) {
            (Some(a), Some(b)) => a.id == b.id && a.set == b.set,
            _ => false,
        }
    }

    /// The set and the case; `None` for a retired one.
    pub fn names(&self) -> Option<(SetName, CaseId)> {
        self.view.case.as_ref().map(|case| (case.set.clone(), case.id.clone()))
    }
}

/// The fields of a case that a person reads first.
pub fn body_blocks(case: &CaseView, resembles: &[Resembles]) -> Vec<Block> {
    let text = |name: &str, text: &Untrusted| named(name, vec![Part::Words(text.clone())]);
    let mut blocks = of_content(&case.input, "input");
    let expected = if case.expected_kind == ExpectedKind::Behaviour { "behaviour" } else { "expected" };
    blocks.push(match &case.expected {
        Some(words) => text(expected, words),
        None => {
            let nothing = "nothing yet: say what the answer should be, or should do";
            named(expected, vec![Part::Note(line(Role::Alert, nothing))])
        }
    });
    blocks.extend(case.reasoning.as_ref().map(|words| text("reasoning", words)));
    if !case.checks.is_empty() {
        blocks.push(notes("checks", case.checks.iter().map(|check| line(Role::Plain, check.line()))));
    }
    if !resembles.is_empty() {
        blocks.push(notes("like", resembles.iter().map(like)));
    }
    blocks.extend(case.trace.as_ref().map(|trace| notes("trace", [line(Role::Accent, one_line(trace))])));
    blocks
}

fn named(name: &str, parts: Vec<Part>) -> Block {
    Block::new(line(Role::Muted, name), parts)
}

fn notes(name: &str, lines: impl IntoIterator<Item = Line>) -> Block {
    named(name, lines.into_iter().map(Part::Note).collect())
}

fn case_blocks(view: &CaseHistoryView, env: &Env) -> Vec<Block> {
    let mut blocks = match &view.case {
        Some(case) => body_blocks(case, &view.resembles),
        None => vec![notes("case", [line(Role::Alert, "This case is retired.")])],
    };
    if let Some(label) = &view.label {
        let (role, verdict) = match label.verdict.map(|verdict| (known::mark(verdict), verdict.word())) {
            Some(((role, glyph), word)) => (role, format!("{glyph} {word}")),
            None => (Role::Plain, "a note".to_owned()),
        };
        let mode = label.mode.as_ref().map(|mode| format!(": {}", mode.as_str().replace('_', " ")));
        let when = figures::when(label.at.as_millisecond(), env.now_ms(), &env.zone);
        let text = words()
            .put(role, verdict)
            .maybe(Role::Plain, mode)
            .muted(format!(" by {} {when}", one_line(&label.reviewer)))
            .maybe(Role::Alert, (!label.stands).then_some("  changed since"));
        blocks.push(notes("label", [text.done()]).close());
    }
    // What the newest change made of it stands above.
    let newest = view.history.last().map(|event| event.version);
    let history = view.history.iter().rev().map(|event| {
        let when = figures::when(event.at.as_millisecond(), env.now_ms(), &env.zone);
        let expected = event
            .body
            .as_ref()
            .and_then(|body| body.expected.as_ref())
            .filter(|_| Some(event.version) != newest)
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
    blocks.push(notes("history", history).close());
    blocks
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
