//! Monitors: the alerts that are out on top, the rules below, and one alert with what it stands on.
//!
//! How it looks is in `view` and `lines`; what the store is asked in `work`. The rules are looked at anew when
//! the screen comes up and when traces come in; alerts are what was kept by
//! whoever watches: `tuesday watch`, `tuesday serve`, or this program while neither does.

mod lines;
mod resume;
#[cfg(test)]
pub mod tests;
mod view;
mod work;

pub use work::{Answer, Request};

use ratatui::layout::Rect;

use crate::command::table::{app, incidents, monitors as table};
use crate::command::{Id, Place, When};
use crate::domain::monitor::{AlertState, Monitors};
use crate::domain::{Query, Result, Untrusted};
use crate::ops::monitor::{AlertView, MonitorList, MonitorView, span_ms};
use crate::ops::watch::Changes;
use crate::text::Role;
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::jobs::Job;
use crate::tui::overlays::{Field, Form, Page, Reply, Tag};
use crate::tui::screen::{Cx, Env, Handled, Screen, Wish};
use crate::tui::screens::ScreenId;
use crate::tui::widgets::list::List;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::words::{line, words};

const LIST: Pane = Pane("monitors");
const DETAIL: Pane = Pane("monitor");
const TRACES: Pane = Pane("alert traces");
const SILENCE: Tag = Tag("monitors.silence");
const RESUME: Tag = Tag("monitors.resume");

/// A line of the list.
#[derive(Debug, Clone, PartialEq)]
enum Row {
    Alert(Box<AlertView>),
    Monitor(Box<MonitorView>),
}

impl Row {
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Row::Alert(a), Row::Alert(b)) => a.id == b.id,
            (Row::Monitor(a), Row::Monitor(b)) => a.id == b.id,
            _ => false,
        }
    }
}

/// The alert on screen.
#[derive(Debug)]
struct Open {
    alert: AlertView,
    traces: List<Untrusted>,
}

/// The state of the screen.
#[derive(Debug, Default)]
pub struct MonitorsScreen {
    monitors: Monitors,
    alerts: Vec<AlertView>,
    list: Option<MonitorList>,
    rows: List<Row>,
    open: Option<Open>,
    /// Alerts that are over are shown too.
    past: bool,
    /// What is to be silenced, while the form is open.
    silencing: Option<String>,
    /// The monitor that is to be taken up again, while it is asked how.
    resuming: Option<String>,
    /// How far the text of the row under the cursor is scrolled.
    scroll: Scroll,
    /// The cursor was moved: until then it is on what is most urgent.
    moved: bool,
    /// It has been on screen.
    seen: bool,
    loading: bool,
    /// Traces came in since the rules were asked.
    stale: bool,
}

impl MonitorsScreen {
    /// The screen for these rules.
    pub fn new(monitors: Monitors) -> Self {
        Self { monitors, ..Self::default() }
    }

    /// The program has started: alerts that are out stand on top of every screen.
    pub fn started(&mut self, cx: &mut Cx<'_>) {
        self.read_alerts(cx);
    }

    fn read_alerts(&self, cx: &mut Cx<'_>) {
        cx.start(Job::replace("alerts", "reading the alerts", Request::Alerts { all: self.past }.into()));
    }

    fn look(&mut self, cx: &mut Cx<'_>) {
        self.loading = true;
        let request = Request::List(Box::new(self.monitors.clone()));
        cx.start(Job::replace("monitors", "looking at the figures", request.into()));
    }

    /// Takes the answer of a request.
    pub fn answered(&mut self, request: Request, result: Result<Answer>, cx: &mut Cx<'_>) {
        if let Request::List(_) = request {
            self.loading = false;
        }
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => return cx.fail(error),
        };
        match answer {
            Answer::Alerts(alerts) => self.take_alerts(alerts, cx),
            Answer::List(list) => {
                self.list = Some(list);
                self.arrange();
                if std::mem::take(&mut self.stale) {
                    self.look(cx);
                }
            }
            Answer::Replay(past) => {
                let title = words().put(Role::Title, format!("{} · the last four weeks", past.id));
                let wide = usize::from(cx.env.size.0.saturating_sub(8)).min(100);
                cx.open(Page::new(title, lines::replayed(&past, &cx.env.zone, wide)));
            }
            Answer::Silenced(until) => {
                let until = crate::text::figures::when(until.as_millisecond(), cx.env.now_ms(), &cx.env.zone);
                cx.say(words().plain("nobody is told of it until ").plain(until));
                self.read_alerts(cx);
            }
            Answer::Resumed(done) => {
                self.resumed(&done, cx);
            }
            Answer::Incident(id) => {
                cx.say(words().plain("opened ").plain(&id).plain(" with the alert in its record"));
                self.read_alerts(cx);
                // First there: on this screen the same key opens an incident for the alert.
                cx.go(ScreenId::Incidents);
                cx.command(incidents::DECLARE);
            }
        }
    }

    fn take_alerts(&mut self, alerts: Vec<AlertView>, cx: &mut Cx<'_>) {
        if let Some(open) = &mut self.open
            && let Some(now) = alerts.iter().find(|one| one.id == open.alert.id)
        {
            open.alert = now.clone();
        }
        self.alerts = alerts;
        self.arrange();
        let key = cx.env.key(app::GO_MONITORS);
        let out: Vec<&AlertView> = self.alerts.iter().filter(|one| one.state == AlertState::Firing).collect();
        cx.wish(Wish::Banner(lines::banner(&out, cx.env, &key)));
    }

    /// Alerts, then rules; the cursor stays on what it was on.
    fn arrange(&mut self) {
        let alerts = self.alerts.iter().map(|one| Row::Alert(Box::new(one.clone())));
        let rules =
            self.list.iter().flat_map(|list| &list.monitors).map(|one| Row::Monitor(Box::new(one.clone())));
        self.rows.replace(alerts.chain(rules), Row::same);
        if !self.moved {
            self.rows.select(0);
        }
    }

    /// The alert under the cursor, or open.
    fn alert(&self) -> Option<&AlertView> {
        match (&self.open, self.rows.selected()) {
            (Some(open), _) => Some(&open.alert),
            (None, Some(Row::Alert(alert))) => Some(alert),
            _ => None,
        }
    }

    fn open_row(&mut self, cx: &mut Cx<'_>) {
        match self.rows.selected() {
            Some(Row::Alert(alert)) => {
                let alert = (**alert).clone();
                let traces = List::whole(alert.evidence.traces.clone());
                self.open = Some(Open { alert, traces });
            }
            Some(Row::Monitor(monitor)) => {
                let title = words().put(Role::Title, monitor.id.as_str());
                let wide = usize::from(cx.env.size.0.saturating_sub(8)).min(100);
                cx.open(Page::new(title, lines::monitor(monitor, cx.env, wide)));
            }
            None => {}
        }
    }

    fn ask_silence(&mut self, cx: &mut Cx<'_>) {
        let (of, name) = match (self.alert(), self.rows.selected()) {
            (Some(alert), _) => (alert.id.clone(), format!("{} of {}", alert.id, alert.rule)),
            (None, Some(Row::Monitor(monitor))) => (monitor.id.clone(), monitor.id.clone()),
            _ => return,
        };
        self.silencing = Some(of);
        cx.open(self.form(&name, "2h", "", None));
    }

    fn form(&self, name: &str, time: &str, reason: &str, error: Option<&str>) -> Form {
        let fields = vec![
            Field::new("for", time, "30m, 2h, 3d"),
            Field::new("because", reason, "whoever comes after you wants to know"),
        ];
        let form = Form::new(SILENCE, words().put(Role::Title, format!("Silence {name}")), fields);
        match error {
            Some(error) => form.with_error(error),
            None => form,
        }
    }

    fn silence(&mut self, of: String, time: &str, reason: &str, cx: &mut Cx<'_>) {
        let wrong = match (span_ms(time.trim()), reason.trim()) {
            (None, _) => "Write a time such as 30m, 2h or 3d.",
            (_, "") => "Say why: a silence needs a reason.",
            (Some(for_ms), reason) => {
                let monitors = Box::new(self.monitors.clone());
                let request = Request::Silence { monitors, of, for_ms, reason: reason.to_owned() };
                cx.start(Job::queue("alert act", "silencing", request.into()));
                return;
            }
        };
        let form = self.form(&of, time, reason, Some(wrong));
        self.silencing = Some(of);
        cx.open(form);
    }

    fn open_incident(&self, cx: &mut Cx<'_>) -> Handled {
        let Some(alert) = self.alert() else { return Handled::No };
        let request = Request::Incident { alert: alert.id.clone(), books: cx.env.books.clone() };
        cx.start(Job::queue("alert act", "opening an incident", request.into()));
        Handled::Yes
    }

    fn traces(&self, cx: &mut Cx<'_>) {
        let Some(alert) = self.alert() else { return };
        match Query::parse(&alert.evidence.query) {
            Ok(query) => cx.open_traces(query),
            Err(_) => cx.say(line(Role::Muted, "This alert has no traces of its own.")),
        }
    }

    fn replay(&self, cx: &mut Cx<'_>) {
        if let Some(Row::Monitor(monitor)) = self.rows.selected() {
            let request =
                Request::Replay { monitors: Box::new(self.monitors.clone()), id: monitor.id.clone() };
            cx.start(Job::replace("monitor replay", "replaying four weeks", request.into()));
        }
    }

    fn in_alert(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        let Some(open) = &mut self.open else { return Handled::No };
        match id {
            app::BACK => self.open = None,
            app::OPEN => {
                if let Some(trace) = open.traces.selected() {
                    cx.open_trace(trace.clone());
                }
            }
            _ => {
                let moved = open.traces.command(id, cx.env.page(TRACES));
                return if moved { Handled::Yes } else { Handled::No };
            }
        }
        Handled::Yes
    }

    fn in_list(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        match id {
            app::OPEN => self.open_row(cx),
            table::REPLAY => self.replay(cx),
            table::RESUME => self.ask_resume(cx),
            app::FIND => {
                cx.open_traces(Query::all());
                cx.command(app::FIND);
            }
            table::PAST => {
                self.past = !self.past;
                self.read_alerts(cx);
            }
            _ => {
                let moved = self.rows.command(id, cx.env.page(LIST));
                self.moved |= moved;
                self.scroll = Scroll::default();
                return if moved { Handled::Yes } else { Handled::No };
            }
        }
        Handled::Yes
    }
}

impl Screen for MonitorsScreen {
    fn place(&self) -> Place {
        if self.open.is_some() { Place::Alert } else { Place::Monitors }
    }

    fn view(&self, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        match &self.open {
            Some(open) => view::alert(open, env, canvas, area),
            None => view::list(self, env, canvas, area),
        }
    }

    fn opens(&self) -> bool {
        self.open.as_ref().map_or(!self.rows.is_empty(), |open| !open.traces.is_empty())
    }

    fn waits(&self) -> bool {
        self.open.is_none() && self.rows.is_empty() && self.loading
    }

    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        match id {
            table::SILENCE => self.ask_silence(cx),
            table::TRACES => self.traces(cx),
            // Of an alert, the incident that it is about; else the one that is open, as everywhere.
            incidents::DECLARE => return self.open_incident(cx),
            _ if self.open.is_some() => return self.in_alert(id, cx),
            _ => return self.in_list(id, cx),
        }
        Handled::Yes
    }

    fn holds(&self, when: When) -> bool {
        match when {
            table::ON_ALERT => self.alert().is_some(),
            table::ON_PAUSED => self.open.is_none() && self.paused().is_some(),
            table::ON_MONITOR => matches!(self.rows.selected(), Some(Row::Monitor(_))),
            _ => false,
        }
    }

    fn hints(&self) -> Vec<(Id, &'static str)> {
        match self.alert() {
            Some(_) => vec![(incidents::DECLARE, "incident")],
            None => Vec::new(),
        }
    }

    fn clicked(&mut self, pane: Pane, index: usize, cx: &mut Cx<'_>) {
        let again = match (pane, &mut self.open) {
            (TRACES, Some(open)) => {
                let again = open.traces.selected_index() == index;
                open.traces.select(index);
                again
            }
            (LIST, None) => {
                let again = self.rows.selected_index() == index;
                self.rows.select(index);
                self.moved = true;
                again
            }
            _ => return,
        };
        if again {
            cx.command(app::OPEN);
        }
    }

    fn wheel(&mut self, pane: Pane, rows: i32, cx: &mut Cx<'_>) {
        let page = cx.env.page(pane);
        match (pane, &mut self.open) {
            (TRACES, Some(open)) => {
                open.traces.by(i64::from(rows));
                open.traces.settle(page);
            }
            (LIST, None) => {
                self.rows.by(i64::from(rows));
                self.moved = true;
                self.rows.settle(page);
            }
            (DETAIL, _) => self.scroll.by(i64::from(rows), lines::MOST, page),
            _ => {}
        }
    }

    fn shown(&mut self, cx: &mut Cx<'_>) {
        self.seen = true;
        self.read_alerts(cx);
        self.look(cx);
    }

    fn replied(&mut self, tag: Tag, reply: Reply, cx: &mut Cx<'_>) {
        if tag == RESUME {
            if let Reply::Picked(choice) = reply {
                self.resume(choice, cx);
            }
            return;
        }
        let Some(of) = self.silencing.take().filter(|_| tag == SILENCE) else { return };
        if let Reply::Fields(fields) = reply
            && let [time, reason] = fields.as_slice()
        {
            self.silence(of, time, reason, cx);
        }
    }

    fn ticks(&self) -> bool {
        true
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        self.look(cx);
    }

    fn changed(&mut self, changes: Changes, cx: &mut Cx<'_>) {
        if changes.work {
            self.read_alerts(cx);
        }
        if changes.traces && self.seen {
            if self.loading { self.stale = true } else { self.look(cx) }
        }
    }
}
