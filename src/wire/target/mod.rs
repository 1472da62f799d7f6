//! Targets as they are asked: one attempt ([`Target::ask`]), or patiently ([`ask_patiently`]).
//!
//! To add a kind: a file here, an arm in [`Target::connect`] and in [`Target::ask`].

mod anthropic;
mod command;
mod endpoint;
mod http;
#[cfg(test)]
mod local_tests;
mod messages;
mod openai;
mod pace;
mod retry;
#[cfg(test)]
#[path = "../../../tests/support/llm_server.rs"]
pub mod testing;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::domain::{Answer, Ask, AskError, Error, Price, Result, TargetKind, TargetSpec};

pub use pace::Pace;
pub use retry::ask_patiently;

/// A target that can be asked. Connections and pace are shared by all who ask it.
pub struct Target {
    kind: Kind,
    price: Option<Price>,
    pace: Pace,
}

enum Kind {
    OpenAi(openai::OpenAi),
    Anthropic(anthropic::Anthropic),
    Http(http::Http),
    Command(command::Command),
}

impl Target {
    /// Makes ready to ask. Nothing is sent yet. `variable` looks up the environment, for keys.
    ///
    /// # Errors
    /// `Usage` when the variable of the key is not set, or an address, header, template or pointer cannot be,
    /// or the kind is `recorded`, which has nothing to ask.
    pub fn connect(
        spec: &TargetSpec,
        prices: &BTreeMap<String, Price>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        Self::connect_told(spec, prices, variable, &[])
    }

    /// The same, where the target is told something besides: names and values that a command gets as variables
    /// of its environment and the body of an HTTP endpoint as values of its template.
    pub fn connect_told(
        spec: &TargetSpec,
        prices: &BTreeMap<String, Price>,
        variable: &dyn Fn(&str) -> Option<String>,
        told: &[(String, String)],
    ) -> Result<Self> {
        let name = &spec.name;
        let kind = match &spec.kind {
            TargetKind::OpenAi(model) => Kind::OpenAi(openai::OpenAi::connect(name, model, variable)?),
            TargetKind::Anthropic(model) => {
                Kind::Anthropic(anthropic::Anthropic::connect(name, model, variable)?)
            }
            TargetKind::Http(http) => Kind::Http(http::Http::connect(name, http, variable, told)?),
            TargetKind::Command(argv) => Kind::Command(command::Command::connect(name, argv, told)?),
            TargetKind::Recorded => {
                return Err(Error::usage(format!("The target `{name}` is recorded: it cannot be asked."))
                    .hint("Name a target of another kind."));
            }
        };
        let price = match &spec.kind {
            TargetKind::OpenAi(model) | TargetKind::Anthropic(model) => prices.get(&model.model).copied(),
            _ => None,
        };
        Ok(Self { kind, price, pace: Pace::new(&spec.limits) })
    }

    /// How fast it may be asked.
    pub fn pace(&self) -> &Pace {
        &self.pace
    }

    /// Asks once. Dropping the future gives up: the connection is closed, a command killed.
    ///
    /// # Errors
    /// Says why there is no answer; never holds the key, not even where the target echoes it.
    pub async fn ask(&self, ask: &Ask) -> std::result::Result<Answer, AskError> {
        let mut answer = match &self.kind {
            Kind::OpenAi(target) => target.ask(ask).await,
            Kind::Anthropic(target) => target.ask(ask).await,
            Kind::Http(target) => target.ask(ask).await,
            Kind::Command(target) => target.ask(ask).await,
        }?;
        if let (Some(price), Some(tokens_in), Some(tokens_out)) =
            (self.price, answer.tokens_in, answer.tokens_out)
        {
            answer.cost_usd = Some(price.of(tokens_in, tokens_out));
        }
        Ok(answer)
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").finish_non_exhaustive()
    }
}
