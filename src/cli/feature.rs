//! `tuesday feature …`: which features there are, and switching one off and on.

use clap::{Args, Subcommand, ValueEnum};

use super::prompt::confirm;
use super::{Face, output};
use crate::domain::Result;
use crate::domain::switch::{Fallback, Power};
use crate::ops::Access;
use crate::ops::feature::{self, FeatureRow, Proof, SwitchAsk, SwitchView};
use crate::task::Cancel;
use crate::text::figures::{UNKNOWN, relative};

/// List the features and how they stand; switch one off, and on again
#[derive(Args, Debug)]
pub(super) struct FeatureArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// List the features: how each is switched, how it stands, who answered in the last minutes
    List {
        /// Do not ask the switches how they stand
        #[arg(long)]
        offline: bool,
        /// Answer with JSON: see `tuesday help json-prompt`
        #[arg(long)]
        json: bool,
    },
    /// Switch a feature off: rules or people answer; `tuesday feature on` takes it back
    Off {
        /// The feature
        feature: String,
        /// What answers meanwhile
        #[arg(long, value_enum)]
        fallback: Option<FallbackWord>,
        #[command(flatten)]
        how: How,
    },
    /// Switch a feature on again
    On {
        /// The feature
        feature: String,
        #[command(flatten)]
        how: How,
    },
}

/// The word of a fallback.
#[derive(ValueEnum, Debug, Clone, Copy)]
enum FallbackWord {
    /// Fixed rules
    Rules,
    /// People
    Human,
}

/// How a feature is switched.
#[derive(Args, Debug)]
struct How {
    /// Say exactly what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Answer with JSON: see `tuesday help json-prompt`
    #[arg(long)]
    json: bool,
}

pub(super) fn run(face: &Face, args: &FeatureArgs) -> Result<u8> {
    match &args.command {
        Command::List { offline, json } => {
            let ctx = face.ctx(Access::ReadOnly)?;
            let rows = feature::list(&ctx, &face.config.team, !offline, &variable, &Cancel::default())?;
            if *json { output::json(&rows)? } else { list(&rows, ctx.clock.now().as_millisecond())? }
        }
        Command::Off { feature, fallback, how } => {
            let fallback = fallback.map(|word| match word {
                FallbackWord::Rules => Fallback::Rules,
                FallbackWord::Human => Fallback::Human,
            });
            switch(face, feature, Power::Off, fallback, how)?;
        }
        Command::On { feature, how } => switch(face, feature, Power::On, None, how)?,
    }
    Ok(0)
}

/// Keys come from the environment of this process.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Says what would be done, asks, and does it.
fn switch(face: &Face, feature: &str, to: Power, fallback: Option<Fallback>, how: &How) -> Result<()> {
    let ctx = face.ctx(if how.dry_run { Access::ReadOnly } else { Access::Create })?;
    let ask = |dry_run| SwitchAsk {
        feature: feature.to_owned(),
        to,
        fallback,
        reason: how.reason.clone(),
        dry_run,
    };
    let cancel = Cancel::default();
    let go = |dry_run| feature::switch(&ctx, &face.config.team, &ask(dry_run), &variable, &cancel);
    let planned = go(true)?;
    if how.dry_run || !planned.changes {
        return if how.json { output::json(&planned) } else { print_planned(&planned) };
    }
    if !how.yes {
        if !how.json {
            print_planned(&planned)?;
        }
        // What many people feel is confirmed by its name, not by a key that lies near.
        let question = format!("Type its name to switch {feature} {}: ", to.word());
        confirm(&question, &[feature], &format!("tuesday feature {}", to.word()))?;
    }
    let done = go(false)?;
    if how.json { output::json(&done) } else { print_done(&done) }
}

fn list(rows: &[FeatureRow], now_ms: i64) -> Result<()> {
    if rows.is_empty() {
        return output::text("No feature yet. Say how one is switched: [features.NAME] in tuesday.toml");
    }
    output::table(
        &["feature", "is", "switched by", "last switch", "last 5 min"],
        rows.iter().map(|row| {
            let last = row.last.as_ref().map_or_else(
                || UNKNOWN.to_owned(),
                |last| {
                    let at = relative(last.at.as_millisecond(), now_ms);
                    format!("{} {at} by {}, {}", last.to.raw(), last.by.raw(), last.stage.name())
                },
            );
            let served = match row.served.requests {
                0 => "no request".to_owned(),
                n => format!(
                    "{} answered, {} by a fallback",
                    n - row.served.fallback.min(n),
                    row.served.fallback
                ),
            };
            vec![
                row.feature.raw().to_owned(),
                row.state.map_or("?", Power::word).to_owned(),
                row.switch.clone().unwrap_or_else(|| UNKNOWN.to_owned()),
                last,
                served,
            ]
        }),
    )?;
    for row in rows {
        let name = row.feature.raw();
        if let Some(effect) = &row.effect {
            output::note(&format!("{name}: {}", effect.in_words(now_ms)));
        }
        if let Some(why) = &row.unknown {
            output::note(&format!("{name}: {why}"));
        }
        if !row.settled {
            output::note(&format!("{name}: what came of the last switch is not known"));
        }
        row.notes.iter().for_each(|note| output::note(&format!("{name}: {note}")));
    }
    Ok(())
}

fn state(power: Option<Power>) -> &'static str {
    power.map_or("not known how", Power::word)
}

fn print_planned(view: &SwitchView) -> Result<()> {
    if !view.changes {
        return output::text(&format!("{} is {} already: nothing changes.", view.feature, view.to.word()));
    }
    output::text(&format!(
        "{} would be switched {} (now {}), by {}:",
        view.feature,
        view.to.word(),
        state(view.from),
        view.switch
    ))?;
    tell(view)
}

fn print_done(view: &SwitchView) -> Result<()> {
    let proof = match view.proof {
        Proof::Proved => "read back: it took",
        _ => "nothing proves that it took",
    };
    output::text(&format!("{} is {} · {proof}", view.feature, view.to.word()))?;
    tell(view)?;
    if let Some(undo) = &view.undo {
        output::text(&format!("To take it back: {undo}"))?;
    }
    Ok(())
}

fn tell(view: &SwitchView) -> Result<()> {
    for step in &view.steps {
        output::text(&format!("  {step}"))?;
    }
    for look in &view.read_back {
        let told = match (look.state, &look.why) {
            (Some(state), _) => state.word().to_owned(),
            (None, why) => why.clone().unwrap_or_default(),
        };
        output::text(&format!("  {} reads: {told}", look.by))?;
    }
    if let Some(said) = view.said.as_ref().filter(|said| !said.is_empty()) {
        output::text(&format!("  it said: {}", said.raw()))?;
    }
    view.notes.iter().for_each(|note| output::note(note));
    Ok(())
}
