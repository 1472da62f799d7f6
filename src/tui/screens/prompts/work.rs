//! What the screen asks of the ops.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::domain::prompt::TeamConfig;
use crate::domain::{Result, Untrusted};
use crate::ops::Ctx;
use crate::ops::prompt::{self, LintView, PromptView, UseSpec, UseView};
use crate::task::{Cancel, Progress};

/// Work for a worker thread.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// A prompt with its versions; without a name the one with most requests.
    Show { team: Arc<TeamConfig>, prompt: Option<String>, hours: i64 },
    /// Make a version the current one, or say what that would do.
    Use { team: Arc<TeamConfig>, prompt: String, version: String, dry_run: bool },
}

/// What it gives.
#[derive(Debug)]
pub enum Answer {
    /// No prompt is there.
    None,
    Shown(Box<Shown>),
    Used(Box<UseView>),
}

/// A prompt as the screen shows it.
#[derive(Debug)]
pub struct Shown {
    /// The prompts that there are, each with its requests.
    pub prompts: Vec<(String, u64)>,
    pub view: PromptView,
    pub lint: LintView,
    /// The texts of its versions.
    pub texts: Vec<(Untrusted, Untrusted)>,
}

impl Request {
    /// Does the work; blocks.
    pub fn run(&self, ctx: &Ctx, cancel: &Cancel, _progress: &Progress) -> Result<Answer> {
        match self {
            Self::Show { team, prompt, hours } => {
                let now = ctx.clock.now();
                let since = now.saturating_sub(SignedDuration::from_hours(*hours)).unwrap_or(now);
                let rows = prompt::list(ctx, team, since, cancel)?;
                let busiest = || rows.iter().max_by_key(|row| row.requests).map(|row| row.prompt.clone());
                let Some(name) = prompt.clone().or_else(busiest) else { return Ok(Answer::None) };
                let home = prompt::home(team, &name)?;
                let view = prompt::show(ctx, team, &home, since, cancel)?;
                let lint = prompt::lint(ctx, team, std::slice::from_ref(&home), cancel)?;
                let texts = view
                    .versions
                    .iter()
                    .filter(|version| version.known)
                    .filter_map(|version| {
                        let (_, prompt) = home.text(version.version.raw()).ok()?;
                        Some((version.version.clone(), prompt.text.into()))
                    })
                    .collect();
                let prompts = rows.into_iter().map(|row| (row.prompt, row.requests)).collect();
                Ok(Answer::Shown(Box::new(Shown { prompts, view, lint, texts })))
            }
            Self::Use { team, prompt, version, dry_run } => {
                let home = prompt::home(team, prompt)?;
                let spec = UseSpec { dry_run: *dry_run, ..UseSpec::default() };
                prompt::use_version(ctx, team, &home, version, &spec, cancel)
                    .map(|view| Answer::Used(Box::new(view)))
            }
        }
    }
}

impl From<Request> for crate::tui::work::Request {
    fn from(request: Request) -> Self {
        Self::Prompts(request)
    }
}
