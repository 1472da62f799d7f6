//! A drill that plays itself: the default steps of the runbook, one after the other, as a careful person would take
//! them. For tests, and to show what a drill is.

use super::Drill;
use super::scenario::{call, onset};
use super::suspect;
use crate::domain::incident::{Outcome, StepStatus};
use crate::domain::runbook::{Phase, Severity, StepKind};
use crate::domain::switch::Power;
use crate::domain::{Error, Result, Untrusted};
use crate::ops::assess::{AssessRequest, Assessment, OnsetVerdict, assess};
use crate::ops::feature::{SwitchAsk, switch};
use crate::ops::incident::step::{self, RanState, RunAsk};
use crate::ops::incident::{self, Act, IncidentView, OpenRequest, StepView};
use crate::ops::runbook::Books;
use crate::ops::{Ctx, monitor};
use crate::task::{Cancel, Progress};

const MINUTE_MS: i64 = 60_000;
/// Minutes that a watch may take before it is signed unproven, and between two looks at it. Where no version is
/// guilty there is none whose absence can be proven: waiting longer shows nothing more.
const WATCHED: usize = 600;
const WATCHED_WITHOUT_VERSION: usize = 150;
const LOOKED_EVERY: usize = 5;
/// Minutes that the traces get to show what a switch did.
const SHOWN: usize = 12;
/// Minutes until somebody else has repaired what is theirs.
const REPAIRED: usize = 20;
/// Minutes of traffic before it is looked at what answers.
const SETTLED: usize = 16;
/// The one who looks on.
const SECOND: &str = "jo";

/// Plays the drill to its end. Its clock must stand: it is moved on from minute to minute.
///
/// # Errors
/// When it was cancelled, or the store cannot be written.
pub fn play(drill: &mut Drill, books: &Books, cancel: &Cancel, progress: &Progress) -> Result<()> {
    progress.phase("playing the drill");
    let id = notice(drill, books, cancel, progress)?;
    let mut player = Player { drill, id, cancel, progress, off: false, guilty_prompt: false };
    for phase in Phase::ALL {
        for step in player.steps(phase)? {
            cancel.check()?;
            // The program looks faster than a person reads.
            if step.kind != "check" {
                player.minute()?;
            }
            if player.take(&step)? == Next::FalseAlarm {
                return player.close(
                    Outcome::FalseAlarm,
                    "The judge judges by another model since; users notice nothing.",
                );
            }
        }
        if phase == Phase::Verify {
            player.close(Outcome::Resolved, "It is over.")?;
        }
    }
    Ok(())
}

/// Waits for an alert, or for somebody to call, and opens an incident.
fn notice(drill: &mut Drill, books: &Books, cancel: &Cancel, progress: &Progress) -> Result<String> {
    let (after, words) = call(drill.place.plan.scenario, &drill.place.plan.stage);
    let called = onset(drill.place.plan.begin) + after;
    loop {
        cancel.check()?;
        drill.ctx.clock.advance_ms(MINUTE_MS);
        progress.add(1);
        drill.advance()?;
        let alerts = monitor::alerts(&drill.ctx, false)?;
        if let Some(alert) = alerts.iter().find(|alert| alert.fired_at >= onset(drill.place.plan.begin)) {
            return Ok(monitor::open_incident(&drill.ctx, &alert.id, books)?.head.id);
        }
        if drill.ctx.clock.now() >= called {
            let request = OpenRequest {
                title: words.into(),
                feature: Some(drill.place.plan.stage.feature.as_str().into()),
                books: books.clone(),
                ..OpenRequest::default()
            };
            return Ok(incident::open(&drill.ctx, request)?.head.id);
        }
    }
}

struct Player<'a> {
    drill: &'a mut Drill,
    id: String,
    cancel: &'a Cancel,
    progress: &'a Progress,
    /// The feature was switched off.
    off: bool,
    /// A version of the prompt is believed to have done it.
    guilty_prompt: bool,
}

#[derive(PartialEq)]
enum Next {
    On,
    FalseAlarm,
}

impl Player<'_> {
    fn ctx(&self) -> &Ctx {
        &self.drill.ctx
    }

    fn feature(&self) -> &str {
        &self.drill.place.plan.stage.feature
    }

    fn minute(&mut self) -> Result<()> {
        self.cancel.check()?;
        self.drill.ctx.clock.advance_ms(MINUTE_MS);
        self.progress.add(1);
        self.drill.advance().map(drop)
    }

    fn view(&self) -> Result<IncidentView> {
        incident::show(self.ctx(), &self.id)
    }

    fn steps(&self, phase: Phase) -> Result<Vec<StepView>> {
        let view = self.view()?;
        Ok(view.phases.into_iter().filter(|of| of.phase == phase).flat_map(|of| of.steps).collect())
    }

    fn act(&self, act: Act) -> Result<()> {
        incident::act(self.ctx(), &self.id, act, None).map(drop)
    }

    fn done(&self, step: &StepView, note: &str) -> Result<()> {
        self.act(Act::Done { step: step.id.clone(), note: Some(note.into()) })
    }

    fn skip(&self, step: &StepView, why: &str) -> Result<()> {
        self.act(Act::Skip { step: step.id.clone(), note: Some(why.into()) })
    }

    fn is_settled(&self, step: &StepView) -> Result<bool> {
        let view = self.view()?;
        let state =
            view.phases.iter().flat_map(|of| &of.steps).find(|of| of.id == step.id).map(|of| of.state);
        Ok(state.is_none_or(StepStatus::is_settled))
    }

    /// Takes the default way through a step.
    fn take(&mut self, step: &StepView) -> Result<Next> {
        if self.is_settled(step)? {
            return Ok(Next::On);
        }
        let kind = self.kind(step)?;
        match kind {
            StepKind::Manual => self.by_hand(step)?,
            StepKind::Ask { choices } => return self.answer(step, &choices),
            StepKind::Check { metric, .. } => {
                if metric.raw() == "prompt_share" && std::mem::take(&mut self.off) {
                    // What answers can be seen only where something does.
                    self.switch_on()?;
                }
                return self.look(step);
            }
            StepKind::Rollback { .. } if !self.guilty_prompt => {
                self.skip(step, "The prompt has nothing to do with it.")?;
            }
            StepKind::Gate { .. } => self.skip(step, "No new version: what was good is back.")?,
            StepKind::Monitor { .. } => self.watch(step)?,
            StepKind::Flag { to, .. } if to.raw() == "on" => {
                if std::mem::take(&mut self.off) {
                    self.switch_on()?;
                }
                self.carry_out(step)?;
            }
            _ => self.carry_out(step)?,
        }
        Ok(Next::On)
    }

    fn kind(&self, step: &StepView) -> Result<StepKind> {
        let file = self.ctx().store.incident(&crate::store::IncidentRef::parse(&self.id)?)?;
        let of = file.incident.runbook.book.steps.iter().find(|of| of.id == step.id);
        of.map(|of| of.kind.clone()).ok_or_else(|| Error::failed("A step of the runbook is gone."))
    }

    fn by_hand(&mut self, step: &StepView) -> Result<()> {
        if step.id.starts_with("tell") || step.id == "resolve" {
            let draft = incident::draft_update(self.ctx(), &self.id, self.cancel)?;
            incident::update(self.ctx(), &self.id, draft.into())?;
        }
        if step.id == "read-five" {
            self.attach_five()?;
        }
        if step.id == "cases" {
            return self.skip(step, "A drill: its traces go with it.");
        }
        if step.id == "second-reader" {
            let second = Ctx { reviewer: SECOND.to_owned(), ..self.ctx().clone() };
            incident::act(&second, &self.id, Act::SignRead, None)?;
        }
        self.done(step, "done")
    }

    fn attach_five(&self) -> Result<()> {
        let mut found = suspect::bad(self.ctx(), self.feature(), 5, self.cancel)?;
        let there = self.view()?.evidence;
        found.retain(|id| there.iter().all(|trace| trace.id != *id));
        if found.is_empty() { Ok(()) } else { incident::attach(self.ctx(), &self.id, &found).map(drop) }
    }

    fn answer(&mut self, step: &StepView, choices: &[Untrusted]) -> Result<Next> {
        if step.id == "severity" || choices.iter().any(|of| of.raw() == "SEV2") {
            if self.view()?.head.severity != Some(Severity::Sev2) {
                self.act(Act::Severity { severity: Severity::Sev2, note: None })?;
            }
            self.done(step, "SEV2")?;
            return Ok(Next::On);
        }
        let text = match step.fills.map(|of| of.name()) {
            Some("why") => self.belief()?,
            Some("detection") => "An alert, or a call: real until shown otherwise.".to_owned(),
            Some("summary") => format!("A drill. {}", self.drill.place.plan.told()),
            Some("went_well") => "The runbook was at hand.".to_owned(),
            Some(_) => "A drill: nothing to add.".to_owned(),
            None => choices.first().map_or("done".to_owned(), |of| of.raw().to_owned()),
        };
        self.done(step, &text)?;
        Ok(Next::On)
    }

    /// What the default steps believe: a version that came when it began is guilty; else a model that stands out, else
    /// something that is everywhere.
    fn belief(&mut self) -> Result<String> {
        if let Some(version) = suspect::newcomer(self.ctx(), self.feature())? {
            self.guilty_prompt = true;
            return Ok(format!("prompt: {version} came when it began"));
        }
        Ok(match suspect::model(self.ctx(), self.feature())?.or_else(|| self.slice("model")) {
            Some(model) => format!("model or provider: {model} stands out"),
            None => "unknown: every version and model alike; contain anyway".to_owned(),
        })
    }

    /// What the program itself makes of it, where there is enough to say anything.
    fn assessed(&self) -> Option<Assessment> {
        assess(self.ctx(), &self.id, AssessRequest::default(), self.cancel).ok()
    }

    /// The value of a dimension in the slice that fails most tellingly.
    fn slice(&self, dimension: &str) -> Option<String> {
        let found = self.assessed()?;
        let first = found.slices.ranked.first()?;
        first.slice.iter().find(|(of, _)| of == dimension).map(|(_, value)| value.raw().to_owned())
    }

    fn look(&mut self, step: &StepView) -> Result<Next> {
        match step::run(self.ctx(), &self.drill.hands, &self.id, &step.id, &RunAsk::default(), self.cancel) {
            Ok(ran) if ran.settled => {}
            Ok(ran) if ran.state == RanState::Breach && step.id == "meter" => {
                return Ok(Next::FalseAlarm);
            }
            Ok(ran) => {
                let said = ran.said.map(Untrusted::into_raw).unwrap_or_default();
                if !self.is_settled(step)? {
                    self.done(step, &format!("signed: {said}"))?;
                }
            }
            Err(error) => self.done(step, &format!("signed: {}", error.what))?,
        }
        if step.id == "onset" {
            let view = self.view()?;
            let onset = self.assessed().map(|found| found.onset);
            // What is only possible is no better than the time of the call.
            let sure = onset.filter(|onset| onset.verdict == OnsetVerdict::Onset && !onset.sparse);
            let found = sure.and_then(|onset| onset.at);
            let began = found.or_else(|| Some(suspect::began(view.head.opened_at)));
            if let Some(began_at) = began.filter(|at| *at <= self.ctx().clock.now()) {
                self.act(Act::Began { began_at })?;
            }
        }
        Ok(Next::On)
    }

    fn carry_out(&mut self, step: &StepView) -> Result<()> {
        let run = |player: &Self| {
            step::run(
                player.ctx(),
                &player.drill.hands,
                &player.id,
                &step.id,
                &RunAsk::default(),
                player.cancel,
            )
        };
        let mut ran = match run(self) {
            Ok(ran) => ran,
            Err(error) => return self.skip(step, &format!("It cannot be done here: {}", error.what)),
        };
        if ran.state == RanState::WaitingForApproval {
            let second = Ctx { reviewer: SECOND.to_owned(), ..self.ctx().clone() };
            step::approve(&second, &self.id, &step.id, None)?;
            self.minute()?;
            ran = run(self)?;
        }
        self.off |= matches!(self.kind(step)?, StepKind::Flag { to, .. } if to.raw() == "off");
        for _ in 0..SHOWN {
            if ran.settled || self.is_settled(step)? {
                return Ok(());
            }
            self.minute()?;
            ran = step::recheck(self.ctx(), &self.drill.hands, &self.id, &step.id, self.cancel)?;
        }
        if self.is_settled(step)? { Ok(()) } else { self.done(step, "unconfirmed") }
    }

    /// Switches on again what was switched off, and watches.
    fn watch(&mut self, step: &StepView) -> Result<()> {
        if std::mem::take(&mut self.off) {
            self.switch_on()?;
        }
        let watched = if self.guilty_prompt { WATCHED } else { WATCHED_WITHOUT_VERSION };
        for _ in 0..watched / LOOKED_EVERY {
            let ask = RunAsk::default();
            match step::run(self.ctx(), &self.drill.hands, &self.id, &step.id, &ask, self.cancel) {
                Ok(ran) if ran.settled => return Ok(()),
                Ok(_) if self.is_settled(step)? => return Ok(()),
                Ok(_) => {}
                Err(_) => break,
            }
            for _ in 0..LOOKED_EVERY {
                self.minute()?;
            }
        }
        self.done(step, "accepted unproven: watched for as long as the drill allows")
    }

    fn switch_on(&mut self) -> Result<()> {
        // Where no prompt is guilty, somebody else repairs it, and says so.
        let wait = if self.guilty_prompt { 0 } else { REPAIRED };
        for _ in 0..wait {
            self.minute()?;
        }
        let ask = SwitchAsk {
            feature: self.feature().to_owned(),
            to: Power::On,
            fallback: None,
            reason: Some("it is repaired".to_owned()),
            dry_run: false,
        };
        switch(self.ctx(), self.drill.hands.team(), &ask, &|_| None, self.cancel)?;
        self.act(Act::Note { text: "switched on again".into(), step: None })?;
        for _ in 0..SETTLED {
            self.minute()?;
        }
        Ok(())
    }

    fn close(&mut self, outcome: Outcome, note: &str) -> Result<()> {
        self.minute()?;
        incident::close(self.ctx(), &self.id, outcome, Some(note.into())).map(drop)
    }
}
