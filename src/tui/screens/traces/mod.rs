//! Traces: the list, newest first, filtered by a query, at any depth; and over it one trace in full
//! ([`trace`]).

mod draw;
mod labels;
mod row;
mod sample;
#[cfg(test)]
mod tests;
mod work;

pub use row::{row_flag, row_time, row_words};
pub use work::{Answer, Request};

use ratatui::layout::Rect;

use self::labels::Labels;
use super::ScreenId;
use super::evals::promote_traces;
use super::trace::{self, TraceScreen};
use crate::command::table::{app, traces as table};
use crate::command::{Id, Place, When};
use crate::domain::query::{NameField, Node, Term};
use crate::domain::{Error, ErrorKind, Query, QueryError, Result, TraceRow, Untrusted};
use crate::ops::browse::{Cursor, Direction, Page};
use crate::ops::watch::Changes;
use crate::text::figures::plural;
use crate::text::{Line, Role};
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::jobs::Job;
use crate::tui::overlays::{Prompt, Reply, Tag};
use crate::tui::screen::{Cx, Env, Handled, Screen};
use crate::tui::view::screen_area;
use crate::tui::widgets::list::{List, Need};
use crate::tui::widgets::talk::Talk;
use crate::tui::words::{line, words};

const ROWS: Pane = Pane("traces");
const PREVIEW: Pane = Pane("preview");
const FILTER: Tag = Tag("traces.filter");

/// The state of the screen.
#[derive(Debug, Default)]
pub struct TracesScreen {
    query: Query,
    /// Where the filter was set, when elsewhere: backing out goes there.
    from: Option<ScreenId>,
    /// The newest rows as they were last read, so that the way to the top never waits.
    newest: Vec<TraceRow>,
    /// `None` while the first page is loaded.
    list: Option<List<TraceRow>>,
    columns: row::Columns,
    labels: Labels,
    /// What the person should know of the query.
    notes: Vec<Untrusted>,
    count: Option<u64>,
    counting: bool,
    /// The page that is being loaded.
    asked: Option<Request>,
    /// Why the last page could not be read.
    failed: Option<String>,
    /// The store has changed since it was asked.
    stale: bool,
    /// The store cannot be written.
    read_only: bool,
    /// The filter is being typed.
    asking: bool,
    mistake: Option<QueryError>,
    preview: Option<Preview>,
    /// The trace that is open over the list.
    trace: Option<TraceScreen>,
}

/// The trace under the cursor, read in advance: it stands beside the list, and opens at once.
#[derive(Debug)]
struct Preview {
    id: Untrusted,
    loaded: Option<trace::Loaded>,
}

impl Preview {
    /// Takes the trace. Read again after a label, the place in the text stays.
    fn take(&mut self, loaded: &trace::Loaded) {
        let talk = match self.loaded.take() {
            Some(old) if old.view.trace == loaded.view.trace => old.talk,
            _ => loaded.talk.clone(),
        };
        self.loaded = Some(trace::Loaded { talk, ..loaded.clone() });
    }

    fn talk(&mut self) -> Option<&mut Talk> {
        self.loaded.as_mut().map(|loaded| &mut loaded.talk)
    }
}

impl TracesScreen {
    /// Comes from another screen to the traces of a query.
    pub fn come(&mut self, query: Query, from: ScreenId) {
        self.trace = None;
        self.from = (from != ScreenId::Traces).then_some(from);
        self.set(telling_first(query));
    }

    /// Comes from another screen to one trace.
    pub fn come_to(&mut self, id: Untrusted, from: ScreenId) {
        let back = (from != ScreenId::Traces).then_some(from);
        self.trace = Some(TraceScreen::new(id, back));
    }

    fn set(&mut self, query: Query) {
        self.query = query;
        self.list = None;
        self.newest.clear();
        self.count = None;
        self.counting = false;
        self.asked = None;
        self.failed = None;
        self.stale = false;
        self.notes.clear();
        self.preview = None;
        self.mistake = None;
    }

    /// Takes the answer of a request.
    pub fn answered(&mut self, request: Request, result: Result<Answer>, cx: &mut Cx<'_>) {
        match (request, result) {
            (request @ Request::Page { .. }, result) => {
                if self.asked.as_ref() != Some(&request) {
                    return;
                }
                self.asked = None;
                match (request, result) {
                    (Request::Page { cursor, .. }, Ok(Answer::Page(page))) => self.take(cursor, page, cx),
                    (_, Err(error)) => {
                        self.failed = Some(error.what.clone());
                        cx.fail(error);
                    }
                    _ => {}
                }
                if std::mem::take(&mut self.stale) {
                    self.refresh(cx);
                }
            }
            (Request::Count(query), result) if query == self.query => {
                self.counting = false;
                match result {
                    Ok(Answer::Count(count)) => self.count = Some(count),
                    Err(error) => cx.fail(error),
                    Ok(_) => {}
                }
            }
            (Request::Labels(traces), result) => {
                let labels = match result {
                    Ok(Answer::Labels(labels)) => labels,
                    _ => Vec::new(),
                };
                self.labels.take(traces, labels);
            }
            (Request::Draw(_), Ok(Answer::Drawn(view))) => {
                let said = sample::drawn(&view, cx);
                cx.say(said);
            }
            (Request::Attach(traces), Ok(Answer::Attached(incident))) => {
                for trace in traces.iter().filter(|trace| cx.env.is_marked(trace)) {
                    cx.mark(trace.clone());
                }
                let what = plural(traces.len(), "trace");
                let said = words().put(Role::Pass, "✓ ").plain(format!("attached {what} to {incident}"));
                cx.say(said);
            }
            (Request::Attach(_), Err(error)) => cx.fail(error),
            (Request::Draw(draw), Err(error)) if error.kind != ErrorKind::Cancelled => {
                self.sample_again(&draw.typed, &error, cx);
            }
            _ => {}
        }
    }

    /// Takes the answer of a request about one trace.
    pub fn trace_answered(
        &mut self,
        request: trace::Request,
        result: Result<trace::Answer>,
        cx: &mut Cx<'_>,
    ) {
        if let (trace::Request::Load { trace, .. }, Ok(trace::Answer::Loaded(loaded)), Some(preview)) =
            (&request, &result, &mut self.preview)
            && preview.id == *trace
        {
            preview.take(loaded);
        }
        if let Some(open) = &mut self.trace {
            open.answered(request, result, cx);
        }
    }

    fn take(&mut self, cursor: Cursor, page: Page, cx: &mut Cx<'_>) {
        self.failed = None;
        let (before, after) = (!page.at_start, !page.at_end);
        self.notes = page.notes;
        match (cursor, &mut self.list) {
            (Cursor::Oldest, list) => {
                *list = Some(List::last_page(page.rows, before));
            }
            (Cursor::Beside(at), Some(list)) => {
                // The side of the window on which it goes on is told by the row it was asked beside.
                let last = list.rows().back().map(crate::ops::browse::key);
                if last == Some(at) {
                    list.append(page.rows, after);
                } else {
                    list.prepend(page.rows, before);
                }
            }
            (_, list) => {
                self.newest.clone_from(&page.rows);
                // Whoever has gone on from the top meanwhile stays there.
                match list {
                    Some(list) if !list.has_before() && list.selected_index() > 0 => list.grew_before(),
                    list => *list = Some(List::first_page(page.rows, after)),
                }
            }
        }
        if let Some(list) = &mut self.list {
            list.settle(cx.env.page(ROWS));
            self.columns = row::Columns::fit(list.rows().iter(), cx.env);
        }
        if self.count.is_none() {
            self.recount(cx);
        }
        self.moved(cx);
    }

    fn ask(&mut self, cursor: Cursor, direction: Direction, cx: &mut Cx<'_>) {
        let request = Request::Page { query: self.query.clone(), cursor, direction };
        if self.asked.as_ref() != Some(&request) {
            self.asked = Some(request.clone());
            cx.start(Job::replace("traces.page", "looking for traces", request.into()));
        }
    }

    fn recount(&mut self, cx: &mut Cx<'_>) {
        if !self.counting {
            self.counting = true;
            let request = Request::Count(self.query.clone());
            cx.start(Job::replace("traces.count", "counting the traces", request.into()));
        }
    }

    /// The store has changed: the newest rows are shown when one is at the top, else they wait above.
    fn refresh(&mut self, cx: &mut Cx<'_>) {
        if self.asked.is_some() {
            self.stale = true;
            return;
        }
        self.recount(cx);
        match &mut self.list {
            Some(list) if list.selected_index() > 0 || list.has_before() => list.grew_before(),
            // Without a list the reading of it failed: it may work now.
            _ => self.ask(Cursor::Newest, Direction::Older, cx),
        }
    }

    /// After the cursor has moved: rows near the border of the window, and the trace under the cursor.
    fn moved(&mut self, cx: &mut Cx<'_>) {
        let Some(list) = &self.list else { return };
        let next = match list.needs() {
            Some(Need::After) => list.rows().back().map(|row| (Cursor::beside(row), Direction::Older)),
            Some(Need::Before) => list.rows().front().map(|row| (Cursor::beside(row), Direction::Newer)),
            None => None,
        };
        let selected = list.selected().map(|row| row.id.clone());
        if let Some((cursor, direction)) = next
            && self.asked.is_none()
        {
            self.ask(cursor, direction, cx);
        }
        match selected {
            None => self.preview = None,
            Some(id) if self.preview.as_ref().is_none_or(|preview| preview.id != id) => {
                Self::read_ahead(id.clone(), cx);
                self.preview = Some(Preview { id, loaded: None });
            }
            Some(_) => {}
        }
    }

    /// Reads the trace under the cursor before it is asked for.
    fn read_ahead(trace: Untrusted, cx: &mut Cx<'_>) {
        let area = screen_area(cx.env.size, cx.env.above());
        let cols = draw::split(area).1.unwrap_or(area).width;
        let request = trace::Request::Load { trace, cols };
        cx.start(Job::replace("preview", "reading the trace", request.into()));
    }

    fn filter(&mut self, text: &str, cx: &mut Cx<'_>) {
        match Query::parse(text) {
            Ok(query) => {
                self.mistake = None;
                if query != self.query {
                    self.from = None;
                    self.set(query);
                    self.shown(cx);
                }
            }
            Err(mistake) => {
                self.mistake = Some(mistake);
                self.ask_filter(text, cx);
            }
        }
    }

    fn ask_filter(&mut self, text: &str, cx: &mut Cx<'_>) {
        self.asking = true;
        cx.open(Prompt::new(FILTER, "filter:", text));
    }

    fn sample_again(&mut self, typed: &[String], error: &Error, cx: &mut Cx<'_>) {
        cx.open(sample::filled(&self.query, typed).with_error(sample::mistake(error)));
    }

    fn mark(&mut self, cx: &mut Cx<'_>) {
        let Some(list) = &mut self.list else { return };
        let Some(row) = list.selected() else { return };
        cx.mark(row.id.clone());
        list.command(app::DOWN, cx.env.page(ROWS));
        self.moved(cx);
    }

    /// The marked traces, on whatever screen they were; without any, the one under the cursor.
    fn chosen(&self, env: &Env) -> Vec<Untrusted> {
        if !env.marks.is_empty() {
            return env.marks.clone();
        }
        let row = self.list.as_ref().and_then(List::selected);
        row.map(|row| row.id.clone()).into_iter().collect()
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        let Some(row) = self.list.as_ref().and_then(List::selected) else { return };
        let mut open = TraceScreen::new(row.id.clone(), None);
        let known = self.preview.as_ref().filter(|preview| preview.id == row.id);
        match known.and_then(|preview| preview.loaded.clone()) {
            Some(loaded) => open.take(loaded),
            None => open.load(cx),
        }
        self.trace = Some(open);
    }

    fn back(&mut self, cx: &mut Cx<'_>) -> Handled {
        match self.from.take() {
            Some(from) => {
                self.set(Query::all());
                cx.go(from);
            }
            None if !self.query.is_all() => {
                self.set(Query::all());
                self.shown(cx);
            }
            None => return Handled::No,
        }
        Handled::Yes
    }

    fn list_command(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        let ends = self.list.as_ref().map(|list| (list.has_before(), list.has_after()));
        match (id, ends) {
            (app::TOP, Some((true, _))) => {
                if !self.newest.is_empty() {
                    self.list = Some(List::first_page(self.newest.clone(), true));
                    self.moved(cx);
                }
                self.ask(Cursor::Newest, Direction::Older, cx);
            }
            (app::BOTTOM, Some((_, true))) => self.ask(Cursor::Oldest, Direction::Newer, cx),
            _ => {
                let page = cx.env.page(ROWS);
                if self.list.as_mut().is_some_and(|list| list.command(id, page)) {
                    self.moved(cx);
                    return Handled::Yes;
                }
                return self.act(id, cx);
            }
        }
        Handled::Yes
    }

    fn act(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        match id {
            app::OPEN => self.open(cx),
            app::BACK => return self.back(cx),
            app::FIND => {
                let text = if self.query.is_all() { String::new() } else { self.query.to_string() };
                self.ask_filter(&text, cx);
            }
            table::CLEAR => {
                self.from = None;
                self.set(Query::all());
                self.shown(cx);
            }
            table::MARK => self.mark(cx),
            table::UNMARK => cx.unmark_all(),
            table::ATTACH => {
                let chosen = self.chosen(cx.env);
                if !chosen.is_empty() {
                    cx.start(Job::queue("incident", "attaching the traces", Request::Attach(chosen).into()));
                }
            }
            table::REVIEW => {
                let chosen = self.chosen(cx.env);
                if !chosen.is_empty() {
                    cx.review(chosen);
                }
            }
            table::SAMPLE => cx.open(sample::form(&self.query, self.count, cx.env)),
            table::PROMOTE => {
                let chosen = self.chosen(cx.env);
                if chosen.is_empty() {
                    cx.say(line(Role::Muted, "There is no trace here to promote."));
                } else {
                    cx.start(promote_traces(chosen));
                }
            }
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn trace_command(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        let Some(open) = &mut self.trace else { return Handled::No };
        match id {
            app::BACK if open.backs_out() => {
                let back = open.back;
                self.trace = None;
                // What was said of the trace, such as how to take a label back, is past.
                cx.say(Line::default());
                if let Some(back) = back {
                    cx.go(back);
                }
                Handled::Yes
            }
            // Through the list without leaving the trace.
            app::LEFT | app::RIGHT => {
                let step = if id == app::RIGHT { app::DOWN } else { app::UP };
                let before = self.list.as_ref().and_then(List::selected).map(|row| row.seq);
                let here =
                    self.list.as_ref().and_then(List::selected).is_some_and(|row| row.id == *open.id());
                if here && let Some(list) = &mut self.list {
                    list.command(step, cx.env.page(ROWS));
                    if list.selected().map(|row| row.seq) != before {
                        self.moved(cx);
                        self.open(cx);
                    }
                }
                Handled::Yes
            }
            table::ATTACH => {
                let request = Request::Attach(vec![open.id().clone()]);
                cx.start(Job::queue("incident", "attaching the trace", request.into()));
                Handled::Yes
            }
            table::SESSION => {
                if let Some(query) = open.session_query() {
                    self.trace = None;
                    self.from = None;
                    self.set(query);
                    self.shown(cx);
                }
                Handled::Yes
            }
            _ => open.command(id, cx),
        }
    }

    /// The id of the trace under the cursor.
    #[cfg(test)]
    pub fn selected_id(&self) -> Option<&str> {
        Some(self.list.as_ref()?.selected()?.id.raw())
    }
}

impl Screen for TracesScreen {
    fn place(&self) -> Place {
        if self.trace.is_some() { Place::Trace } else { Place::Traces }
    }

    fn view(&self, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        match &self.trace {
            Some(open) => open.view(env, canvas, area),
            None => draw::view(self, env, canvas, area),
        }
    }

    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        if self.trace.is_some() { self.trace_command(id, cx) } else { self.list_command(id, cx) }
    }

    fn holds(&self, when: When) -> bool {
        match (&self.trace, when) {
            (None, table::FILTERED) => !self.query.is_all(),
            (None, table::CAN_LABEL) => !self.read_only,
            (Some(open), when) => open.holds(when),
            _ => false,
        }
    }

    fn opens(&self) -> bool {
        self.trace.is_none() && self.list.as_ref().is_some_and(|list| !list.is_empty())
    }

    fn clicked(&mut self, pane: Pane, index: usize, cx: &mut Cx<'_>) {
        let page = cx.env.page(pane);
        match (pane, &mut self.trace, &mut self.list) {
            (pane, Some(open), _) => open.clicked(pane, index, page),
            (PREVIEW, None, _) => {
                if let Some(talk) = self.preview.as_mut().and_then(Preview::talk) {
                    talk.clicked(index, page);
                }
            }
            // A second click opens.
            (ROWS, None, Some(list)) if list.selected_index() == index => self.open(cx),
            (ROWS, None, Some(list)) => {
                list.select(index);
                self.moved(cx);
            }
            _ => {}
        }
    }

    fn wheel(&mut self, pane: Pane, rows: i32, cx: &mut Cx<'_>) {
        let page = cx.env.page(pane);
        match (&mut self.trace, pane) {
            (Some(open), pane) => open.wheel(pane, rows, page),
            (None, PREVIEW) => {
                if let Some(talk) = self.preview.as_mut().and_then(Preview::talk) {
                    talk.by(rows, page);
                }
            }
            (None, _) => {
                if let Some(list) = &mut self.list {
                    list.by(i64::from(rows));
                    list.settle(page);
                    self.moved(cx);
                }
            }
        }
    }

    fn shown(&mut self, cx: &mut Cx<'_>) {
        if self.list.is_none() {
            self.ask(Cursor::Newest, Direction::Older, cx);
        }
        if let Some(open) = &mut self.trace {
            open.load(cx);
        }
    }

    fn replied(&mut self, tag: Tag, reply: Reply, cx: &mut Cx<'_>) {
        match (tag, reply) {
            (FILTER, Reply::Text(text)) => {
                self.asking = false;
                self.filter(&text, cx);
            }
            (FILTER, _) => (self.asking, self.mistake) = (false, None),
            (sample::SAMPLE, Reply::Fields(typed)) => match sample::job(&self.query, typed.clone()) {
                Ok(job) => cx.start(job),
                Err(error) => self.sample_again(&typed, &error, cx),
            },
            (tag, reply) => {
                if let Some(open) = &mut self.trace {
                    open.replied(tag, reply, cx);
                }
            }
        }
    }

    fn changed(&mut self, changes: Changes, cx: &mut Cx<'_>) {
        if changes.traces {
            self.refresh(cx);
        }
        if changes.work {
            self.labels.changed();
            if let Some(open) = &self.trace {
                open.load(cx);
            }
            if let Some(preview) = self.preview.as_ref().filter(|preview| preview.loaded.is_some()) {
                Self::read_ahead(preview.id.clone(), cx);
            }
        }
    }

    fn drawn(&mut self, cx: &mut Cx<'_>) {
        let (Some(list), None) = (&self.list, &self.trace) else { return };
        let wanted = self.labels.wanted(list.around(cx.env.page(ROWS)).map(|row| &row.id));
        if !wanted.is_empty() {
            cx.start(Job::join("traces.labels", "reading the labels", Request::Labels(wanted).into()));
        }
    }

    fn settle(&mut self, area: Rect, env: &Env) {
        self.read_only = !env.writable;
        if let Some(list) = &mut self.list {
            list.set_count(self.count.and_then(|count| usize::try_from(count).ok()));
            list.settle(env.page(ROWS));
        }
        let (_, beside) = draw::split(area);
        if let (Some(talk), Some(beside)) = (self.preview.as_mut().and_then(Preview::talk), beside) {
            talk.lay(beside.width, beside.height);
        }
        if let Some(open) = &mut self.trace {
            open.settle(area, env);
        }
    }
}

/// The same query with its times last: what else it asks for tells more, and a title is short.
fn telling_first(query: Query) -> Query {
    let Node::And(parts) = query.root() else { return query };
    let mut parts = parts.clone();
    parts.sort_by_key(|part| match part {
        Node::Term(Term::Time(_)) => 2,
        Node::Term(Term::Name { field: NameField::Feature, .. }) => 1,
        _ => 0,
    });
    Query::of(Node::And(parts))
}

/// `3 traces marked`.
fn marks(count: usize) -> Option<String> {
    (count > 0).then(|| format!("{} marked", plural(count, "trace")))
}

/// The list says nothing yet, or has nothing to say.
fn empty(screen: &TracesScreen, env: &Env) -> Vec<Line> {
    if screen.query.is_all() {
        return vec![
            line(Role::Plain, "No traces yet."),
            words().plain("Bring some in: ").key("tuesday import traces.jsonl").done(),
            words().plain("or try things on a made-up bank: ").key("tuesday demo").done(),
        ];
    }
    vec![
        line(Role::Plain, "No trace fits the filter."),
        words()
            .key(env.key(app::FIND))
            .plain(" change it   ")
            .key(env.key(app::BACK))
            .plain(" take it off")
            .done(),
    ]
}
