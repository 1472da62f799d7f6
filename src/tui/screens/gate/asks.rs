//! What a person is asked on the way to an act: a signature, the target to try.

use jiff::tz::TimeZone;

use super::work::What;
use super::{GateScreen, SIGN, TARGET};
use crate::domain::gate::Item;
use crate::domain::{Error, Result, TargetKind};
use crate::ops::gate::SignSpec;
use crate::text::Role;
use crate::tui::overlays::{Choice, Field, Form, Picker};
use crate::tui::screen::Cx;
use crate::tui::words::{line, words};

impl GateScreen {
    pub(super) fn sign(&mut self, cx: &mut Cx<'_>) {
        let Some(open) = &mut self.open else { return };
        let Some(item) = open.item().map(|item| item.item).filter(|item| item.is_signed()) else { return };
        open.signing = Some(item);
        let title = words().put(Role::Title, format!("Sign: {}", item.title()));
        let by = Field::new("by", &cx.env.reviewer, "who signs");
        let note = Field::new("note", "", "what there is to say of it, or nothing");
        let fields = if item == Item::Oncall {
            vec![
                by,
                Field::new("on call", "", "who, where that is another; the gate file may name them"),
                Field::new("contact", "", "how to reach them; the gate file may say it"),
                Field::new("until", "", "a time, or nothing: a day from now"),
                note,
            ]
        } else {
            vec![by, note]
        };
        cx.open(Form::new(SIGN, title, fields));
    }

    pub(super) fn signed(&mut self, fields: &[String], cx: &mut Cx<'_>) {
        let Some(open) = &mut self.open else { return };
        let Some(item) = open.signing.take() else { return };
        let text =
            |at: usize| fields.get(at).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let duty = item == Item::Oncall;
        let until = match text(3).filter(|_| duty).map(|text| time(&text, &cx.env.zone)).transpose() {
            Ok(until) => until,
            Err(error) => return cx.fail(error),
        };
        let spec = SignSpec {
            item,
            by: text(0).unwrap_or_default(),
            note: text(if duty { 4 } else { 1 }),
            on_call: text(1).filter(|_| duty),
            contact: text(2).filter(|_| duty),
            from: None,
            until,
        };
        let of = open.of.clone();
        self.act("signing", What::Sign { of, spec: Box::new(spec) }, cx);
    }

    /// Targets that can be tried.
    pub(super) fn targets(&self) -> Vec<&str> {
        let askable = self.config.targets.iter().filter(|target| target.kind != TargetKind::Recorded);
        askable.map(|target| target.name.as_str()).collect()
    }

    pub(super) fn choose_target(&self, cx: &mut Cx<'_>) {
        let targets = self.targets();
        if targets.is_empty() {
            let error = Error::not_so("There is no target to try.");
            return cx.fail(error.hint("Describe the application as [targets.NAME] of tuesday.toml."));
        }
        let choices = targets.into_iter().map(|name| Choice::new(line(Role::Plain, name))).collect();
        cx.open(Picker::new(
            TARGET,
            line(Role::Title, "Which target is tried against a server that fails?"),
            choices,
        ));
    }
}

/// A time with its offset, or as it is on the clock here.
fn time(text: &str, zone: &TimeZone) -> Result<jiff::Timestamp> {
    let wrong =
        || Error::not_so(format!("\"{text}\" is not a time.")).hint("Write it like 2026-03-05T09:00.");
    text.parse()
        .or_else(|_| text.parse().and_then(|civil: jiff::civil::DateTime| zone.to_timestamp(civil)))
        .map_err(|_| wrong())
}
