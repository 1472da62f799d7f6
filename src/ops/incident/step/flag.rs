//! The feature's switch: reads, switches, reads again.

use super::ground::Ground;
use super::{Outcome, Planned};
use crate::domain::runbook::StepKind;
use crate::domain::switch::{Power, SwitchSpec};
use crate::domain::{Error, ErrorKind, Result, Untrusted};
use crate::ops::feature::{self, Proof, SwitchAsk, SwitchView};
use crate::wire::flag;

/// What would be switched.
pub(super) fn plan(ground: &Ground<'_>) -> Result<Planned> {
    let mut planned = Planned::default();
    let Some(ask) = planned.may_fail(wanted(ground, true)) else { return Ok(planned) };
    planned.to = Some(ask.to.word().to_owned());
    let Some(view) = planned.may_fail(switch(ground, &ask)) else { return Ok(planned) };
    planned.from = view.from.map(|from| from.word().to_owned());
    planned.changes = view.changes;
    planned.lines = match view.changes {
        true => view.steps.clone(),
        false => vec![format!("{} is {} already: nothing changes", view.feature, view.to.word())],
    };
    planned.notes.clone_from(&view.notes);
    if view.changes
        && !ground.rehearsal
        && let Some(file) = spec(ground, &ask).and_then(flag::file_of)
    {
        let kept = flag::kept_as(file, &ground.incident.name());
        planned.notes.push(format!("{} is kept as it is now, as {}.", file.display(), kept.display()));
    }
    planned.undo.clone_from(&view.undo);
    for look in view.read_back.iter().filter(|look| look.state.is_none()) {
        let why = look.why.as_deref().unwrap_or("no reason is known");
        // It can be switched all the same; that it took must be seen from the traces then.
        planned.notes.push(format!("{} cannot be read: {why}", look.by));
    }
    Ok(planned)
}

/// Switches.
pub(super) fn act(ground: &Ground<'_>) -> Result<Outcome> {
    let ask = wanted(ground, false)?;
    if let Some(spec) = spec(ground, &ask)
        && switch(ground, &SwitchAsk { dry_run: true, ..ask.clone() })?.changes
    {
        flag::keep(spec, &ground.hands.team().home, &ground.incident.name())?;
    }
    Ok(match switch(ground, &ask) {
        Ok(view) => {
            let said = view.said.as_ref().map(|said| format!("; {}", said.raw())).unwrap_or_default();
            let proof = match view.proof {
                Proof::Proved => format!("read back: it is {}", ask.to.word()),
                Proof::NotDone => format!("it was {} already", ask.to.word()),
                _ => "there is nothing to read it back from".to_owned(),
            };
            Outcome::Done(format!("{proof}{said}"))
        }
        Err(error) if error.kind == ErrorKind::Cancelled => {
            Outcome::Unknown("it was stopped on the way".to_owned())
        }
        // The switch decides by reading back; what it could not tell it says so.
        Err(error) => match now(ground, &ask) {
            Some(power) if power == ask.to => Outcome::Done(format!("read back: it is {}", power.word())),
            Some(power) => Outcome::Failed(told(&error, power)),
            None => Outcome::Unknown(error.what),
        },
    })
}

fn told(error: &Error, power: Power) -> String {
    let why = error.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    format!("{}{why}; it reads {}", error.what.trim_end_matches('.'), power.word())
}

/// What came of an act that was cut off: reading again decides.
pub(super) fn decide(ground: &Ground<'_>) -> Result<Option<Outcome>> {
    let ask = wanted(ground, true)?;
    Ok(now(ground, &ask).map(|power| match power == ask.to {
        true => Outcome::Done(format!("read again: it is {}", power.word())),
        false => Outcome::Failed(format!("read again: it is {}, the switch did not take", power.word())),
    }))
}

/// How it stands.
fn now(ground: &Ground<'_>, ask: &SwitchAsk) -> Option<Power> {
    let looked = switch(ground, &SwitchAsk { dry_run: true, ..ask.clone() }).ok()?;
    let mut states = looked.read_back.iter().filter_map(|look| look.state);
    let first = states.next()?;
    // Two who say otherwise of one flag tell nothing.
    states.all(|state| state == first).then_some(first)
}

fn wanted(ground: &Ground<'_>, dry_run: bool) -> Result<SwitchAsk> {
    let StepKind::Flag { flag, to, .. } = &ground.step().kind else {
        return Err(Error::not_so("This step switches nothing."));
    };
    let to = [Power::On, Power::Off].into_iter().find(|power| power.word() == to.raw()).ok_or_else(|| {
        Error::not_so(format!("Step {} switches to “{}”.", ground.step().id, to.raw()))
            .hint("A feature is switched `on` or `off`.")
    })?;
    let feature = flag.as_ref().map(Untrusted::raw).map_or_else(|| ground.wanted_feature(), Ok)?.to_owned();
    Ok(SwitchAsk { feature, to, fallback: None, reason: Some(ground.reason()), dry_run })
}

fn spec<'a>(ground: &'a Ground<'_>, ask: &SwitchAsk) -> Option<&'a SwitchSpec> {
    let mut features = ground.hands.team().features.iter();
    features.find(|feature| feature.name == ask.feature)?.switch.as_ref()
}

fn switch(ground: &Ground<'_>, ask: &SwitchAsk) -> Result<SwitchView> {
    let variable = |name: &str| ground.hands.variable(name);
    feature::switch(ground.ctx, ground.hands.team(), ask, &variable, ground.cancel)
}
