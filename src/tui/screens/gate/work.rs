//! What the screen asks of the ops.

use std::sync::Arc;

use crate::domain::{CaseId, EvalConfig, Result, Verdict};
use crate::ops::Ctx;
use crate::ops::gate::{
    CandidateLine, EdgeView, GateOf, GateView, SignSpec, candidates, check, drill, edges, exercise, label,
    sign,
};
use crate::task::{Cancel, Progress};
use crate::text::figures::duration;

/// Work for a worker thread, with the configuration that it goes by.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub config: Arc<EvalConfig>,
    pub what: What,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// The versions of the prompts.
    List,
    /// One gate.
    Check(GateOf),
    /// The edge cases of its run.
    Edges(GateOf),
    /// A person's word on one of them.
    Label { of: GateOf, case: CaseId, verdict: Verdict },
    /// A signature.
    Sign { of: GateOf, spec: Box<SignSpec> },
    /// The rollback, practised.
    Drill(GateOf),
    /// A target, tried.
    Exercise { of: GateOf, target: String },
}

/// What it gives.
#[derive(Debug)]
pub enum Answer {
    List(Vec<CandidateLine>),
    Gate(Box<GateView>),
    Edges(Vec<EdgeView>),
    /// A label is kept: the cases and the gate as they are now.
    Labelled(Vec<EdgeView>, Box<GateView>),
    /// Something was done: what came of it, whether it is well, and the gate as it is now.
    Done(String, bool, Box<GateView>),
}

impl Request {
    /// Does the work; blocks.
    pub fn run(&self, ctx: &Ctx, cancel: &Cancel, progress: &Progress) -> Result<Answer> {
        let config = self.config.as_ref();
        let again = |of: &GateOf| check(ctx, config, of, cancel).map(Box::new);
        match &self.what {
            What::List => candidates(ctx, config).map(Answer::List),
            What::Check(of) => again(of).map(Answer::Gate),
            What::Edges(of) => edges(ctx, config, of, cancel).map(Answer::Edges),
            What::Label { of, case, verdict } => {
                label(ctx, config, of, case, (*verdict, None))?;
                Ok(Answer::Labelled(edges(ctx, config, of, cancel)?, again(of)?))
            }
            What::Sign { of, spec } => {
                let item = sign(ctx, config, of, spec)?;
                Ok(Answer::Done(format!("signed: {}", item.figure), true, again(of)?))
            }
            What::Drill(of) => {
                let done = drill(ctx, config, of, cancel, progress)?;
                let took = duration(done.seconds * 1000.0);
                let said = match (done.timed_out, done.code) {
                    (true, _) => format!("the drill was ended after {took}"),
                    (false, Some(0)) => format!("back to {} in {took}, dry run", done.to),
                    (false, Some(code)) => format!("the drill ended with code {code}: {}", done.said.raw()),
                    (false, None) => "the drill was ended by a signal".to_owned(),
                };
                Ok(Answer::Done(said, done.met, again(of)?))
            }
            What::Exercise { of, target } => {
                let done = exercise(ctx, config, of, target, cancel, progress)?;
                let sights = done.sights.iter().map(|sight| {
                    let seen = match sight.seen {
                        crate::domain::gate::Seen::Fallback => "fell back",
                        crate::domain::gate::Seen::Told => "told",
                        crate::domain::gate::Seen::Nothing => "not seen",
                    };
                    format!("{} {seen}", sight.fault.words())
                });
                let said = format!("{target}: {}", sights.collect::<Vec<_>>().join(", "));
                Ok(Answer::Done(said, done.met, again(of)?))
            }
        }
    }
}

impl From<Request> for crate::tui::work::Request {
    fn from(request: Request) -> Self {
        Self::Gate(request)
    }
}
