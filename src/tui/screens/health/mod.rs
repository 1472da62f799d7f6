//! Health, the front screen: a feature's figures against an earlier time, told apart by version, model, language or
//! feature, charts of them, and a handful of recent responses. Each line, bar and point opens the traces
//! behind it.

mod charts;
mod draw;
mod lines;
#[cfg(test)]
mod tests;
mod work;

pub use work::{Answer, Request};

use charts::Chart;

use ratatui::layout::Rect;

use crate::command::table::{app, health as table, traces};
use crate::command::{Id, Place, When};
use crate::domain::{Query, Result, Untrusted};
use crate::ops::health::{Against, By, HealthSpec, HealthView, Only, Recent, Scope};
use crate::ops::watch::Changes;
use crate::text::{Role, clean};
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::jobs::Job;
use crate::tui::overlays::{Choice, Picker, Reply, Tag};
use crate::tui::screen::{Cx, Env, Handled, Screen};
use crate::tui::words::{line, words};

const LINES: Pane = Pane("health");
const SIDE: Pane = Pane("health.groups");
const FEATURE: Tag = Tag("health.feature");

/// Columns from which the groups stand at the side.
const WIDE: u16 = 120;
/// Figures of the screen: requests, errors, p95, cost, satisfied, fallback, quality.
const FIGURES: usize = 7;
/// The windows that can be chosen, in hours.
const WINDOWS: [i64; 4] = [24, 168, 672, 1];

/// Where the cursor is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Focus {
    /// On the figures and the recent responses.
    #[default]
    Lines,
    /// On the groups, beside or below.
    Groups,
}

/// What stands behind the line under the cursor.
#[derive(Debug, Clone, PartialEq)]
enum Behind {
    Traces(Query),
    Trace(Untrusted),
    Nothing,
}

/// The state of the screen.
#[derive(Debug, Default)]
pub struct HealthScreen {
    spec: Option<HealthSpec>,
    loaded: Option<Loaded>,
    focus: Focus,
    /// In `Lines`: the figures, then the recent responses.
    line: usize,
    group: usize,
    /// The chart that the cursor is in.
    chart: Option<Chart>,
    /// The slot of it.
    at: usize,
    /// Of the chart of failed requests: the kind, by its place in the stack.
    kind: Option<usize>,
    loading: bool,
    /// The store has changed since it was asked.
    stale: bool,
}

#[derive(Debug)]
struct Loaded {
    view: HealthView,
    recent: Vec<Recent>,
}

impl Loaded {
    /// Without any trace there is nothing recent in any scope.
    fn is_empty(&self) -> bool {
        self.recent.is_empty() && self.view.requests.n == 0 && self.view.features.is_empty()
    }

    fn query(&self, figure: usize) -> &Query {
        match figure {
            0 => &self.view.requests.query,
            1 => &self.view.error_rate.query,
            2 => &self.view.p95_latency_ms.query,
            3 => &self.view.cost_per_request_usd.query,
            4 => &self.view.satisfaction.query,
            5 => &self.view.fallback_rate.query,
            _ => &self.view.quality.query,
        }
    }
}

impl HealthScreen {
    /// Takes the answer of a request.
    pub fn answered(&mut self, request: Request, result: Result<Answer>, cx: &mut Cx<'_>) {
        self.loading = false;
        match result {
            Ok(Answer { view, recent }) => {
                // Which feature is busiest may change while one looks.
                if self.spec.as_ref() == Some(&request.0)
                    && request.0.scope == Scope::Busiest
                    && let Some(name) = &view.feature
                {
                    let scope = Scope::Feature(name.clone());
                    self.spec = Some(HealthSpec { scope, ..request.0 });
                }
                self.line = self.line.min(FIGURES + recent.len().saturating_sub(1));
                self.group = self.group.min(view.groups.len().saturating_sub(1));
                if let Some(chart) = self.chart {
                    self.at = self.at.min(chart.slots(&view).saturating_sub(1));
                }
                self.loaded = Some(Loaded { view, recent });
            }
            Err(error) => cx.fail(error),
        }
        if std::mem::take(&mut self.stale) {
            self.load(cx);
        }
    }

    fn spec(&self) -> HealthSpec {
        let busiest = || HealthSpec { scope: Scope::Busiest, hours: WINDOWS[0], ..HealthSpec::default() };
        self.spec.clone().unwrap_or_else(busiest)
    }

    fn load(&mut self, cx: &mut Cx<'_>) {
        let spec = self.spec();
        self.spec = Some(spec.clone());
        self.loading = true;
        cx.start(Job::replace("health", "taking the figures", Request(spec).into()));
    }

    fn set(&mut self, spec: HealthSpec, cx: &mut Cx<'_>) {
        self.spec = Some(spec);
        self.stale = false;
        self.load(cx);
    }

    fn behind(&self) -> Behind {
        let Some(loaded) = self.loaded.as_ref().filter(|loaded| !loaded.is_empty()) else {
            return Behind::Nothing;
        };
        if let Some(chart) = self.chart {
            return chart.query(&loaded.view, self.at, self.kind).map_or(Behind::Nothing, Behind::Traces);
        }
        match self.focus {
            Focus::Groups => match loaded.view.groups.get(self.group) {
                Some(group) => Behind::Traces(group.query.clone()),
                None => Behind::Nothing,
            },
            Focus::Lines if self.line < FIGURES => Behind::Traces(loaded.query(self.line).clone()),
            Focus::Lines => match loaded.recent.get(self.line - FIGURES) {
                Some(recent) => Behind::Trace(recent.row.id.clone()),
                None => Behind::Nothing,
            },
        }
    }

    fn go_by(&mut self, by: i64) {
        let Some(loaded) = &self.loaded else { return };
        let moved = |at: usize, rows: usize| {
            let to = i64::try_from(at).unwrap_or(0).saturating_add(by);
            usize::try_from(to).unwrap_or(0).min(rows.saturating_sub(1))
        };
        if let Some(chart) = self.chart {
            self.at = moved(self.at, chart.slots(&loaded.view));
            return;
        }
        match self.focus {
            Focus::Lines => self.line = moved(self.line, FIGURES + loaded.recent.len()),
            // Below the figures, the way up leads back to them.
            Focus::Groups if by < 0 && self.group == 0 => {
                (self.focus, self.line) = (Focus::Lines, FIGURES - 1);
            }
            Focus::Groups => self.group = moved(self.group, loaded.view.groups.len()),
        }
    }

    /// Up and down in the chart of failed requests: all of them, or one kind.
    fn choose_kind(&mut self, by: i64) {
        let kinds = charts::KINDS.len() as i64 + 1;
        let at = self.kind.map_or(0, |kind| kind as i64 + 1);
        self.kind = usize::try_from((at + by).rem_euclid(kinds) - 1).ok();
    }

    /// Goes to another chart, or back to the lines.
    fn show_chart(&mut self, chart: Option<Chart>) {
        let Some(loaded) = self.loaded.as_ref().filter(|loaded| !loaded.is_empty()) else { return };
        (self.chart, self.kind) = (chart, None);
        self.at = chart.map_or(0, |chart| chart.telling(&loaded.view));
    }

    /// The groups, by the next thing that traffic is told apart by; after the last, the lines again.
    fn next_groups(&mut self, cx: &mut Cx<'_>) {
        if self.loaded.as_ref().is_none_or(Loaded::is_empty) {
            return;
        }
        let spec = self.spec();
        self.chart = None;
        let by = if self.focus == Focus::Lines {
            self.focus = Focus::Groups;
            spec.by
        } else {
            let at = By::ALL.iter().position(|by| *by == spec.by).unwrap_or(0);
            if at + 1 == By::ALL.len() {
                self.focus = Focus::Lines;
            }
            By::ALL[(at + 1) % By::ALL.len()]
        };
        if by != spec.by {
            self.group = 0;
            self.set(HealthSpec { by, ..spec }, cx);
        }
    }

    /// Leaves out all but the group under the cursor.
    fn only_this(&mut self, cx: &mut Cx<'_>) {
        let spec = self.spec();
        let group = match &self.loaded {
            Some(loaded) if self.focus == Focus::Groups && self.chart.is_none() => {
                loaded.view.groups.get(self.group)
            }
            _ => None,
        };
        let Some(group) = group else {
            cx.say(words().muted("Choose a group first: ").key(cx.env.key(table::GROUPS)).done());
            return;
        };
        let Some(name) = group.name.clone() else {
            cx.say(line(Role::Muted, "Traces that name none can be opened, but not looked at alone."));
            return;
        };
        let only = spec.only.clone();
        let (scope, only) = match spec.by {
            By::Feature => (Scope::Feature(name), only),
            By::Model => (spec.scope.clone(), Only { model: Some(name), ..only }),
            By::Language => (spec.scope.clone(), Only { language: Some(name), ..only }),
            By::PromptVersion => {
                let (prompt, version) = (group.prompt.clone(), group.version.clone());
                (spec.scope.clone(), Only { prompt, version, ..only })
            }
        };
        self.group = 0;
        self.set(HealthSpec { scope, only, ..spec }, cx);
    }

    fn choose_feature(&self, cx: &mut Cx<'_>) {
        let Some(loaded) = &self.loaded else { return };
        let all: u64 = loaded.view.features.iter().map(|of| of.requests).sum();
        let mut choices = vec![Choice::new(line(Role::Plain, "all traffic")).detail(lines::requests(all))];
        for of in named(&loaded.view) {
            let name = of.feature.as_ref().map(clean).unwrap_or_default();
            choices
                .push(Choice::new(words().plain(name.as_str()).done()).detail(lines::requests(of.requests)));
        }
        cx.open(Picker::new(FEATURE, line(Role::Title, "Whose health?"), choices));
    }
}

/// The features that have a name.
fn named(view: &HealthView) -> impl Iterator<Item = &crate::ops::health::FeatureView> {
    view.features.iter().filter(|of| of.feature.is_some())
}

impl Screen for HealthScreen {
    fn place(&self) -> Place {
        Place::Health
    }

    fn view(&self, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        draw::view(self, env, canvas, area);
    }

    fn opens(&self) -> bool {
        self.behind() != Behind::Nothing
    }

    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        let page = i64::try_from(cx.env.page(LINES)).unwrap_or(1);
        match id {
            app::DOWN if self.chart == Some(Chart::Errors) => self.choose_kind(-1),
            app::UP if self.chart == Some(Chart::Errors) => self.choose_kind(1),
            app::DOWN => self.go_by(1),
            app::UP => self.go_by(-1),
            app::PAGE_DOWN | app::HALF_DOWN => self.go_by(page / 2),
            app::PAGE_UP | app::HALF_UP => self.go_by(-page / 2),
            app::TOP if self.chart.is_some() => self.at = 0,
            app::TOP => (self.focus, self.line) = (Focus::Lines, 0),
            app::BOTTOM => self.go_by(i64::MAX / 2),
            app::LEFT if self.chart.is_some() => self.go_by(-1),
            app::RIGHT if self.chart.is_some() => self.go_by(1),
            app::LEFT => self.focus = Focus::Lines,
            app::RIGHT => self.focus = Focus::Groups,
            app::BACK if self.chart.is_some() => self.show_chart(None),
            app::BACK if self.focus == Focus::Groups => self.focus = Focus::Lines,
            table::GROUPS => self.next_groups(cx),
            table::CHART => self.show_chart(Chart::next(self.chart)),
            table::ONLY => self.only_this(cx),
            table::ALL => {
                let spec = self.spec();
                self.set(HealthSpec { only: Only::default(), ..spec }, cx);
            }
            table::AGAINST => {
                let spec = self.spec();
                let against = match spec.against {
                    Against::LastWeek => Against::Previous,
                    Against::Previous => Against::LastWeek,
                };
                self.set(HealthSpec { against, ..spec }, cx);
            }
            app::OPEN => match self.behind() {
                Behind::Traces(query) => cx.open_traces(query),
                Behind::Trace(id) => cx.open_trace(id),
                Behind::Nothing => {}
            },
            app::FIND => {
                cx.open_traces(Query::all());
                cx.command(app::FIND);
            }
            table::SAMPLE => match self.behind() {
                Behind::Traces(query) => {
                    cx.open_traces(query);
                    cx.command(traces::SAMPLE);
                }
                Behind::Trace(_) => cx.say(line(
                    Role::Muted,
                    "A sample is drawn of the traces behind a figure: go up to one first.",
                )),
                Behind::Nothing => {}
            },
            table::WINDOW => {
                let spec = self.spec();
                let at = WINDOWS.iter().position(|hours| *hours == spec.hours).unwrap_or(0);
                let hours = WINDOWS[(at + 1) % WINDOWS.len()];
                self.set(HealthSpec { hours, ..spec }, cx);
            }
            table::FEATURE => self.choose_feature(cx),
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn clicked(&mut self, pane: Pane, index: usize, cx: &mut Cx<'_>) {
        let before = (self.focus, self.line, self.group, self.chart, self.at);
        if let Some(chart) = Chart::of_pane(pane) {
            (self.chart, self.at) = (Some(chart), index);
        } else if pane == SIDE {
            (self.focus, self.group, self.chart) = (Focus::Groups, index, None);
        } else {
            (self.focus, self.line, self.chart) = (Focus::Lines, index, None);
        }
        // A second click opens.
        if before == (self.focus, self.line, self.group, self.chart, self.at) {
            cx.command(app::OPEN);
        }
    }

    fn wheel(&mut self, _pane: Pane, rows: i32, _cx: &mut Cx<'_>) {
        self.go_by(i64::from(rows.signum()));
    }

    fn shown(&mut self, cx: &mut Cx<'_>) {
        self.load(cx);
    }

    fn replied(&mut self, tag: Tag, reply: Reply, cx: &mut Cx<'_>) {
        if let (FEATURE, Reply::Picked(at), Some(loaded)) = (tag, reply, &self.loaded) {
            let name = at.checked_sub(1).and_then(|at| named(&loaded.view).nth(at)?.feature.clone());
            let scope = name.map_or(Scope::All, Scope::Feature);
            let spec = HealthSpec { scope, ..self.spec() };
            self.set(spec, cx);
        }
    }

    fn hints(&self) -> Vec<(Id, &'static str)> {
        match self.chart {
            Some(Chart::Errors) => vec![(app::RIGHT, "next"), (app::UP, "kind")],
            Some(_) => vec![(app::RIGHT, "next")],
            None => Vec::new(),
        }
    }

    fn holds(&self, when: When) -> bool {
        let groups = self.focus == Focus::Groups && self.chart.is_none();
        match when {
            table::ON_GROUP => groups && self.loaded.as_ref().is_some_and(|it| !it.view.groups.is_empty()),
            table::IS_CUT => self.spec.as_ref().is_some_and(|spec| !spec.only.is_all()),
            _ => false,
        }
    }

    fn ticks(&self) -> bool {
        true
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        // The window ends now, also where nothing arrives.
        if !self.loading && self.spec.is_some() {
            self.load(cx);
        }
    }

    fn changed(&mut self, changes: Changes, cx: &mut Cx<'_>) {
        // Before it was shown there is nothing to bring up to date.
        if !changes.any() || self.spec.is_none() {
            return;
        }
        if self.loading {
            self.stale = true;
        } else {
            self.load(cx);
        }
    }
}
