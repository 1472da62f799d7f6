//! `tuesday alert`.

use clap::{Args, Subcommand};

use super::monitor::{clock, span};
use super::{Face, output};
use crate::domain::Result;
use crate::domain::monitor::AlertState;
use crate::ops::Access;
use crate::ops::monitor::{self, AlertView, group_words};
use crate::text::clean_line;
use crate::text::figures::percent;

/// What the monitors raised
#[derive(Args, Debug)]
pub(super) struct AlertArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// List the alerts that are out
    List {
        /// Those that are over too
        #[arg(long)]
        all: bool,
        /// Answer with JSON: see `tuesday help json-monitor`
        #[arg(long)]
        json: bool,
    },
    /// Show an alert: its evidence, and what was told to whom
    Show {
        /// A-7 or 7
        alert: String,
        /// Answer with JSON: see `tuesday help json-monitor`
        #[arg(long)]
        json: bool,
    },
    /// Tell nobody of an alert, or of a monitor's alerts, for some time
    Silence {
        /// A-7, or the id of a monitor
        of: String,
        /// For how long
        #[arg(long = "for", value_name = "TIME", value_parser = span)]
        time: i64,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Answer with JSON: see `tuesday help json-monitor`
        #[arg(long)]
        json: bool,
    },
    /// Open an incident for an alert, with the alert in its record
    Incident {
        /// A-7 or 7
        alert: String,
        /// Answer with JSON, as `incident show` does
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(face: &Face, args: &AlertArgs) -> Result<u8> {
    match &args.command {
        Command::List { all, json } => {
            let alerts = monitor::alerts(&face.ctx(Access::ReadOnly)?, *all)?;
            if *json { output::json(&alerts).map(|()| 0) } else { list(&alerts) }
        }
        Command::Show { alert, json } => {
            let alert = monitor::alert(&face.ctx(Access::ReadOnly)?, alert)?;
            if *json { output::json(&alert).map(|()| 0) } else { show(&alert) }
        }
        Command::Silence { of, time, reason, json } => {
            let ctx = face.ctx(Access::Existing)?;
            let silence = monitor::silence(&ctx, &face.config.monitors, of, *time, reason)?;
            if *json {
                return output::json(&silence).map(|()| 0);
            }
            output::text(&format!("Nobody is told of {of} until {}.", clock(silence.until)))?;
            Ok(0)
        }
        Command::Incident { alert, json } => {
            let ctx = face.ctx(Access::Existing)?;
            let view = monitor::open_incident(&ctx, alert, &face.config.books)?;
            if *json {
                return output::json(&view).map(|()| 0);
            }
            output::text(&format!("{} is open for {alert}; `tuesday incident show {0}`.", view.head.id))?;
            Ok(0)
        }
    }
}

fn state(alert: &AlertView) -> &'static str {
    match (alert.state, alert.silenced_until) {
        (AlertState::Firing, Some(_)) => "silenced",
        (AlertState::Firing, None) => "firing",
        (AlertState::Resolved, _) => "resolved",
    }
}

fn list(alerts: &[AlertView]) -> Result<u8> {
    if alerts.is_empty() {
        output::text("No alert is out.")?;
        return Ok(0);
    }
    let rows = alerts.iter().map(|one| {
        let severity = one.severity.name().to_owned();
        let since = clock(one.fired_at);
        let group = group_words(&one.group);
        vec![
            one.id.clone(),
            state(one).to_owned(),
            severity,
            since,
            one.rule.clone(),
            group,
            one.evidence.summary.clone(),
        ]
    });
    output::table(&["alert", "state", "", "since", "monitor", "", "evidence"], rows)?;
    Ok(0)
}

fn show(alert: &AlertView) -> Result<u8> {
    let over = alert.resolved_at.map_or_else(String::new, |at| format!(", over {}", clock(at)));
    output::text(&format!(
        "{}  {}  {} {}\nsince {}{over}\n{}",
        alert.id,
        state(alert),
        alert.rule,
        group_words(&alert.group),
        clock(alert.fired_at),
        alert.evidence.summary
    ))?;
    if !alert.evidence.slices.is_empty() {
        output::text("")?;
        let rows = alert.evidence.slices.iter().map(|one| {
            let names: Vec<String> =
                one.slice.iter().map(|(name, value)| format!("{name} {}", clean_line(value.raw()))).collect();
            let rate = percent(one.count as f64 / one.n.max(1) as f64);
            let excess = one.excess.round().to_string();
            vec![
                names.join(" × "),
                one.n.to_string(),
                rate,
                percent(one.rate_outside),
                excess,
                percent(one.share),
            ]
        });
        output::table(&["slice", "requests", "rate", "outside", "more than usual", "explains"], rows)?;
    }
    if !alert.evidence.traces.is_empty() {
        let ids: Vec<String> =
            alert.evidence.traces.iter().map(|id| clean_line(id.raw()).into_string()).collect();
        output::text(&format!("\ntraces: {}\nall:    {}", ids.join(" "), alert.evidence.query))?;
    }
    let told = alert.told.as_deref().unwrap_or_default();
    if !told.is_empty() {
        output::text("")?;
        let rows = told.iter().map(|one| {
            let words = one.answer.as_ref().map_or_else(String::new, |words| words.raw().to_owned());
            vec![
                one.receiver.clone(),
                one.what.name().to_owned(),
                clock(one.at),
                one.state.name().to_owned(),
                words,
            ]
        });
        output::table(&["told", "", "", "", ""], rows)?;
    }
    if let Some(incident) = &alert.incident {
        output::text(&format!("\n{incident} was opened for it."))?;
    }
    Ok(0)
}
