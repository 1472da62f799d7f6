//! What the screen asks of the ops.

use std::sync::Arc;

use crate::domain::Result;
use crate::domain::prompt::TeamConfig;
use crate::ops::Ctx;
use crate::ops::feature::{self, FeatureRow, SwitchAsk, SwitchView};
use crate::task::{Cancel, Progress};

/// Work for a worker thread.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// The features and how they stand; their switches are asked.
    List { team: Arc<TeamConfig> },
    /// Switch one, or say what that would do.
    Switch { team: Arc<TeamConfig>, ask: SwitchAsk },
}

/// What it gives.
#[derive(Debug)]
pub enum Answer {
    Features(Vec<FeatureRow>),
    Switched(Box<SwitchView>),
}

impl Request {
    /// Does the work; blocks. Keys of switches come from the environment.
    pub fn run(&self, ctx: &Ctx, cancel: &Cancel, _progress: &Progress) -> Result<Answer> {
        let variable = |name: &str| std::env::var(name).ok();
        match self {
            Self::List { team } => feature::list(ctx, team, true, &variable, cancel).map(Answer::Features),
            Self::Switch { team, ask } => feature::switch(ctx, team, ask, &variable, cancel)
                .map(|view| Answer::Switched(Box::new(view))),
        }
    }
}

impl From<Request> for crate::tui::work::Request {
    fn from(request: Request) -> Self {
        Self::Features(request)
    }
}
