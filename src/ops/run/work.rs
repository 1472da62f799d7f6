//! One case at work: its target is asked, or the cache answers, and the answer is evaluated.

use std::sync::Arc;

use crossbeam_channel::Sender;

use super::bound::{ask_of, key_of};
use super::ledger::{CasePurse, Spent};
use super::{Asker, RunSpec, Scores};
use crate::domain::{Answer, Answered, Ask, CaseResult, EvalCase, TargetKind};
use crate::ops::Ctx;
use crate::store::RunWrite;

/// What a task needs.
pub(super) struct Work {
    pub ctx: Ctx,
    pub spec: RunSpec,
    pub asker: Arc<dyn Asker>,
    pub scores: Arc<dyn Scores>,
    pub queue: Sender<RunWrite>,
    /// Of this run and no other, whatever store it is in.
    pub identity: String,
}

/// What is to be done with an admitted case.
pub(super) enum Task {
    Ask,
    /// The cache has its answer.
    Given(Answer),
    /// It was answered; only its evaluation is left.
    Rescore(Box<CaseResult>),
}

/// What came of it.
pub(super) struct Done {
    pub result: CaseResult,
    /// What the target got.
    pub spent: Spent,
    /// What the store is to count, where that is not what the answer cost.
    pub paid: Option<f64>,
}

impl Work {
    pub(super) async fn one(&self, case: &EvalCase, task: Task, purse: &CasePurse) -> Done {
        let (mut result, kind) = match task {
            Task::Given(answer) => {
                let mut result = CaseResult::new(case, Answered::Answer(answer), 0, self.ctx.clock.now());
                result.cached = true;
                (result, Paid::Beside)
            }
            Task::Rescore(result) => (*result, Paid::Beside),
            Task::Ask => {
                let key = format!("{}/{}", self.identity, case.id);
                let ask = Ask { key: Some(key), ..ask_of(&self.spec, case) };
                let (answered, attempts) = self.asker.ask(&ask, &|| purse.ask_again()).await;
                match answered {
                    Ok(answer) => {
                        // At once: if a kill comes while it is evaluated, it is not lost.
                        if let Some(key) = key_of(&self.spec, &ask) {
                            let answered = Box::new(answer.clone());
                            let at = self.ctx.clock.now();
                            self.queue.send(RunWrite::Answered(key, answered, at)).ok();
                        }
                        let paid = match self.spec.target.kind {
                            TargetKind::Recorded => Paid::Beside,
                            _ => Paid::Asking,
                        };
                        (
                            CaseResult::new(case, Answered::Answer(answer), attempts, self.ctx.clock.now()),
                            paid,
                        )
                    }
                    Err(error) => {
                        let costs = self.spec.target.kind != TargetKind::Recorded;
                        let spent =
                            if costs && error.kind.may_be_paid() { Spent::Perhaps } else { Spent::Nothing };
                        let result =
                            CaseResult::new(case, Answered::Error(error), attempts, self.ctx.clock.now());
                        return Done { result, spent, paid: None };
                    }
                }
            }
        };
        result.assessments = match result.subject() {
            Some(subject) => self.scores.score(case, subject, purse).await,
            None => Vec::new(),
        };
        result.at = self.ctx.clock.now();
        let cost = result.answer().and_then(|answer| answer.cost_usd);
        match (kind, cost) {
            (Paid::Beside, _) => {
                // Only those who evaluate it were paid now.
                let paid = result.assessments.iter().filter_map(|one| one.cost_usd).sum::<f64>();
                Done { result, spent: Spent::Nothing, paid: Some(paid) }
            }
            (Paid::Asking, Some(cost)) => Done { result, spent: Spent::Asking(cost), paid: None },
            (Paid::Asking, None) => Done { result, spent: Spent::Perhaps, paid: None },
        }
    }
}

/// To whom an answered case was paid.
enum Paid {
    Asking,
    Beside,
}
