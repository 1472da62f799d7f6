//! The texts of the screen.

use crate::domain::switch::{Power, SwitchEvent, SwitchStage};
use crate::ops::feature::{Confirmed, FeatureRow, Proof, Served, SwitchView};
use crate::text::figures::{UNKNOWN, percent, plural, relative, sparkline, thousands};
use crate::text::{Clean, Line, Role, clean_line, pad, pad_left, truncate, wrap_line};
use crate::tui::screen::Env;
use crate::tui::words::{line, words};

/// More lines than a text of this screen has.
pub const MOST: usize = 500;
/// Columns beside the feature's name and the last switch.
const FIGURES: usize = 9 + 10;
/// Columns of a name, at most.
const NAME: usize = 26;

/// Columns of the name and of the last switch.
fn widths(cols: usize) -> (usize, usize) {
    let rest = cols.saturating_sub(2 + 5 + FIGURES);
    let name = NAME.min(rest / 2);
    (name, rest.saturating_sub(name + 1))
}

/// Text in so many columns, cut where it is too long.
fn cell(text: &str, cols: usize) -> Clean {
    pad(&truncate(&clean_line(text), cols), cols)
}

/// A figure in so many columns.
fn right(text: &str, cols: usize) -> Clean {
    pad_left(&clean_line(text), cols)
}

/// What stands above the list.
pub fn head(cols: usize) -> Line {
    let (name, last) = widths(cols);
    words()
        .muted("  ")
        .muted(cell("feature", name))
        .muted(" ")
        .muted(cell("is", 4))
        .muted(" ")
        .muted(cell("last switch", last))
        .muted(right("24 h", 9))
        .muted(right("by models", 10))
        .done()
}

/// A feature in a line.
pub fn row(of: &FeatureRow, env: &Env, cols: usize) -> Line {
    let (name, last) = widths(cols);
    let (role, word) = state(of);
    let switched = of.last.as_ref().map_or_else(|| UNKNOWN.to_owned(), |event| switched(event, env));
    let share = share(&of.day).map_or_else(|| UNKNOWN.to_owned(), percent);
    words()
        .plain("  ")
        .plain(cell(of.feature.raw(), name))
        .plain(" ")
        .put(role, cell(word, 4))
        .plain(" ")
        .muted(cell(&switched, last))
        .plain(right(&thousands(of.day.requests.cast_signed()), 9))
        .plain(right(&share, 10))
        .done()
}

/// How a feature stands, in a word.
fn state(of: &FeatureRow) -> (Role, &'static str) {
    match of.state {
        Some(Power::On) => (Role::Pass, "on"),
        Some(Power::Off) => (Role::Alert, "off"),
        None => (Role::Muted, "?"),
    }
}

/// The share of requests that no fallback answered.
fn share(of: &Served) -> Option<f64> {
    (of.requests > 0).then(|| 1.0 - of.fallback as f64 / of.requests as f64)
}

/// `off 2 h ago by ann`.
fn switched(event: &SwitchEvent, env: &Env) -> String {
    let at = relative(event.at.as_millisecond(), env.now_ms());
    format!("{} {at} by {}", clean_line(event.to.raw()), clean_line(event.by.raw()))
}

/// A feature in full.
pub fn feature(of: &FeatureRow, env: &Env, cols: usize) -> Vec<Line> {
    let (role, word) = state(of);
    let head = words().plain(clean_line(of.feature.raw())).muted(" is ");
    let head = match of.state {
        Some(_) => head.put(role, word),
        None => head.put(Role::Muted, "not known to be on or off"),
    };
    let mut lines = vec![head.done()];
    let mut fact = |label: &str, text: &Line| {
        let (first, rest) = (line(Role::Muted, cell(label, LABEL)), line(Role::Muted, cell("", LABEL)));
        lines.extend(wrap_line(text, cols, &first.spans, &rest.spans));
    };
    if let Some(switch) = &of.switch {
        let kind = of.kind.map(|kind| format!(" ({kind})"));
        fact("switched by", &words().plain(switch).maybe(Role::Muted, kind).done());
    }
    if let Some(why) = &of.unknown {
        fact("its state", &line(Role::Unsure, why));
    }
    if let Some(last) = &of.last {
        fact("last switch", &last_switch(last, of.settled, env));
    }
    if let Some(effect) = &of.effect {
        let role = match effect.verdict {
            Confirmed::Yes => Role::Pass,
            Confirmed::NotYet => Role::Unsure,
            Confirmed::No => Role::Fail,
        };
        fact("the traces", &line(role, effect.in_words(env.now_ms())));
    }
    fact("last 5 min", &line(Role::Plain, served(&of.served)));
    fact("last 24 h", &line(Role::Plain, served(&of.day)));
    if of.day.requests > 0 {
        let by_models = |hour: &Served| hour.requests.saturating_sub(hour.fallback);
        fact("by models", &hourly(&of.hours, by_models));
        fact("by a fallback", &hourly(&of.hours, |hour| hour.fallback));
    }
    if let Some(prompt) = &of.prompt {
        let at =
            prompt.current.as_ref().map_or_else(|| "no current version".to_owned(), |at| format!("at {at}"));
        fact("prompt", &words().plain(&prompt.prompt).muted(" ").plain(at).done());
    }
    for note in &of.notes {
        lines.extend(wrap_line(&words().put(Role::Unsure, "▼ ").plain(note).done(), cols, &[], &[]));
    }
    lines
}

/// Columns of a label.
const LABEL: usize = 15;

/// So many an hour, drawn, and the most of them.
fn hourly(hours: &[Served], count: impl Fn(&Served) -> u64) -> Line {
    let counts: Vec<f64> = hours.iter().map(|hour| count(hour) as f64).collect();
    let most = hours.iter().map(count).max().unwrap_or_default();
    words()
        .plain(sparkline(&counts))
        .muted(format!("  an hour, {} at most", thousands(most.cast_signed())))
        .done()
}

fn last_switch(last: &SwitchEvent, settled: bool, env: &Env) -> Line {
    let (role, word) = match last.stage {
        _ if !settled => (Role::Fail, "what came of it is not known"),
        SwitchStage::Done => (Role::Pass, "read back"),
        SwitchStage::Unproven => (Role::Unsure, "not read back"),
        SwitchStage::Failed => (Role::Fail, "it failed"),
        SwitchStage::Begun => (Role::Unsure, "begun"),
    };
    let reason = last.note.reason.as_ref().map(|reason| format!(": {}", clean_line(reason.raw())));
    let fallback = last.note.fallback.map(|fallback| format!(", {} answer meanwhile", fallback.word()));
    words()
        .plain(switched(last, env))
        .maybe(Role::Plain, fallback)
        .muted(", ")
        .put(role, word)
        .maybe(Role::Muted, reason)
        .done()
}

/// `31 requests, 30 by models, 1 by a fallback`.
fn served(of: &Served) -> String {
    let n = usize::try_from(of.requests).unwrap_or(usize::MAX);
    match of.requests {
        0 => "no request".to_owned(),
        all => format!(
            "{}, {} by models, {} by a fallback",
            plural(n, "request"),
            thousands(all.saturating_sub(of.fallback).cast_signed()),
            thousands(of.fallback.cast_signed())
        ),
    }
}

/// What a switch would do: the dry run.
pub fn plan(view: &SwitchView) -> Vec<Line> {
    let now = view.from.map_or("not known how", Power::word);
    let mut lines = vec![words().muted(format!("now {now}, by ")).plain(&view.switch).done()];
    lines.extend(view.steps.iter().map(|step| line(Role::Plain, clean_line(step))));
    if let Some(said) = view.said.as_ref().filter(|said| !said.is_empty()) {
        lines.push(words().muted("it says: ").plain(clean_line(said.raw())).done());
    }
    lines.extend(view.notes.iter().map(|note| line(Role::Unsure, clean_line(note))));
    lines
}

/// What was done.
pub fn done(view: &SwitchView) -> Line {
    let proof = match view.proof {
        Proof::Proved => "read back: it took",
        _ => "nothing proves that it took",
    };
    let (role, mark) = if view.proof == Proof::Proved { (Role::Pass, "✓ ") } else { (Role::Unsure, "? ") };
    words()
        .put(role, mark)
        .plain(format!("{} is {}", view.feature, view.to.word()))
        .muted(format!(" · {proof}"))
        .done()
}

/// What there is to do where no feature is.
pub fn empty() -> Vec<Line> {
    vec![
        line(Role::Plain, "No feature yet: no trace names one, and the configuration has none."),
        line(Role::Muted, "Say how one is switched: [features.NAME] in tuesday.toml, with switch = { … }."),
    ]
}
