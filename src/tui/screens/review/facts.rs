//! What else is known of a response: figures, feedback, scores, labels, metadata.

use crate::domain::{FeedbackKind, Status, Thumbs, Trace, Untrusted};
use crate::ops::label::LabelView;
use crate::ops::review::{QueueItem, ReviewItem};
use crate::text::{Line, Role, Span, figures, json, readable, wrap_line};
use crate::tui::screen::Env;
use crate::tui::words::{Words, line, span, words};

use super::queue::glyph_of;

/// `customer_support@v4 · gpt-4o · Tue 09:31 · 1.8 s · $0.0031`
pub fn in_one_line(trace: &Trace, env: &Env) -> Words {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(prompt(trace).or_else(|| trace.feature.as_ref().map(|feature| feature.raw().to_owned())));
    parts.extend(trace.model.as_ref().map(|model| model.raw().to_owned()));
    parts.extend(trace.time.map(|at| figures::when(at.as_millisecond(), env.now_ms(), &env.zone)));
    parts.extend(trace.latency_ms.map(figures::duration));
    parts.extend(trace.cost_usd.map(figures::dollars));
    let words = words().plain(parts.join(" · "));
    if trace.fallback { words.put(Role::Unsure, " · fallback") } else { words }
}

fn prompt(trace: &Trace) -> Option<String> {
    let name = trace.prompt.as_ref()?.raw();
    Some(match &trace.prompt_version {
        Some(version) => format!("{name}@{}", version.raw()),
        None => name.to_owned(),
    })
}

/// `👎 thumbs down  report`: what the user said, the worst first; an error too.
pub fn feedback(trace: &Trace) -> Words {
    let mut words = words();
    let said = |wanted: FeedbackKind| trace.feedback.iter().any(|feedback| feedback.kind == wanted);
    let mut gap = "";
    for (there, role, text) in [
        (trace.status == Status::Error, Role::Alert, "✗ error"),
        (said(FeedbackKind::Report), Role::Fail, "! reported"),
        (said(FeedbackKind::Thumbs(Thumbs::Down)), Role::Fail, "👎 thumbs down"),
        (said(FeedbackKind::FollowUp), Role::Unsure, "↺ asked again"),
        (said(FeedbackKind::Thumbs(Thumbs::Up)), Role::Pass, "👍 thumbs up"),
    ] {
        if there {
            words = words.plain(gap).put(role, text);
            gap = "  ";
        }
    }
    words
}

/// `accuracy 4 · tone 8`
pub fn scores(trace: &Trace) -> Words {
    let mut words = words();
    for (at, (name, value)) in trace.score.iter().enumerate() {
        let gap = if at == 0 { "" } else { " · " };
        let decimals = if value.fract() == 0.0 { 0 } else { 2 };
        words = words.muted(format!("{gap}{name} ")).plain(figures::fixed(*value, decimals));
    }
    words
}

/// `✗ fail: wrong tone, high`
pub fn label(label: &LabelView, mode_name: impl Fn(&crate::domain::ModeId) -> String) -> Words {
    let Some(verdict) = label.verdict else { return words().muted("a draft") };
    let (role, glyph) = glyph_of(verdict.word());
    let mut words = words().put(role, format!("{glyph} {}", verdict.word()));
    if let Some(mode) = &label.mode {
        words = words.plain(": ").plain(mode_name(mode));
    }
    match label.severity {
        Some(severity) => words.plain(format!(", {}", severity.word())),
        None => words,
    }
}

/// Everything, in lines of at most `cols` columns.
pub fn pane(
    item: &ReviewItem,
    queued: &QueueItem,
    mode_name: impl Fn(&crate::domain::ModeId) -> String,
    env: &Env,
    cols: usize,
) -> Vec<Line> {
    let trace = &item.trace;
    let mut out = Pane { lines: Vec::new(), cols };
    if let Some(mine) = &item.mine {
        out.title("your label");
        out.line(&label(mine, &mode_name).done());
        out.text("note", mine.note.as_ref());
        out.text("corrected", mine.corrected.as_ref());
    }
    // What others think is shown once it can no longer sway.
    if item.mine.as_ref().is_some_and(|mine| mine.verdict.is_some()) {
        for other in &item.others {
            out.title(other.reviewer.raw());
            out.line(&label(other, &mode_name).done());
            out.text("note", other.note.as_ref());
            out.text("corrected", other.corrected.as_ref());
        }
    } else if !item.others.is_empty() {
        out.title("others");
        let many = figures::plural(item.others.len(), "label");
        out.line(&line(Role::Muted, format!("{many}, shown after yours")));
    }
    if !trace.feedback.is_empty() {
        out.title("feedback");
        for said in &trace.feedback {
            let (role, text) = match said.kind {
                FeedbackKind::Thumbs(Thumbs::Up) => (Role::Pass, "👍 thumbs up"),
                FeedbackKind::Thumbs(Thumbs::Down) => (Role::Fail, "👎 thumbs down"),
                FeedbackKind::Report => (Role::Fail, "! reported"),
                FeedbackKind::FollowUp => (Role::Unsure, "↺ asked again"),
            };
            out.line(&line(role, text));
            out.text("", said.comment.as_ref());
        }
    }
    if !trace.score.is_empty() {
        out.title("scores");
        for (name, value) in &trace.score {
            out.pair(name, &figures::fixed(*value, if value.fract() == 0.0 { 0 } else { 2 }));
        }
    }
    out.title("trace");
    out.pair("id", trace.id.raw());
    for (name, value) in [
        ("session", trace.session.as_ref()),
        ("user", trace.user.as_ref()),
        ("feature", trace.feature.as_ref()),
        ("model", trace.model.as_ref()),
        ("experiment", trace.experiment.as_ref()),
        ("arm", trace.arm.as_ref()),
    ] {
        if let Some(value) = value {
            out.pair(name, value.raw());
        }
    }
    if let Some(prompt) = prompt(trace) {
        out.pair("prompt", &prompt);
    }
    if let Some(time) = trace.time {
        out.pair("time", &figures::date_clock(time.as_millisecond(), &env.zone));
    }
    for (name, value) in [
        ("latency", trace.latency_ms.map(figures::duration)),
        ("first token", trace.ttft_ms.map(figures::duration)),
        ("cost", trace.cost_usd.map(figures::dollars)),
        ("tokens in", trace.tokens_in.map(|n| figures::thousands(n.cast_signed()))),
        ("tokens out", trace.tokens_out.map(|n| figures::thousands(n.cast_signed()))),
    ] {
        if let Some(value) = value {
            out.pair(name, &value);
        }
    }
    if trace.fallback {
        out.pair("fallback", "yes");
    }
    if !trace.tags.is_empty() {
        let tags: Vec<&str> = trace.tags.iter().map(Untrusted::raw).collect();
        out.pair("tags", &tags.join(", "));
    }
    if queued.probability < 1.0 {
        out.pair("drawn with", &figures::percent_to(queued.probability, 1));
    }
    if let Some(stratum) = &queued.stratum {
        out.pair("stratum", stratum.raw());
    }
    if !trace.metadata.is_empty() {
        out.title("metadata");
        out.lines.extend(json(&serde_json::Value::Object(trace.metadata.clone()), cols));
    }
    if item.history.len() > 1 {
        out.title("history");
        for act in &item.history {
            // Others' acts tell their verdicts.
            if act.reviewer.raw() != env.reviewer
                && item.mine.as_ref().is_none_or(|mine| mine.verdict.is_none())
            {
                continue;
            }
            let at = figures::when(act.at.as_millisecond(), env.now_ms(), &env.zone);
            let mut text =
                words().muted(format!("{at} ")).plain(act.reviewer.raw()).muted(" ").plain(act.words.raw());
            if act.undone {
                text = text.muted(" (taken back)");
            }
            out.line(&text.done());
        }
    }
    out.lines
}

struct Pane {
    lines: Vec<Line>,
    cols: usize,
}

impl Pane {
    fn title(&mut self, title: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        self.lines.push(line(Role::Title, title));
    }

    fn line(&mut self, line: &Line) {
        self.lines.extend(wrap_line(line, self.cols, &[], &[]));
    }

    fn pair(&mut self, name: &str, value: &str) {
        let first: [Span; 1] = [span(Role::Muted, format!("{name:<12}"))];
        let rest = [span(Role::Plain, " ".repeat(12))];
        self.lines.extend(wrap_line(&line(Role::Plain, value), self.cols, &first, &rest));
    }

    fn text(&mut self, name: &str, text: Option<&Untrusted>) {
        let Some(text) = text else { return };
        if !name.is_empty() {
            self.lines.push(line(Role::Muted, name));
        }
        for line in readable(text.raw(), self.cols.saturating_sub(2)) {
            let mut set_in = words().plain("  ").done();
            set_in.spans.extend(line.spans);
            self.lines.push(set_in);
        }
    }
}
