//! Switching a feature: dry run, act once, read back, and a record of it all.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use super::{Variable, switched};
use crate::domain::prompt::TeamConfig;
use crate::domain::switch::{Fallback, Power, SwitchEvent, SwitchNote, SwitchOf, SwitchStage};
use crate::domain::{Error, ErrorKind, Result, Untrusted};
use crate::ops::Ctx;
use crate::task::Cancel;
use crate::wire::flag::{Acted, Flag, Order, Reading};

/// How long is waited between two looks at whether a switch took.
const BETWEEN: Duration = Duration::from_millis(250);

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchAsk {
    /// The feature.
    pub feature: String,
    /// On or off.
    pub to: Power,
    /// What answers meanwhile.
    pub fallback: Option<Fallback>,
    /// Why, in the person's words.
    pub reason: Option<String>,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
}

/// What was done, or would be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SwitchView {
    /// The feature.
    pub feature: String,
    /// The kind of switch.
    pub kind: &'static str,
    /// What switches, in words.
    pub switch: String,
    /// How it stood before; none where that cannot be told.
    pub from: Option<Power>,
    /// How it is to stand.
    pub to: Power,
    /// What answers meanwhile.
    pub fallback: Option<Fallback>,
    /// Nothing was done: this says what would be.
    pub dry_run: bool,
    /// Whether anything changes: not where it stands so already.
    pub changes: bool,
    /// What is done, a line a step. Keys are named, not shown.
    pub steps: Vec<String>,
    /// What the switch said.
    pub said: Option<Untrusted>,
    /// Whether it took.
    pub proof: Proof,
    /// What was read back, in order of asking.
    pub read_back: Vec<ReadBack>,
    /// What takes it back.
    pub undo: Option<String>,
    /// What else is to be known.
    pub notes: Vec<String>,
}

/// Whether a switch took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Nothing was switched.
    NotDone,
    /// It was read back.
    Proved,
    /// There is nothing to read it back from.
    Unproved,
    /// It was read back and is otherwise.
    Refuted,
}

/// One look at how a feature stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReadBack {
    /// Who was asked: `switch`, `ofrep`.
    pub by: &'static str,
    /// How it stands; none where that cannot be told.
    pub state: Option<Power>,
    /// Why it cannot.
    pub why: Option<String>,
}

/// Switches a feature, or says what that would do. Acts once: what may have been done is never done again by
/// itself; reading back decides what came of it.
///
/// # Errors
/// `NotSo` when the feature has no switch, the switch refuses, somebody else is switching it, or it reads
/// otherwise afterwards; `Usage` when a key is missing; `Failed` when a file cannot be changed. All but the last
/// and the reading are found by a dry run too.
pub fn switch(
    ctx: &Ctx,
    team: &TeamConfig,
    ask: &SwitchAsk,
    variable: Variable<'_>,
    cancel: &Cancel,
) -> Result<SwitchView> {
    let (feature, spec) = switched(team, &ask.feature)?;
    let flag = Flag::connect(spec, &feature.name, &team.home, variable)?;
    // Held to the end: of two who act at once the second finds it done.
    let _lock = match ask.dry_run {
        true => None,
        false => Some(ctx.store.lock_switch(SwitchOf::Feature, &ask.feature)?.ok_or_else(|| {
            Error::not_so(format!("Somebody else is switching {} now.", ask.feature))
                .hint("Look what became of it: tuesday feature list")
        })?),
    };
    let record = ctx.store.switches(SwitchOf::Feature, &ask.feature)?;
    let parked = parked(&record);
    let order = Order { to: ask.to, fallback: ask.fallback, parked: parked.as_ref() };
    let before = look(&flag, cancel)?;
    let from = before.iter().find_map(|look| look.state);
    // A fallback that the switch names may differ while the state is the same.
    let names_fallback = ask.fallback.is_some_and(|fallback| flag.tells_fallback(fallback));
    let is_so = !before.is_empty() && before.iter().all(|look| look.state == Some(ask.to));
    let mut view = SwitchView {
        feature: ask.feature.clone(),
        kind: spec.kind.name(),
        switch: flag.place(),
        from,
        to: ask.to,
        fallback: ask.fallback,
        dry_run: ask.dry_run,
        changes: !is_so || names_fallback,
        steps: Vec::new(),
        said: None,
        proof: Proof::NotDone,
        read_back: before,
        undo: None,
        notes: Vec::new(),
    };
    notes(&flag, ask, &record, &mut view);
    if !view.changes {
        return Ok(view);
    }
    view.steps = flag.plan(order)?;
    view.undo = Some(format!("tuesday feature {} {}", ask.to.opposite().word(), ask.feature));
    if ask.dry_run {
        if let Some(said) = flag.rehearse(order, cancel)? {
            view.said = Some(said.into());
        }
        return Ok(view);
    }
    let act = Act { ctx, ask, id: ctx.store.new_switch(ctx.clock.now()) };
    act.record(SwitchStage::Begun, &view, None)?;
    let done = match flag.act(order, cancel) {
        Ok(Acted::Done(said, parked)) => {
            view.said = Some(said.into());
            Ok(parked)
        }
        Ok(Acted::Unknown(why)) => Err(why),
        Err(error) => {
            view.said = Some(error.what.as_str().into());
            act.record(SwitchStage::Failed, &view, None)?;
            return Err(error);
        }
    };
    read_back(&flag, ask.to, spec.settle, &mut view, cancel)?;
    let parked = done.as_ref().ok().cloned().flatten().or(parked.filter(|_| ask.to == Power::Off));
    match (&done, view.proof) {
        (_, Proof::Proved) => act.record(SwitchStage::Done, &view, parked)?,
        (Ok(_), _) => act.record(SwitchStage::Unproven, &view, parked)?,
        (Err(why), _) => {
            view.said = Some(why.as_str().into());
            act.record(SwitchStage::Unproven, &view, parked)?;
        }
    }
    match (done, view.proof) {
        (_, Proof::Proved) | (Ok(_), Proof::Unproved | Proof::NotDone) => Ok(view),
        (Err(why), _) => Err(Error::failed(format!(
            "Whether {} is {} is not known: {why}; {}.",
            ask.feature,
            ask.to.word(),
            seen(&view)
        ))
        .hint("Look at it: tuesday feature list. It is not tried again by itself.")),
        (Ok(_), Proof::Refuted) => Err(Error::not_so(format!(
            "{} was switched {}, and after {:?} {}.",
            ask.feature,
            ask.to.word(),
            spec.settle,
            seen(&view)
        ))
        .hint("Look whether it is the flag that the application reads, and whether something else sets it.")
        .hint("Look at the traces too: tuesday feature list says who answered in the last minutes.")),
    }
}

/// What was taken out when it was switched off, for switching it on; what is still out, for switching it off again.
fn parked(record: &[SwitchEvent]) -> Option<Value> {
    let last =
        record.iter().rev().find(|event| matches!(event.stage, SwitchStage::Done | SwitchStage::Unproven))?;
    if last.to.raw() == Power::Off.word() { last.note.parked.clone() } else { None }
}

fn notes(flag: &Flag<'_>, ask: &SwitchAsk, record: &[SwitchEvent], view: &mut SwitchView) {
    if let Some(last) = record.last()
        && last.stage == SwitchStage::Begun
    {
        view.notes.push(format!(
            "What came of switching it {} at {} by {} is not known: the program ended before it was.",
            last.to.raw(),
            last.at.strftime("%Y-%m-%d %H:%M UTC"),
            last.by.raw()
        ));
    }
    if let Some(fallback) = ask.fallback
        && !flag.tells_fallback(fallback)
    {
        let word = fallback.word();
        view.notes
            .push(format!("The switch has no place for a fallback: `{word}` is kept in the record only."));
    }
    if view.changes {
        view.notes.extend(flag.caveats().into_iter().map(str::to_owned));
    }
}

/// Asks whoever can be asked how it stands.
fn look(flag: &Flag<'_>, cancel: &Cancel) -> Result<Vec<ReadBack>> {
    let mut looks = Vec::new();
    let mut told = |by, reading: Result<Reading>| {
        looks.push(match reading {
            Ok(Reading::Is(power)) => ReadBack { by, state: Some(power), why: None },
            Ok(Reading::Unknown(why)) => ReadBack { by, state: None, why: Some(why) },
            Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
            Err(error) => ReadBack { by, state: None, why: Some(error.what) },
        });
        Ok(())
    };
    if flag.can_read() {
        told("switch", flag.read(cancel))?;
    }
    if flag.is_evaluated() {
        told("ofrep", flag.evaluate(cancel))?;
    }
    Ok(looks)
}

/// Looks until all say what was wanted, or the time is over.
fn read_back(
    flag: &Flag<'_>,
    to: Power,
    settle: Duration,
    view: &mut SwitchView,
    cancel: &Cancel,
) -> Result<()> {
    let began = Instant::now();
    loop {
        view.read_back = look(flag, cancel)?;
        view.proof = match view.read_back[..] {
            [] => Proof::Unproved,
            ref looks if looks.iter().all(|look| look.state == Some(to)) => Proof::Proved,
            ref looks if looks.iter().any(|look| look.state == Some(to.opposite())) => Proof::Refuted,
            _ => Proof::Unproved,
        };
        if view.read_back.is_empty() || view.proof == Proof::Proved || began.elapsed() >= settle {
            return Ok(());
        }
        cancel.wait(BETWEEN.min(settle))?;
    }
}

/// `the switch reads on, ofrep reads off`.
fn seen(view: &SwitchView) -> String {
    let looks: Vec<String> = view
        .read_back
        .iter()
        .map(|look| match (look.state, &look.why) {
            (Some(state), _) => format!("{} reads {}", look.by, state.word()),
            (None, why) => format!("{} cannot be read ({})", look.by, why.as_deref().unwrap_or("no reason")),
        })
        .collect();
    if looks.is_empty() { "there is nothing to read it back from".to_owned() } else { looks.join(", ") }
}

/// A switch while it is done.
struct Act<'a> {
    ctx: &'a Ctx,
    ask: &'a SwitchAsk,
    id: String,
}

impl Act<'_> {
    fn record(&self, stage: SwitchStage, view: &SwitchView, parked: Option<Value>) -> Result<()> {
        let text = |word: &str| Untrusted::from(word);
        let said = match stage {
            SwitchStage::Begun => None,
            _ => {
                let said = view.said.as_ref().map(|said| format!("{}; ", said.raw())).unwrap_or_default();
                Some(Untrusted::new(format!("{said}{}", seen(view))))
            }
        };
        self.ctx.store.record_switch(
            SwitchOf::Feature,
            &self.ask.feature,
            &SwitchEvent {
                act: self.id.clone(),
                at: self.ctx.clock.now(),
                by: text(&self.ctx.reviewer),
                stage,
                from: view.from.map(|from| text(from.word())),
                to: text(self.ask.to.word()),
                note: SwitchNote {
                    fallback: self.ask.fallback,
                    rollback: false,
                    reason: self.ask.reason.as_deref().map(text),
                    did: view.steps.iter().map(|step| text(step)).collect(),
                    said,
                    parked,
                },
            },
        )
    }
}
