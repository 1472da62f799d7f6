//! What is known of a trace, said the same on every screen: its facts and flags in a line, its labels, and
//! all of it as [`details`].

mod details;

pub use details::Details;

use crate::domain::{FeedbackKind, Status, Taxonomy, Thumbs, Trace, Verdict};
use crate::ops::label::LabelView;
use crate::text::figures::{dollars, duration, fixed, when};
use crate::text::{Line, Role};
use crate::tui::screen::Env;
use crate::tui::words::{Words, failure, line, one_line, words};

/// `customer_support@v4 · gpt-4o · Tue 09:31 · 1.8 s · $0.0031`, as much of it as fits into `room` columns.
pub fn facts(trace: &Trace, env: &Env, room: usize) -> Line {
    let name = trace.prompt.as_ref().or(trace.feature.as_ref()).map(one_line);
    let version = trace.prompt_version.as_ref().map(|version| format!("@{}", one_line(version)));
    let title = match (name, version) {
        (None, None) => format!("trace {}", one_line(&trace.id)),
        (name, version) => name.unwrap_or_default() + &version.unwrap_or_default(),
    };
    let rest = [
        trace.model.as_ref().map(one_line),
        trace.time.map(|at| when(at.as_millisecond(), env.now_ms(), &env.zone)),
        trace.latency_ms.map(duration),
        trace.cost_usd.map(dollars),
    ];
    let first = line(Role::Title, title);
    let rest = rest.into_iter().flatten().map(|text| line(Role::Plain, text));
    let mut all: Vec<Line> = std::iter::once(first).chain(rest).collect();
    while all.len() > 1 && apart(&all).width() > room {
        all.pop();
    }
    apart(&all)
}

/// `✗ timeout · ↓ fallback · ▼ thumbs down`: what went wrong and what the user said, each once.
pub fn flags(trace: &Trace) -> Line {
    let mut flags: Vec<Line> = Vec::new();
    if trace.status == Status::Error {
        flags.push(line(Role::Fail, format!("✗ {}", failure(trace.error_kind))));
    }
    if trace.fallback {
        flags.push(fallback());
    }
    for said in &trace.feedback {
        let flag = feedback(said.kind);
        if !flags.contains(&flag) {
            flags.push(flag);
        }
    }
    apart(&flags)
}

/// That a fallback answered.
pub fn fallback() -> Line {
    line(Role::Unsure, "↓ fallback")
}

/// What the user said, with its glyph.
pub fn feedback(kind: FeedbackKind) -> Line {
    let (role, text) = match kind {
        FeedbackKind::Thumbs(Thumbs::Up) => (Role::Pass, "▲ thumbs up"),
        FeedbackKind::Thumbs(Thumbs::Down) => (Role::Fail, "▼ thumbs down"),
        FeedbackKind::Report => (Role::Alert, "! reported"),
        FeedbackKind::FollowUp => (Role::Unsure, "↺ asked again"),
    };
    line(role, text)
}

/// The role and the glyph of a verdict.
pub fn mark(verdict: Verdict) -> (Role, &'static str) {
    match verdict {
        Verdict::Pass => (Role::Pass, "✓"),
        Verdict::Fail => (Role::Fail, "✗"),
        Verdict::Unsure => (Role::Unsure, "?"),
    }
}

/// The role and the glyph of what was passed over.
pub const SKIPPED: (Role, &str) = (Role::Muted, "↺");

/// The role and the glyph of what was done to a label, in the words of its receipt: `fail: wrong tone`.
pub fn mark_of(words: &str) -> (Role, &'static str) {
    match Verdict::ALL.into_iter().find(|verdict| words.starts_with(verdict.word())) {
        Some(verdict) => mark(verdict),
        None if words.starts_with("skipped") => SKIPPED,
        None => (Role::Muted, "·"),
    }
}

/// `✗ fail`
pub fn verdict(label: &LabelView) -> Words {
    let Some(verdict) = label.verdict else { return words().muted("· draft") };
    let (role, glyph) = mark(verdict);
    words().put(role, format!("{glyph} {}", verdict.word()))
}

/// `✗ fail: wrong tone, high`
pub fn label(label: &LabelView, taxonomy: &Taxonomy) -> Words {
    let mode = label.mode.as_ref().map(|id| {
        let name = taxonomy.get(id).map_or_else(|| id.as_str().to_owned(), |mode| one_line(&mode.name));
        format!(": {name}")
    });
    verdict(label)
        .maybe(Role::Plain, mode)
        .maybe(Role::Plain, label.severity.map(|severity| format!(", {}", severity.word())))
}

/// `accuracy 4 · tone 8`
pub fn scores(trace: &Trace) -> Line {
    let score = |(name, value): (&String, &f64)| words().muted(name).plain(" ").plain(score(*value)).done();
    apart(&trace.score.iter().map(score).collect::<Vec<_>>())
}

/// A score as it was given: whole, or to two places.
fn score(value: f64) -> String {
    fixed(value, if value.fract() == 0.0 { 0 } else { 2 })
}

/// Lines in one, with dots between them.
fn apart(lines: &[Line]) -> Line {
    lines
        .iter()
        .fold(words(), |all, line| {
            let dot = (all.width() > 0).then_some(" · ");
            all.maybe(Role::Muted, dot).line(line)
        })
        .done()
}
