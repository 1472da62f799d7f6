//! Switching a feature where its team keeps the switch: a file, a program, a request, a flag service. What was
//! switched is read back; where the flag is evaluated (OFREP), there too.
//!
//! A service that answers an error may have done it all the same: [`Acted::Unknown`] says so, and reading back
//! decides. To add a kind: a variant of `SwitchKind`, its settings in `config/switches.rs`, an arm in each method
//! here.

mod command;
pub mod edit;
mod file;
mod flagd;
mod request;
mod service;

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::domain::switch::{Fallback, Power, SwitchKind, SwitchSpec};
use crate::domain::{Error, Result};
use crate::task::Cancel;
use request::Requests;

/// What a switch reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// The feature is on or off.
    Is(Power),
    /// It cannot be told, for this reason.
    Unknown(String),
}

/// What came of switching.
#[derive(Debug, Clone, PartialEq)]
pub enum Acted {
    /// It was done; what was taken out to be put back is beside it.
    Done(String, Option<Value>),
    /// It may have been done: this happened.
    Unknown(String),
}

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// On or off.
    pub to: Power,
    /// What answers meanwhile.
    pub fallback: Option<Fallback>,
    /// What the switch before took out.
    pub parked: Option<&'a Value>,
}

/// A feature's switch, ready to act: keys are found, templates are whole.
pub struct Flag<'a> {
    spec: &'a SwitchSpec,
    feature: &'a str,
    home: PathBuf,
    requests: Requests,
}

impl<'a> Flag<'a> {
    /// Makes the switch of a feature ready. `variable` looks the environment up.
    ///
    /// # Errors
    /// `Usage` when a key's variable is not set, or an address is none.
    pub fn connect(
        spec: &'a SwitchSpec,
        feature: &'a str,
        home: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let mut requests = Requests::new(feature, spec.timeout);
        match &spec.kind {
            SwitchKind::Unleash(of) => requests.key(&of.token_env, "authorization", "", variable)?,
            SwitchKind::LaunchDarkly(of) => requests.key(&of.token_env, "authorization", "", variable)?,
            SwitchKind::LangfuseLabel(of) => {
                requests.basic(&of.public_key_env, &of.secret_key_env, variable)?
            }
            SwitchKind::Http(of) => requests.headers(&of.headers, variable)?,
            SwitchKind::Command(of) => requests.mask_variables(&of.env, variable),
            SwitchKind::FlagFile(_) | SwitchKind::Flagd(_) => {}
        }
        if let Some(of) = spec.ofrep.as_ref().and_then(|ofrep| ofrep.token_env.as_ref()) {
            requests.ofrep_key(of, variable)?;
        }
        Ok(Self { spec, feature, home: home.to_owned(), requests })
    }

    /// What switches, in words: `flags.json`, `Unleash at unleash.example.com`.
    pub fn place(&self) -> String {
        let host = |url: &str| {
            url.split("://").nth(1).unwrap_or(url).split(['/', '?']).next().unwrap_or_default().to_owned()
        };
        match &self.spec.kind {
            SwitchKind::FlagFile(of) => format!("{} {}", of.path.display(), of.pointer),
            SwitchKind::Flagd(of) => format!("{} of flagd, {}", of.flag, of.path.display()),
            SwitchKind::Command(of) => of.run.first().cloned().unwrap_or_default(),
            SwitchKind::Http(of) => format!("{} {}", of.method, host(&of.url)),
            SwitchKind::Unleash(of) => {
                format!("{} of Unleash at {}, {}", of.flag, host(&of.url), of.environment)
            }
            SwitchKind::LaunchDarkly(of) => {
                format!("{} of LaunchDarkly at {}, {}", of.flag, host(&of.url), of.environment)
            }
            SwitchKind::LangfuseLabel(of) => {
                format!("the label {} of {} in Langfuse at {}", of.label, of.prompt, host(&of.url))
            }
        }
    }

    /// What would be done, a line a step, without doing it. Keys are named, not shown.
    ///
    /// # Errors
    /// `NotSo` when it could not be done: a file that is not there, a flag that is not in it.
    pub fn plan(&self, order: Order<'_>) -> Result<Vec<String>> {
        match &self.spec.kind {
            SwitchKind::FlagFile(of) => Ok(file::change(of, &self.home, order)?.lines),
            SwitchKind::Flagd(of) => Ok(flagd::change(of, &self.home, order)?.lines),
            SwitchKind::Command(of) => {
                Ok(vec![format!("run {}", command::words(&of.run, self.feature, order).join(" "))])
            }
            SwitchKind::Http(_)
            | SwitchKind::Unleash(_)
            | SwitchKind::LaunchDarkly(_)
            | SwitchKind::LangfuseLabel(_) => {
                Ok(self.requests.lines(&service::act(&self.spec.kind, self.feature, order)?))
            }
        }
    }

    /// What the team's own dry run says, where there is one.
    ///
    /// # Errors
    /// `Failed` when it does not end well.
    pub fn rehearse(&self, order: Order<'_>, cancel: &Cancel) -> Result<Option<String>> {
        match &self.spec.kind {
            SwitchKind::Command(of) if !of.dry_run.is_empty() => {
                let argv = command::words(&of.dry_run, self.feature, order);
                let ended = command::run(&argv, &of.env, &self.home, self.spec.timeout, cancel)?;
                command::good(ended, &argv, &self.requests.mask).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Whether the switch has a place for the fallback's name.
    pub fn tells_fallback(&self, fallback: Fallback) -> bool {
        match &self.spec.kind {
            SwitchKind::FlagFile(of) => of.fallback_pointer.is_some(),
            SwitchKind::Flagd(of) => of.fallbacks.contains_key(fallback.word()),
            SwitchKind::Command(of) => of.run.iter().any(|word| word == "{{fallback}}"),
            SwitchKind::Http(of) => of.url.contains("fallback") || of.body.contains("fallback"),
            SwitchKind::Unleash(_) | SwitchKind::LaunchDarkly(_) | SwitchKind::LangfuseLabel(_) => false,
        }
    }

    /// What is to be known of this kind of switch before it is trusted.
    pub fn caveats(&self) -> Vec<&'static str> {
        match &self.spec.kind {
            SwitchKind::FlagFile(_) => vec!["The application must read the file again to notice."],
            SwitchKind::Flagd(_) => vec![
                "Off serves another variant; a state of DISABLED would leave it to the default in the application's code.",
            ],
            SwitchKind::Unleash(_) => vec!["Applications ask Unleash every 15 s by default."],
            SwitchKind::LaunchDarkly(_) => {
                vec!["Off serves the off variation of the flag: look that it is the one you mean."]
            }
            SwitchKind::LangfuseLabel(_) => vec![
                "A label moves to another version of the prompt: the feature goes on answering, by that version.",
                "Langfuse's SDK keeps a prompt for 60 s, and may keep the old one for as long as fetching fails.",
            ],
            SwitchKind::Command(of) if of.read.is_empty() => {
                vec!["There is no `read` command: that it took is not proved by the switch."]
            }
            SwitchKind::Http(of) if of.read.is_none() => {
                vec!["There is no `read` address: that it took is not proved by the switch."]
            }
            SwitchKind::Command(_) | SwitchKind::Http(_) => Vec::new(),
        }
    }

    /// Whether the state can be read where it is switched.
    pub fn can_read(&self) -> bool {
        match &self.spec.kind {
            SwitchKind::Command(of) => !of.read.is_empty(),
            SwitchKind::Http(of) => of.read.is_some(),
            _ => true,
        }
    }

    /// Reads the state where it is switched.
    ///
    /// # Errors
    /// When it cannot be asked, or the answer cannot be understood.
    pub fn read(&self, cancel: &Cancel) -> Result<Reading> {
        cancel.check()?;
        match &self.spec.kind {
            SwitchKind::FlagFile(of) => file::read(of, &self.home),
            SwitchKind::Flagd(of) => flagd::read(of, &self.home),
            SwitchKind::Command(of) if of.read.is_empty() => {
                Ok(Reading::Unknown("it has no `read` command".to_owned()))
            }
            SwitchKind::Command(of) => {
                let order = Order { to: Power::On, fallback: None, parked: None };
                let argv = command::words(&of.read, self.feature, order);
                let ended = command::run(&argv, &of.env, &self.home, self.spec.timeout, cancel)?;
                Ok(command::reading(&command::good(ended, &argv, &self.requests.mask)?))
            }
            kind => match service::read(kind)? {
                None => Ok(Reading::Unknown("it has no `read` address".to_owned())),
                Some(request) => {
                    let answer = self.requests.send(&request)?;
                    service::reading(kind, answer.ok(&self.requests.mask)?)
                }
            },
        }
    }

    /// Whether the flag is evaluated somewhere to be asked.
    pub fn is_evaluated(&self) -> bool {
        self.spec.ofrep.is_some()
    }

    /// Asks where the flag is evaluated (`POST /ofrep/v1/evaluate/flags/{flag}`, OpenFeature Remote Evaluation
    /// Protocol), as the application does. `Unknown` where nothing is to be asked.
    ///
    /// # Errors
    /// When it cannot be asked, or does not know the flag.
    pub fn evaluate(&self, cancel: &Cancel) -> Result<Reading> {
        cancel.check()?;
        let Some(ofrep) = &self.spec.ofrep else {
            return Ok(Reading::Unknown("no OFREP service is named".to_owned()));
        };
        let answer = self.requests.send_ofrep(&service::evaluate(ofrep)?)?;
        service::evaluated(ofrep, answer.ok(&self.requests.mask)?)
    }

    /// Switches, once.
    ///
    /// # Errors
    /// When it was not done for sure: a file that cannot be written, a request that was refused.
    pub fn act(&self, order: Order<'_>, cancel: &Cancel) -> Result<Acted> {
        cancel.check()?;
        match &self.spec.kind {
            SwitchKind::FlagFile(of) => file::change(of, &self.home, order)?.write(),
            SwitchKind::Flagd(of) => flagd::change(of, &self.home, order)?.write(),
            SwitchKind::Command(of) => {
                let argv = command::words(&of.run, self.feature, order);
                let ended = command::run(&argv, &of.env, &self.home, self.spec.timeout, cancel)?;
                match command::good(ended, &argv, &self.requests.mask) {
                    Ok(said) => Ok(Acted::Done(said, None)),
                    Err(error) => Ok(Acted::Unknown(error.what)),
                }
            }
            kind => {
                let answer = match self.requests.send(&service::act(kind, self.feature, order)?) {
                    Ok(answer) => answer,
                    Err(error) => return Ok(Acted::Unknown(error.what)),
                };
                service::acted(kind, answer, &self.requests.mask)
            }
        }
    }
}

/// Keeps the file of a switch as it is now beside it, under its name and `.before-NAME`; `None` where the switch is no
/// file. One that is kept already is left as it is: it is from before the first act.
///
/// # Errors
/// `Failed` when it cannot be read or written.
pub fn keep(spec: &SwitchSpec, home: &Path, name: &str) -> Result<Option<PathBuf>> {
    let Some(path) = file_of(spec) else { return Ok(None) };
    // Through a link, beside the file that is changed.
    let file = std::fs::canonicalize(home.join(path)).unwrap_or_else(|_| home.join(path));
    let kept = kept_as(&file, name);
    if kept.symlink_metadata().is_err() {
        std::fs::copy(&file, &kept).map_err(|e| {
            Error::failed(format!("{} cannot be kept as {}.", file.display(), kept.display()))
                .because(e)
                .hint("Give yourself permission to write there; nothing was changed.")
        })?;
    }
    Ok(Some(kept))
}

/// The file of a switch, as it is configured; `None` where it is no file.
pub fn file_of(spec: &SwitchSpec) -> Option<&Path> {
    match &spec.kind {
        SwitchKind::FlagFile(of) => Some(&of.path),
        SwitchKind::Flagd(of) => Some(&of.path),
        _ => None,
    }
}

/// What a file is called that is kept from before `name`.
pub fn kept_as(file: &Path, name: &str) -> PathBuf {
    let mut kept = file.as_os_str().to_owned();
    kept.push(format!(".before-{name}"));
    kept.into()
}

/// Reads a file of the team's, with its path in the error.
fn text_of(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| {
        Error::failed(format!("The flag file {} cannot be read.", path.display()))
            .because(e)
            .hint("`path` of the switch is named from the folder of tuesday.toml.")
    })
}
