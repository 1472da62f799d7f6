//! A line of the list: what a trace is known by.

use crate::domain::{FeedbackKind, Status, Thumbs, TraceRow};
use crate::text::figures::{UNKNOWN, duration, when};
use crate::text::{Line, Role, clean_line, pad, pad_left, width};
use crate::tui::screen::Env;
use crate::tui::screens::known;
use crate::tui::words::{failure, line, one_line, words};

/// What went wrong or was said of it, the weightiest first: `✗ timeout`, `▼ thumbs down`.
pub fn row_flag(row: &TraceRow) -> Line {
    match row {
        TraceRow { status: Status::Error, error_kind, .. } => {
            line(Role::Fail, format!("✗ {}", failure(*error_kind)))
        }
        row if row.report => known::feedback(FeedbackKind::Report),
        row if row.down => known::feedback(FeedbackKind::Thumbs(Thumbs::Down)),
        row if row.fallback => known::fallback(),
        row if row.follow_up => known::feedback(FeedbackKind::FollowUp),
        row if row.up => known::feedback(FeedbackKind::Thumbs(Thumbs::Up)),
        _ => Line::default(),
    }
}

/// When it was, as short as is clear.
pub fn row_time(row: &TraceRow, env: &Env) -> String {
    when(row.time.as_millisecond(), env.now_ms(), &env.zone)
}

/// The first words of the answer; of the question where there is none.
pub fn row_words(row: &TraceRow) -> Line {
    match (one_line(&row.output_preview), one_line(&row.input_preview)) {
        (said, _) if !said.trim().is_empty() => words().plain(said).done(),
        (_, asked) if !asked.trim().is_empty() => words().muted("asked: ").muted(asked).done(),
        _ => words().muted("no words").done(),
    }
}

/// The widths of the columns, fitted to the rows that are loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Columns {
    time: usize,
    flag: usize,
    version: usize,
    model: usize,
    latency: usize,
}

impl Columns {
    /// Columns wide enough for these rows, within reason.
    pub fn fit<'a>(rows: impl Iterator<Item = &'a TraceRow>, env: &Env) -> Self {
        let mut fit = Self::default();
        for row in rows {
            fit.time = fit.time.max(width(&row_time(row, env)));
            fit.flag = fit.flag.max(row_flag(row).width());
            fit.version = fit.version.max(width(&version(row)));
            fit.model = fit.model.max(width(&model(row)));
            // A source that knows no times needs no column of dashes.
            if row.latency_ms.is_some() {
                fit.latency = fit.latency.max(width(&latency(row)));
            }
        }
        fit.version = fit.version.min(12);
        fit.model = fit.model.min(18);
        fit
    }

    /// The line of a row in this many columns. The words are what counts: where there is little room, the
    /// model gives way, then the version.
    pub fn line(&self, row: &TraceRow, marked: bool, env: &Env, columns: usize) -> Line {
        const WORDS: usize = 30;
        let cell = |text: &str, columns: usize| pad(&clean_line(text), columns).into_string();
        let gap = |columns: usize| if columns == 0 { 0 } else { columns + 2 };
        let fixed = 2 + self.time + 2 + gap(self.latency) + gap(self.flag);
        let room = columns.saturating_sub(fixed + WORDS);
        let with_version = self.version > 0 && gap(self.version) <= room;
        let room = room.saturating_sub(if with_version { gap(self.version) } else { 0 });
        let with_model = self.model > 0 && gap(self.model) <= room;
        let mut line = words()
            .put(Role::Accent, if marked { "◆ " } else { "  " })
            .muted(cell(&row_time(row, env), self.time))
            .plain("  ");
        if with_version {
            line = line.plain(cell(&version(row), self.version)).plain("  ");
        }
        if with_model {
            line = line.muted(cell(&model(row), self.model)).plain("  ");
        }
        if self.latency > 0 {
            let text = pad_left(&clean_line(&latency(row)), self.latency).into_string();
            line = line.plain(text).plain("  ");
        }
        if self.flag > 0 {
            let flag = row_flag(row);
            let fill = " ".repeat(self.flag.saturating_sub(flag.width()) + 2);
            line = line.line(&flag).plain(fill);
        }
        line.line(&row_words(row)).done()
    }
}

fn version(row: &TraceRow) -> String {
    row.prompt_version.as_ref().or(row.prompt.as_ref()).map(one_line).unwrap_or_default()
}

fn model(row: &TraceRow) -> String {
    row.model.as_ref().map(one_line).unwrap_or_default()
}

fn latency(row: &TraceRow) -> String {
    row.latency_ms.map_or_else(|| UNKNOWN.to_owned(), duration)
}
