//! All that is known of a trace, as lines to read: labels, feedback, scores, facts, steps, metadata,
//! history. What people said of it comes first; that is what one looks for.

use super::{fallback, feedback, label, score};
use crate::domain::{Feedback, Span as Step, Status, Taxonomy, Trace, Untrusted};
use crate::ops::label::LabelView;
use crate::ops::review::HistoryLine;
use crate::text::figures::{date_clock, dollars, duration, plural, relative, thousands, when};
use crate::text::{Line, Role, clean_line, json, pad, readable, truncate, wrap_line};
use crate::tui::screen::Env;
use crate::tui::words::{failure, line, one_line, span, words};

/// Columns of a fact's name.
const NAME: usize = 12;
/// Columns of the bar of a step, and those from which there is room for one.
const BAR: usize = 16;
const BAR_FROM: usize = 48;

/// What is to be said of a trace.
pub struct Details<'a> {
    pub trace: &'a Trace,
    /// The labels that may be seen.
    pub labels: Vec<&'a LabelView>,
    /// Labels of others that are not shown yet, so that they sway nobody.
    pub kept_back: usize,
    /// For the names of the failure modes.
    pub taxonomy: &'a Taxonomy,
    /// Where it stands in its session, which is (position, of how many).
    pub turn: Option<(u64, u64)>,
    /// Facts that are known where it is shown, by name.
    pub more: Vec<(&'static str, String)>,
    /// The acts that may be seen, oldest first.
    pub history: Vec<&'a HistoryLine>,
}

impl Details<'_> {
    /// The lines for this many columns.
    pub fn lines(&self, env: &Env, columns: usize) -> Vec<Line> {
        let mut out = Lines { lines: Vec::new(), columns: columns.max(20) };
        let trace = self.trace;
        out.labels(self, env);
        out.feedback(&trace.feedback, env);
        out.scores(trace);
        out.facts(self, env);
        out.steps(&trace.spans);
        if !trace.metadata.is_empty() {
            out.head("metadata");
            let value = serde_json::Value::Object(trace.metadata.clone());
            out.lines.extend(json(&value, out.columns));
        }
        out.history(&self.history, env);
        out.lines
    }
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

    fn put(&mut self, line: &Line) {
        self.lines.extend(wrap_line(line, self.columns, &[], &[span(Role::Plain, "  ")]));
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

    fn facts(&mut self, of: &Details<'_>, env: &Env) {
        let trace = of.trace;
        self.head("facts");
        self.named("trace", Some(&trace.id));
        if let Some(at) = trace.time {
            let ms = at.as_millisecond();
            let ago = format!(" · {}", relative(ms, env.now_ms()));
            self.fact("time", words().plain(date_clock(ms, &env.zone)).muted(ago));
        }
        if trace.status == Status::Error {
            self.fact("status", line(Role::Fail, format!("✗ {}", failure(trace.error_kind))));
        } else {
            self.fact("status", words().plain("ok"));
        }
        if trace.fallback {
            self.fact("answered by", fallback());
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
            let turn = of.turn.map(|(at, of)| format!(" · turn {at} of {of}"));
            self.fact("session", words().plain(one_line(session)).maybe(Role::Muted, turn));
        }
        if let Some(experiment) = &trace.experiment {
            let arm = trace.arm.as_ref().map(|arm| format!(" · arm {}", one_line(arm)));
            self.fact("experiment", words().plain(one_line(experiment)).maybe(Role::Muted, arm));
        }
        if !trace.tags.is_empty() {
            let tags: Vec<String> = trace.tags.iter().map(one_line).collect();
            self.fact("tags", words().plain(tags.join(", ")));
        }
        for (name, text) in &of.more {
            self.fact(name, words().plain(text));
        }
    }

    fn labels(&mut self, of: &Details<'_>, env: &Env) {
        self.head("labels");
        if of.kept_back > 0 {
            let many = plural(of.kept_back, "label");
            self.put(&line(Role::Muted, format!("{many} of others, shown after yours")));
        } else if of.labels.is_empty() {
            self.lines.push(line(Role::Muted, "none yet"));
        }
        for one in &of.labels {
            let at = when(one.at.as_millisecond(), env.now_ms(), &env.zone);
            let who = format!(" · {} · {at}", one_line(&one.reviewer));
            self.put(&label(one, of.taxonomy).muted(who).done());
            self.text("note", one.note.as_ref());
            self.text("corrected", one.corrected.as_ref());
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
            let at = said.time.map(|at| format!(" · {}", relative(at.as_millisecond(), env.now_ms())));
            self.put(&words().line(&feedback(said.kind)).maybe(Role::Muted, at).done());
            self.text("in words", said.comment.as_ref());
        }
    }

    fn scores(&mut self, trace: &Trace) {
        if trace.score.is_empty() {
            return;
        }
        self.head("scores");
        let wide =
            trace.score.keys().map(|name| clean_line(name)).map(|name| crate::text::width(name.as_str()));
        let wide = wide.max().unwrap_or(0).clamp(NAME - 2, self.columns / 2);
        for (name, value) in &trace.score {
            let name = pad(&clean_line(name), wide).into_string();
            self.put(&words().muted(name).plain("  ").plain(score(*value)).done());
        }
    }

    fn steps(&mut self, steps: &[Step]) {
        if steps.is_empty() {
            return;
        }
        self.head("steps");
        let end = steps.iter().map(|step| step.offset_ms + step.duration_ms).fold(0.0, f64::max);
        let bars = if self.columns >= BAR_FROM { BAR + 1 } else { 0 };
        let name = self.columns.saturating_sub(bars + 10).max(8);
        for step in steps {
            let kind =
                if step.kind.is_empty() { String::new() } else { format!("{} ", one_line(&step.kind)) };
            let text = pad(&truncate(&clean_line(&format!("{kind}{}", step.name.raw())), name), name);
            let time = format!(" {:>9}", duration(step.duration_ms));
            let bar = (bars > 0).then(|| format!(" {}", bar(step, end)));
            self.lines.push(words().plain(text.as_str()).plain(time).maybe(Role::Accent, bar).done());
        }
    }

    fn history(&mut self, acts: &[&HistoryLine], env: &Env) {
        // A single act is what the label says.
        if acts.len() < 2 {
            return;
        }
        self.head("history");
        for act in acts {
            let at = when(act.at.as_millisecond(), env.now_ms(), &env.zone);
            let who = one_line(&act.reviewer);
            let text = words().muted(format!("{at} ")).plain(who).muted(" ").plain(one_line(&act.words));
            self.put(&text.maybe(Role::Muted, act.undone.then_some(" (taken back)")).done());
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
