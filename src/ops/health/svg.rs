//! The geometry of charts for a page: shapes in a box of fixed size, which the template draws as SVG.

use jiff::tz::TimeZone;
use serde::Serialize;

use super::series::{Bucket, Mark};
use super::{HealthView, series};
use crate::text::clean_line;
use crate::text::figures::{axis_top, dollars, duration, thousands};

/// Width and height of a chart, and the room for the figures at its left, the names at its right and the labels
/// below.
const BOX: (f64, f64) = (560.0, 210.0);
const LEFT: f64 = 56.0;
const RIGHT: f64 = 34.0;
const TOP: f64 = 18.0;
const BELOW: f64 = 22.0;
/// Labels below a chart, at most.
const LABELS: usize = 7;

/// A chart.
#[derive(Debug, Default, Serialize)]
pub(in crate::ops) struct Chart {
    title: &'static str,
    width: f64,
    height: f64,
    bars: Vec<Bar>,
    curves: Vec<Curve>,
    ticks: Vec<Text>,
    labels: Vec<Text>,
    marks: Vec<Text>,
    pub(super) legend: Vec<(&'static str, &'static str)>,
    /// Top and bottom of the plot.
    plot: (f64, f64),
    left: f64,
}

#[derive(Debug, Serialize)]
struct Bar {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    class: &'static str,
    /// What it is of, for who points at it.
    says: String,
}

#[derive(Debug, Serialize)]
struct Curve {
    class: &'static str,
    name: &'static str,
    /// Points of each unbroken part.
    parts: Vec<String>,
    /// Where its name stands.
    end: f64,
}

#[derive(Debug, Serialize)]
struct Text {
    x: f64,
    y: f64,
    text: String,
}

/// The four charts of the dashboard; those without anything to show are left out.
pub(super) fn charts(view: &HealthView) -> Vec<Chart> {
    let all = [latency(view), times(view), errors(view), cost(view)];
    all.into_iter().filter(Chart::shows).collect()
}

/// A line of a trend in a box of `width` by `height`: the points of each unbroken part.
pub(super) fn trend(values: &[Option<f64>], width: f64, height: f64) -> Vec<String> {
    let most = values.iter().flatten().copied().fold(0.0, f64::max);
    let step = width / values.len().max(2) as f64;
    let top = if most > 0.0 { most } else { 1.0 };
    parts(values, |n, value| ((n as f64 + 0.5) * step, height - 1.0 - value / top * (height - 2.0)))
}

fn parts(values: &[Option<f64>], place: impl Fn(usize, f64) -> (f64, f64)) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut broken = true;
    for (n, value) in values.iter().enumerate() {
        let Some(value) = value else {
            broken = true;
            continue;
        };
        let (x, y) = place(n, *value);
        let point = format!("{x:.1},{y:.1}");
        match parts.last_mut() {
            Some(part) if !broken => *part = format!("{part} {point}"),
            _ => parts.push(point),
        }
        broken = false;
    }
    // A point alone is a line of no length, which round ends make a dot.
    parts.into_iter().map(|part| if part.contains(' ') { part } else { format!("{part} {part}") }).collect()
}

impl Chart {
    pub(super) fn new(
        title: &'static str,
        top: f64,
        figure: impl Fn(f64) -> String,
        labels: &[String],
    ) -> Self {
        let mut chart = Self {
            title,
            width: BOX.0,
            height: BOX.1,
            plot: (TOP, BOX.1 - BELOW),
            left: LEFT,
            ..Self::default()
        };
        for value in [0.0, top / 2.0, top] {
            let y = chart.y(value, top);
            chart.ticks.push(Text { x: LEFT - 6.0, y, text: figure(value) });
        }
        let each = labels.len().div_ceil(LABELS).max(1);
        for (n, label) in labels.iter().enumerate().step_by(each) {
            let (x, _) = chart.slot(n, labels.len());
            chart.labels.push(Text { x, y: BOX.1 - 6.0, text: label.clone() });
        }
        chart
    }

    fn y(&self, value: f64, top: f64) -> f64 {
        self.plot.1 - (value / top).min(1.0) * (self.plot.1 - self.plot.0)
    }

    fn slot(&self, n: usize, of: usize) -> (f64, f64) {
        let width = (BOX.0 - LEFT - RIGHT) / of.max(1) as f64;
        (LEFT + n as f64 * width, width)
    }

    /// Puts bars on each other in a slot.
    pub(super) fn stack(
        &mut self,
        (n, of): (usize, usize),
        top: f64,
        parts: &[(f64, &'static str)],
        says: &str,
    ) {
        let (x, width) = self.slot(n, of);
        let mut below = 0.0;
        for (value, class) in parts.iter().filter(|(value, _)| *value > 0.0) {
            let (y, height) = (self.y(below + value, top), self.y(below, top) - self.y(below + value, top));
            let (x, width) = (x + width * 0.1, width * 0.8);
            self.bars.push(Bar { x, y, width, height, class, says: says.to_owned() });
            below += value;
        }
    }

    pub(super) fn curve(
        &mut self,
        top: f64,
        class: &'static str,
        name: &'static str,
        values: &[Option<f64>],
    ) {
        let Some(last) = values.iter().flatten().next_back() else { return };
        let place = |n: usize, value: f64| {
            let (x, width) = self.slot(n, values.len());
            (x + width / 2.0, self.y(value, top))
        };
        let parts = parts(values, place);
        // Names must not lie over each other: the curves come from the lowest up.
        let above = self.curves.last().map_or(f64::MAX, |curve| curve.end - 12.0);
        let end = self.y(*last, top).min(above);
        self.curves.push(Curve { class, name, parts, end });
    }

    pub(super) fn mark(&mut self, (n, of): (usize, usize), name: &str) {
        let (x, width) = self.slot(n, of);
        self.marks.push(Text { x: x + width / 2.0, y: TOP - 6.0, text: clean_line(name).into_string() });
    }

    /// Whether there is anything to see.
    pub(super) fn shows(&self) -> bool {
        !self.bars.is_empty() || !self.curves.is_empty()
    }

    /// A word below a slot.
    pub(super) fn label(&mut self, (n, of): (usize, usize), name: &str) {
        let (x, _) = self.slot(n, of);
        self.labels.push(Text { x, y: BOX.1 - 6.0, text: name.to_owned() });
    }

    /// Puts the names of marks that stand close to each other in turn on one of two heights.
    pub(super) fn spread_marks(&mut self) {
        self.marks.sort_by(|a, b| a.x.total_cmp(&b.x));
        let mut low = true;
        let mut last = f64::MIN;
        for mark in &mut self.marks {
            low = mark.x - last > 90.0 || !low;
            last = mark.x;
            mark.y = if low { TOP - 6.0 } else { TOP - 18.0 };
        }
    }

    fn marks(&mut self, of: usize, marks: &[Mark], slot: impl Fn(&Mark) -> Option<usize>) {
        for mark in marks {
            if let Some(n) = slot(mark) {
                self.mark((n, of), mark.name.raw());
            }
        }
    }
}

fn labels(timeline: &[Bucket]) -> Vec<String> {
    let form = match timeline.first().map(|of| of.to.as_second() - of.from.as_second()) {
        Some(..=3600) | None => "%H:%M",
        Some(..86_400) => "%a %H:%M",
        Some(_) => "%-d %b",
    };
    timeline.iter().map(|of| of.from.to_zoned_datetime(TimeZone::UTC).strftime(form).to_string()).collect()
}

fn slot_of(timeline: &[Bucket]) -> impl Fn(&Mark) -> Option<usize> {
    move |mark| timeline.iter().position(|of| (of.from..of.to).contains(&mark.at))
}

fn latency(view: &HealthView) -> Chart {
    let of = |figure: fn(&Bucket) -> Option<f64>| view.timeline.iter().map(figure).collect::<Vec<_>>();
    let curves = [
        ("c1", "p50", of(|of| of.p50_latency_ms)),
        ("c2", "p95", of(|of| of.p95_latency_ms)),
        ("c3", "p99", of(|of| of.p99_latency_ms)),
    ];
    let axis = series::TimesAxis::of(&view.timeline);
    let top = axis.top;
    let mut chart = Chart::new("Time of a request", top, |ms| axis.tick(ms), &labels(&view.timeline));
    for (class, name, values) in &curves {
        chart.curve(top, class, name, values);
    }
    chart.marks(view.timeline.len(), &view.marks, slot_of(&view.timeline));
    chart
}

fn times(view: &HealthView) -> Chart {
    let top = axis_top(view.histogram.iter().map(|bar| bar.requests as f64).fold(4.0, f64::max));
    let labels: Vec<String> = view.histogram.iter().map(|bar| duration(bar.from_ms)).collect();
    let mut chart = Chart::new("How long requests take", top, counted, &labels);
    for (n, bar) in view.histogram.iter().enumerate() {
        let says = format!("{}: {}", series::range_words(bar), requests(bar.requests));
        chart.stack((n, view.histogram.len()), top, &[(bar.requests as f64, "c2")], &says);
    }
    chart
}

fn errors(view: &HealthView) -> Chart {
    let top = axis_top(view.timeline.iter().map(|of| of.errors() as f64).fold(4.0, f64::max));
    let labels = labels(&view.timeline);
    let mut chart = Chart::new("Failed requests", top, counted, &labels);
    for (n, of) in view.timeline.iter().enumerate() {
        let kinds = [(of.timeout, "c3"), (of.rate_limit, "c4"), (of.content_policy, "c2"), (of.other, "c1")];
        let says =
            format!("{}: {} of {} failed", labels[n], counted(of.errors() as f64), requests(of.requests));
        chart.stack((n, view.timeline.len()), top, &kinds.map(|(n, class)| (n as f64, class)), &says);
    }
    chart.legend = vec![("c3", "timeout"), ("c4", "rate limit"), ("c2", "content policy"), ("c1", "other")];
    chart.marks(view.timeline.len(), &view.marks, slot_of(&view.timeline));
    chart
}

fn cost(view: &HealthView) -> Chart {
    let most = view.days.iter().map(|day| day.cost_usd).fold(0.0, f64::max);
    let top = axis_top(most);
    let day = |n: usize| view.days[n].day.to_zoned_datetime(TimeZone::UTC).strftime("%-d %b").to_string();
    let labels: Vec<String> = (0..view.days.len()).map(day).collect();
    let mut chart = Chart::new("Cost a day", top, dollars, &labels);
    for (n, of) in view.days.iter().enumerate() {
        let says = format!("{}: {}, {}", labels[n], dollars(of.cost_usd), requests(of.requests));
        chart.stack((n, view.days.len()), top, &[(of.cost_usd, "c2")], &says);
    }
    chart.marks(view.days.len(), &view.marks, |mark| view.days.iter().rposition(|of| of.day <= mark.at));
    chart
}

pub(super) fn counted(n: f64) -> String {
    // Half a request is none.
    if n.fract() == 0.0 { thousands(n as i64) } else { String::new() }
}

pub(super) fn requests(n: u64) -> String {
    crate::text::figures::plural(usize::try_from(n).unwrap_or(usize::MAX), "request")
}
