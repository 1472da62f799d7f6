//! What the flag services speak: a request of the team's own, Unleash, LaunchDarkly, Langfuse, OFREP.

use reqwest::{Method, Url};
use serde_json::{Value, json};

use super::request::{Answer, Request};
use super::{Acted, Order, Reading};
use crate::domain::switch::{OfrepSpec, Power, SwitchHttp, SwitchKind};
use crate::domain::{Error, Result};
use crate::wire::http::{Mask, address};

const JSON: &str = "application/json";
/// LaunchDarkly reads instructions only under this type.
const SEMANTIC_PATCH: &str = "application/json; domain-model=launchdarkly.semanticpatch";

/// An address with these words behind its path, each encoded.
fn url(base: &str, words: &[&str]) -> Result<Url> {
    let mut url = address(base)?;
    match url.path_segments_mut() {
        Ok(mut path) => {
            path.pop_if_empty().extend(words);
        }
        Err(()) => return Err(Error::usage(format!("{base} is not an address that can be asked."))),
    }
    Ok(url)
}

fn get(url: Url) -> Request {
    Request { method: Method::GET, url, body: None }
}

/// The request that switches.
pub(super) fn act(kind: &SwitchKind, feature: &str, order: Order<'_>) -> Result<Request> {
    let comment = match order.fallback {
        Some(fallback) => format!("{feature} {}, {} answer", order.to.word(), fallback.word()),
        None => format!("{feature} {}", order.to.word()),
    };
    match kind {
        SwitchKind::Unleash(of) => Ok(Request {
            method: Method::POST,
            url: url(
                &of.url,
                &[
                    "api",
                    "admin",
                    "projects",
                    &of.project,
                    "features",
                    &of.flag,
                    "environments",
                    &of.environment,
                    order.to.word(),
                ],
            )?,
            body: None,
        }),
        SwitchKind::LaunchDarkly(of) => {
            let instruction = if order.to == Power::On { "turnFlagOn" } else { "turnFlagOff" };
            let body = json!({
                "environmentKey": of.environment, "comment": comment, "instructions": [{"kind": instruction}],
            });
            Ok(Request {
                method: Method::PATCH,
                url: url(&of.url, &["api", "v2", "flags", &of.project, &of.flag])?,
                body: Some((SEMANTIC_PATCH, body.to_string())),
            })
        }
        SwitchKind::LangfuseLabel(of) => {
            let version = if order.to == Power::On { of.on } else { of.off }.to_string();
            Ok(Request {
                method: Method::PATCH,
                url: url(&of.url, &["api", "public", "v2", "prompts", &of.prompt, "versions", &version])?,
                body: Some((JSON, json!({"newLabels": [of.label]}).to_string())),
            })
        }
        SwitchKind::Http(of) => own(of, feature, order),
        SwitchKind::FlagFile(_) | SwitchKind::Flagd(_) | SwitchKind::Command(_) => Err(no_service()),
    }
}

fn no_service() -> Error {
    Error::failed("This switch is not a service.")
}

/// The team's own request, its templates filled in.
fn own(of: &SwitchHttp, feature: &str, order: Order<'_>) -> Result<Request> {
    let filled = |template: &str| -> Result<String> {
        let mut environment = minijinja::Environment::new();
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        // As JSON spells them: what is filled in stands in a body of JSON more often than not.
        environment.set_formatter(|out, state, value| match value.kind() {
            minijinja::value::ValueKind::Bool => {
                out.write_str(if value.is_true() { "true" } else { "false" }).map_err(Into::into)
            }
            _ => minijinja::escape_formatter(out, state, value),
        });
        let fallback = order.fallback.map(|fallback| fallback.word());
        let context = minijinja::context! {
            to => order.to.word(), enabled => order.to == Power::On, feature => feature, fallback => fallback,
        };
        environment.render_str(template, context).map_err(|e| {
            Error::usage(format!("The request of the switch of {feature} cannot be made."))
                .because(e)
                .hint("Its templates may use `to`, `enabled`, `feature`, `fallback`.")
        })
    };
    let body = filled(&of.body)?;
    let kind = if body.trim_start().starts_with(['{', '[', '"', 't', 'f']) { JSON } else { "text/plain" };
    let method = Method::from_bytes(of.method.as_bytes())
        .map_err(|e| Error::usage(format!("{} is no method.", of.method)).because(e))?;
    let body = (!body.is_empty()).then_some((kind, body));
    Ok(Request { method, url: address(&filled(&of.url)?)?, body })
}

/// What an answer to the switching request means.
pub(super) fn acted(kind: &SwitchKind, answer: Answer, mask: &Mask) -> Result<Acted> {
    let expected = match kind {
        SwitchKind::Http(of) if !of.expect.is_empty() => of.expect.contains(&answer.status),
        _ => (200..300).contains(&answer.status),
    };
    let words = answer.words(mask);
    match answer.status {
        // Accepted for somebody to approve is not done.
        202 if !matches!(kind, SwitchKind::Http(_)) => {
            Ok(Acted::Unknown(format!("it {words}: somebody may have to approve it")))
        }
        _ if expected => Ok(Acted::Done(words, None)),
        status @ 400..500 if !matches!(status, 408 | 409 | 425 | 429) => {
            let error = Error::not_so(format!("The flag service refused: it {words}."));
            Err(match (kind, status) {
                (SwitchKind::Unleash(_), 403) => error
                    .hint("A change request may be needed for this environment: make it in Unleash, or give the token SKIP_CHANGE_REQUEST.")
                    .hint("Or the token may not change this environment."),
                (_, 401 | 403) => error.hint("Look at the token: is it that of this project, and may it write?"),
                (_, 404) => error.hint("Look at the names of the flag, the project and the environment."),
                _ => error,
            })
        }
        _ => Ok(Acted::Unknown(format!("it {words}"))),
    }
}

/// The request that reads the state; none where there is nothing to be asked.
pub(super) fn read(kind: &SwitchKind) -> Result<Option<Request>> {
    Ok(Some(get(match kind {
        SwitchKind::Unleash(of) => url(
            &of.url,
            &["api", "admin", "projects", &of.project, "features", &of.flag, "environments", &of.environment],
        )?,
        SwitchKind::LaunchDarkly(of) => {
            let mut url = url(&of.url, &["api", "v2", "flags", &of.project, &of.flag])?;
            url.query_pairs_mut().append_pair("env", &of.environment);
            url
        }
        SwitchKind::LangfuseLabel(of) => {
            let mut url = url(&of.url, &["api", "public", "v2", "prompts", &of.prompt])?;
            url.query_pairs_mut().append_pair("label", &of.label);
            url
        }
        SwitchKind::Http(of) => match &of.read {
            Some((url, _)) => address(url)?,
            None => return Ok(None),
        },
        SwitchKind::FlagFile(_) | SwitchKind::Flagd(_) | SwitchKind::Command(_) => return Ok(None),
    })))
}

/// What an answer to the reading request says.
pub(super) fn reading(kind: &SwitchKind, answer: Value) -> Result<Reading> {
    let is = |value: Option<&Value>, at: &str| match value {
        Some(Value::Bool(true)) => Ok(Reading::Is(Power::On)),
        Some(Value::Bool(false)) => Ok(Reading::Is(Power::Off)),
        _ => Ok(Reading::Unknown(format!("its answer has no true or false at {at}"))),
    };
    match kind {
        SwitchKind::Unleash(_) => is(answer.get("enabled"), "/enabled"),
        SwitchKind::LaunchDarkly(of) => {
            let on = answer
                .get("environments")
                .and_then(|all| all.get(&of.environment))
                .and_then(|one| one.get("on"));
            is(on, &format!("/environments/{}/on", of.environment))
        }
        SwitchKind::LangfuseLabel(of) => Ok(match answer.get("version").and_then(Value::as_u64) {
            Some(version) if version == of.on => Reading::Is(Power::On),
            Some(version) if version == of.off => Reading::Is(Power::Off),
            Some(version) => Reading::Unknown(format!("version {version} has the label {}", of.label)),
            None => Reading::Unknown("its answer has no version".to_owned()),
        }),
        SwitchKind::Http(of) => {
            let pointer = of.read.as_ref().map(|(_, pointer)| pointer.as_str()).unwrap_or_default();
            Ok(match answer.pointer(pointer) {
                Some(value) if *value == of.on => Reading::Is(Power::On),
                Some(value) if !value.is_object() && !value.is_array() => Reading::Is(Power::Off),
                _ => Reading::Unknown(format!("its answer has no value at {pointer}")),
            })
        }
        SwitchKind::FlagFile(_) | SwitchKind::Flagd(_) | SwitchKind::Command(_) => Err(no_service()),
    }
}

/// The request that evaluates a flag.
pub(super) fn evaluate(of: &OfrepSpec) -> Result<Request> {
    Ok(Request {
        method: Method::POST,
        url: url(&of.url, &["ofrep", "v1", "evaluate", "flags", &of.flag])?,
        body: Some((JSON, json!({"context": {"targetingKey": "tuesday"}}).to_string())),
    })
}

/// What a flag evaluates to. An answer of `DISABLED` or without a value leaves it to the application.
pub(super) fn evaluated(of: &OfrepSpec, answer: Value) -> Result<Reading> {
    if answer.get("reason").and_then(Value::as_str) == Some("DISABLED") {
        return Ok(Reading::Unknown(
            "it is disabled: the default in the application's code answers".to_owned(),
        ));
    }
    let (value, variant) = (answer.get("value"), answer.get("variant"));
    Ok(match value.or(variant) {
        None => Reading::Unknown("it has no value: the default in the application's code answers".to_owned()),
        _ if value == Some(&of.on) || (of.on.is_string() && variant == Some(&of.on)) => {
            Reading::Is(Power::On)
        }
        _ => Reading::Is(Power::Off),
    })
}
