//! Review, the heart: the samples, and the queue of one of them, a response at a time.
//!
//! `samples` is the list and the draw, `queue` the state of a queue, `view` and `facts` what is drawn of
//! it, `asks` the questions and their answers, `work` what is asked of the ops.

mod asks;
mod queue;
mod samples;
mod view;
mod work;

pub use work::{Answer, Of, Request};

use ratatui::layout::Rect;

use self::queue::{FACTS, Filter, ITEMS, LABELS, Queue, TALK};
use self::samples::{SAMPLE, SAMPLES};
use self::work::Act;
use crate::command::table::{app, review as rows};
use crate::command::{Code, Id, Key, Place, When};
use crate::domain::{Result, Untrusted, Verdict};
use crate::ops::sample::{DrawSpec, SampleLine};
use crate::ops::watch::Changes;
use crate::text::{Line, Role};
use crate::tui::canvas::{Canvas, Pane};
use crate::tui::jobs::Job;
use crate::tui::overlays::{Prompt, Reply, Tag};
use crate::tui::screen::{Cx, Env, Handled, Screen};
use crate::tui::widgets::list::List;
use crate::tui::widgets::talk::Talk;
use crate::tui::words::{line, words};

/// The state of the screen.
#[derive(Debug, Default)]
pub struct ReviewScreen {
    samples: Option<List<SampleLine>>,
    queue: Option<Queue>,
    /// What to open when the screen is shown next, and then what is being opened.
    wanted: Option<Of>,
    opening: Option<Of>,
    /// The trace that a question is about.
    asked: Option<Untrusted>,
    /// What the draw form said last.
    draw: Vec<String>,
    area: Rect,
}

impl ReviewScreen {
    /// Opens the queue of these as soon as the screen is shown.
    pub fn open_at_start(&mut self, of: Of) {
        self.wanted = Some(of);
    }

    fn open(&mut self, of: Of, cx: &mut Cx<'_>) {
        self.opening = Some(of.clone());
        cx.start(Job::replace("queue", "opening the queue", Request::Open(of).into()));
    }

    fn load_samples(cx: &mut Cx<'_>) {
        cx.start(Job::replace("samples", "loading the samples", Request::Samples.into()));
    }

    /// Takes the answer of a request.
    pub fn answered(&mut self, request: Request, result: Result<Answer>, cx: &mut Cx<'_>) {
        match (request, result) {
            (_, Ok(Answer::Samples(lines))) => match &mut self.samples {
                Some(list) => list.replace(lines, |a, b| a.name == b.name),
                None => self.samples = Some(List::whole(lines)),
            },
            (_, Ok(Answer::Drawn { name, notes })) => {
                self.draw.clear();
                cx.say(
                    words()
                        .put(Role::Pass, "✓ ")
                        .plain("drew ")
                        .plain(&name)
                        .muted(notes.first().map_or_else(String::new, |note| format!(" · {}", note.raw()))),
                );
                Self::load_samples(cx);
                self.open(Of::Sample(name), cx);
            }
            (Request::Draw(_), Err(error)) if !self.draw.is_empty() => self.ask_draw(Some(&error), cx),
            (Request::Rates(name), Ok(Answer::Rates(rates, taxonomy))) => {
                let mode_name = |id: &crate::domain::ModeId| {
                    taxonomy.get(id).map_or_else(|| id.as_str().to_owned(), |mode| mode.name.raw().to_owned())
                };
                cx.open(samples::rates(&name, &rates, mode_name));
            }
            (Request::Open(_), Ok(Answer::Opened(read, taxonomy))) => {
                self.opening = None;
                let cols = view::places(self.area, false).talk.width;
                let mut queue = Queue::new(read, taxonomy, cols);
                queue.want(cx);
                self.queue = Some(queue);
            }
            (Request::Open(_), Err(error)) => {
                self.opening = None;
                Self::load_samples(cx);
                cx.fail(error);
            }
            (request, result) => self.queue_answered(request, result, cx),
        }
    }

    fn queue_answered(&mut self, request: Request, result: Result<Answer>, cx: &mut Cx<'_>) {
        let Some(queue) = &mut self.queue else {
            // Left before it was saved: what went wrong must be told all the same.
            if let (Request::Act { .. } | Request::Undo(_), Err(error)) = (request, result) {
                cx.fail(error);
            }
            return;
        };
        match (request, result) {
            (_, Ok(Answer::Item(item, talk))) => queue.took(*item, *talk),
            (Request::Item { trace, .. }, Err(error)) => queue.not_loaded(trace, &error),
            (Request::Previews(traces), result) => {
                let rows = match result {
                    Ok(Answer::Previews(rows)) => rows,
                    _ => Vec::new(),
                };
                queue.took_previews(traces, rows);
            }
            (_, Ok(Answer::Done(done))) => queue.done(*done, cx),
            (Request::Act { trace, .. }, Err(error)) => queue.undone(&trace, error, cx),
            (_, Ok(Answer::Refreshed { queue: read, touched, taxonomy })) => {
                queue.refreshed(read, &touched, taxonomy, cx);
            }
            (Request::Refresh(_), Err(_)) => queue.refresh_failed(),
            (Request::Matching { query, .. }, Ok(Answer::Matching(places))) => {
                queue.set_filter(Filter::Query { text: query, places }, cx);
            }
            (_, Err(error)) => cx.fail(error),
            _ => {}
        }
    }

    /// The rows that the conversation shows.
    fn page(&self) -> usize {
        usize::from(view::places(self.area, false).talk.height.max(1))
    }

    fn in_samples(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        match id {
            rows::DRAW => {
                self.draw.clear();
                self.ask_draw(None, cx);
            }
            rows::RATES => {
                if let Some(sample) = self.samples.as_ref().and_then(List::selected) {
                    let request = Request::Rates(sample.name.clone());
                    cx.start(Job::replace("rates", "counting the labels", request.into()));
                }
            }
            rows::PROMOTE_MARKED => Self::promote(cx.env.marks.clone(), cx),
            app::FIND => cx.open(Prompt::new(SAMPLE, "sample:", "")),
            app::OPEN | app::RIGHT => {
                if let Some(name) = self.samples.as_ref().and_then(List::selected).map(|s| s.name.clone()) {
                    self.open(Of::Sample(name), cx);
                }
            }
            _ => {
                let page = cx.env.page(SAMPLES);
                let moved = self.samples.as_mut().is_some_and(|list| list.command(id, page));
                return if moved { Handled::Yes } else { Handled::No };
            }
        }
        Handled::Yes
    }

    fn promote(traces: Vec<Untrusted>, cx: &mut Cx<'_>) {
        if !traces.is_empty() {
            cx.start(crate::tui::screens::evals::promote_traces(traces));
        }
    }

    fn in_queue(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        let (page, wide) = (self.page(), view::is_wide(self.area));
        let Some(queue) = &mut self.queue else { return Handled::No };
        let verdict = |verdict| Act::Verdict { verdict, mode: None };
        match id {
            rows::PASS => queue.act(verdict(Verdict::Pass), cx),
            rows::UNSURE => queue.act(verdict(Verdict::Unsure), cx),
            rows::FAIL => queue.awaits_mode = queue.at.is_some(),
            rows::SKIP => queue.act(Act::Skip, cx),
            rows::UNDO => {
                let request = Request::Undo(queue.read.clone());
                cx.start(Job::queue(LABELS, "taking it back", request.into()));
            }
            rows::PROMOTE => {
                let trace = queue.item().map(|item| item.trace.clone());
                Self::promote(trace.into_iter().collect(), cx);
            }
            rows::PROMOTE_MARKED => Self::promote(cx.env.marks.clone(), cx),
            rows::NOTE
            | rows::CORRECT
            | rows::COMPARE
            | rows::SEVERITY
            | rows::NEW_MODE
            | rows::FILTER
            | app::FIND => {
                self.ask(id, cx);
            }
            rows::NEXT_OPEN => queue.jump_open(true, cx),
            rows::PREVIOUS_OPEN => queue.jump_open(false, cx),
            rows::NEXT_DISAGREEMENT | rows::PREVIOUS_DISAGREEMENT => {
                let forwards = id == rows::NEXT_DISAGREEMENT;
                queue.jump(forwards, "no other disagreement", cx, |queue, place| {
                    queue.read.items[place].disagreed()
                });
            }
            rows::MARK => {
                if let Some(trace) = queue.item().map(|item| item.trace.clone()) {
                    let text = if cx.env.is_marked(&trace) { "mark taken away" } else { "◆ marked" };
                    cx.say(line(Role::Accent, text));
                    cx.mark(trace);
                }
            }
            rows::FACTS => queue.facts_open = !queue.facts_open,
            rows::RATES => match work::sample_of(&queue.read) {
                Some(name) => {
                    let request = Request::Rates(name.to_owned());
                    cx.start(Job::replace("rates", "counting the labels", request.into()));
                }
                None => cx
                    .say(line(Role::Muted, "these traces were picked by hand: there is nothing to estimate")),
            },
            app::LEFT => queue.step(-1, cx),
            app::RIGHT => queue.step(1, cx),
            app::BACK => self.back(cx),
            _ if queue.facts_open && !wide => {
                let moved = queue.facts_command(id, page) || Talk::knows(id);
                return if moved { Handled::Yes } else { Handled::No };
            }
            _ => {
                let moved = queue.talk().is_some_and(|talk| talk.command(id, page));
                return if moved || Talk::knows(id) { Handled::Yes } else { Handled::No };
            }
        }
        Handled::Yes
    }

    fn back(&mut self, cx: &mut Cx<'_>) {
        let (page, asked_for) = (self.page(), view::facts_are_asked_for(self.area));
        let Some(queue) = &mut self.queue else { return };
        if queue.facts_open && asked_for {
            queue.facts_open = false;
        } else if queue.talk().is_some_and(|talk| talk.command(app::BACK, page)) {
            // The search is ended.
        } else if queue.filter != Filter::All {
            queue.set_filter(Filter::All, cx);
        } else {
            self.queue = None;
            Self::load_samples(cx);
        }
    }
}

impl Screen for ReviewScreen {
    fn place(&self) -> Place {
        if self.queue.is_some() { Place::Review } else { Place::Samples }
    }

    fn view(&self, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
        match (&self.queue, &self.opening) {
            (Some(queue), _) => view::view(queue, env, canvas, area),
            (None, Some(Of::Sample(name))) => {
                let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
                canvas.line(inside, &words().muted("opening ").plain(name).muted("…").done());
            }
            _ => samples::view(self.samples.as_ref(), env, canvas, area),
        }
    }

    fn command(&mut self, id: Id, cx: &mut Cx<'_>) -> Handled {
        if self.queue.is_some() { self.in_queue(id, cx) } else { self.in_samples(id, cx) }
    }

    fn holds(&self, when: When) -> bool {
        let shown = self.queue.as_ref().and_then(Queue::shown);
        match when {
            rows::ON_SAMPLE => {
                self.queue.is_some() || self.samples.as_ref().is_some_and(|list| !list.is_empty())
            }
            rows::ON_ITEM => self.queue.as_ref().is_some_and(|queue| queue.at.is_some()),
            rows::CORRECTED => shown
                .is_some_and(|shown| shown.item.mine.as_ref().is_some_and(|mine| mine.corrected.is_some())),
            // Those of the conversation, while it is on screen.
            other => {
                let seen = |queue: &Queue| view::is_wide(self.area) || !queue.facts_open;
                self.queue.as_ref().is_some_and(seen) && shown.is_some_and(|shown| shown.talk.holds(other))
            }
        }
    }

    fn key(&mut self, key: Key, cx: &mut Cx<'_>) -> Handled {
        let Some(queue) = self.queue.as_mut().filter(|queue| queue.awaits_mode) else { return Handled::No };
        match (key.typed(), key.code) {
            (Some(c), _) if queue.fail_by_key(c, cx) => {}
            (Some('N'), _) => {
                queue.awaits_mode = false;
                self.ask(rows::NEW_MODE, cx);
            }
            (Some(c), _) => cx.say(line(Role::Unsure, format!("no failure mode has the key {c}"))),
            (None, Code::Enter) => queue.act(Act::Verdict { verdict: Verdict::Fail, mode: None }, cx),
            (None, Code::Esc) => queue.awaits_mode = false,
            (None, _) => {
                queue.awaits_mode = false;
                return Handled::No;
            }
        }
        Handled::Yes
    }

    fn hints(&self) -> Vec<(Id, &'static str)> {
        let on_sample = self.queue.is_none() && self.holds(rows::ON_SAMPLE);
        if on_sample { vec![(app::OPEN, "review it")] } else { Vec::new() }
    }

    fn waits_for(&self) -> Option<Line> {
        self.queue.as_ref().filter(|queue| queue.awaits_mode)?;
        let keys = words().put(Role::Fail, "which failure?").plain(" its key   ");
        let keys = keys.key("enter").plain(" none of them   ").key("N").plain(" a new one   ");
        Some(keys.key("esc").plain(" back").done())
    }

    fn clicked(&mut self, pane: Pane, index: usize, cx: &mut Cx<'_>) {
        let page = self.page();
        match (pane, &mut self.queue) {
            (SAMPLES, None) => {
                if let Some(list) = &mut self.samples {
                    let again = list.selected_index() == index;
                    list.select(index);
                    if again {
                        let _ = self.in_samples(app::OPEN, cx);
                    }
                }
            }
            (ITEMS, Some(queue)) => {
                if let Some(place) = queue.list.rows().get(index).copied() {
                    queue.go(place, cx);
                }
            }
            (TALK, Some(queue)) => {
                if let Some(talk) = queue.talk() {
                    talk.clicked(index, page);
                }
            }
            _ => {}
        }
    }

    fn wheel(&mut self, pane: Pane, rows: i32, cx: &mut Cx<'_>) {
        let page = self.page();
        match (pane, &mut self.queue) {
            (SAMPLES, None) => {
                if let Some(list) = &mut self.samples {
                    list.by(i64::from(rows));
                    list.settle(cx.env.page(SAMPLES));
                }
            }
            (ITEMS, Some(queue)) => queue.step(i64::from(rows.signum()), cx),
            (FACTS, Some(queue)) => queue.facts_by(rows, page),
            (TALK, Some(queue)) => {
                if let Some(talk) = queue.talk() {
                    talk.by(rows, page);
                }
            }
            _ => {}
        }
    }

    fn shown(&mut self, cx: &mut Cx<'_>) {
        if let Some(of) = self.wanted.take() {
            self.queue = None;
            self.open(of, cx);
        } else if let Some(queue) = &mut self.queue {
            queue.changed(cx);
        } else {
            Self::load_samples(cx);
        }
    }

    fn drawn(&mut self, cx: &mut Cx<'_>) {
        if let Some(queue) = &mut self.queue {
            queue.want_previews(cx);
        }
    }

    fn replied(&mut self, tag: Tag, reply: Reply, cx: &mut Cx<'_>) {
        self.take_reply(tag, reply, cx);
    }

    fn changed(&mut self, changes: Changes, cx: &mut Cx<'_>) {
        if !changes.work {
            return;
        }
        match &mut self.queue {
            Some(queue) => queue.changed(cx),
            None if self.samples.is_some() => Self::load_samples(cx),
            None => {}
        }
    }

    fn settle(&mut self, area: Rect, env: &Env) {
        self.area = area;
        if let Some(list) = &mut self.samples {
            list.settle(env.page(SAMPLES));
        }
        if let Some(queue) = &mut self.queue {
            let places = view::places(area, queue.facts_open);
            queue.settle(env, places.talk, places.facts.map(view::facts_cols));
        }
    }
}

/// The draw that the form asks for, as work.
fn draw(spec: DrawSpec) -> Job {
    Job::exclusive("draw", "drawing the sample", Request::Draw(spec).into())
}

#[cfg(test)]
mod tests;
