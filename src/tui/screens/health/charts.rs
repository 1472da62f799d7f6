//! What the charts show: their slots, in words and in figures, and the traces behind each.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use crate::domain::{FailureKind, Query};
use crate::ops::health::{Bucket, HealthView, TimesAxis, range_words};
use crate::text::figures::{self, UNKNOWN, dollars, duration, percent};
use crate::text::{Line, Role, Style, clean};
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::screen::Env;
use crate::tui::widgets::chart::{Curve, Fill, Frame, bars, curves};
use crate::tui::words::{Words, words};

/// A chart of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chart {
    /// p50, p95 and p99 over time.
    Latency,
    /// The histogram of times.
    Times,
    /// Failed requests by kind over time.
    Errors,
    /// The cost of each day.
    Cost,
}

/// The kinds of failure, from the bottom of a stack up, and how each looks.
pub const KINDS: [(FailureKind, &str, Role, Fill); 4] = [
    (FailureKind::Timeout, "timeout", Role::Worse, Fill::Solid),
    (FailureKind::RateLimit, "rate limit", Role::Unsure, Fill::Dense),
    (FailureKind::ContentPolicy, "content policy", Role::Accent, Fill::Half),
    (FailureKind::Other, "other", Role::Muted, Fill::Light),
];

impl Chart {
    pub const ALL: [Self; 4] = [Self::Latency, Self::Times, Self::Errors, Self::Cost];

    /// The one after it; after the last there is none.
    pub fn next(of: Option<Self>) -> Option<Self> {
        let at = of.and_then(|of| Self::ALL.iter().position(|chart| *chart == of));
        Self::ALL.get(at.map_or(0, |at| at + 1)).copied()
    }

    pub fn pane(self) -> Pane {
        Pane(match self {
            Self::Latency => "health.latency",
            Self::Times => "health.times",
            Self::Errors => "health.errors",
            Self::Cost => "health.cost",
        })
    }

    pub fn of_pane(pane: Pane) -> Option<Self> {
        Self::ALL.into_iter().find(|chart| chart.pane() == pane)
    }

    fn title(self) -> &'static str {
        match self {
            Self::Latency => "time of a request",
            Self::Times => "how long requests take",
            Self::Errors => "failed requests",
            Self::Cost => "cost a day",
        }
    }

    /// How many slots it has.
    pub fn slots(self, view: &HealthView) -> usize {
        match self {
            Self::Latency | Self::Errors => view.timeline.len(),
            Self::Times => view.histogram.len(),
            Self::Cost => view.days.len(),
        }
    }

    /// Where one looks first: at what stands out, else at the last.
    pub fn telling(self, view: &HealthView) -> usize {
        let last = self.slots(view).saturating_sub(1);
        let slots = || view.timeline.iter().enumerate();
        match self {
            Self::Latency => slots()
                .filter_map(|(n, of)| Some((n, of.p95_latency_ms?)))
                .max_by(|a, b| a.1.total_cmp(&b.1))
                .map_or(last, |(n, _)| n),
            Self::Errors => slots().max_by_key(|(_, of)| of.errors()).map_or(last, |(n, _)| n),
            Self::Times | Self::Cost => last,
        }
    }

    /// The query of what is behind a slot; of failed requests those of the chosen kind.
    pub fn query(self, view: &HealthView, at: usize, kind: Option<usize>) -> Option<Query> {
        match self {
            Self::Latency => Some(view.timeline.get(at)?.slow()),
            Self::Times => Some(view.histogram.get(at)?.query.clone()),
            Self::Errors => {
                let kind = kind.and_then(|kind| Some(KINDS.get(kind)?.0));
                Some(view.timeline.get(at)?.failed(kind))
            }
            Self::Cost => Some(view.days.get(at)?.query.clone()),
        }
    }

    /// Draws it with its title and what is under the cursor, or what it comes to.
    pub fn draw(
        self,
        view: &HealthView,
        env: &Env,
        canvas: &mut Canvas<'_>,
        area: Rect,
        (selected, kind): (Option<usize>, Option<usize>),
    ) {
        let mut rows = area.rows();
        let (Some(title), Some(told)) = (rows.next(), rows.next()) else { return };
        canvas.line(title, &self.heading(kind));
        let told_of = selected.and_then(|at| self.slot_words(view, env, at));
        canvas.line(told, &told_of.unwrap_or_else(|| self.summary(view)));
        let plot = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
        let labels = self.labels(view, env);
        let marks = self.marks(view);
        let axis = TimesAxis::of(&view.timeline);
        let figure = |value: f64| match self {
            Self::Latency => axis.tick(value),
            Self::Times | Self::Errors if value.fract() == 0.0 => figures::thousands(value as i64),
            // Half a request is none.
            Self::Times | Self::Errors => String::new(),
            Self::Cost => dollars(value),
        };
        let least = if matches!(self, Self::Times | Self::Errors) { 4.0 } else { 0.0 };
        let frame = Frame {
            least,
            top: (self == Self::Latency).then_some(axis.top),
            pane: self.pane(),
            labels: &labels,
            marks: &marks,
            selected,
            figure: &figure,
        };
        match self {
            Self::Latency => {
                let of =
                    |figure: fn(&Bucket) -> Option<f64>| view.timeline.iter().map(figure).collect::<Vec<_>>();
                let (p50, p95) = (of(|of| of.p50_latency_ms), of(|of| of.p95_latency_ms));
                let p99 = of(|of| of.p99_latency_ms);
                let all = [
                    Curve { name: "p50", letter: 'o', role: Role::Muted, values: &p50 },
                    Curve { name: "p95", letter: 'x', role: Role::Accent, values: &p95 },
                    Curve { name: "p99", letter: '^', role: Role::Unsure, values: &p99 },
                ];
                curves(canvas, plot, &frame, &all);
            }
            Self::Times => {
                let all: Vec<_> = view.histogram.iter().map(|bar| vec![bar.requests as f64]).collect();
                bars(canvas, plot, &frame, &all, &[(Role::Accent, Fill::Solid)]);
            }
            Self::Errors => {
                let all: Vec<Vec<f64>> = view.timeline.iter().map(kinds).collect();
                bars(canvas, plot, &frame, &all, &KINDS.map(|(_, _, role, fill)| (role, fill)));
            }
            Self::Cost => {
                let all: Vec<_> = view.days.iter().map(|day| vec![day.cost_usd]).collect();
                bars(canvas, plot, &frame, &all, &[(Role::Accent, Fill::Solid)]);
            }
        }
    }

    /// The title, and what stands for what.
    fn heading(self, kind: Option<usize>) -> Line {
        let title = words().put(Style::of(Role::Heading).bold(), self.title());
        match self {
            Self::Latency => title.muted("  p50, p95 and p99 over time").done(),
            Self::Times => title.muted("  requests by their time").done(),
            Self::Cost => title.muted("  days of UTC").done(),
            Self::Errors => {
                let with = |title: Words, (n, (_, name, role, fill)): (usize, (_, &str, Role, Fill))| {
                    let style = Style { underline: kind == Some(n), ..Style::of(Role::Muted) };
                    title.plain("  ").put(role, fill.glyph()).plain(" ").put(style, name)
                };
                KINDS.into_iter().enumerate().fold(title, with).done()
            }
        }
    }

    fn labels(self, view: &HealthView, env: &Env) -> Vec<String> {
        match self {
            Self::Latency | Self::Errors => view
                .timeline
                .iter()
                .map(|of| {
                    let hours = hours_of(of);
                    let zone = if hours >= 24 { &TimeZone::UTC } else { &env.zone };
                    let form = match hours {
                        0 | 1 => "%H:%M",
                        2..=23 => "%a %H:%M",
                        _ => "%-d %b",
                    };
                    shown(of.from, zone, form)
                })
                .collect(),
            Self::Times => view.histogram.iter().map(|bar| duration(bar.from_ms)).collect(),
            Self::Cost => view.days.iter().map(|of| shown(of.day, &TimeZone::UTC, "%-d %b")).collect(),
        }
    }

    /// What was new, by slot.
    fn marks(self, view: &HealthView) -> Vec<(usize, String)> {
        let slot_of = |at: Timestamp| match self {
            Self::Latency | Self::Errors => {
                view.timeline.iter().position(|of| (of.from..of.to).contains(&at))
            }
            Self::Cost => view.days.iter().rposition(|of| of.day <= at),
            Self::Times => None,
        };
        let mut marks: Vec<(usize, String)> = Vec::new();
        for mark in &view.marks {
            let Some(slot) = slot_of(mark.at) else { continue };
            let name = clean(&mark.name).into_string();
            match marks.last_mut() {
                Some((last, names)) if *last == slot => *names = format!("{names}, {name}"),
                _ => marks.push((slot, name)),
            }
        }
        marks
    }

    /// What it comes to, while nothing is under the cursor.
    fn summary(self, view: &HealthView) -> Line {
        let told = match self {
            Self::Latency => match view.p95_latency_ms.value {
                Some(ms) => format!("95 of 100 within {}", duration(ms)),
                None => "no request with a known time".to_owned(),
            },
            Self::Times => match view.histogram.iter().max_by_key(|bar| bar.requests) {
                Some(bar) => format!("most take {}", range_words(bar)),
                None => "no request with a known time".to_owned(),
            },
            Self::Errors => {
                let failed: u64 = view.errors.kinds().iter().map(|(_, n)| n).sum();
                match view.error_rate.value {
                    Some(rate) => format!("{} failed, {}", counted(failed), percent(rate)),
                    None => "no request".to_owned(),
                }
            }
            Self::Cost => {
                let all: f64 = view.days.iter().map(|of| of.cost_usd).sum();
                let today = view.days.last().map_or(0.0, |of| of.cost_usd);
                format!("today so far {} · 28 days {}", dollars(today), dollars(all))
            }
        };
        words().muted(told).done()
    }

    /// What is under the cursor.
    fn slot_words(self, view: &HealthView, env: &Env, at: usize) -> Option<Line> {
        let time = |ms: Option<f64>| ms.map_or_else(|| UNKNOWN.to_owned(), duration);
        let told = match self {
            Self::Latency => {
                let of = view.timeline.get(at)?;
                when(of, env)
                    .plain(format!(
                        "p50 {} · p95 {} · p99 {}",
                        time(of.p50_latency_ms),
                        time(of.p95_latency_ms),
                        time(of.p99_latency_ms)
                    ))
                    .muted(format!(" · {}", requests(of.requests)))
            }
            Self::Times => {
                let bar = view.histogram.get(at)?;
                let all: u64 = view.histogram.iter().map(|bar| bar.requests).sum();
                let share = bar.requests as f64 / all.max(1) as f64;
                words()
                    .put(Role::Accent, format!("{}  ", range_words(bar)))
                    .plain(requests(bar.requests))
                    .muted(format!(" · {} of all", percent(share)))
            }
            Self::Errors => {
                let of = view.timeline.get(at)?;
                let told = format!("{} of {} failed", counted(of.errors()), counted(of.requests));
                let by: Vec<String> = KINDS
                    .iter()
                    .zip(kinds(of))
                    .filter(|(_, n)| *n > 0.0)
                    .map(|((_, name, ..), n)| format!("{name} {}", counted(n as u64)))
                    .collect();
                let by = if by.is_empty() { String::new() } else { format!(" · {}", by.join(" · ")) };
                when(of, env).plain(told).muted(by)
            }
            Self::Cost => {
                let of = view.days.get(at)?;
                words()
                    .put(Role::Accent, format!("{}  ", shown(of.day, &TimeZone::UTC, "%a %-d %b")))
                    .plain(dollars(of.cost_usd))
                    .muted(format!(" · {}", requests(of.requests)))
            }
        };
        Some(told.done())
    }
}

/// The failed requests of a part of the window, in the order of [`KINDS`].
fn kinds(of: &Bucket) -> Vec<f64> {
    [of.timeout, of.rate_limit, of.content_policy, of.other].map(|n| n as f64).to_vec()
}

fn hours_of(of: &Bucket) -> i64 {
    (of.to.as_second() - of.from.as_second()) / 3600
}

/// `Tue 09:00–10:00  `, or the day.
fn when(of: &Bucket, env: &Env) -> Words {
    let told = if hours_of(of) >= 24 {
        shown(of.from, &TimeZone::UTC, "%a %-d %b")
    } else {
        format!("{}–{}", shown(of.from, &env.zone, "%a %H:%M"), shown(of.to, &env.zone, "%H:%M"))
    };
    words().put(Role::Accent, format!("{told}  "))
}

fn shown(at: Timestamp, zone: &TimeZone, form: &str) -> String {
    at.to_zoned_datetime(zone.clone()).strftime(form).to_string()
}

fn counted(n: u64) -> String {
    figures::thousands(i64::try_from(n).unwrap_or(i64::MAX))
}

fn requests(n: u64) -> String {
    figures::plural(usize::try_from(n).unwrap_or(usize::MAX), "request")
}
