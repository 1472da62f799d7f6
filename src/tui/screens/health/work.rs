//! What the screen asks of the ops.

use crate::domain::Result;
use crate::ops::Ctx;
use crate::ops::health::{HealthSpec, HealthView, Recent, Scope, health, recent};
use crate::task::{Cancel, Progress};

/// Most recent responses that are asked for; a screen shows as many as it has room for.
const RECENT: usize = 40;

/// The figures of a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Request(pub HealthSpec);

/// All that the screen shows.
#[derive(Debug)]
pub struct Answer {
    pub view: HealthView,
    pub recent: Vec<Recent>,
}

impl Request {
    /// Does the work; blocks.
    pub fn run(&self, ctx: &Ctx, cancel: &Cancel, _progress: &Progress) -> Result<Answer> {
        let view = health(ctx, &self.0)?;
        cancel.check()?;
        // What is busiest was just found out; traces without a feature stand among all.
        let scope = view.feature.clone().map_or(Scope::All, Scope::Feature);
        let recent = recent(ctx, &scope, &self.0.only, RECENT, cancel)?;
        Ok(Answer { view, recent })
    }
}

impl From<Request> for crate::tui::work::Request {
    fn from(request: Request) -> Self {
        Self::Health(request)
    }
}
