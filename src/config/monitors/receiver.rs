//! `[[notify]]`: who is told.

use std::collections::BTreeMap;

use super::{Reader, Value};
use crate::domain::Result;
use crate::domain::monitor::{Receiver, ReceiverKind};

const RECEIVER: &[&str] = &["name", "kind", "url_env", "routing_key_env", "command"];

impl Reader<'_> {
    pub(super) fn receiver(&self, value: &Value<'_>) -> Result<Receiver> {
        let table = self.table(value)?;
        let mut said: BTreeMap<&str, &Value<'_>> = BTreeMap::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if !RECEIVER.contains(&name) {
                return Err(self.unknown(
                    key.span(),
                    name,
                    "setting of a receiver",
                    RECEIVER.iter().copied(),
                ));
            }
            said.insert(name, value);
        }
        let Some(of_kind) = said.get("kind") else {
            let kinds = ReceiverKind::NAMES.join(", ");
            return Err(self
                .wrong(value.span(), "this receiver has no `kind`.")
                .hint(format!("There are: {kinds}.")));
        };
        let word = self.text(of_kind)?;
        let allowed: &[&str] = match word.as_str() {
            "slack" | "alertmanager" => &["url_env"],
            "pagerduty" => &["url_env", "routing_key_env"],
            "command" => &["command"],
            "bell" => &[],
            other => {
                let known = ReceiverKind::NAMES.into_iter();
                return Err(self.unknown(of_kind.span(), other, "kind of receiver", known));
            }
        };
        for (key, _) in table {
            let name = key.get_ref().as_ref();
            if !["name", "kind"].contains(&name) && !allowed.contains(&name) {
                let what = format!("a receiver of kind {word} has no `{name}`.");
                return Err(self.wrong(key.span(), what));
            }
        }
        let variable = |key: &str| said.get(key).map(|value| self.variable(value)).transpose();
        let needed = |key: &str| {
            variable(key)?.ok_or_else(|| {
                self.wrong(value.span(), format!("this receiver of kind {word} has no `{key}`."))
                    .hint("It is the name of the environment variable that holds the address.")
            })
        };
        let kind = match word.as_str() {
            "slack" => ReceiverKind::Slack { url_env: needed("url_env")? },
            "alertmanager" => ReceiverKind::Alertmanager { url_env: needed("url_env")? },
            "pagerduty" => {
                let (url_env, routing_key_env) = (variable("url_env")?, variable("routing_key_env")?);
                if url_env.is_none() && routing_key_env.is_none() {
                    let what = "this receiver of kind pagerduty has no `routing_key_env`.";
                    return Err(self
                        .wrong(value.span(), what)
                        .hint("It is the name of the environment variable that holds the routing key."));
                }
                ReceiverKind::PagerDuty { url_env, routing_key_env }
            }
            "command" => {
                let Some(command) = said.get("command") else {
                    return Err(self.wrong(value.span(), "this receiver of kind command has no `command`."));
                };
                ReceiverKind::Command(self.texts(command)?)
            }
            _ => ReceiverKind::Bell,
        };
        let name = said.get("name").map(|name| self.text(name)).transpose()?.unwrap_or(word);
        Ok(Receiver { name, kind })
    }

    /// The name of an environment variable, never an address or a key itself.
    fn variable(&self, value: &Value<'_>) -> Result<String> {
        let name = self.text(value)?;
        let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit());
        if fits {
            return Ok(name);
        }
        Err(self
            .wrong(value.span(), "the name of an environment variable belongs here.")
            .hint("Addresses and keys stay in the environment: the file names the variable that holds one."))
    }
}
