//! `tuesday health`.

mod print;
mod watch;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{Face, output};
use crate::domain::{Result, Untrusted};
use crate::ops::Access;
use crate::ops::Ctx;
use crate::ops::health::{
    Against, By, HealthSpec, HealthView, Only, Recent, Scope, health, recent, write_page,
};
use crate::task::Cancel;

/// Recent responses shown.
const RECENT: usize = 6;

/// Show the figures of the last 24 hours against the week before
#[derive(Args, Debug)]
pub(super) struct HealthArgs {
    /// Only this feature [default: all traffic]
    #[arg(long, value_name = "NAME")]
    feature: Option<String>,
    /// Only what this model answered
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Only this version of a prompt: customer_support@v4, or v4 of any prompt
    #[arg(long, value_name = "VERSION")]
    prompt_version: Option<String>,
    /// Only this language, as the source states it: de
    #[arg(long, value_name = "LANGUAGE")]
    language: Option<String>,
    /// How far back: 1h to 28d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = hours)]
    window: i64,
    /// What the window is held against: the same time last week, or the time just before
    #[arg(long, value_name = "WHAT", default_value = "last_week", value_parser = against)]
    against: Against,
    /// What the traffic is told apart by: prompt_version, model, language, feature
    #[arg(long, value_name = "WHAT", default_value = "prompt_version", value_parser = by)]
    by: By,
    /// Write the page to this file: HTML without a script and without anything from elsewhere
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    html: Option<PathBuf>,
    /// Show the figures until you stop it: anew when traces come in, and every minute
    #[arg(long, conflicts_with_all = ["json", "html"])]
    watch: bool,
    /// Answer with JSON: see `tuesday help json`
    #[arg(long)]
    json: bool,
}

/// Whole hours of `24h`, `2d`.
fn hours(text: &str) -> std::result::Result<i64, String> {
    let (number, unit) = text.split_at(text.len() - text.chars().last().map_or(0, char::len_utf8));
    let each = match unit {
        "h" => 1,
        "d" => 24,
        _ => return Err("write hours or days: 24h, 7d".to_owned()),
    };
    match number.parse::<i64>() {
        Ok(n) if (1..=crate::ops::health::LONGEST_HOURS).contains(&n.saturating_mul(each)) => Ok(n * each),
        _ => Err("write 1h to 28d".to_owned()),
    }
}

fn against(text: &str) -> std::result::Result<Against, String> {
    match text.replace('-', "_").as_str() {
        "last_week" | "week" => Ok(Against::LastWeek),
        "previous" | "before" => Ok(Against::Previous),
        _ => Err("write last_week or previous".to_owned()),
    }
}

fn by(text: &str) -> std::result::Result<By, String> {
    By::from_word(text).map_err(|error| error.hints.join(" "))
}

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    health: HealthView,
    recent: Vec<Recent>,
}

impl HealthArgs {
    fn spec(&self) -> HealthSpec {
        let name = |text: &Option<String>| text.as_deref().map(Untrusted::from);
        let only = Only { model: name(&self.model), language: name(&self.language), ..Only::default() };
        HealthSpec {
            scope: name(&self.feature).map_or(Scope::All, Scope::Feature),
            only: match &self.prompt_version {
                Some(text) => only.with_prompt_version(text),
                None => only,
            },
            hours: self.window,
            against: self.against,
            by: self.by,
        }
    }
}

pub(super) fn run(face: &Face, args: &HealthArgs) -> Result<u8> {
    let ctx = face.ctx(Access::ReadOnly)?;
    let spec = args.spec();
    if args.watch {
        return watch::run(&ctx, &spec);
    }
    let answer = ask(&ctx, &spec)?;
    match &args.html {
        Some(path) => {
            write_page(&answer.health, &answer.recent, path)?;
            output::text(&format!("Wrote {}.", path.display()))?;
        }
        None if args.json => output::json(&answer)?,
        None => output::text(&print::answer(&answer.health, &answer.recent))?,
    }
    Ok(0)
}

fn ask(ctx: &Ctx, spec: &HealthSpec) -> Result<Answer> {
    let health = health(ctx, spec)?;
    let recent = recent(ctx, &spec.scope, &spec.only, RECENT, &Cancel::default())?;
    Ok(Answer { health, recent })
}
