//! The pure core: what a message changes, and what the runtime shall do about it.

use jiff::Timestamp;

use super::canvas::Hit;
use super::effect::{Effect, Effects};
use super::jobs::{Job, JobId, RUN, STEP};
use super::message::{Message, Mouse};
use super::model::{DISCARD, LEAVE, Model};
use super::overlays::{Confirm, Outcome, Overlay, Page, Palette, Reply, help};
use super::screen::{Cx, Handled, Wish, wants_dialog};
use super::screens::{ScreenId, incidents as incidents_screen, runs};
use super::view;
use super::work::{Answer, Request};
use crate::command::table::{app, incidents};
use crate::command::{Code, Found, Id, Key, Place, table};
use crate::domain::{Error, ErrorKind, Result};
use crate::text::Role;
use crate::tui::words::{line, words};

/// Rows that one turn of the wheel moves.
const WHEEL: i32 = 3;
/// What the status line calls the work on the search index.
const INDEXING: &str = "building the search index";

/// Takes in what happened at this time.
pub fn update(model: &mut Model, now: Timestamp, message: Message) -> Effects {
    model.env.now = now;
    let mut effects = Effects::new();
    match message {
        Message::Started => {
            screen(model, &mut effects, |screen, cx| screen.shown(cx));
            let mut wishes = Vec::new();
            model.screens.incidents.started(&mut Cx::new(&model.env, &mut wishes));
            model.screens.monitors.started(&mut Cx::new(&model.env, &mut wishes));
            carry_out(model, wishes, &mut effects);
            build_index(model, &mut effects);
        }
        Message::Key(key) => {
            if !waits(model, key) {
                pressed(model, key, &mut effects);
            }
        }
        Message::Paste(text) => {
            if let Some(overlay) = model.overlays.last_mut() {
                overlay.layer_mut().paste(&text);
            }
        }
        Message::Mouse { at, act } => mouse(model, at, act, &mut effects),
        Message::Resize(columns, rows) => model.env.size = (columns, rows),
        Message::Drawn(laid) => {
            model.env.laid = laid.after(&model.env.laid);
            screen(model, &mut effects, |screen, cx| screen.drawn(cx));
        }
        Message::Answered { job, result } => answered(model, job, result, &mut effects),
        Message::Progress(progress) => {
            for (id, view) in &progress {
                if let Some(Request::Runs(runs::Request::Begin { .. })) = model.jobs.request(*id) {
                    model.screens.runs.progressed(view.clone());
                }
            }
            model.jobs.progressed(progress);
        }
        Message::Changed(changes) => {
            for id in ScreenId::ALL {
                on_screen(model, *id, &mut effects, |screen, cx| screen.changed(changes, cx));
            }
            if changes.traces {
                build_index(model, &mut effects);
            }
        }
        Message::PromptsChanged => {
            let changes = crate::ops::watch::Changes::default();
            on_screen(model, ScreenId::Prompts, &mut effects, |screen, cx| screen.changed(changes, cx));
        }
        Message::Blind(error) => {
            fail(
                model,
                error.hint("What other programs change in the store is not seen until you start again."),
            );
        }
        Message::Tick => screen(model, &mut effects, |screen, cx| screen.tick(cx)),
        Message::Background { dark } => {
            if model.theme.follows_background {
                model.theme.dark = dark;
            }
        }
        Message::Edited(Ok(text)) => match model.overlays.last_mut() {
            Some(Overlay::Editor(editor)) => editor.take(&text),
            Some(Overlay::Promote(form)) => form.take(&text),
            _ => {}
        },
        Message::Edited(Err(error)) => fail(model, error),
        Message::Resumed => effects.push(Effect::Redraw),
    }
    while !model.held.is_empty() && !reads(model) {
        let Some(key) = model.held.pop_front() else { break };
        pressed(model, key, &mut effects);
    }
    for id in ScreenId::ALL {
        let area = view::screen_area(model.env.size, model.above(*id));
        model.screens.get_mut(*id).settle(area, &model.env);
    }
    if model.leaving && !model.jobs.acts_pending() {
        model.leaving = false;
        effects.push(Effect::Quit);
    }
    effects
}

/// Whether the present screen still reads what a key would be about. When nothing runs any more, nothing comes.
fn reads(model: &Model) -> bool {
    model.overlays.is_empty() && model.screens.get(model.active).waits() && model.jobs.any()
}

/// Keeps a key for later that came before what it is about. Esc takes back what is kept; keys that lead away from
/// the screen, when none is kept before them, are not about it.
fn waits(model: &mut Model, key: Key) -> bool {
    if !model.pressed.is_empty() || !reads(model) {
        return false;
    }
    if key == Key::plain(Code::Esc) {
        model.held.clear();
        return false;
    }
    let leads_away = match model.env.keymap.find(&model.places(), &[key], |when| model.holds(when)) {
        Found::Pending(_) => true,
        Found::Command(id) => {
            const AWAY: [Id; 8] = [
                app::NEXT_TAB,
                app::PREVIOUS_TAB,
                app::HELP,
                app::PALETTE,
                app::CANCEL_JOB,
                app::REDRAW,
                app::SUSPEND,
                app::QUIT,
            ];
            AWAY.contains(&id) || ScreenId::of_command(id).is_some()
        }
        Found::Nothing => false,
    };
    if model.held.is_empty() && leads_away {
        return false;
    }
    model.held.push_back(key);
    true
}

fn pressed(model: &mut Model, key: Key, effects: &mut Effects) {
    if model.pressed.is_empty() && model.overlays.is_empty() {
        let mut taken = Handled::No;
        screen(model, effects, |screen, cx| taken = screen.key(key, cx));
        if taken == Handled::Yes {
            return;
        }
    }
    if !model.pressed.is_empty() && key == Key::plain(Code::Esc) {
        model.pressed.clear();
        return;
    }
    model.pressed.push(key);
    match model.env.keymap.find(&model.places(), &model.pressed, |when| model.holds(when)) {
        Found::Command(id) => {
            model.pressed.clear();
            let _ = command(model, id, effects);
        }
        Found::Pending(_) => {}
        Found::Nothing => {
            model.pressed.clear();
            let mut wishes = Vec::new();
            if let Some(overlay) = model.overlays.last_mut() {
                let outcome = overlay.layer_mut().key(key, &mut Cx::new(&model.env, &mut wishes));
                carry_out(model, wishes, effects);
                settle_overlay(model, outcome, effects);
            }
        }
    }
}

/// Runs a command, wherever it came from.
pub fn command(model: &mut Model, id: Id, effects: &mut Effects) -> Handled {
    let mut wishes = Vec::new();
    if let Some(overlay) = model.overlays.last_mut() {
        let outcome = overlay.layer_mut().command(id, &mut Cx::new(&model.env, &mut wishes));
        let handled = super::overlays::handled(&outcome);
        carry_out(model, wishes, effects);
        settle_overlay(model, outcome, effects);
        return handled;
    }
    let mut handled = Handled::No;
    screen(model, effects, |screen, cx| handled = screen.command(id, cx));
    if handled == Handled::Yes {
        return handled;
    }
    match id {
        app::BACK => model.status = None,
        app::HELP => {
            let page = help::help(&model.env.keymap, &model.places());
            model.overlays.push(page.into());
        }
        app::PALETTE => {
            let places = model.places();
            let here = |row: &&table::Row| {
                row.id != app::PALETTE
                    && row.places.iter().any(|place| places.contains(place))
                    && model.holds(row.when)
            };
            model.overlays.push(Palette::new(table::all().filter(here).collect()).into());
        }
        app::NEXT_TAB | app::PREVIOUS_TAB => {
            let tabs = ScreenId::TABS;
            let at = tabs.iter().position(|tab| *tab == model.active.tab()).unwrap_or(0);
            let step = if id == app::NEXT_TAB { 1 } else { tabs.len() - 1 };
            go(model, tabs[(at + step) % tabs.len()], effects);
        }
        app::CANCEL_JOB => {
            if let Some(title) = model.jobs.cancel_shown(effects) {
                model.index_stopped |= title == INDEXING;
                model.status = Some(line(Role::Muted, format!("stopping: {title}")));
            }
        }
        app::BUILD_INDEX => {
            model.index_stopped = false;
            build_index(model, effects);
        }
        app::REDRAW => effects.push(Effect::Redraw),
        app::SUSPEND => effects.push(Effect::Suspend),
        app::QUIT => quit(model),
        incidents::DECLARE => {
            model.screens.incidents.declare();
            go(model, ScreenId::Incidents, effects);
        }
        _ => match ScreenId::of_command(id) {
            Some(to) => go(model, to, effects),
            // Moving and finding mean nothing on a screen without a list or text.
            None if table::row(id).places.contains(&Place::Anywhere) => {}
            None => return Handled::No,
        },
    }
    Handled::Yes
}

fn quit(model: &mut Model) {
    if model.would_lose() {
        let question = "What you typed is not saved. Leave anyway?";
        model.overlays.push(Confirm::new(DISCARD, question, "leave").into());
        return;
    }
    // What acts on the outside comes before what can go on later.
    let step = model.screens.incidents.leaving(model.env.now);
    if let Some(question) = step.or_else(|| model.screens.runs.leaving()).filter(|_| !model.leaving) {
        model.overlays.push(Confirm::new(LEAVE, &question, "stop it and leave").into());
    } else {
        model.leaving = true;
    }
}

fn go(model: &mut Model, to: ScreenId, effects: &mut Effects) {
    model.active = to;
    model.status = None;
    screen(model, effects, |screen, cx| screen.shown(cx));
}

/// What becomes of the top overlay.
fn settle_overlay(model: &mut Model, outcome: Outcome, effects: &mut Effects) {
    let reply = match outcome {
        Outcome::Stay | Outcome::Unhandled => return,
        Outcome::Command(id) => {
            model.overlays.pop();
            let _ = command(model, id, effects);
            return;
        }
        Outcome::Answer(reply) => reply,
    };
    let Some(overlay) = model.overlays.last() else { return };
    let tag = overlay.layer().tag();
    if reply == Reply::Cancelled && overlay.layer().would_lose() {
        let question = "Throw away what you typed?";
        model.overlays.push(Confirm::new(DISCARD, question, "throw it away").into());
        return;
    }
    model.overlays.pop();
    if tag == LEAVE {
        if reply == Reply::Yes {
            model.leaving = true;
            model.jobs.cancel(RUN, effects);
            model.jobs.cancel(STEP, effects);
        }
        return;
    }
    if tag == DISCARD {
        if reply == Reply::Yes
            && let Some(under) = model.overlays.pop()
        {
            let tag = under.layer().tag();
            screen(model, effects, |screen, cx| screen.replied(tag, Reply::Cancelled, cx));
        }
        return;
    }
    screen(model, effects, |screen, cx| screen.replied(tag, reply, cx));
}

fn mouse(model: &mut Model, at: (u16, u16), act: Mouse, effects: &mut Effects) {
    let laid = &model.env.laid;
    match act {
        Mouse::WheelUp | Mouse::WheelDown => {
            let rows = if act == Mouse::WheelUp { -WHEEL } else { WHEEL };
            let pane = laid.pane_at(at);
            if let Some(overlay) = model.overlays.last_mut() {
                overlay.layer_mut().wheel(rows, &model.env);
            } else if let Some(pane) = pane {
                screen(model, effects, |screen, cx| screen.wheel(pane, rows, cx));
            }
        }
        Mouse::Press => match (laid.at(at), model.overlays.is_empty()) {
            (Some(Hit::Command(id)), _) => {
                let _ = command(model, id, effects);
            }
            (Some(Hit::Tab(to)), true) => go(model, to, effects),
            (Some(Hit::Row { pane, index }), true) => {
                screen(model, effects, |screen, cx| screen.clicked(pane, index, cx));
            }
            (Some(Hit::Row { pane, index }), false) => {
                let mut wishes = Vec::new();
                if let Some(overlay) = model.overlays.last_mut() {
                    let outcome =
                        overlay.layer_mut().clicked(pane, index, &mut Cx::new(&model.env, &mut wishes));
                    carry_out(model, wishes, effects);
                    settle_overlay(model, outcome, effects);
                }
            }
            _ => {}
        },
    }
}

fn answered(model: &mut Model, id: JobId, result: Result<Answer>, effects: &mut Effects) {
    let Some(Job { request, title, .. }) = model.jobs.ended(id, effects) else { return };
    if let Err(error) = &result
        && error.kind == ErrorKind::Cancelled
    {
        model.status = Some(line(Role::Muted, format!("stopped: {title}")));
    }
    let mut wishes = Vec::new();
    let cx = &mut Cx::new(&model.env, &mut wishes);
    match request {
        Request::Evals(request) => {
            let result = result.and_then(|answer| match answer {
                Answer::Evals(answer) => Ok(answer),
                _ => Err(mixed_up()),
            });
            // The promotion form stays open until what it asked for is done.
            let form = model.overlays.iter().rposition(|overlay| matches!(overlay, Overlay::Promote(_)));
            let mut told = false;
            if let Some(at) = form
                && let Some(Overlay::Promote(form)) = model.overlays.get_mut(at)
            {
                told = form.takes(&request, &result);
                if told && result.is_ok() {
                    model.overlays.remove(at);
                }
            }
            if !told || result.is_ok() {
                model.screens.evals.answered(request, result, cx);
            }
        }
        Request::Incidents(request) => {
            let result = result.and_then(|answer| match answer {
                Answer::Incidents(answer) => Ok(answer),
                _ => Err(mixed_up()),
            });
            let was_run = matches!(request, incidents_screen::Request::Run { .. });
            model.screens.incidents.answered(request, result, cx);
            if was_run && model.screens.incidents.leaving(model.env.now).is_none() {
                // The question is moot.
                model.overlays.retain(|overlay| overlay.layer().tag() != LEAVE);
            }
        }
        Request::Health(request) => {
            let result = only(result, |answer| if let Answer::Health(a) = answer { Some(*a) } else { None });
            model.screens.health.answered(request, result, cx);
        }
        Request::Traces(request) => {
            let result = only(result, |answer| if let Answer::Traces(a) = answer { Some(a) } else { None });
            model.screens.traces.answered(request, result, cx);
        }
        Request::Trace(request) => {
            let result = only(result, |answer| if let Answer::Trace(a) = answer { Some(*a) } else { None });
            model.screens.traces.trace_answered(request, result, cx);
        }
        Request::Review(request) => {
            let result = only(result, |answer| if let Answer::Review(a) = answer { Some(a) } else { None });
            model.screens.review.answered(request, result, cx);
        }
        Request::Runs(request) => {
            let result = only(result, |answer| if let Answer::Runs(a) = answer { Some(a) } else { None });
            let form = model.overlays.iter_mut().rev().find_map(|overlay| match overlay {
                Overlay::StartRun(form) => Some(form),
                _ => None,
            });
            match (&request, form) {
                // What the form asked for is said in the form, or to nobody once it is closed.
                (runs::Request::Check { .. }, Some(form)) => form.takes(&request, result),
                (runs::Request::Check { .. }, None) => {}
                _ => model.screens.runs.answered(&request, result, cx),
            }
            if matches!(request, runs::Request::Begin { .. }) {
                // The question is moot.
                model.overlays.retain(|overlay| overlay.layer().tag() != LEAVE);
            }
        }
        Request::Gate(request) => {
            let result = only(result, |answer| if let Answer::Gate(a) = answer { Some(*a) } else { None });
            model.screens.gate.answered(&request, result, cx);
        }
        Request::Monitors(request) => {
            let result = only(result, |answer| if let Answer::Monitors(a) = answer { Some(a) } else { None });
            model.screens.monitors.answered(request, result, cx);
        }
        Request::Prompts(request) => {
            let result = only(result, |answer| if let Answer::Prompts(a) = answer { Some(a) } else { None });
            model.screens.prompts.answered(&request, result, cx);
        }
        Request::Features(request) => {
            let result = only(result, |answer| if let Answer::Features(a) = answer { Some(a) } else { None });
            model.screens.features.answered(&request, result, cx);
        }
        Request::Index => indexed(model, result),
    }
    carry_out(model, wishes, effects);
}

/// Takes note of how building the search index ended. Nobody asked for it: a failure is told in a line.
fn indexed(model: &mut Model, result: Result<Answer>) {
    if let Err(error) = result
        && error.kind != ErrorKind::Cancelled
    {
        model.index_stopped = true;
        let what = format!("The search index is not up to date: {}", error.what);
        model.status = Some(words().put(Role::Fail, "✗ ").plain(what).done());
    }
}

/// Begins to bring the search index up to the traces, unless the person stopped it.
fn build_index(model: &mut Model, effects: &mut Effects) {
    if !model.index_stopped && model.env.writable {
        model.jobs.start(Job::exclusive("index", INDEXING, Request::Index), effects);
    }
}

/// The answer that belongs to a request.
fn only<T>(result: Result<Answer>, pick: impl FnOnce(Answer) -> Option<T>) -> Result<T> {
    result.and_then(|answer| pick(answer).ok_or_else(mixed_up))
}

/// An answer of another kind than its request: no worker gives one.
fn mixed_up() -> Error {
    Error::failed("The program mixed up two answers.").hint("Ask again.")
}

/// Lets the present screen do something and carries out what it wishes for.
fn screen(
    model: &mut Model,
    effects: &mut Effects,
    act: impl FnOnce(&mut dyn super::screen::Screen, &mut Cx<'_>),
) {
    on_screen(model, model.active, effects, act);
}

fn on_screen(
    model: &mut Model,
    id: ScreenId,
    effects: &mut Effects,
    act: impl FnOnce(&mut dyn super::screen::Screen, &mut Cx<'_>),
) {
    let mut wishes = Vec::new();
    act(model.screens.get_mut(id), &mut Cx::new(&model.env, &mut wishes));
    carry_out(model, wishes, effects);
}

fn carry_out(model: &mut Model, wishes: Vec<Wish>, effects: &mut Effects) {
    for wish in wishes {
        match wish {
            Wish::Start(job) => model.jobs.start(job, effects),
            Wish::Effect(effect) => effects.push(effect),
            Wish::Say(line) => model.status = Some(line),
            Wish::Fail(error) => fail(model, error),
            Wish::Open(overlay) => {
                // What was typed before a dry run was shown cannot be a yes to it.
                if matches!(overlay, Overlay::RunStep(_)) {
                    model.held.clear();
                }
                model.overlays.push(overlay);
            }
            Wish::Go(to) => go(model, to, effects),
            Wish::Traces(query) => {
                model.screens.traces.come(query, model.active);
                go(model, ScreenId::Traces, effects);
            }
            Wish::Trace(id) => {
                model.screens.traces.come_to(id, model.active);
                go(model, ScreenId::Traces, effects);
            }
            Wish::Gate(of) => {
                model.screens.gate.come(of, model.active);
                go(model, ScreenId::Gate, effects);
            }
            Wish::Banner(banner) => model.env.banner = banner,
            Wish::Standing(incident) => model.env.incident = incident,
            Wish::Mark(trace) => match model.env.marks.iter().position(|marked| *marked == trace) {
                Some(at) => {
                    model.env.marks.remove(at);
                }
                None => model.env.marks.push(trace),
            },
            Wish::Unmark => model.env.marks.clear(),
            Wish::Review(traces) => {
                model.screens.review.open_at_start(super::screens::review::Of::Traces(traces));
                go(model, ScreenId::Review, effects);
            }
            Wish::Run(config, ask) => {
                let mut wishes = Vec::new();
                model.screens.runs.begin(config, *ask, &mut Cx::new(&model.env, &mut wishes));
                go(model, ScreenId::Runs, effects);
                carry_out(model, wishes, effects);
            }
            Wish::Stop(scope) => model.jobs.cancel(scope, effects),
            Wish::Runs(filter) => {
                model.screens.runs.come(&filter);
                go(model, ScreenId::Runs, effects);
            }
            Wish::Zone(zone) => model.env.zone = zone,
            Wish::Incident(name) => {
                model.screens.incidents.come(&name);
                go(model, ScreenId::Incidents, effects);
            }
            Wish::Command(id) => {
                let _ = command(model, id, effects);
            }
        }
    }
}

fn fail(model: &mut Model, error: Error) {
    if error.kind == ErrorKind::Cancelled {
        return;
    }
    if wants_dialog(&error) {
        model.overlays.push(Page::error(&error).into());
    } else {
        let hint = error.hints.first().map(|hint| format!("  → {hint}"));
        model.status = Some(words().put(Role::Fail, "✗ ").plain(&error.what).maybe(Role::Muted, hint).done());
    }
}
