//! The daily sample: arriving traces are drawn, judged within a daily budget, and so feed quality.
//!
//! It runs beside whatever watches or receives, on a thread of its own. What is asked is written down before it is
//! asked: a trace is paid for once, however the program ends. A judge that does not answer is asked again later;
//! monitors go on meanwhile, and say that they have no data.

mod day;
mod draw;
mod purse;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::domain::monitor::{DAY_MS, HOUR_MS, MINUTE_MS};
use crate::domain::{Error, EvalConfig, JudgeSample, Outcome, Result};
use crate::ops::Ctx;
use crate::ops::run::{Bound, Ledger, Room, Spent, services, unpriced};
use crate::ops::score::{Prepared, Scorer, by_name};
use crate::store::{Asked, Lock, Pick};
use crate::task::Cancel;
use crate::text::figures::{dollars, plural};
pub use day::{SampleDay, today};
use draw::{OLDEST_MS, draw};
use futures::stream::{self, StreamExt};
use purse::PickPurse;

/// How often it looks for traces.
const LOOK: Duration = Duration::from_secs(2);
/// Spans of a trace come one after the other: it is judged when it has been quiet so long.
const SETTLED_MS: i64 = 2 * MINUTE_MS;
/// Traces that are asked about at a time.
const AT_A_TIME: usize = 4;
/// Traces of a round.
const ROUND: usize = 64;
/// The wait after a round in which the judge only failed, and the longest: it doubles.
const WAIT: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(15 * 60));
/// Times that a trace is asked about in vain, at no cost, before it is left.
const ATTEMPTS: u32 = 20;

/// Draws and judges.
pub struct DailySample<'a> {
    ctx: &'a Ctx,
    spec: &'a JudgeSample,
    scorer: Scorer,
    prepared: Prepared,
    holder: String,
}

/// What a round did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Round {
    /// Another program judges this store.
    pub elsewhere: bool,
    /// Arriving traces that were drawn.
    pub drawn: u64,
    /// Traces that were judged.
    pub told: u64,
    /// Traces of which the judges could not tell, or that are gone.
    pub untold: u64,
    /// Traces that are to be asked about again.
    pub again: u64,
    /// Why the judge did not answer, where it did not.
    pub trouble: Option<String>,
    /// What there is of today's budget by now is used up.
    pub no_room: bool,
}

/// What there is to tell a person.
#[derive(Debug)]
pub enum Told {
    /// Something that happened.
    Note(String),
    /// Something that went wrong.
    Trouble(Error),
}

impl<'a> DailySample<'a> {
    /// Makes the judges ready. Errors when one cannot be asked, or its model has no price so that no budget could be
    /// kept.
    pub fn new(ctx: &'a Ctx, config: &EvalConfig, spec: &'a JudgeSample, cancel: &Cancel) -> Result<Self> {
        let evaluators = by_name(config, &spec.evaluators)?;
        if let Some(model) = unpriced(config, &evaluators) {
            return Err(Error::usage(format!(
                "The daily sample is not judged: {model} has no price, so that its budget could not be kept."
            ))
            .hint(format!(
                "Say what it costs in tuesday.toml: [prices.\"{model}\"] input = …, output = … (0 for free)."
            )));
        }
        let checks = evaluators.iter().map(|one| &one.check);
        let scorer = Scorer::new(config, services(ctx, config, checks, cancel)?)?;
        let prepared = scorer.prepare(&evaluators)?;
        Ok(Self::with(ctx, spec, scorer, prepared))
    }

    fn with(ctx: &'a Ctx, spec: &'a JudgeSample, scorer: Scorer, prepared: Prepared) -> Self {
        Self { ctx, spec, scorer, prepared, holder: uuid::Uuid::now_v7().to_string() }
    }

    /// Goes on until cancelled.
    pub fn run(&self, cancel: &Cancel, tell: &dyn Fn(Told)) {
        let (mut held, mut wait, mut day) = (None, LOOK, 0);
        loop {
            match self.round(&mut held, cancel, tell) {
                Ok(round) => {
                    let failing = round.trouble.is_some() && round.told == 0;
                    let failed = wait > LOOK;
                    if let (Some(why), true) = (&round.trouble, failing && !failed) {
                        tell(Told::Trouble(
                            Error::failed(format!("The judge of the daily sample does not answer: {why}"))
                                .hint("It is asked again by itself; monitors go on without it."),
                        ));
                    } else if failed && round.told > 0 {
                        tell(Told::Note("The judge of the daily sample answers again.".to_owned()));
                    }
                    let today = self.day();
                    if round.no_room && std::mem::replace(&mut day, today) != today {
                        tell(Told::Note(format!(
                            "The daily sample has used what there is of its {} up to now; more is released by the hour.",
                            dollars(self.spec.max_usd_per_day)
                        )));
                    }
                    wait = match (failing, failed) {
                        (true, false) => WAIT.0,
                        (true, true) => (wait * 2).min(WAIT.1),
                        _ => LOOK,
                    };
                }
                Err(_) if cancel.is_cancelled() => {}
                Err(error) => {
                    tell(Told::Trouble(error));
                    wait = WAIT.0;
                }
            }
            if cancel.wait(wait).is_err() {
                return;
            }
        }
    }

    /// Rounds until nothing waits that can be judged now.
    pub fn once(&self, cancel: &Cancel, tell: &dyn Fn(Told)) -> Result<Round> {
        let mut held = None;
        let mut all = self.round(&mut held, cancel, tell)?;
        let mut last = all.told;
        while last > 0 && all.trouble.is_none() && !all.no_room {
            let next = self.round(&mut held, cancel, tell)?;
            last = next.told;
            all = Round {
                elsewhere: false,
                drawn: all.drawn + next.drawn,
                told: all.told + next.told,
                untold: all.untold + next.untold,
                again: next.again,
                trouble: next.trouble,
                no_room: next.no_room,
            };
        }
        Ok(all)
    }

    fn day(&self) -> i64 {
        self.ctx.clock.now().as_millisecond().div_euclid(DAY_MS)
    }

    fn round(&self, held: &mut Option<Lock>, cancel: &Cancel, tell: &dyn Fn(Told)) -> Result<Round> {
        if held.is_none() {
            *held = self.ctx.store.lock_judging()?;
            if held.is_none() {
                return Ok(Round { elsewhere: true, ..Round::default() });
            }
            let lost = self.ctx.store.lose_picks(&self.holder)?;
            if lost > 0 {
                tell(Told::Note(format!(
                    "{} was being judged when a program ended: not asked about again, and counted as paid.",
                    plural(lost, "trace")
                )));
            }
        }
        let drawn = draw(self.ctx, self.spec, cancel)?;
        let now = self.ctx.clock.now().as_millisecond();
        let picks = self.ctx.store.waiting_picks((now - OLDEST_MS, now - SETTLED_MS), ROUND)?;
        let mut round = Round { drawn, ..Round::default() };
        if picks.is_empty() {
            return Ok(round);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::failed("The judges of the daily sample cannot be started.").because(e))?;
        runtime.block_on(self.judge(&picks, cancel, &mut round))?;
        Ok(round)
    }

    async fn judge(&self, picks: &[Pick], cancel: &Cancel, round: &mut Round) -> Result<()> {
        let (paid, _) = self.ctx.store.judging_cost(self.day())?;
        let now = self.ctx.clock.now().as_millisecond();
        let ledger = Ledger::new(Some(released(self.spec, now)), paid);
        // What cannot be asked now ends the round: those that are asked already land first.
        let over = Cancel::default();
        let asked = stream::iter(picks).map(|pick| {
            let (ledger, over) = (&ledger, &over);
            async move {
                if over.is_cancelled() || cancel.is_cancelled() {
                    return Ok(None);
                }
                let one = self.ask(pick, ledger).await;
                if !matches!(&one, Ok(Some(one)) if one.became != Asked::Again) {
                    over.cancel();
                }
                one
            }
        });
        let mut asked = std::pin::pin!(asked.buffered(AT_A_TIME));
        let mut failed = None;
        while let Some(one) = asked.next().await {
            match one {
                Ok(Some(one)) => {
                    *match one.became {
                        Asked::Told => &mut round.told,
                        Asked::Untold => &mut round.untold,
                        Asked::Again => &mut round.again,
                    } += 1;
                    round.no_room |= one.no_room;
                    round.trouble = round.trouble.take().or(one.trouble);
                }
                Ok(None) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Asks about one trace; `None`: somebody else does.
    async fn ask(&self, pick: &Pick, ledger: &Ledger) -> Result<Option<One>> {
        let store = &self.ctx.store;
        let done = |became| One { became, no_room: false, trouble: None };
        let Some(stored) = store.trace_by_id(pick.trace.raw())? else {
            store.settle_pick(pick, Asked::Untold, 0.0, &[])?;
            return Ok(Some(done(Asked::Untold)));
        };
        let before = self.scorer.before(self.ctx, &self.prepared, &stored.trace)?;
        if !store.begin_pick(pick, &self.holder, self.day())? {
            return Ok(None);
        }
        let aside = match ledger.admit(Bound::AtMost(0.0), 0.0) {
            Room::Yes(aside) => aside,
            Room::Later | Room::No(_) => {
                store.settle_pick(pick, Asked::Again, 0.0, &[])?;
                return Ok(Some(One { no_room: true, ..done(Asked::Again) }));
            }
        };
        let purse = PickPurse::new(std::sync::Arc::clone(&aside.purse), store, pick);
        let words = self.scorer.score_trace(self.ctx, &self.prepared, &stored.trace, before, &purse).await;
        let became = purse.into_became();
        ledger.settle(&aside, Spent::Nothing);
        let failing = words.all.iter().find(|word| word.outcome == Outcome::Error);
        let state = match failing {
            None => Asked::Told,
            Some(_) if became.paid == 0.0 && (became.no_room || pick.attempts < ATTEMPTS) => Asked::Again,
            Some(_) => Asked::Untold,
        };
        let kept = if state == Asked::Again { &[][..] } else { &words.fresh[..] };
        store.settle_pick(pick, state, became.paid, kept)?;
        if let Some(error) = became.unwritten {
            return Err(error);
        }
        let trouble = failing.filter(|_| !became.no_room);
        let trouble = trouble.map(|word| crate::text::clean_line(word.explanation.raw()).into_string());
        Ok(Some(One { became: state, no_room: became.no_room, trouble }))
    }
}

/// What may be spent by this time (milliseconds) of the budget of its day: it is released evenly, an hour ahead, so
/// that the sample is of the whole day.
fn released(spec: &JudgeSample, now: i64) -> f64 {
    let passed = (now.rem_euclid(DAY_MS) + HOUR_MS) as f64 / DAY_MS as f64;
    spec.max_usd_per_day * passed.min(1.0)
}

/// What became of one trace.
struct One {
    became: Asked,
    no_room: bool,
    trouble: Option<String>,
}
