//! One request to a flag service: with its keys, within its time, read without trusting its length.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::domain::{Error, Result};
use crate::wire::http::{self, Mask};

/// What is to be asked.
pub(super) struct Request {
    pub method: Method,
    pub url: Url,
    /// The type and the text of the body.
    pub body: Option<(&'static str, String)>,
}

/// What was answered.
pub(super) struct Answer {
    pub status: u16,
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The answer as JSON, where the status is good.
    ///
    /// # Errors
    /// `Failed` otherwise, with the service's words.
    pub fn ok(&self, mask: &Mask) -> Result<Value> {
        if !(200..300).contains(&self.status) {
            return Err(Error::failed(format!("The flag service {}.", self.words(mask))));
        }
        serde_json::from_slice(&self.bytes).map_err(|e| {
            Error::failed(format!("The flag service's answer is not JSON: {}", mask.quote(&self.bytes)))
                .because(e)
        })
    }

    /// `said 403: no permission`.
    pub fn words(&self, mask: &Mask) -> String {
        let said = serde_json::from_slice::<Value>(&self.bytes).ok();
        let message = said.as_ref().and_then(|said| {
            let details = said.pointer("/details/0/message").or_else(|| said.get("message"));
            details.or_else(|| said.get("error")).or_else(|| said.get("errorDetails"))?.as_str()
        });
        let quoted = mask.quote(message.map_or(self.bytes.as_slice(), str::as_bytes));
        let colon = if quoted.is_empty() { "" } else { ": " };
        format!("said {}{colon}{}", self.status, quoted.trim_end_matches('.'))
    }
}

/// Sends requests with the keys of a switch.
pub(super) struct Requests {
    feature: String,
    timeout: Duration,
    headers: HeaderMap,
    ofrep: HeaderMap,
    /// How each header is shown.
    shown: BTreeMap<String, String>,
    pub mask: Mask,
}

impl Requests {
    pub fn new(feature: &str, timeout: Duration) -> Self {
        Self {
            feature: feature.to_owned(),
            timeout,
            headers: HeaderMap::new(),
            ofrep: HeaderMap::new(),
            shown: BTreeMap::new(),
            mask: Mask::default(),
        }
    }

    fn secret(&mut self, env: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<SecretString> {
        let value = variable(env).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let value = SecretString::from(value.ok_or_else(|| {
            Error::usage(format!(
                "The switch of {} needs its key in the variable `{env}`, which is not set.",
                self.feature
            ))
            .hint(format!("Set it before you start: `export {env}=…`."))
        })?);
        self.mask.add(value.clone());
        Ok(value)
    }

    fn value(env: &str, text: &str) -> Result<HeaderValue> {
        let mut value = HeaderValue::from_str(text).map_err(|_| {
            Error::usage(format!("The variable `{env}` holds a character that no key can have."))
                .hint("Look for a line break or a quotation mark that was copied with it.")
        })?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Sends the key of a variable in this header, after `before`.
    pub fn key(
        &mut self,
        env: &str,
        header: &str,
        before: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<()> {
        let secret = self.secret(env, variable)?;
        let value = Self::value(env, &format!("{before}{}", secret.expose_secret()))?;
        self.put(header, value, format!("{before}[{env}]"))
    }

    fn put(&mut self, header: &str, value: HeaderValue, shown: String) -> Result<()> {
        let name = HeaderName::try_from(header)
            .map_err(|e| Error::usage(format!("`{header}` is not the name of a header.")).because(e))?;
        self.shown.insert(name.to_string(), shown);
        self.headers.insert(name, value);
        Ok(())
    }

    /// Sends two keys as user and password.
    pub fn basic(
        &mut self,
        user: &str,
        password: &str,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<()> {
        let (name, secret) = (self.secret(user, variable)?, self.secret(password, variable)?);
        let pair = format!("{}:{}", name.expose_secret(), secret.expose_secret());
        let encoded = STANDARD.encode(pair);
        self.mask.add(SecretString::from(encoded.clone()));
        let value = Self::value(password, &format!("Basic {encoded}"))?;
        self.put("authorization", value, format!("Basic [{user}]:[{password}]"))
    }

    /// Sends these headers; `env:NAME` is the value of a variable.
    pub fn headers(
        &mut self,
        headers: &BTreeMap<String, String>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<()> {
        for (name, text) in headers {
            match text.strip_prefix("env:") {
                Some(env) => self.key(env, name, "", variable)?,
                None => {
                    let value = HeaderValue::from_str(text).map_err(|e| {
                        Error::usage(format!("The header `{name}` cannot be sent.")).because(e)
                    })?;
                    self.put(name, value, text.clone())?;
                }
            }
        }
        Ok(())
    }

    /// Sends the key of a variable to where the flag is evaluated.
    pub fn ofrep_key(&mut self, env: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<()> {
        let secret = self.secret(env, variable)?;
        let value = Self::value(env, &format!("Bearer {}", secret.expose_secret()))?;
        self.ofrep.insert(reqwest::header::AUTHORIZATION, value);
        Ok(())
    }

    /// What these variables hold is not shown, whatever a program says.
    pub fn mask_variables(&mut self, names: &[String], variable: &dyn Fn(&str) -> Option<String>) {
        names
            .iter()
            .filter_map(|name| variable(name))
            .for_each(|value| self.mask.add(SecretString::from(value)));
    }

    /// A request in words: keys are named, not shown.
    pub fn lines(&self, request: &Request) -> Vec<String> {
        let mut lines = vec![format!("{} {}", request.method, request.url)];
        lines.extend(self.shown.iter().map(|(name, value)| format!("  {name}: {value}")));
        if let Some((kind, body)) = &request.body {
            lines.push(format!("  content-type: {kind}"));
            lines.push(format!("  {}", self.mask.apply(body)));
        }
        lines
    }

    /// Sends a request, once.
    ///
    /// # Errors
    /// `Failed` when no answer came: it may have been done all the same.
    pub fn send(&self, request: &Request) -> Result<Answer> {
        self.send_with(request, &self.headers)
    }

    /// Sends one to where the flag is evaluated, with its own key.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_ofrep(&self, request: &Request) -> Result<Answer> {
        self.send_with(request, &self.ofrep)
    }

    fn send_with(&self, request: &Request, headers: &HeaderMap) -> Result<Answer> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::failed("No request can be sent.").because(e))?;
        let host = request.url.host_str().unwrap_or_default();
        let failed = |what: String| {
            Error::failed(format!("{host} gave no answer: {what}"))
                .hint("Look whether it is up, and the address right.")
        };
        runtime.block_on(async {
            let mut asked = http::client(&request.url)?
                .request(request.method.clone(), request.url.clone())
                .headers(headers.clone());
            if let Some((kind, body)) = &request.body {
                asked = asked.header(CONTENT_TYPE, *kind).body(body.clone());
            }
            let work = async {
                let response = asked.send().await.map_err(|e| http::unsent(e, &self.mask))?;
                let status = response.status().as_u16();
                http::body(response, &self.mask).await.map(|bytes| Answer { status, bytes })
            };
            match tokio::time::timeout(self.timeout, work).await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(error)) => Err(failed(error.what.into_raw())),
                Err(_) => Err(failed(format!("none came within {:?}.", self.timeout))),
            }
        })
    }
}
