//! One request: sent once, never again by itself.

use std::time::Duration;

use super::ground::Ground;
use super::{Outcome, Planned};
use crate::domain::Result;
use crate::domain::runbook::{Probe, StepKind};
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

/// Asks, on a weekday and with the real keys, whether the request would be taken: by a request that changes nothing.
/// Without a word in the runbook that is a `GET` of the same address: it goes the same way through names, proxies,
/// certificates and keys, and by RFC 9110, 9.2.1 nothing may happen because of it. What it proves depends on the answer.
pub(super) fn probe(ground: &Ground<'_>, planned: &mut Planned) -> Result<()> {
    let StepKind::Http { method, url, header, expect, timeout_ms, check, .. } = &ground.step().kind else {
        return Ok(());
    };
    let ((ask, at), right): (_, &[u16]) = match check {
        Probe::Nothing => {
            planned.notes.push("not asked: its check is switched off".to_owned());
            return Ok(());
        }
        Probe::Own { method, url: at, expect } => ((method.as_str(), at.as_ref().unwrap_or(url)), expect),
        // What is sent at night is a GET itself: it must be answered as it must then.
        Probe::Usual if method == "GET" => (("GET", url), expect),
        Probe::Usual => (("GET", url), &[]),
    };
    let mut mask = ground.mask.clone();
    let spec = HookSpec {
        method: ask,
        url: at.raw(),
        headers: header.iter().map(|(name, value)| (name.raw(), value.raw())).collect(),
        json: None,
        timeout: Duration::from_millis(*timeout_ms),
    };
    let hook = Hook::ready(&spec, &|name| ground.hands.variable(name), &mut mask)?;
    let Some(sent) = ground.hands.ask(&hook, &mask, ground.cancel)? else { return Ok(()) };
    let told = |status: u16| format!("{ask} {} answers {status}", at.raw());
    let is_sure = !right.is_empty() || *check != Probe::Usual;
    match sent {
        Sent::Unsent(why) | Sent::Unsure(why) => planned.fails.push(format!("{ask} {}: {why}", at.raw())),
        Sent::Answered(status @ (401 | 403), _) if !right.contains(&status) => {
            let keys: Vec<&str> =
                header.iter().filter_map(|(_, value)| value.raw().strip_prefix("env:")).collect();
            planned.fails.push(match keys.is_empty() {
                true => format!("{}: it wants a key, and none is sent", told(status)),
                false => format!("{}: it does not take the key of {}", told(status), keys.join(", ")),
            });
            planned.notes.push(OTHER.to_owned());
        }
        Sent::Answered(status, _) if right.contains(&status) => planned.notes.push(told(status)),
        Sent::Answered(status @ 200..=299, _) if right.is_empty() => planned.notes.push(told(status)),
        Sent::Answered(status, words) if is_sure || (status >= 500 && status != 501) => {
            let colon = if words.is_empty() { "" } else { ": " };
            planned.fails.push(format!("{}{colon}{words}", told(status)));
        }
        // 404 and 405 are what many a hook says to a GET, before or after it has looked at the key.
        Sent::Answered(status, _) => {
            planned.notes.push(format!(
                "{}: it is there; whether the key is right is not known. {OTHER}",
                told(status)
            ));
        }
    }
    Ok(())
}

/// What to do where a `GET` of the address tells nothing.
const OTHER: &str = "Say what to ask instead: check = { url = \"…\", expect = [200] }.";

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
