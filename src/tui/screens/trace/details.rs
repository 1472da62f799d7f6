//! All that is known of a trace, as lines to read: facts, labels, feedback, scores, steps, metadata.

use super::draw::verdict;
use super::one_line;
use crate::domain::{Feedback, FeedbackKind, Span as Step, Status, Thumbs, Trace, Untrusted};
use crate::ops::browse::TraceView;
use crate::ops::label::LabelView;
use crate::text::figures::{date_clock, dollars, duration, fixed, relative, thousands};
use crate::text::{Line, Role, json, pad, readable, truncate, wrap_line};
use crate::tui::screen::Env;
use crate::tui::words::{line, span, words};

/// Columns of a fact's name.
const NAME: usize = 12;
/// Columns of the bar of a step.
const BAR: usize = 16;

/// What the user said, with its glyph.
pub fn feedback(kind: FeedbackKind) -> (Role, String) {
    let (role, text) = match kind {
        FeedbackKind::Thumbs(Thumbs::Up) => (Role::Pass, "▲ thumbs up"),
        FeedbackKind::Thumbs(Thumbs::Down) => (Role::Fail, "▼ thumbs down"),
        FeedbackKind::Report => (Role::Alert, "! reported"),
        FeedbackKind::FollowUp => (Role::Unsure, "↺ asked again"),
    };
    (role, text.to_owned())
}

/// The lines for this many columns.
pub fn lines(view: &TraceView, env: &Env, columns: usize) -> Vec<Line> {
    let mut out = Lines { lines: Vec::new(), columns: columns.max(20) };
    let trace = &view.trace;
    out.facts(view, env);
    out.labels(&view.labels, env);
    out.feedback(&trace.feedback, env);
    out.scores(trace);
    out.steps(&trace.spans);
    if !trace.metadata.is_empty() {
        out.head("metadata");
        let value = serde_json::Value::Object(trace.metadata.clone());
        out.lines.extend(json(&value, columns));
    }
    out.lines
}

struct Lines {
    lines: Vec<Line>,
    columns: usize,
}

impl Lines {
    fn head(&mut self, title: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        self.lines.push(line(Role::Title, title));
    }

    fn fact(&mut self, name: &str, text: impl Into<Line>) {
        let first = [span(Role::Muted, format!("{name:<NAME$}"))];
        let rest = [span(Role::Muted, " ".repeat(NAME))];
        self.lines.extend(wrap_line(&text.into(), self.columns, &first, &rest));
    }

    fn named(&mut self, name: &str, text: Option<&Untrusted>) {
        if let Some(text) = text {
            self.fact(name, line(Role::Plain, one_line(text)));
        }
    }

    fn facts(&mut self, view: &TraceView, env: &Env) {
        let trace = &view.trace;
        self.head("facts");
        self.named("trace", Some(&trace.id));
        if let Some(at) = trace.time {
            let ms = at.as_millisecond();
            let ago = format!(" · {}", relative(ms, env.now_ms()));
            self.fact("time", words().plain(date_clock(ms, &env.zone)).muted(ago));
        }
        if trace.status == Status::Error {
            let failed = super::failure(trace.error_kind);
            self.fact("status", words().put(Role::Fail, "✗ ").put(Role::Fail, failed));
        } else {
            self.fact("status", words().plain("ok"));
        }
        if trace.fallback {
            self.fact("fallback", words().put(Role::Unsure, "a fallback answered"));
        }
        for (name, text) in [
            ("feature", &trace.feature),
            ("prompt", &trace.prompt),
            ("version", &trace.prompt_version),
            ("model", &trace.model),
        ] {
            self.named(name, text.as_ref());
        }
        if let Some(ms) = trace.latency_ms {
            let first = trace.ttft_ms.map(|ms| format!(" · first token after {}", duration(ms)));
            self.fact("latency", words().plain(duration(ms)).maybe(Role::Muted, first));
        }
        let tokens = |n: Option<u64>| n.map(|n| thousands(i64::try_from(n).unwrap_or(i64::MAX)));
        match (tokens(trace.tokens_in), tokens(trace.tokens_out)) {
            (None, None) => {}
            (read, written) => {
                let read = read.map(|n| format!("{n} read"));
                let written = written.map(|n| format!("{n} written"));
                let both: Vec<String> = read.into_iter().chain(written).collect();
                self.fact("tokens", words().plain(both.join(" · ")));
            }
        }
        if let Some(usd) = trace.cost_usd {
            self.fact("cost", words().plain(dollars(usd)));
        }
        self.named("user", trace.user.as_ref());
        if let Some(session) = &trace.session {
            let place =
                view.neighbours.as_ref().map(|near| format!(" · turn {} of {}", near.position, near.count));
            self.fact("session", words().plain(one_line(session)).maybe(Role::Muted, place));
        }
        if let Some(experiment) = &trace.experiment {
            let arm = trace.arm.as_ref().map(|arm| format!(" · arm {}", one_line(arm)));
            self.fact("experiment", words().plain(one_line(experiment)).maybe(Role::Muted, arm));
        }
        if !trace.tags.is_empty() {
            let tags: Vec<String> = trace.tags.iter().map(one_line).collect();
            self.fact("tags", words().plain(tags.join(", ")));
        }
        if !view.samples.is_empty() {
            self.fact("samples", words().plain(view.samples.join(", ")));
        }
        if !view.incidents.is_empty() {
            self.fact("incidents", words().plain(view.incidents.join(", ")));
        }
    }

    fn labels(&mut self, labels: &[LabelView], env: &Env) {
        self.head("labels");
        if labels.is_empty() {
            self.lines.push(line(Role::Muted, "none yet"));
        }
        for label in labels {
            let at = label.at.as_millisecond();
            let said = verdict(words(), label)
                .maybe(Role::Plain, label.severity.map(|severity| format!(", {}", severity.word())))
                .muted(format!(" · {} · {}", one_line(&label.reviewer), relative(at, env.now_ms())));
            self.lines.extend(wrap_line(&said.done(), self.columns, &[], &[]));
            self.text("note", label.note.as_ref());
            self.text("corrected", label.corrected.as_ref());
        }
    }

    fn text(&mut self, name: &str, text: Option<&Untrusted>) {
        let Some(text) = text else { return };
        let body = readable(text.raw(), self.columns.saturating_sub(NAME).max(8));
        for (at, mut text) in body.into_iter().enumerate() {
            let name = if at == 0 { format!("  {name}") } else { String::new() };
            text.spans.insert(0, span(Role::Muted, format!("{name:<NAME$}")));
            self.lines.push(text);
        }
    }

    fn feedback(&mut self, all: &[Feedback], env: &Env) {
        if all.is_empty() {
            return;
        }
        self.head("feedback");
        for said in all {
            let (role, flag) = feedback(said.kind);
            let at = said.time.map(|at| format!(" · {}", relative(at.as_millisecond(), env.now_ms())));
            self.lines.push(words().put(role, flag).maybe(Role::Muted, at).done());
            self.text("in words", said.comment.as_ref());
        }
    }

    fn scores(&mut self, trace: &Trace) {
        if trace.score.is_empty() {
            return;
        }
        self.head("scores");
        for (name, value) in &trace.score {
            let decimals = if value.fract() == 0.0 { 0 } else { 2 };
            let text = words().plain(fixed(*value, decimals)).muted("  ").muted(name);
            self.lines.extend(wrap_line(&text.done(), self.columns, &[], &[]));
        }
    }

    fn steps(&mut self, steps: &[Step]) {
        if steps.is_empty() {
            return;
        }
        self.head("steps");
        let end = steps.iter().map(|step| step.offset_ms + step.duration_ms).fold(0.0, f64::max);
        let name = self.columns.saturating_sub(BAR + 12).max(8);
        for step in steps {
            let kind =
                if step.kind.is_empty() { String::new() } else { format!("{} ", one_line(&step.kind)) };
            let text = words().muted(kind).plain(one_line(&step.name)).done().text();
            let text = pad(&truncate(&crate::text::clean_line(&text), name), name);
            let time = format!(" {:>9} ", duration(step.duration_ms));
            self.lines
                .push(words().plain(text.as_str()).plain(time).put(Role::Accent, bar(step, end)).done());
        }
    }
}

/// Where in the request a step lies: `   ━━━━   `.
fn bar(step: &Step, end: f64) -> String {
    let column = |ms: f64| {
        let share = if end > 0.0 { (ms / end).clamp(0.0, 1.0) } else { 0.0 };
        (share * BAR as f64).round() as usize
    };
    let from = column(step.offset_ms).min(BAR - 1);
    let to = column(step.offset_ms + step.duration_ms).clamp(from + 1, BAR);
    format!("{}{}", " ".repeat(from), "━".repeat(to - from))
}
