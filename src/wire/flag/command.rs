//! A program of the team's that switches, or says how it stands. No shell; only the variables that are named.

use std::path::Path;
use std::time::Duration;

use super::{Order, Reading};
use crate::domain::switch::Power;
use crate::domain::{Error, Result};
use crate::task::Cancel;
use crate::wire::http::Mask;
use crate::wire::program::{self, Ended, Program, variables};

/// The arguments, with the words that stand for something filled in. A fallback that was not said is `none`.
pub(super) fn words(argv: &[String], feature: &str, order: Order<'_>) -> Vec<String> {
    let fallback = order.fallback.map_or("none", |fallback| fallback.word());
    argv.iter()
        .map(|word| match word.as_str() {
            "{{to}}" => order.to.word().to_owned(),
            "{{feature}}" => feature.to_owned(),
            "{{fallback}}" => fallback.to_owned(),
            other => other.to_owned(),
        })
        .collect()
}

/// Runs it in the folder of the configuration.
pub(super) fn run(
    argv: &[String],
    env: &[String],
    home: &Path,
    limit: Duration,
    cancel: &Cancel,
) -> Result<Ended> {
    let mut argv = argv.to_vec();
    if let Some(program) = argv.first_mut()
        && program.contains('/')
    {
        *program = home.join(&*program).display().to_string();
    }
    let env = variables(["PATH", "HOME", "LANG"].into_iter().chain(env.iter().map(String::as_str)));
    program::run(&Program { argv: &argv, folder: home, env, limit }, cancel)
}

/// What it said, where it ended well.
pub(super) fn good(ended: Ended, argv: &[String], mask: &Mask) -> Result<String> {
    let name = argv.first().map(String::as_str).unwrap_or_default();
    if ended.is_good() {
        return Ok(mask.quote(&ended.out));
    }
    let how = match (ended.timed_out, ended.code) {
        (true, _) => "did not end in time and was ended".to_owned(),
        (false, Some(code)) => format!("ended with code {code}"),
        (false, None) => "was ended by a signal".to_owned(),
    };
    let said = mask.quote_end(if ended.err.is_empty() { &ended.out } else { &ended.err });
    let colon = if said.is_empty() { "" } else { ": " };
    Err(Error::failed(format!("The command {name} {how}{colon}{said}.")))
}

/// `on`, `off` and the like.
pub(super) fn reading(said: &str) -> Reading {
    match said.trim().to_ascii_lowercase().as_str() {
        "on" | "true" | "1" | "enabled" => Reading::Is(Power::On),
        "off" | "false" | "0" | "disabled" => Reading::Is(Power::Off),
        other => Reading::Unknown(format!("it says \"{other}\", which is neither on nor off")),
    }
}
