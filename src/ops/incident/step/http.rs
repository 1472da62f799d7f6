//! One request: sent once, never again by itself.

use std::time::Duration;

use super::ground::Ground;
use super::{Outcome, Planned};
use crate::domain::Result;
use crate::domain::runbook::StepKind;
use crate::wire::hook::{Hook, HookSpec, Sent};
use crate::wire::http::Mask;

/// What would be sent.
pub(super) fn plan(ground: &Ground<'_>) -> Result<Planned> {
    let mut planned = Planned { changes: true, ..Planned::default() };
    let mut mask = ground.mask.clone();
    let ready = ready(ground, &mut mask);
    if let Some(hook) = planned.may_fail(ready) {
        planned.lines = hook.lines(&mask);
    }
    if ground.hands.is_sandbox() {
        planned.notes.push("In a drill it is written down, not sent.".to_owned());
    }
    Ok(planned)
}

fn ready(ground: &Ground<'_>, mask: &mut Mask) -> Result<Hook> {
    let StepKind::Http { method, url, header, json, timeout_ms, .. } = &ground.step().kind else {
        return Err(crate::domain::Error::not_so("This step sends nothing."));
    };
    let body = json.as_ref().map(|json| ground.json(json)).transpose()?;
    let spec = HookSpec {
        method,
        url: url.raw(),
        headers: header.iter().map(|(name, value)| (name.raw(), value.raw())).collect(),
        json: body.as_ref(),
        timeout: Duration::from_millis(*timeout_ms),
    };
    Hook::ready(&spec, &|name| ground.hands.variable(name), mask)
}

/// Sends it, with the act's id as the key that tells a repetition.
pub(super) fn act(ground: &Ground<'_>, key: &str) -> Result<Outcome> {
    let StepKind::Http { expect, .. } = &ground.step().kind else {
        return Ok(Outcome::Failed(String::new()));
    };
    let mut mask = ground.mask.clone();
    let hook = ready(ground, &mut mask)?;
    Ok(match ground.hands.send(ground.ctx, &hook, (key, expect), &mask, ground.cancel)? {
        Sent::Answered(status, words) => {
            let colon = if words.is_empty() { "" } else { ": " };
            let told = format!("answered {status}{colon}{words}");
            match status {
                _ if expect.contains(&status) => Outcome::Done(told),
                // A service that fails may have done it all the same.
                500..=599 | 408 => Outcome::Unknown(told),
                _ => Outcome::Failed(told),
            }
        }
        Sent::Unsent(why) => Outcome::Failed(why),
        Sent::Unsure(why) => Outcome::Unknown(why),
    })
}
