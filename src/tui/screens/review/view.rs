//! Drawing the queue.
//!
//! ```text
//!  week-47 · 37 of 100 · 9.2 s each · 9 min left            fail 11  unsure 2  ↺4
//! ────────────────────────────────────────────────────────────────────────────────
//!  38  customer_support@v4 · gpt-4o · Tue 09:31 · 1.8 s · $0.003    👎 thumbs down
//! ────────────────────────────────────────────────────────────────────────────────
//!  user        I was charged a €35 overdraft fee but my salary arrived the same
//!  …
//! ──────────────────────────────────────────────────────────────────── 1–14 of 31
//!  yours: ✗ fail: wrong tone       accuracy 4 · tone 8
//!  fail: 1 hallucinated facts  2 wrong tone  3 ignored instructions  4 off-topic …
//! ```
//! From 120 columns on the queue stands at the left and the facts at the right.

use ratatui::layout::Rect;

use super::facts;
use super::queue::{FACTS, Filter, ITEMS, Loaded, Queue, TALK, glyph};
use crate::command::table::{app, review as rows, talk};
use crate::ops::review::ItemState;
use crate::text::{Line, Role, Style, clean, figures, pad, pad_left, truncate};
use crate::tui::canvas::Canvas;
use crate::tui::screen::Env;
use crate::tui::words::{line, words};

/// Columns of the side panes, and of a terminal that has room for them.
const WIDE: u16 = 120;
const LIST: u16 = 34;
const SIDE: u16 = 38;
/// Rows above and below the conversation.
const ABOVE: u16 = 4;
const BELOW: u16 = 3;

/// Where the parts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    pub list: Option<Rect>,
    pub talk: Rect,
    pub facts: Option<Rect>,
}

/// Where the parts are in a screen of this area.
pub fn places(area: Rect, facts_open: bool) -> Places {
    let middle = Rect { y: area.y + ABOVE, height: area.height.saturating_sub(ABOVE + BELOW), ..area };
    if area.width < WIDE {
        let facts = facts_open.then_some(middle);
        return Places { list: None, talk: middle, facts };
    }
    let list = Rect { width: LIST, ..middle };
    let facts = (!facts_open).then(|| Rect { x: middle.right() - SIDE, width: SIDE, ..middle });
    let left = list.right() + 1;
    let right = facts.map_or(middle.right(), |facts| facts.x - 1);
    Places { list: Some(list), talk: Rect { x: left, width: right - left, ..middle }, facts }
}

/// Whether the facts stand beside the conversation rather than in its place.
pub fn is_wide(area: Rect) -> bool {
    area.width >= WIDE
}

/// Draws the queue into `area`.
pub fn view(queue: &Queue, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    let row = |y: u16| Rect { x: area.x + 1, width: area.width.saturating_sub(2), y, height: 1 };
    let rule = |y: u16| Rect { y, height: 1, ..area };
    header(queue, env, canvas, row(area.y));
    canvas.rule(rule(area.y + 1));
    let Some(place) = queue.at else {
        done(
            queue,
            env,
            canvas,
            Rect { y: area.y + 3, height: area.height.saturating_sub(3), ..row(area.y) },
        );
        return;
    };
    let loaded = queue.shown();
    facts_line(queue, place, loaded, env, canvas, row(area.y + 2));
    canvas.rule(rule(area.y + 3));
    let places = places(area, queue.facts_open);
    if let Some(list) = places.list {
        list_pane(queue, canvas, list, env);
        canvas.rule_down(Rect { x: list.right(), width: 1, ..list });
    }
    if let Some(facts) = places.facts {
        let mut inside = facts;
        if places.list.is_some() {
            canvas.rule_down(Rect { x: facts.x - 1, width: 1, ..facts });
        }
        inside.x += 1;
        inside.width = inside.width.saturating_sub(1);
        facts_pane(queue, loaded, env, canvas, inside);
    }
    let bottom = area.bottom().saturating_sub(BELOW);
    canvas.rule(rule(bottom));
    if is_wide(area) || places.facts.is_none() {
        conversation(queue, loaded, env, canvas, places.talk);
        if let Some(loaded) = loaded {
            position(loaded, canvas, places.talk, rule(bottom));
        }
    }
    label_line(queue, loaded, env, canvas, row(bottom + 1));
    modes_line(queue, env, canvas, row(bottom + 2));
}

fn header(queue: &Queue, env: &Env, canvas: &mut Canvas<'_>, row: Rect) {
    let tally = &queue.read.tally;
    let count = |state: ItemState| queue.read.items.iter().filter(|item| queue.state(item) == state).count();
    let mut right = words();
    for (n, role, name) in
        [(count(ItemState::Fail), Role::Fail, "fail"), (count(ItemState::Unsure), Role::Unsure, "unsure")]
    {
        right = right.put(role, format!("{name} {n}")).plain("  ");
    }
    if tally.disagreed > 0 {
        right = right.put(Role::Alert, format!("≠{}", tally.disagreed)).plain("  ");
    }
    right = right.muted(format!("↺{}", count(ItemState::Skipped)));
    let left = canvas.line_right(row, &right.done());
    let mut text = words().put(Role::Title, &queue.read.name).plain(format!(
        " · {} of {}",
        queue.reviewed(),
        tally.total
    ));
    if let Some(each) = queue.read.seconds_each {
        text = text.muted(format!(" · {} each", figures::duration(each * 1000.0)));
        if let Some(left) = queue.read.seconds_left.filter(|left| *left > 0.0) {
            text = text.muted(format!(" · {} left", figures::duration(left * 1000.0)));
        }
    }
    if !env.marks.is_empty() {
        text = text.put(Role::Accent, format!(" · ◆{}", env.marks.len()));
    }
    if queue.filter != Filter::All {
        let at = queue.list.selected_index() + 1;
        let of = queue.list.rows().len();
        text = text.put(Role::Accent, format!(" · {}/{of} {}", at.min(of), queue.filter.name()));
    }
    canvas.line(left, &text.done());
}

fn facts_line(
    queue: &Queue,
    place: usize,
    loaded: Option<&Loaded>,
    env: &Env,
    canvas: &mut Canvas<'_>,
    row: Rect,
) {
    let mut text = words().put(Role::Title, format!("{} ", place + 1)).plain(" ");
    if queue.item().is_some_and(|item| env.is_marked(&item.trace)) {
        text = text.put(Role::Accent, "◆ ");
    }
    match loaded {
        Some(loaded) => {
            let left = canvas.line_right(row, &facts::feedback(&loaded.item.trace).done());
            canvas.line(left, &text.line(&facts::in_one_line(&loaded.item.trace, env).done()).done());
        }
        None => canvas.line(row, &text.done()),
    }
}

fn conversation(queue: &Queue, loaded: Option<&Loaded>, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    match loaded {
        Some(loaded) => loaded.talk.view(canvas, area, TALK, &env.key(talk::FOLD)),
        None => {
            let missing = queue.item().and_then(|item| queue.missing.get(&item.trace));
            let inside = Rect {
                x: area.x + 1,
                y: area.y + 1,
                width: area.width.saturating_sub(2),
                height: 3.min(area.height),
            };
            match missing {
                Some(missing) => {
                    let out = words().key(env.key(rows::SKIP)).plain(" skips it.").done();
                    canvas.lines(inside, [missing, &Line::default(), &out]);
                }
                None => canvas.line(inside, &line(Role::Muted, "loading the response…")),
            }
        }
    }
}

/// `1–14 of 31` in the rule under a conversation that is longer than its page.
fn position(loaded: &Loaded, canvas: &mut Canvas<'_>, talk: Rect, rule: Rect) {
    let (top, lines) = loaded.talk.position();
    let page = usize::from(talk.height);
    if lines > page {
        let text = format!(" {}–{} of {lines} ", top + 1, (top + page).min(lines));
        let under = Rect { x: talk.x, width: talk.width.saturating_sub(1), ..rule };
        canvas.line_right(under, &line(Role::Muted, text));
    }
}

fn label_line(queue: &Queue, loaded: Option<&Loaded>, env: &Env, canvas: &mut Canvas<'_>, row: Rect) {
    let Some(loaded) = loaded else { return };
    let mut row = row;
    if let Some(found) = loaded.talk.search_words() {
        let keys = words().muted("  ").key(env.key(talk::NEXT_MATCH)).muted(" next");
        row = canvas.line_right(row, &words().line(&found).line(&keys.done()).done());
    }
    let mode_name = |id: &_| queue.mode_name(id);
    let mut text = words();
    let mine = loaded.item.mine.as_ref();
    if let Some(mine) = mine {
        text = text.muted("you: ").line(&facts::label(mine, mode_name).done());
        if let Some(note) = &mine.note {
            text = text.muted(format!(" \"{}\"", truncate(&clean(note), 40)));
        }
        if mine.corrected.is_some() {
            text = text.put(Role::Better, " corrected");
        }
        text = text.plain("   ");
    }
    if mine.is_some_and(|mine| mine.verdict.is_some()) {
        for other in &loaded.item.others {
            let name = format!("{}: ", other.reviewer.raw());
            text = text.muted(name).line(&facts::label(other, mode_name).done()).plain("   ");
        }
    } else if !loaded.item.others.is_empty() {
        let many = figures::plural(loaded.item.others.len(), "other label");
        text = text.muted(format!("{many}, shown after yours   "));
    }
    canvas.line(row, &text.line(&facts::scores(&loaded.item.trace).done()).done());
}

/// The failure modes with their keys; lit while one is waited for.
fn modes_line(queue: &Queue, env: &Env, canvas: &mut Canvas<'_>, row: Rect) {
    let lit = queue.awaits_mode;
    let label =
        if lit { line(Role::Fail, "fail: ") } else { line(Role::Muted, format!("{} ", env.key(rows::FAIL))) };
    let modes: Vec<_> = queue.taxonomy.active().collect();
    let room = usize::from(row.width).saturating_sub(label.width());
    let names = shortened(modes.iter().map(|mode| clean(&mode.name).into_string()).collect(), room);
    let mut text = words().line(&label);
    for (mode, name) in modes.iter().zip(&names) {
        if text.width() + crate::text::width(name) + 2 > usize::from(row.width) {
            text = text.muted("…");
            break;
        }
        let key = Style { bold: lit, ..Style::of(if lit { Role::Key } else { Role::Muted }) };
        let role = if lit { Role::Plain } else { Role::Muted };
        text = text.put(key, mode.key.to_string()).plain(" ").put(role, name).plain("  ");
    }
    canvas.line(row, &text.done());
}

/// Names that fit into a line with their keys: the longest lose their last words first.
fn shortened(mut names: Vec<String>, room: usize) -> Vec<String> {
    let wide = |names: &[String]| names.iter().map(|name| crate::text::width(name) + 4).sum::<usize>();
    while wide(&names) > room + 2 {
        let longest = names.iter_mut().filter(|name| name.contains(' ')).max_by_key(|name| name.len());
        let Some((start, _)) = longest.as_ref().and_then(|name| name.rsplit_once(' ')) else { break };
        let start = start.to_owned();
        if let Some(longest) = longest {
            *longest = start;
        }
    }
    names
}

fn list_pane(queue: &Queue, canvas: &mut Canvas<'_>, area: Rect, env: &Env) {
    let digits = queue.read.items.len().to_string().len();
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area };
    queue.list.view(canvas, area, ITEMS, |canvas, row, place, _| {
        let Some(item) = queue.read.items.get(*place) else { return };
        let (role, sign) = glyph(queue.state(item));
        let preview = queue.previews.get(&item.trace).and_then(Option::as_ref);
        let number = pad_left(&crate::text::clean_line(&(place + 1).to_string()), digits);
        let mark = if env.is_marked(&item.trace) { "◆" } else { " " };
        let mut text = words().put(role, sign).put(Role::Accent, mark).muted(number.as_str()).plain(" ");
        let feedback = match preview {
            Some(row) if row.down || row.report => ("▼", Role::Fail),
            Some(row) if row.up => ("▲", Role::Pass),
            Some(row) if row.status == crate::domain::Status::Error => ("✗", Role::Alert),
            _ => (" ", Role::Plain),
        };
        let disagreed = if item.disagreed() { "≠" } else { " " };
        let room = usize::from(row.width).saturating_sub(text.width() + 3);
        let first = match preview {
            Some(row) => pad(&clean(&row.input_preview), room).into_string(),
            None => pad(&clean(&item.trace), room).into_string(),
        };
        text = text.plain(first).plain(" ").put(Role::Alert, disagreed).put(feedback.1, feedback.0);
        canvas.line(row, &text.done());
    });
}

fn facts_pane(queue: &Queue, loaded: Option<&Loaded>, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    let (Some(loaded), Some(item)) = (loaded, queue.item()) else { return };
    let cols = usize::from(area.width.saturating_sub(3));
    let lines = facts::pane(&loaded.item, item, |id| queue.mode_name(id), env, cols);
    let mut scroll = queue.facts_scroll;
    scroll.clamp(lines.len(), usize::from(area.height));
    scroll.view(canvas, area, FACTS, &lines);
}

/// All is reviewed.
fn done(queue: &Queue, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    let count = |state: ItemState| queue.read.items.iter().filter(|item| queue.state(item) == state).count();
    let mut lines = vec![
        words()
            .put(Role::Pass, "✓ ")
            .put(Role::Title, format!("All {} are reviewed.", queue.read.items.len()))
            .done(),
        Line::default(),
        words()
            .put(Role::Pass, format!("{} pass", count(ItemState::Pass)))
            .plain("   ")
            .put(Role::Fail, format!("{} fail", count(ItemState::Fail)))
            .plain("   ")
            .put(Role::Unsure, format!("{} unsure", count(ItemState::Unsure)))
            .done(),
        Line::default(),
    ];
    for (id, text) in [
        (rows::RATES, "what the labels say: failure rates by mode, agreement"),
        (rows::FILTER, "go through the failures again, or the disagreements"),
        (rows::UNDO, "take the last one back"),
        (app::LEFT, "back to the last response"),
        (app::BACK, "the list of samples"),
    ] {
        lines.push(words().key(format!("{:>6}", env.key(id))).plain("  ").plain(text).done());
    }
    canvas.lines(area, &lines);
}
