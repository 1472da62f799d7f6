//! What a reviewer is asked, and what becomes of the answer.

use super::queue::{Filter, Queue};
use super::samples::{self, DRAW, SAMPLE};
use super::work::{Act, Request};
use super::{ReviewScreen, draw};
use crate::command::Id;
use crate::command::table::{app, review as rows};
use crate::domain::{Error, Severity, Untrusted};
use crate::ops::review::ItemState;
use crate::text::{Role, clean, side_by_side};
use crate::tui::jobs::Job;
use crate::tui::overlays::{Choice, Editor, Page, Picker, Prompt, Reply, Tag};
use crate::tui::screen::Cx;
use crate::tui::words::{line, words};

const NOTE: Tag = Tag("note");
const CORRECT: Tag = Tag("correct");
const SEVERITY: Tag = Tag("severity");
const NEW_MODE: Tag = Tag("new mode");
const FILTER: Tag = Tag("filter");
const QUERY: Tag = Tag("query");
const FIND: Tag = Tag("find");

/// The filters to choose from, each with its key; behind them comes the query.
fn filters() -> Vec<(char, Filter)> {
    vec![
        ('a', Filter::All),
        ('o', Filter::Open),
        ('f', Filter::State(ItemState::Fail)),
        ('p', Filter::State(ItemState::Pass)),
        ('x', Filter::State(ItemState::Unsure)),
        ('s', Filter::State(ItemState::Skipped)),
        ('d', Filter::Disagreed),
        ('n', Filter::Noted),
        ('m', Filter::Marked),
    ]
}

impl ReviewScreen {
    /// Opens the question of a command.
    pub(super) fn ask(&mut self, id: Id, cx: &mut Cx<'_>) {
        let Some(queue) = &self.queue else { return };
        let Some(item) = queue.item() else {
            if id == rows::FILTER {
                cx.open(filter_picker(queue));
            }
            return;
        };
        let mine = queue.shown().and_then(|shown| shown.item.mine.as_ref());
        let text = |text: Option<&Untrusted>| text.map(|text| text.raw().to_owned());
        let of = format!("{}", queue.at.unwrap_or(0) + 1);
        let title = |what: &str| words().put(Role::Title, what).muted(format!(" · {of}")).done();
        self.asked = Some(item.trace.clone());
        match id {
            rows::NOTE => {
                let note = text(mine.and_then(|mine| mine.note.as_ref())).unwrap_or_default();
                cx.open(Editor::new(NOTE, title("Note: why"), &note, ".md"));
            }
            rows::CORRECT => {
                let Some(shown) = queue.shown() else { return };
                let corrected = text(mine.and_then(|mine| mine.corrected.as_ref()));
                let corrected = corrected.unwrap_or_else(|| shown.item.trace.output.plain_text().into_raw());
                cx.open(Editor::new(CORRECT, title("What it should have been"), &corrected, ".md"));
            }
            rows::COMPARE => {
                let Some(shown) = queue.shown() else { return };
                let output = shown.item.trace.output.plain_text();
                if let Some(corrected) = mine.and_then(|mine| mine.corrected.as_ref()) {
                    let heading = words().muted(format!("{:<36}", "output")).muted("corrected").done();
                    let mut lines = vec![heading];
                    lines.extend(side_by_side(output.raw(), corrected.raw(), 72));
                    cx.open(Page::new(title("Output and correction"), lines));
                }
            }
            rows::SEVERITY => {
                let choices = Severity::ALL
                    .iter()
                    .zip('1'..)
                    .map(|(severity, key)| {
                        let name = line(Role::Plain, severity.word());
                        Choice::new(name).key(key).detail(line(Role::Key, key.to_string()))
                    })
                    .chain([Choice::new(line(Role::Muted, "none")).key('0').detail(line(Role::Key, "0"))])
                    .collect();
                cx.open(Picker::new(SEVERITY, title("How bad is it?"), choices));
            }
            rows::NEW_MODE => cx.open(Prompt::new(NEW_MODE, "name of the new failure mode:", "")),
            rows::FILTER => cx.open(filter_picker(queue)),
            app::FIND => {
                let needle = queue.shown().map_or("", |shown| shown.talk.needle());
                cx.open(Prompt::new(FIND, "find:", needle));
            }
            _ => {}
        }
    }

    /// Opens the form for a draw, with what was wrong with the last one.
    pub(super) fn ask_draw(&mut self, wrong: Option<&Error>, cx: &mut Cx<'_>) {
        let taken: Vec<&str> = self
            .samples
            .iter()
            .flat_map(|list| list.rows().iter().map(|sample| sample.name.as_str()))
            .collect();
        let values = (!self.draw.is_empty()).then_some(&self.draw[..]);
        cx.open(samples::form(values, wrong, &taken, cx.env));
    }

    /// Does what an answer asks for.
    pub(super) fn take_reply(&mut self, tag: Tag, reply: Reply, cx: &mut Cx<'_>) {
        if tag == DRAW {
            if let Reply::Fields(values) = reply {
                self.draw = values;
                match samples::spec(&self.draw, cx.env) {
                    Ok(spec) => cx.start(draw(spec)),
                    Err(error) => self.ask_draw(Some(&error), cx),
                }
            }
            return;
        }
        if let (SAMPLE, Reply::Text(text)) = (tag, &reply) {
            let wanted = text.trim().to_lowercase();
            let list = self.samples.as_mut();
            let found = list.and_then(|list| {
                let at =
                    list.rows().iter().position(|sample| sample.name.to_lowercase().contains(&wanted))?;
                list.select(at);
                Some(())
            });
            if found.is_none() {
                cx.say(words().put(Role::Unsure, "no sample is called ").plain(text));
            }
            return;
        }
        let page = self.page();
        let Some(queue) = &mut self.queue else { return };
        let asked = self.asked.take();
        match (tag, reply, asked) {
            (NOTE, Reply::Text(text), Some(trace)) => {
                queue.act_on(trace, Act::Note(some(text)), cx);
            }
            (CORRECT, Reply::Text(text), Some(trace)) => {
                let output = queue.loaded.get(&trace).map(|loaded| {
                    let mine = loaded.item.mine.as_ref();
                    (loaded.item.trace.output.plain_text(), mine.is_some_and(|mine| mine.corrected.is_some()))
                });
                match output {
                    Some((output, false)) if clean(&output).as_str() == text => {
                        cx.say(line(Role::Muted, "nothing was changed"));
                    }
                    _ => queue.act_on(trace, Act::Correct(some(text)), cx),
                }
            }
            (SEVERITY, Reply::Picked(at), Some(trace)) => {
                queue.act_on(trace, Act::Severity(Severity::ALL.get(at).copied()), cx);
            }
            (NEW_MODE, Reply::Text(name), Some(trace)) => {
                if name.trim().is_empty() {
                    cx.say(line(Role::Muted, "a failure mode needs a name"));
                } else {
                    queue.act_on(trace, Act::NewMode(name), cx);
                }
            }
            (FILTER, Reply::Picked(at), _) => match filters().into_iter().nth(at) {
                Some((_, filter)) => queue.set_filter(filter, cx),
                None => {
                    let former = match &queue.filter {
                        Filter::Query { text, .. } => text.clone(),
                        _ => String::new(),
                    };
                    cx.open(Prompt::new(QUERY, "query:", &former));
                }
            },
            (QUERY, Reply::Text(query), _) if !query.trim().is_empty() => {
                let request = Request::Matching { queue: queue.read.clone(), query };
                cx.start(Job::replace("matching", "looking for what fits", request.into()));
            }
            (FIND, Reply::Text(needle), _) => {
                if let Some(talk) = queue.talk() {
                    talk.find(&needle, page);
                }
            }
            _ => {}
        }
    }
}

fn some(text: String) -> Option<Untrusted> {
    (!text.trim().is_empty()).then(|| text.into())
}

fn filter_picker(queue: &Queue) -> Picker {
    let filters = filters();
    let at = filters.iter().position(|(_, filter)| *filter == queue.filter).unwrap_or(filters.len());
    let mut choices: Vec<Choice> = filters
        .iter()
        .map(|(key, filter)| {
            Choice::new(line(Role::Plain, filter.name())).key(*key).detail(line(Role::Key, key.to_string()))
        })
        .collect();
    choices.push(Choice::new(line(Role::Plain, "what a query finds…")).key('/').detail(line(Role::Key, "/")));
    Picker::new(FILTER, line(Role::Title, "Go through"), choices).at(at)
}
