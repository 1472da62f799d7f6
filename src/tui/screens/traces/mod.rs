//! Traces: the list, newest first, filtered by a query, at any depth; and over it one trace in full
//! ([`trace`]).

mod act;
mod draw;
mod labels;
mod paging;
mod row;
mod sample;
#[cfg(test)]
mod tests;
mod work;

use self::paging::Preview;
pub use row::{row_flag, row_time, row_words};
pub use work::{Answer, Request};

use ratatui::layout::Rect;

use self::labels::Labels;
use super::ScreenId;
use super::trace::{self, TraceScreen};
use crate::command::table::traces as table;
use crate::command::{Id, Place, When};
use crate::domain::query::{NameField, Node, Term};
use crate::domain::{Error, ErrorKind, Query, QueryError, Result, TraceRow, Untrusted};
use crate::ops::browse::{Cursor, Direction};
use crate::ops::watch::Changes;
use crate::text::Role;
use crate::text::figures::plural;
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::jobs::Job;
use crate::tui::overlays::{Prompt, Reply, Tag};
use crate::tui::screen::{Cx, Env, Handled, Screen};
use crate::tui::widgets::list::List;
use crate::tui::words::words;

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
