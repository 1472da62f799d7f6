//! The frame around every screen: header, alerts that are out, status line, hint line, and what lies on top.
//!
//! ```text
//!  tuesday   Health  Traces  Review  Evals  Incidents              ▲1 alert  ann
//!  ... the screen ...
//!  ✓ 37 pass · u undo                          importing 12,000 · 3,100/s · 9 s left
//!  p pass  f fail…  s skip  e promote                                       ? all
//! ```

use std::ops::Range;

use ratatui::layout::Rect;

use super::canvas::{Canvas, Drawn, Hit};
use super::jobs::Running;
use super::model::Model;
use super::screen::Env;
use super::screens::ScreenId;
use super::words::{line, span, words};
use crate::command::table::{self, app, incidents};
use crate::command::{Found, keys_text};
use crate::ops::incident::{Header, IncidentLine, header_of};
use crate::text::{Line, Role, Style, figures};

/// The least columns and rows to draw in.
const LEAST: (u16, u16) = (40, 10);

/// The area of a screen in a terminal of this size: all but so many rows above it, and the two lowest lines.
pub fn screen_area((columns, rows): (u16, u16), above: u16) -> Rect {
    Rect { x: 0, y: above, width: columns, height: rows.saturating_sub(above + 2) }
}

/// Draws everything.
pub fn view(model: &Model, area: Rect) -> Drawn {
    let mut canvas = Canvas::new(area, &model.theme);
    if area.width < LEAST.0 || area.height < LEAST.1 {
        let text = format!("Please make the window larger: {}×{} at least.", LEAST.0, LEAST.1);
        canvas.line(area, &line(Role::Plain, text));
        return canvas.finish();
    }
    let row = |y: u16| Rect { y, height: 1, ..area };
    let (status, hints) = (row(area.bottom() - 2), row(area.bottom() - 1));
    header(model, &mut canvas, row(area.y));
    let above = model.above(model.active);
    let here = screen_area((area.width, area.height), above);
    if let Some(banner) = &model.env.banner {
        let top = row(area.y + 1);
        canvas.line(Rect { x: top.x + 1, width: top.width.saturating_sub(2), ..top }, banner);
        canvas.hit(top, Hit::Command(app::GO_MONITORS));
    }
    if let Some((incident, others)) = &model.env.incident
        && above == model.env.above()
    {
        let line_at = row(area.y + above - 1);
        let inside = Rect { x: line_at.x + 1, width: line_at.width.saturating_sub(2), ..line_at };
        canvas.line(inside, &standing(incident, *others, &model.env));
        canvas.hit(line_at, Hit::Command(incidents::DECLARE));
    }
    model.screens.get(model.active).view(&model.env, &mut canvas, here);
    let over = Rect { height: area.height - 2, ..area };
    for overlay in model.overlays.iter().filter(|overlay| !overlay.layer().in_status_line()) {
        overlay.layer().view(&model.env, &mut canvas, over);
    }
    pending(model, &mut canvas, over);
    match model.overlays.last() {
        Some(overlay) if overlay.layer().in_status_line() => {
            overlay.layer().view(&model.env, &mut canvas, status);
        }
        _ => status_line(model, &mut canvas, status),
    }
    hint_line(model, &mut canvas, hints);
    canvas.finish()
}

/// The open incident, as of now.
fn standing(incident: &IncidentLine, others: usize, env: &Env) -> Line {
    let header = header_of(&incident.head, &incident.standing, env.now, &env.zone);
    let mut line = header_line(&header, Style::of(Role::Alert));
    if others > 0 {
        line.push(span(Role::Muted, format!("  +{others} open")));
    }
    line
}

/// An incident's header; an update that is late stands out, and says so in a word.
pub fn header_line(header: &Header, style: Style) -> Line {
    let mut line = words().put(style, header.facts.as_str());
    if let Some((words, late)) = &header.update {
        let late = if *late { Style::of(Role::Fail).bold() } else { Style::of(Role::Muted) };
        line = line.plain("  ").put(late, words.as_str());
    }
    line.plain("  ").put(style, header.people.as_str()).done()
}

fn header(model: &Model, canvas: &mut Canvas<'_>, row: Rect) {
    let right = words();
    let right = if model.leaving { right.put(Role::Alert, "saving… ") } else { right };
    let right = if model.env.hands.is_sandbox() { right.put(Role::Alert, "DRILL  ") } else { right };
    let right = if model.env.writable { right } else { right.put(Role::Alert, "read only  ") };
    let right = right.muted(&model.env.reviewer).plain(" ").done();
    let left = canvas.line_right(row, &right);
    let name = line(Style::of(Role::Title), " tuesday ");
    canvas.line(left, &name);
    let x = left.x + u16::try_from(name.width()).unwrap_or(0);
    let room = Rect { x, width: left.right().saturating_sub(x), ..left };
    let widths: Vec<usize> = ScreenId::TABS.iter().map(|tab| crate::text::width(tab.title())).collect();
    let here = ScreenId::TABS.iter().position(|tab| *tab == model.active.tab()).unwrap_or(0);
    let (shown, gap) = tabs_that_fit(&widths, here, usize::from(room.width));
    let mut x = usize::from(room.x);
    let mut put = |canvas: &mut Canvas<'_>, text: &Line| {
        x += gap;
        let wide = u16::try_from(text.width()).unwrap_or(0);
        let area = Rect { x: u16::try_from(x).unwrap_or(u16::MAX).min(room.right()), width: wide, ..room };
        let area = area.intersection(room);
        canvas.line(area, text);
        x += text.width();
        area
    };
    if shown.start > 0 {
        put(canvas, &line(Role::Muted, "…"));
    }
    for at in shown.clone() {
        let tab = ScreenId::TABS[at];
        let style = if at == here {
            Style { underline: true, ..Style::of(Role::Accent) }
        } else {
            Style::of(Role::Muted)
        };
        let area = put(canvas, &line(style, tab.title()));
        canvas.hit(area, Hit::Tab(tab));
    }
    if shown.end < ScreenId::TABS.len() {
        put(canvas, &line(Role::Muted, "…"));
    }
}

/// Which tabs show in so many columns, and the columns before each: all, closer to each other where they must
/// be; else as many as fit around the one on screen, with room for a mark where some are left out.
fn tabs_that_fit(widths: &[usize], here: usize, room: usize) -> (Range<usize>, usize) {
    let taken = |range: &Range<usize>, gap: usize| {
        let marks = usize::from(range.start > 0) + usize::from(range.end < widths.len());
        widths[range.clone()].iter().map(|wide| wide + gap).sum::<usize>() + marks * (1 + gap)
    };
    let all = 0..widths.len();
    if let Some(gap) = [2, 1].into_iter().find(|gap| taken(&all, *gap) <= room) {
        return (all, gap);
    }
    let mut shown = here..here + 1;
    loop {
        let after = shown.start..(shown.end + 1).min(widths.len());
        let before = shown.start.saturating_sub(1)..shown.end;
        match [after, before].into_iter().find(|wider| *wider != shown && taken(wider, 1) <= room) {
            Some(wider) => shown = wider,
            None => return (shown, 1),
        }
    }
}

fn status_line(model: &Model, canvas: &mut Canvas<'_>, row: Rect) {
    let row = Rect { x: row.x + 1, width: row.width.saturating_sub(2), ..row };
    let left = match model.jobs.shown() {
        Some(running) => {
            let shown = job_line(running, &model.env.key(app::CANCEL_JOB));
            canvas.hit(row, Hit::Command(app::CANCEL_JOB));
            canvas.line_right(row, &shown)
        }
        None => row,
    };
    if let Some(status) = &model.status {
        canvas.line(left, status);
    }
}

/// `drawing the sample 12,000 of 40,000 · 3,100/s · 9 s left  ctrl-x cancel`
fn job_line(running: &Running, cancel: &str) -> Line {
    let mut words = words().put(Role::Accent, running.job.title);
    if let Some(progress) = &running.progress {
        let count = |n: u64| figures::thousands(i64::try_from(n).unwrap_or(i64::MAX));
        if !running.job.title.starts_with(progress.phase) {
            words = words.plain(": ").plain(progress.phase);
        }
        if progress.done > 0 {
            words = words.plain(" ").plain(count(progress.done));
            if progress.total > 0 {
                words = words.muted(" of ").plain(count(progress.total));
            }
            #[expect(clippy::cast_possible_truncation, reason = "a rate for the eye")]
            let rate = progress.per_second as u64;
            words = words.muted(format!(" · {}/s", count(rate)));
        }
        if let Some(left) = progress.left {
            words = words.muted(format!(" · {} left", figures::duration(left.as_secs_f64() * 1000.0)));
        }
    }
    words.plain("  ").key(cancel).muted(" cancel").done()
}

fn hint_line(model: &Model, canvas: &mut Canvas<'_>, row: Rect) {
    let places = model.places();
    let mut rows: Vec<_> = table::all()
        .filter(|row| row.hint > 0 && row.places.iter().any(|place| places.contains(place)))
        .filter(|row| row.id != app::HELP && model.holds(row.when))
        .filter(|row| row.id != app::OPEN || model.screens.get(model.active).opens())
        .filter_map(|row| Some((row, model.env.keymap.key_text(row.id)?)))
        .collect();
    rows.sort_by_key(|(row, _)| std::cmp::Reverse(row.hint));
    let inside = Rect { x: row.x + 1, width: row.width.saturating_sub(2), ..row };
    let screen = model.screens.get(model.active);
    if model.overlays.is_empty()
        && let Some(waits) = screen.waits_for()
    {
        canvas.line(inside, &waits);
        return;
    }
    let mut room = inside;
    if model.overlays.is_empty() {
        let help = words().key(model.env.key(app::HELP)).plain(" all").done();
        let wide = u16::try_from(help.width()).unwrap_or(0);
        canvas.hit(
            Rect { x: inside.right().saturating_sub(wide), width: wide, ..inside },
            Hit::Command(app::HELP),
        );
        room = canvas.line_right(inside, &help);
    }
    let own = if model.overlays.is_empty() { screen.hints() } else { Vec::new() };
    let own = own.into_iter().filter_map(|(id, title)| Some((id, title, model.env.keymap.key_text(id)?)));
    let mut x = room.x;
    for (id, title, key) in own.chain(rows.into_iter().map(|(row, key)| (row.id, row.title, key))) {
        let hint = hint(&key, title);
        let wide = u16::try_from(hint.width()).unwrap_or(0);
        if x + wide > room.right() {
            break;
        }
        let area = Rect { x, width: wide, ..room };
        canvas.line(area, &hint);
        canvas.hit(area, Hit::Command(id));
        x += wide + 2;
    }
}

fn hint(key: &str, title: &str) -> Line {
    let mut chars = title.chars();
    let lower: String = chars.next().into_iter().flat_map(char::to_lowercase).chain(chars).collect();
    Line::new(vec![span(Role::Key, key), span(Role::Plain, format!(" {lower}"))])
}

/// What the next key of an unfinished sequence can be.
fn pending(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    if model.pressed.is_empty() {
        return;
    }
    let Found::Pending(next) =
        model.env.keymap.find(&model.places(), &model.pressed, |when| model.holds(when))
    else {
        return;
    };
    let lines: Vec<Line> = next
        .iter()
        .map(|(key, id)| {
            words()
                .key(format!("{key:>6}", key = key.to_string()))
                .plain("  ")
                .plain(table::row(*id).title)
                .done()
        })
        .collect();
    let width = lines.iter().map(Line::width).max().unwrap_or(0).max(10) + 3;
    let width = u16::try_from(width).unwrap_or(area.width).min(area.width);
    let height = u16::try_from(lines.len() + 2).unwrap_or(area.height).min(area.height);
    let corner = Rect { x: area.right() - width, y: area.bottom() - height, width, height };
    let inside = canvas.frame(corner, &line(Role::Key, keys_text(&model.pressed)));
    canvas.lines(inside, &lines);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_tab_on_screen_always_shows(
            widths in prop::collection::vec(4usize..12, 1..14),
            here in any::<prop::sample::Index>(),
            room in 20usize..200,
        ) {
            let here = here.index(widths.len());
            let (shown, gap) = tabs_that_fit(&widths, here, room);
            prop_assert!(shown.contains(&here));
            let marks = usize::from(shown.start > 0) + usize::from(shown.end < widths.len());
            let wide = widths[shown.clone()].iter().map(|wide| wide + gap).sum::<usize>() + marks * (1 + gap);
            prop_assert!(wide <= room, "{shown:?} takes {wide} of {room}");
            // None is left out that would fit.
            let all = widths.iter().map(|wide| wide + 1).sum::<usize>();
            prop_assert!(all > room || shown.len() == widths.len());
        }
    }

    #[test]
    fn tabs_stand_closer_before_one_is_left_out() {
        assert_eq!(tabs_that_fit(&[6, 6, 6], 1, 24), (0..3, 2));
        assert_eq!(tabs_that_fit(&[6, 6, 6], 1, 21), (0..3, 1));
        assert_eq!(tabs_that_fit(&[6, 6, 6], 2, 18), (1..3, 1));
        assert_eq!(tabs_that_fit(&[6, 6, 6], 0, 18), (0..2, 1));
    }
}
