//! Drawing the queue.
//!
//! ```text
//!  week-47 · 37 of 100 · 9.2 s each · 9 min left            fail 11  unsure 2  ↺4
//! ────────────────────────────────────────────────────────────────────────────────
//!  38  customer_support@v4 · gpt-4o · Tue 09:31 · 1.8 s · $0.003     ▼ thumbs down
//! ────────────────────────────────────────────────────────────────────────────────
//!  user        I was charged a €35 overdraft fee but my salary arrived the same
//!  …
//! ─────────────────────────────── 2 of 3  "fee"  . next  esc end · 1–14 of 31 ─
//!  yours: ✗ fail: wrong tone       accuracy 4 · tone 8
//!  fail: 1 hallucinated facts  2 wrong tone  3 ignored instructions  4 off-topic …
//! ```
//! From 120 columns on the queue stands at the left, from 150 on the facts at the right too; between the
//! two, `i` puts the facts in the place of the queue, so that the conversation keeps its room.

use ratatui::layout::Rect;

use super::queue::{FACTS, Filter, ITEMS, Loaded, Queue, TALK, glyph};
use crate::command::table::{app, review as rows, talk};
use crate::ops::review::ItemState;
use crate::text::{Line, Role, Style, clean, figures, pad, pad_left, truncate};
use crate::tui::canvas::Canvas;
use crate::tui::screen::Env;
use crate::tui::screens::known;
use crate::tui::words::{line, words};

/// Columns from which there is a pane beside the conversation, and from which there are two.
const WIDE: u16 = 120;
const WIDEST: u16 = 150;
/// Columns of the queue, and of the facts.
const LIST: u16 = 34;
const SIDE: u16 = 42;
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

/// Where the parts are in a screen of this area. `asked`: the facts were asked for or, where they stand
/// there anyway, sent away.
pub fn places(area: Rect, asked: bool) -> Places {
    let middle = Rect { y: area.y + ABOVE, height: area.height.saturating_sub(ABOVE + BELOW), ..area };
    if !is_wide(area) {
        return Places { list: None, talk: middle, facts: asked.then_some(middle) };
    }
    let both = !facts_are_asked_for(area);
    let list = (both || !asked).then_some(Rect { width: LIST, ..middle });
    let facts = (both != asked).then(|| Rect { x: middle.right() - SIDE, width: SIDE, ..middle });
    // A rule stands between panes, with a column before it for the list's scroll bar.
    let left = list.map_or(middle.x, |list| list.right() + 2);
    let right = facts.map_or(middle.right(), |facts| facts.x - 1);
    Places { list, talk: Rect { x: left, width: right - left, ..middle }, facts }
}

/// Whether the facts show only when they are asked for, in the place of something else.
pub fn facts_are_asked_for(area: Rect) -> bool {
    area.width < WIDEST
}

/// Whether the facts have a place of their own rather than the conversation's.
pub fn is_wide(area: Rect) -> bool {
    area.width >= WIDE
}

/// The columns of what is known of a response, in its pane.
pub fn facts_cols(facts: Rect) -> u16 {
    facts.width.saturating_sub(3)
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
        canvas.rule_down(Rect { x: list.right() + 1, width: 1, ..list });
    }
    if let Some(facts) = places.facts {
        if is_wide(area) {
            canvas.rule_down(Rect { x: facts.x - 1, width: 1, ..facts });
        }
        let inside = Rect { x: facts.x + 1, width: facts.width.saturating_sub(1), ..facts };
        if let Some(loaded) = loaded {
            queue.facts_scroll.view(canvas, inside, FACTS, loaded.details());
        }
    }
    let bottom = area.bottom().saturating_sub(BELOW);
    canvas.rule(rule(bottom));
    if is_wide(area) || places.facts.is_none() {
        conversation(queue, loaded, env, canvas, places.talk);
        if let Some(loaded) = loaded {
            let under = Rect { x: places.talk.x, width: places.talk.width.saturating_sub(1), ..rule(bottom) };
            canvas.line_right(under, &loaded.talk.caption(usize::from(places.talk.height), env));
        }
    }
    label_line(queue, loaded, canvas, row(bottom + 1));
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
            let left = canvas.line_right(row, &known::flags(&loaded.item.trace));
            let room = usize::from(left.width).saturating_sub(text.width());
            canvas.line(left, &text.line(&known::facts(&loaded.item.trace, env, room)).done());
        }
        None => canvas.line(row, &text.done()),
    }
}

fn conversation(queue: &Queue, loaded: Option<&Loaded>, env: &Env, canvas: &mut Canvas<'_>, area: Rect) {
    match loaded {
        Some(loaded) => loaded.talk.view(canvas, area, TALK, Some(&env.key(talk::FOLD))),
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

fn label_line(queue: &Queue, loaded: Option<&Loaded>, canvas: &mut Canvas<'_>, row: Rect) {
    let Some(loaded) = loaded else { return };
    let mut text = words();
    let mine = loaded.item.mine.as_ref();
    if let Some(mine) = mine {
        text = text.muted("you: ").line(&known::label(mine, &queue.taxonomy).done());
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
            text = text.muted(name).line(&known::label(other, &queue.taxonomy).done()).plain("   ");
        }
    } else if !loaded.item.others.is_empty() {
        let many = figures::plural(loaded.item.others.len(), "other label");
        text = text.muted(format!("{many}, shown after yours   "));
    }
    canvas.line(row, &text.line(&known::scores(&loaded.item.trace)).done());
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
