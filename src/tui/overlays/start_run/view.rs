//! How the form stands on the screen, and the facts of the run that it proposes.

use ratatui::layout::Rect;

use super::{FACTS, FIELDS, Field, LABELS, StartRun, State};
use crate::domain::Error;
use crate::ops::run::RunCheck;
use crate::text::{Line, Role, figures, wrap_line};
use crate::tui::canvas::{Canvas, Hit};
use crate::tui::widgets::input::Input;
use crate::tui::words::{line, span, words};

impl StartRun {
    pub(super) fn title(&self) -> Line {
        match &self.offer.ask.name {
            Some(name) if self.resumes() => {
                words().plain("Go on with ").put(Role::Accent, name.as_str()).done()
            }
            _ => line(Role::Plain, "New run"),
        }
    }

    pub(super) fn field(&self, canvas: &mut Canvas<'_>, row: Rect, field: Field) {
        let focus = field == self.focus;
        let open = self.order().contains(&field);
        let name = match field {
            Field::Set => "set",
            Field::Target => "target",
            Field::Name => "name",
            Field::AtATime => "at a time",
            Field::Limit => "limit",
            Field::Errors => "errors",
        };
        let label = words()
            .put(Role::Accent, if focus { "› " } else { "  " })
            .put(if focus { Role::Accent } else { Role::Muted }, name);
        canvas.line(row, &label.done());
        if let Some(index) = self.order().iter().position(|of| *of == field) {
            canvas.hit(row, Hit::Row { pane: FIELDS, index });
        }
        let value = Rect { x: row.x + LABELS, width: row.width.saturating_sub(LABELS), ..row };
        let value = match field {
            Field::Set | Field::Target | Field::Errors if focus && open => {
                canvas.line_right(value, &line(Role::Muted, "↑↓ others"))
            }
            _ => value,
        };
        match field {
            Field::Set | Field::Target | Field::Errors => canvas.line(value, &self.chosen(field)),
            Field::Name => self.input(canvas, value, &self.name, focus, &self.proposed()),
            Field::AtATime => {
                let usual = self.of_target().map_or(1, |target| target.concurrency);
                self.input(canvas, value, &self.at_a_time, focus, &format!("{usual}, as the target says"));
            }
            Field::Limit => {
                let help = "none · dollars, such as 2.50: it stops before it costs more";
                self.input(canvas, value, &self.limit, focus, help);
            }
        }
    }

    /// What stands in a field that is chosen and not typed.
    fn chosen(&self, field: Field) -> Line {
        match field {
            Field::Set => self.of_set().map_or_else(Line::default, |set| {
                let cases = usize::try_from(set.cases).unwrap_or(usize::MAX);
                let more = format!(" · version {} · {}", set.version, figures::plural(cases, "case"));
                words().plain(set.name.as_str()).muted(more).done()
            }),
            Field::Target => self.of_target().map_or_else(Line::default, |target| {
                let kind = (target.kind != target.name).then(|| format!(" · {}", target.kind));
                let prompt = target.prompt.as_ref().map(|prompt| format!(" · prompt {prompt}"));
                words().plain(&target.name).maybe(Role::Muted, kind).maybe(Role::Muted, prompt).done()
            }),
            _ => {
                let errors = usize::try_from(self.offer.errors).unwrap_or(usize::MAX);
                let what = if self.errors_again { "ask again" } else { "leave as they are" };
                words().plain(what).muted(format!(" · {}", figures::plural(errors, "case"))).done()
            }
        }
    }

    /// The name that it gets when nobody types one.
    fn proposed(&self) -> String {
        match &self.state {
            State::Known(check) => check.name.to_string(),
            _ => "made of set, target and a number".to_owned(),
        }
    }

    pub(super) fn input(&self, canvas: &mut Canvas<'_>, value: Rect, input: &Input, focus: bool, help: &str) {
        input.view(canvas, value, focus);
        if input.text().is_empty() {
            let gap = u16::from(focus);
            let place = Rect { x: value.x + gap, width: value.width.saturating_sub(gap), ..value };
            canvas.line(place, &line(Role::Muted, help));
        }
    }

    /// What it would come to.
    pub(super) fn foot(&self, cols: usize) -> Vec<Line> {
        match &self.state {
            State::Waiting => vec![line(Role::Muted, "working out what it would come to…")],
            State::Wrong(lines) => {
                lines.iter().flat_map(|text| wrap_line(text, cols, &[], &[span(Role::Plain, "  ")])).collect()
            }
            State::Known(check) => facts(check)
                .into_iter()
                .flat_map(|(name, role, text)| {
                    let first = span(Role::Muted, format!("{name:<FACTS$}"));
                    let rest = span(Role::Plain, " ".repeat(FACTS));
                    wrap_line(&line(role, text), cols, &[first], &[rest])
                })
                .collect(),
        }
    }
}

/// What a run would come to, by name.
fn facts(check: &RunCheck) -> Vec<(&'static str, Role, String)> {
    let of = &check.estimate;
    let count = |n: u64| figures::thousands(i64::try_from(n).unwrap_or(i64::MAX));
    let plural = |n: u64| figures::plural(usize::try_from(n).unwrap_or(usize::MAX), "case");
    if of.cases == 0 {
        return vec![("asks", Role::Alert, "no case: every one has its result".to_owned())];
    }
    let mut out = Vec::new();
    let cached =
        if of.cached > 0 { format!(", {} of them from the cache", count(of.cached)) } else { String::new() };
    out.push(("asks", Role::Plain, format!("{}{cached}", plural(of.cases))));
    if of.tokens_in + of.tokens_out > 0 {
        let tokens = format!("about {} in and {} out", count(of.tokens_in), count(of.tokens_out));
        out.push(("tokens", Role::Plain, tokens));
    }
    let most = of.at_most_usd.filter(|most| *most > 0.0).map(figures::dollars);
    let most = most.map_or_else(String::new, |most| format!(", at most {most}"));
    match of.cost_usd {
        Some(0.0) if most.is_empty() => out.push(("cost", Role::Plain, "nothing".to_owned())),
        Some(cost) => out.push(("cost", Role::Plain, format!("about {}{most}", figures::dollars(cost)))),
        None => out.push(("cost", Role::Alert, format!("not known: the target has no price{most}"))),
    }
    let time = match of.takes_ms {
        Some(0.0) => "no more than evaluating takes".to_owned(),
        Some(ms) => format!("about {}", figures::duration(ms)),
        None => "not known: nothing like it was run before".to_owned(),
    };
    out.push(("time", Role::Plain, time));
    out.push(("based on", Role::Muted, of.based_on.clone()));
    let own = (check.own_checks > 0).then(|| format!("the own checks of {}", plural(check.own_checks)));
    let by: Vec<String> = check.evaluators.iter().cloned().chain(own).collect();
    if check.unchecked > 0 {
        let text = format!("nothing evaluates {}: any answer passes", plural(check.unchecked));
        out.push(("evaluated", Role::Alert, text));
    } else {
        out.push(("evaluated", Role::Plain, format!("by {}", figures::list_of(&by, "and"))));
    }
    out
}

/// What is wrong, then each way out.
pub(super) fn said(error: &Error) -> Vec<Line> {
    let mut out = vec![words().put(Role::Fail, "✗ ").plain(&error.what).done()];
    out.extend(error.why.iter().map(|why| line(Role::Muted, format!("  {why}"))));
    out.extend(error.hints.iter().map(|hint| words().muted("  → ").plain(hint).done()));
    out
}
