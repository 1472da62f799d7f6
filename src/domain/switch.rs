//! Switching a feature: what a team says of how it is done, and what is kept of each time that it was.
//!
//! Pure; the acting is in `wire::flag`. Secrets are named by their variables, never held here.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Untrusted;

/// How a feature is switched: `switch` of `[features.NAME]`.
#[derive(Debug, Clone, PartialEq)]
pub struct SwitchSpec {
    /// By what.
    pub kind: SwitchKind,
    /// Where the flag is evaluated, to read it back as the application does.
    pub ofrep: Option<OfrepSpec>,
    /// How long a request or a program may take.
    pub timeout: Duration,
    /// How long is waited for a switch to be read back.
    pub settle: Duration,
}

/// What switches.
#[derive(Debug, Clone, PartialEq)]
pub enum SwitchKind {
    /// A value in a file.
    FlagFile(FlagFile),
    /// A program of the team's.
    Command(SwitchCommand),
    /// A request.
    Http(SwitchHttp),
    /// A feature environment of Unleash.
    Unleash(Unleash),
    /// A flag in flagd's file.
    Flagd(Flagd),
    /// A flag of LaunchDarkly.
    LaunchDarkly(LaunchDarkly),
    /// A label of a prompt in Langfuse.
    LangfuseLabel(LangfuseLabel),
}

impl SwitchKind {
    /// Its name in the configuration.
    pub fn name(&self) -> &'static str {
        match self {
            Self::FlagFile(_) => "flag_file",
            Self::Command(_) => "command",
            Self::Http(_) => "http",
            Self::Unleash(_) => "unleash",
            Self::Flagd(_) => "flagd",
            Self::LaunchDarkly(_) => "launchdarkly",
            Self::LangfuseLabel(_) => "langfuse_label",
        }
    }
}

/// A flag in a file of the team's.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagFile {
    /// The file.
    pub path: PathBuf,
    /// Its format.
    pub format: FlagFormat,
    /// Where the flag is: a JSON Pointer, or the name of a variable.
    pub pointer: String,
    /// What stands there while the feature is on.
    pub on: serde_json::Value,
    /// What stands there while it is off.
    pub off: serde_json::Value,
    /// Where the fallback's name is written, where the application reads one.
    pub fallback_pointer: Option<String>,
}

/// The format of a flag file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagFormat {
    /// JSON.
    Json,
    /// TOML.
    Toml,
    /// Lines of `NAME=value`.
    Env,
}

/// A program that switches. `{{to}}`, `{{feature}}` and `{{fallback}}` stand for whole arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct SwitchCommand {
    /// The program and its arguments.
    pub run: Vec<String>,
    /// A program whose output says `on` or `off`.
    pub read: Vec<String>,
    /// A program that says what would be done.
    pub dry_run: Vec<String>,
    /// The variables that it gets, besides PATH, HOME and LANG.
    pub env: Vec<String>,
}

/// A request that switches. URL and body are templates over `to`, `enabled`, `feature`, `fallback`.
#[derive(Debug, Clone, PartialEq)]
pub struct SwitchHttp {
    /// The method.
    pub method: String,
    /// The address.
    pub url: String,
    /// Headers; a value `env:NAME` is that of a variable.
    pub headers: BTreeMap<String, String>,
    /// The body; none where it is empty.
    pub body: String,
    /// The statuses that mean that it was done; any of 200 to 299 where there is none.
    pub expect: Vec<u16>,
    /// Where its state is read: an address and a JSON Pointer into the answer.
    pub read: Option<(String, String)>,
    /// What stands there while the feature is on.
    pub on: serde_json::Value,
}

/// `POST {url}/api/admin/projects/{project}/features/{flag}/environments/{environment}/on` of Unleash.
#[derive(Debug, Clone, PartialEq)]
pub struct Unleash {
    /// The address of the server.
    pub url: String,
    /// The project.
    pub project: String,
    /// The flag.
    pub flag: String,
    /// The environment.
    pub environment: String,
    /// The variable that holds the token.
    pub token_env: String,
}

/// A flag in the file that flagd serves. Off is another default variant, not a state of `DISABLED`.
#[derive(Debug, Clone, PartialEq)]
pub struct Flagd {
    /// The file.
    pub path: PathBuf,
    /// The flag.
    pub flag: String,
    /// The variant that is served while the feature is on.
    pub on: String,
    /// The variant that is served while it is off.
    pub off: String,
    /// Variants that stand for a fallback, by its name.
    pub fallbacks: BTreeMap<String, String>,
}

/// `PATCH {url}/api/v2/flags/{project}/{flag}` of LaunchDarkly, as a semantic patch.
#[derive(Debug, Clone, PartialEq)]
pub struct LaunchDarkly {
    /// The address of the API.
    pub url: String,
    /// The project's key.
    pub project: String,
    /// The flag's key.
    pub flag: String,
    /// The environment's key.
    pub environment: String,
    /// The variable that holds the token, which is sent as it is.
    pub token_env: String,
}

/// `PATCH {url}/api/public/v2/prompts/{prompt}/versions/{version}` of Langfuse: a rollback rather than a switch.
#[derive(Debug, Clone, PartialEq)]
pub struct LangfuseLabel {
    /// The address of the server.
    pub url: String,
    /// The prompt's name.
    pub prompt: String,
    /// The label that the application asks for.
    pub label: String,
    /// The version that has it while the feature is on.
    pub on: u64,
    /// The version that has it while it is off.
    pub off: u64,
    /// The variable that holds the public key.
    pub public_key_env: String,
    /// The variable that holds the secret key.
    pub secret_key_env: String,
}

/// Where a flag is evaluated: `POST {url}/ofrep/v1/evaluate/flags/{flag}`.
#[derive(Debug, Clone, PartialEq)]
pub struct OfrepSpec {
    /// The address of the service.
    pub url: String,
    /// The flag.
    pub flag: String,
    /// The variable that holds the token, sent as `Authorization: Bearer …`.
    pub token_env: Option<String>,
    /// What it evaluates to while the feature is on: a value, or the name of a variant.
    pub on: serde_json::Value,
}

/// Whether a feature answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    /// The feature answers.
    On,
    /// A fallback answers.
    Off,
}

impl Power {
    /// `on`, `off`.
    pub fn word(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
        }
    }

    /// The other one.
    pub fn opposite(self) -> Self {
        match self {
            Self::On => Self::Off,
            Self::Off => Self::On,
        }
    }
}

/// What answers while a feature is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// Fixed rules.
    Rules,
    /// People.
    Human,
}

impl Fallback {
    /// `rules`, `human`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Human => "human",
        }
    }
}

/// How far an act came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SwitchStage {
    /// It was begun; without a later stage it is not known what came of it.
    Begun,
    /// It was done and read back.
    Done,
    /// It was done, and cannot be read back or reads otherwise.
    Unproven,
    /// It was not done.
    Failed,
}

impl SwitchStage {
    /// Its name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Unproven => "unproven",
            Self::Failed => "failed",
        }
    }

    /// The stage of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Begun, Self::Done, Self::Unproven, Self::Failed].into_iter().find(|stage| stage.name() == name)
    }
}

/// What was switched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SwitchOf {
    /// A feature, off or on.
    Feature,
    /// A prompt, to another version.
    Prompt,
}

impl SwitchOf {
    /// Its name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Feature => "feature",
            Self::Prompt => "prompt",
        }
    }
}

/// One line of the record of switches. A switch has a line when it is begun and one when it is over.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SwitchEvent {
    /// The act: the lines of one switch share it.
    pub act: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Untrusted,
    /// How far it came.
    pub stage: SwitchStage,
    /// What it was before: `on`, `v4`; none where that is not known.
    pub from: Option<Untrusted>,
    /// What it was to become.
    pub to: Untrusted,
    /// More about it.
    #[serde(flatten)]
    pub note: SwitchNote,
}

/// What else is kept of a switch. Its serde form is stored. Holds no secret.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SwitchNote {
    /// What answers meanwhile.
    #[serde(default)]
    pub fallback: Option<Fallback>,
    /// Whether it went back from a version that did harm: such a version is not known good any more.
    #[serde(default)]
    pub rollback: bool,
    /// Why, in the person's words.
    #[serde(default)]
    pub reason: Option<Untrusted>,
    /// What was done, a line a step.
    #[serde(default)]
    pub did: Vec<Untrusted>,
    /// What came of it.
    #[serde(default)]
    pub said: Option<Untrusted>,
    /// What was taken out to be put back by the opposite switch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked: Option<serde_json::Value>,
}
