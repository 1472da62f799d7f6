//! One person acts in an incident at a time: a lease with a sign of life, let go of at the end.

use std::thread::JoinHandle;

use super::ground::Ground;
use crate::domain::incident::{Act, Acting};
use crate::domain::{Error, Result};
use crate::ops::Ctx;
use crate::ops::label::reviewer;
use crate::store::{LEASE_BEAT, LeaseRow, Lock};
use crate::task::Cancel;

/// Held while a step is carried out.
pub(super) struct Lease {
    ctx: Ctx,
    incident: String,
    program: String,
    stop: Cancel,
    beats: Option<JoinHandle<()>>,
    _lock: Option<Lock>,
}

impl Lease {
    /// Takes it for the step. `by_force`: from whoever holds it, which the record says.
    ///
    /// # Errors
    /// `NotSo` while somebody else carries out a step.
    pub(super) fn take(ground: &Ground<'_>, by_force: bool) -> Result<Self> {
        let (ctx, incident) = (ground.ctx, &ground.incident);
        let (step, now) = (&ground.step().id, ground.now());
        let wanted = LeaseRow {
            holder: reviewer(ctx)?.into(),
            program: ctx.store.new_switch(now),
            step: step.clone(),
            taken_at: now,
            beat_at: now,
        };
        let held = if by_force { ctx.store.act_lease(&incident.uuid, now)? } else { None };
        let lock = ctx.store.take_act_lease(&incident.uuid, &wanted, by_force)?.map_err(|held| {
            let title = incident.find(&held.step).map(|at| incident.runbook.book.steps[at].title.raw());
            Error::not_so(format!(
                "{} carries out “{}” of {} now.",
                held.holder.raw(),
                title.unwrap_or(&held.step),
                incident.name()
            ))
            .hint("Wait until it has ended: one acts at a time.")
            .hint(format!("To take over: tuesday incident step {} {step} --take", incident.name()))
        })?;
        let mut lease = Self {
            ctx: ctx.clone(),
            incident: incident.uuid.clone(),
            program: wanted.program,
            stop: Cancel::default(),
            beats: None,
            _lock: lock,
        };
        if let Some(held) = held {
            let act = Acting::TakeLease { step: step.clone(), from: held.holder };
            crate::ops::incident::act(ctx, &incident.name(), Act::Acting(act), None)?;
        }
        lease.beats = Some(lease.beat());
        Ok(lease)
    }

    fn beat(&self) -> JoinHandle<()> {
        let (ctx, stop) = (self.ctx.clone(), self.stop.clone());
        let (incident, program) = (self.incident.clone(), self.program.clone());
        std::thread::spawn(move || {
            while stop.wait(LEASE_BEAT).is_ok() {
                // One that is lost is found out by whoever took it; the act itself is not called back.
                if !ctx.store.beat_act_lease(&incident, &program, ctx.clock.now()).unwrap_or(true) {
                    return;
                }
            }
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(beats) = self.beats.take() {
            let _ = beats.join();
        }
        // If it cannot be let go of, its silence will say so.
        let _ = self.ctx.store.drop_act_lease(&self.incident, &self.program);
    }
}
