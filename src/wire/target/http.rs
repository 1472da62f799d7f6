//! An HTTP endpoint of the team's own: a template makes the body, a JSON Pointer finds the answer.

use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use secrecy::SecretString;
use serde_json::Value;

use super::endpoint::{Endpoint, Reply};
use super::messages::{Talk, answer_of};
use crate::domain::{Answer, Ask, AskError, AskErrorKind, Content, Error, HttpSpec, Result};
use crate::wire::http;

const BODY: &str = "body";

pub struct Http {
    endpoint: Endpoint,
    template: Environment<'static>,
    /// Values of the template beside the usual ones.
    told: BTreeMap<String, String>,
    pointer: String,
}

impl Http {
    pub fn connect(
        target: &str,
        spec: &HttpSpec,
        variable: &dyn Fn(&str) -> Option<String>,
        told: &[(String, String)],
    ) -> Result<Self> {
        let mut endpoint = Endpoint::new(http::address(&spec.url)?)?.with_key(
            target,
            spec.api_key_env.as_deref(),
            variable,
            AUTHORIZATION,
            "Bearer ",
        )?;
        let mut is_json = true;
        for (name, value) in &spec.headers {
            let wrong =
                || Error::usage(format!("The target `{target}` has a header `{name}` that cannot be sent."));
            let header = HeaderName::try_from(name.as_str()).map_err(|e| wrong().because(e))?;
            // Its value may be a secret, so the cause is not told.
            let mut sent = HeaderValue::from_str(value).map_err(|_| wrong())?;
            if header == CONTENT_TYPE {
                is_json = value.contains("json");
            }
            if ["auth", "key", "token", "secret", "cookie"].iter().any(|word| header.as_str().contains(word))
            {
                sent.set_sensitive(true);
                let bare = value.split_once(' ').map_or(value.as_str(), |(_, after)| after);
                endpoint.mask.add(SecretString::from(bare));
            }
            endpoint = endpoint.with_header(header, sent);
        }
        if !(spec.answer.is_empty() || spec.answer.starts_with('/')) {
            return Err(Error::usage(format!(
                "The target `{target}` looks for its answer at \"{}\", which is not a JSON Pointer.",
                spec.answer
            ))
            .hint(
                "A JSON Pointer begins with `/`, as in `/choices/0/text`; an empty one is the whole answer.",
            ));
        }
        let mut template = Environment::new();
        template.set_undefined_behavior(UndefinedBehavior::Strict);
        // In JSON a value is written as JSON even where the template forgets `tojson`.
        template.set_auto_escape_callback(move |_| if is_json { AutoEscape::Json } else { AutoEscape::None });
        let wrong = |e: minijinja::Error| {
            let line = e.line().map(|line| format!(", line {line} of it")).unwrap_or_default();
            Error::usage(format!(
                "The body of the target `{target}` is not a template that can be used{line}."
            ))
            .because(e)
            .hint("It may use `input`, `messages`, `prompt` and `id`, as in `{\"q\": {{ input | tojson }}}`.")
        };
        template.add_template_owned(BODY, spec.body.clone()).map_err(wrong)?;
        let told = told.iter().cloned().collect();
        let http = Self { endpoint, template, told, pointer: spec.answer.clone() };
        // Tried with words that break a body which does not escape them.
        let trial = Ask {
            id: "trial".into(),
            key: None,
            input: Content::Text("a \"quoted\"\nline".into()),
            prompt: Some("a \"prompt\"".into()),
            json: None,
            max_tokens: None,
        };
        let body = http.body(&trial).map_err(wrong)?;
        if let (true, Err(e)) = (is_json, serde_json::from_str::<Value>(&body)) {
            return Err(Error::usage(format!(
                "The body of the target `{target}` does not come out as JSON."
            ))
            .because(e)
            .hint("Write values without quotes around them: `{\"q\": {{ input | tojson }}}`.")
            .hint("A body that is not JSON needs a `content-type` among the headers."));
        }
        Ok(http)
    }

    /// One attempt.
    pub async fn ask(&self, ask: &Ask) -> std::result::Result<Answer, AskError> {
        let mask = &self.endpoint.mask;
        let body = self.body(ask).map_err(|e| {
            mask.error(AskErrorKind::Refused, format!("The body could not be made of the template: {e}."))
        })?;
        let Reply { value, request_id, latency_ms } =
            self.endpoint.post(ask.key.as_deref(), body.into_bytes()).await?;
        let Some(found) = value.pointer(&self.pointer) else {
            if let Some(error) = self.endpoint.error_inside(&value) {
                return Err(error);
            }
            let quote = mask.quote(value.to_string().as_bytes());
            let what = format!("There is nothing at {} in the answer: {quote}", self.pointer);
            return Err(mask.error(AskErrorKind::Unreadable, what));
        };
        Ok(Answer { output: answer_of(found), latency_ms, request_id, ..Answer::default() })
    }

    fn body(&self, ask: &Ask) -> std::result::Result<String, minijinja::Error> {
        let talk = Talk::of(ask);
        self.template.get_template(BODY)?.render(context! {
            input => talk.asked(),
            messages => minijinja::value::Serde(talk.openai()),
            prompt => ask.prompt.as_deref(),
            id => ask.id.as_str(),
            ..minijinja::value::Serde(&self.told)
        })
    }
}
