//! What the screen asks of the ops.

use crate::domain::Result;
use crate::domain::monitor::Monitors;
use crate::ops::Ctx;
use crate::ops::monitor::{self, AlertView, MonitorList, ReplayView, ResumeView, Trust};
use crate::ops::runbook::Books;
use crate::task::{Cancel, Progress};

/// How far back a replay looks: four weeks.
const REPLAY_MS: i64 = 28 * 86_400_000;

/// Work for a worker thread.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// The alerts that are out, or all.
    Alerts { all: bool },
    /// How the rules stand.
    List(Box<Monitors>),
    /// When a rule would have fired.
    Replay { monitors: Box<Monitors>, id: String },
    /// Tell nobody of an alert or a monitor for some time.
    Silence { monitors: Box<Monitors>, of: String, for_ms: i64, reason: String },
    /// Take up again a monitor that is paused.
    Resume { monitors: Box<Monitors>, id: String, trust: Trust },
    /// Open an incident for an alert.
    Incident { alert: String, books: Books },
}

/// What it gives.
#[derive(Debug)]
pub enum Answer {
    Alerts(Vec<AlertView>),
    List(MonitorList),
    Replay(ReplayView),
    /// Until when nobody is told.
    Silenced(jiff::Timestamp),
    /// What is trusted now.
    Resumed(ResumeView),
    /// The incident's name.
    Incident(String),
}

impl Request {
    /// Does the work; blocks.
    pub fn run(&self, ctx: &Ctx, cancel: &Cancel, _progress: &Progress) -> Result<Answer> {
        match self {
            Request::Alerts { all } => monitor::alerts(ctx, *all).map(Answer::Alerts),
            Request::List(monitors) => monitor::list(ctx, monitors).map(Answer::List),
            Request::Replay { monitors, id } => {
                monitor::replay(ctx, monitors, id, REPLAY_MS, cancel).map(Answer::Replay)
            }
            Request::Silence { monitors, of, for_ms, reason } => {
                monitor::silence(ctx, monitors, of, *for_ms, reason).map(|of| Answer::Silenced(of.until))
            }
            Request::Resume { monitors, id, trust } => {
                monitor::resume(ctx, monitors, id, None, *trust).map(Answer::Resumed)
            }
            Request::Incident { alert, books } => {
                monitor::open_incident(ctx, alert, books).map(|of| Answer::Incident(of.head.id))
            }
        }
    }
}

impl From<Request> for crate::tui::work::Request {
    fn from(request: Request) -> Self {
        Self::Monitors(request)
    }
}
