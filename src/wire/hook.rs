//! One request of a runbook: sent once, with keys from the environment, never carried by a redirect to another host.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use secrecy::SecretString;
use serde_json::Value;

use super::http::{self, Mask};
use crate::domain::{Error, Result};
use crate::task::Cancel;

/// A request, ready to be shown or sent.
pub struct Hook {
    method: Method,
    url: Url,
    headers: HeaderMap,
    /// How each header is shown: keys are named.
    shown: Vec<String>,
    body: Option<String>,
    timeout: Duration,
}

/// A request as a runbook says it. A header `env:NAME` is the value of a variable.
#[derive(Debug, Clone, PartialEq)]
pub struct HookSpec<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// Where to.
    pub url: &'a str,
    /// Names and values.
    pub headers: Vec<(&'a str, &'a str)>,
    /// The body.
    pub json: Option<&'a Value>,
    /// Given up after this long.
    pub timeout: Duration,
}

/// What came of sending a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// This was answered: the status and the beginning of the words, masked.
    Answered(u16, String),
    /// It did not reach the other side.
    Unsent(String),
    /// It may have reached the other side.
    Unsure(String),
}

impl Hook {
    /// Makes a request ready; keys go into `mask`.
    ///
    /// # Errors
    /// `Usage` when the address is none, a header cannot be sent, or a key's variable is not set.
    pub fn ready(
        spec: &HookSpec<'_>,
        variable: &dyn Fn(&str) -> Option<String>,
        mask: &mut Mask,
    ) -> Result<Self> {
        let url = http::address(spec.url)?;
        let method = Method::from_bytes(spec.method.as_bytes())
            .map_err(|e| Error::usage(format!("`{}` is no method.", spec.method)).because(e))?;
        let (mut headers, mut shown) = (HeaderMap::new(), Vec::new());
        for (name, text) in &spec.headers {
            let key = HeaderName::try_from(*name)
                .map_err(|e| Error::usage(format!("`{name}` is not the name of a header.")).because(e))?;
            let bad = |what: &str| {
                Error::usage(format!("{what} holds a character that no header can have."))
                    .hint("Look for a line break or a quotation mark that was copied with it.")
            };
            let (value, words) = match text.strip_prefix("env:") {
                Some(env) => {
                    let secret = variable(env).map(|value| value.trim().to_owned());
                    let secret = secret.filter(|value| !value.is_empty()).ok_or_else(|| {
                        Error::usage(format!(
                            "The header {name} needs the variable `{env}`, which is not set."
                        ))
                        .hint(format!("Set it before you start: `export {env}=…`."))
                    })?;
                    mask.add(SecretString::from(secret.clone()));
                    let mut value =
                        HeaderValue::from_str(&secret).map_err(|_| bad(&format!("The variable `{env}`")))?;
                    value.set_sensitive(true);
                    (value, format!("[{env}]"))
                }
                None => {
                    let value =
                        HeaderValue::from_str(text).map_err(|_| bad(&format!("The header `{name}`")))?;
                    (value, (*text).to_owned())
                }
            };
            shown.push(format!("  {key}: {words}"));
            headers.insert(key, value);
        }
        Ok(Self { method, url, headers, shown, body: spec.json.map(Value::to_string), timeout: spec.timeout })
    }

    /// The request in words, a line a part; keys are named, not shown.
    pub fn lines(&self, mask: &Mask) -> Vec<String> {
        let mut lines = vec![format!("{} {}", self.method, self.url)];
        lines.extend(self.shown.iter().cloned());
        lines.extend(self.body.as_ref().map(|body| format!("  {}", mask.apply(body))));
        lines
    }

    /// Sends it, once; what acts with an `Idempotency-Key`
    /// (<https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/>).
    ///
    /// # Errors
    /// `Cancelled` when stopping was asked for before it was sent; `Failed` when this machine can send nothing.
    pub fn send(&self, key: Option<&str>, mask: &Mask, cancel: &Cancel) -> Result<Sent> {
        cancel.check()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::failed("No request can be sent.").because(e))?;
        let client = http::client(&self.url)?;
        let host = self.url.host_str().unwrap_or_default();
        runtime.block_on(async {
            let mut request =
                client.request(self.method.clone(), self.url.clone()).headers(self.headers.clone());
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            if let Some(body) = &self.body {
                request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
            }
            let work = async {
                let response = match request.send().await {
                    Ok(response) => response,
                    Err(e) => {
                        let never = e.is_connect() || e.is_builder();
                        let why =
                            format!("{host}: {}", http::unsent(e, mask).what.raw().trim_end_matches('.'));
                        return if never { Sent::Unsent(why) } else { Sent::Unsure(why) };
                    }
                };
                let status = response.status().as_u16();
                match http::body(response, mask).await {
                    Ok(bytes) => Sent::Answered(status, mask.quote(&bytes)),
                    // The status tells; the words are a help.
                    Err(e) => Sent::Answered(status, e.what.into_raw()),
                }
            };
            Ok(tokio::select! {
                sent = work => sent,
                () = tokio::time::sleep(self.timeout) => {
                    Sent::Unsure(format!("{host} did not answer within {:?}", self.timeout))
                }
                () = stopped(cancel) => Sent::Unsure(format!("it was stopped before {host} answered")),
            })
        })
    }
}

async fn stopped(cancel: &Cancel) {
    while !cancel.is_cancelled() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
