//! Asking until there is an answer, within a time limit.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::{Instant, sleep, timeout};

use super::Target;
use crate::domain::{Answer, Ask, AskError, AskErrorKind, TargetLimits, Untrusted};
use crate::task::Cancel;

/// Asks until there is an answer, asking again changes nothing, or the time or the attempts are used up; gives
/// the answer or the last error, with the number of attempts that were made.
///
/// The time limit covers attempts and the waits between them, not the wait for the target's pace, which is no
/// fault of the case. `may_ask` is told of every attempt (1, 2, …) just before it is sent, with the error of the
/// one before it, and may refuse it: that error is the answer then. A wish to stop is followed at once, also in
/// the middle of an attempt: the error is then of kind `Cancelled`.
pub async fn ask_patiently(
    target: &Target,
    ask: &Ask,
    limits: &TargetLimits,
    cancel: &Cancel,
    mut may_ask: impl FnMut(u32, Option<&AskError>) -> bool,
) -> (Result<Answer, AskError>, u32) {
    let mut attempts = 0;
    let mut stopped = std::pin::pin!(stopping(cancel));
    let result = {
        let work = ask_on(target, ask, limits, &mut attempts, &mut may_ask);
        tokio::select! {
            biased;
            () = &mut stopped => Err(error(AskErrorKind::Cancelled, "The run was stopped.".to_owned())),
            result = work => result,
        }
    };
    (result, attempts)
}

async fn ask_on(
    target: &Target,
    ask: &Ask,
    limits: &TargetLimits,
    attempts: &mut u32,
    may_ask: &mut impl FnMut(u32, Option<&AskError>) -> bool,
) -> Result<Answer, AskError> {
    let mut waits = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_secs(20))
        .with_jitter()
        .without_max_times()
        .build();
    let mut left = limits.timeout;
    let mut before = None;
    loop {
        let reserved = target.pace().wait(ask).await;
        let allowed = may_ask(*attempts + 1, before.as_ref());
        if let Some(failed) = before.take_if(|_| !allowed) {
            target.pace().settle(reserved, None);
            return Err(failed);
        }
        *attempts += 1;
        let began = Instant::now();
        let asked = timeout(left, target.ask(ask)).await;
        let result = asked.unwrap_or_else(|_| {
            let after = if *attempts > 1 { format!(", {attempts} attempts together") } else { String::new() };
            let what = format!("No answer within {}{after}.", words(limits.timeout));
            Err(error(AskErrorKind::Timeout, what))
        });
        left = left.saturating_sub(began.elapsed());
        target.pace().settle(reserved, result.as_ref().ok());
        let failed = match result {
            Ok(answer) => return Ok(answer),
            Err(failed) => failed,
        };
        if !failed.kind.is_passing() || *attempts >= limits.attempts || left.is_zero() {
            return Err(failed);
        }
        let own = waits.next().unwrap_or_default();
        let wait = failed.retry_after.map_or(own, |wish| wish.max(own.min(Duration::from_millis(100))));
        if failed.kind == AskErrorKind::RateLimit && failed.retry_after.is_some() {
            target.pace().rest(wait.min(limits.timeout));
        }
        if wait >= left {
            let what = failed.what.raw().trim_end_matches('.');
            let what = format!("{what}; asking again in {} would be too late.", words(wait));
            return Err(AskError { what: Untrusted::new(what), ..failed });
        }
        sleep(wait).await;
        left = left.saturating_sub(wait);
        before = Some(failed);
    }
}

/// Ends when stopping is asked for.
async fn stopping(cancel: &Cancel) {
    while !cancel.is_cancelled() {
        sleep(Duration::from_millis(20)).await;
    }
}

fn error(kind: AskErrorKind, what: String) -> AskError {
    AskError { kind, what: Untrusted::new(what), retry_after: None }
}

fn words(time: Duration) -> String {
    if time < Duration::from_secs(2) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{} s", time.as_secs_f64().round())
    }
}
