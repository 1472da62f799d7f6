//! A run against its ideal: cases × the time of an answer / those in flight. What answers is in this
//! process and sleeps, so that only the run itself is measured; over HTTP the server's own time is added.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use super::import::remove;
use super::{Measured, Spent};
use crate::domain::{
    Answer, Ask, AskError, Assessment, CaseBody, CaseId, Content, Error, EvalCase, HttpSpec, Result, SetName,
    Subject, TargetKind, TargetLimits, TargetSpec,
};
use crate::ops::run::{Asker, RunSpec, Scores, run as run_set};
use crate::ops::score::{MayAskAgain, Purse};
use crate::ops::{Access, Ctx};
use crate::task::{Cancel, Clock, Progress};

/// How long an answer takes.
const ANSWER: Duration = Duration::from_millis(50);
/// Those in flight.
const AT_ONCE: usize = 32;

/// Runs a set of so many cases; the quickest of the rounds counts.
pub fn run(folder: &Path, cases: u64, rounds: usize, progress: &Progress) -> Result<Vec<Measured>> {
    std::fs::create_dir_all(folder)
        .map_err(|e| Error::failed(format!("The folder {} cannot be made.", folder.display())).because(e))?;
    let path = folder.join("bench-run.db");
    remove(&path);
    let ctx = Ctx::open(&path, Access::Create, "bench", Clock::System)?;
    let set = SetName::parse("bench")?;
    ctx.store.change_cases(&set, ctx.clock.now(), "bench", |tx| {
        for n in 0..cases {
            let input = Content::Text(format!("Why was I charged {n} dollars for my overdraft?").into());
            tx.put(&CaseId::parse(&format!("c-{n}"))?, &CaseBody { input, ..CaseBody::default() })?;
        }
        Ok(())
    })?;
    let mut best = Spent::default();
    for _ in 0..rounds.max(1) {
        let spec =
            RunSpec { concurrency: Some(AT_ONCE), cache: false, ..RunSpec::new(set.clone(), sleeping()) };
        let (_, spent) = Spent::on(|| {
            run_set(&ctx, &spec, Arc::new(Sleeps), Arc::new(Silent), &Cancel::default(), progress)
        })?;
        best = best.best(spent);
    }
    drop(ctx);
    remove(&path);
    let ideal = cases as f64 * ANSWER.as_secs_f64() / AT_ONCE as f64;
    Ok(vec![Measured {
        cpu: Some((0.0, best.cpu)),
        ..Measured::less("a run at 50 ms an answer", "s", ideal, best.wall, 1.0 / 1.1)
    }])
}

/// A target by name only: it is never reached.
fn sleeping() -> TargetSpec {
    let http = HttpSpec {
        url: String::new(),
        headers: Default::default(),
        api_key_env: None,
        body: String::new(),
        answer: String::new(),
    };
    TargetSpec {
        name: "sleeping".to_owned(),
        kind: TargetKind::Http(http),
        prompt: None,
        limits: TargetLimits::default(),
    }
}

struct Sleeps;

impl Asker for Sleeps {
    fn ask<'a>(
        &'a self,
        _: &'a Ask,
        _: MayAskAgain<'a>,
    ) -> BoxFuture<'a, (std::result::Result<Answer, AskError>, u32)> {
        Box::pin(async {
            tokio::time::sleep(ANSWER).await;
            let output = Content::Text("It was a fee, which I take back.".into());
            (Ok(Answer { output, latency_ms: 50.0, ..Answer::default() }), 1)
        })
    }
}

struct Silent;

impl Scores for Silent {
    fn score<'a>(
        &'a self,
        _: &'a EvalCase,
        _: Subject<'a>,
        _: &'a dyn Purse,
    ) -> BoxFuture<'a, Vec<Assessment>> {
        Box::pin(std::future::ready(Vec::new()))
    }
}
