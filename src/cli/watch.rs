//! `tuesday watch`, and what of it runs beside `tuesday serve`.

use std::time::{Duration, Instant};

use clap::Args;

use super::long::until_stopped;
use super::monitor::{clock, variable};
use super::trouble::Troubles;
use super::{Face, output};
use crate::domain::{Error, Result};
use crate::ops::daily_sample::{DailySample, Told};
use crate::ops::monitor::{AlertView, PassView, Sender, Watched, Watcher, group_words, pass, watching};
use crate::ops::{Access, Ctx};
use crate::task::Cancel;

/// How long a single look waits for another program's.
const PATIENCE: Duration = Duration::from_secs(5);

/// Run the monitors: keep their alerts, and tell the receivers
///
/// One program at a time does it for a store: a second one waits until the first is gone. `tuesday serve` does it
/// too, and so does the open program, which tells nobody. With `judge_sample` in tuesday.toml arriving traces are
/// drawn and judged, within the budget of a day.
#[derive(Args, Debug)]
pub(super) struct WatchArgs {
    /// Look once, send what is to be sent, and end: for cron
    #[arg(long)]
    once: bool,
    /// Answer with JSON, one line a pass: see `tuesday help json-monitor`
    #[arg(long)]
    json: bool,
}

pub(super) fn run(face: &Face, args: &WatchArgs) -> Result<u8> {
    let ctx = face.ctx(Access::Existing)?;
    if args.once {
        return once(face, args, &ctx);
    }
    let troubles = Troubles::default();
    until_stopped(|cancel| {
        beside(face, &ctx, cancel, &troubles, |watched| match watched {
            Watched::Elsewhere => {
                output::note("Another program watches this store; waiting until it is gone.");
                Ok(())
            }
            Watched::Begun => {
                output::note("Watching. Ctrl-C ends it.");
                Ok(())
            }
            Watched::Pass(view) => told(&view, args.json, false),
            Watched::Failed(error) => {
                output::error(&error);
                Ok(())
            }
        })
    })?;
    Ok(0)
}

/// Watches, sends, and judges the daily sample where there is one, until cancelled.
pub(super) fn beside(
    face: &Face,
    ctx: &Ctx,
    cancel: &Cancel,
    troubles: &Troubles,
    mut tell: impl FnMut(Watched) -> Result<()>,
) -> Result<()> {
    let sender = Sender::new(ctx, &face.config.monitors, &variable, &output::ring)?;
    // Ends with the watching, whatever ended that.
    let over = Cancel::default();
    std::thread::scope(|threads| {
        let judging =
            face.config.judge_sample.as_ref().map(|_| threads.spawn(|| judge(face, ctx, &over, troubles)));
        let mut sending = None;
        let result = watching(ctx, &face.config.monitors, cancel, |watched| {
            // Whoever has the lease sends too.
            if matches!(watched, Watched::Begun) && sending.is_none() {
                sending = Some(threads.spawn(|| sender.run(&over, &|error| troubles.tell(error))));
            }
            tell(watched)
        });
        over.cancel();
        drop(judging);
        result
    })
}

/// Draws and judges the daily sample until it is over. What is wrong with it is told, and ends nothing else.
fn judge(face: &Face, ctx: &Ctx, over: &Cancel, troubles: &Troubles) {
    let Some(spec) = &face.config.judge_sample else { return };
    match DailySample::new(ctx, &face.config.evaluation, spec, over) {
        Ok(sample) => sample.run(over, &|told| tell_sample(&told, troubles)),
        Err(error) => troubles.tell(&error),
    }
}

fn tell_sample(told: &Told, troubles: &Troubles) {
    match told {
        Told::Note(text) => output::note(text),
        Told::Trouble(error) => troubles.tell(error),
    }
}

fn once(face: &Face, args: &WatchArgs, ctx: &Ctx) -> Result<u8> {
    let sender = Sender::new(ctx, &face.config.monitors, &variable, &output::ring)?;
    let watcher = Watcher::default();
    // The open program holds the lease for a moment at a time.
    let until = Instant::now() + PATIENCE;
    while !watcher.holds(ctx)? {
        if Instant::now() < until {
            std::thread::sleep(Duration::from_millis(200));
            continue;
        }
        return Err(Error::not_so("Another program watches this store.")
            .hint("It does what this one would do; when it is gone its place is free after a minute."));
    }
    let result = pass(ctx, &face.config.monitors);
    let sent = sender.send_now();
    watcher.sent_once(ctx)?;
    watcher.leaves(ctx)?;
    let view = result?;
    sent?;
    told(&view, args.json, true)?;
    if let Some(spec) = &face.config.judge_sample {
        let troubles = Troubles::default();
        until_stopped(|cancel| {
            let sample = DailySample::new(ctx, &face.config.evaluation, spec, cancel)?;
            let round = sample.once(cancel, &|told| tell_sample(&told, &troubles))?;
            match round.trouble {
                Some(why) => {
                    Err(Error::failed(format!("The judge of the daily sample does not answer: {why}"))
                        .hint("The traces are asked about again the next time."))
                }
                None => Ok(()),
            }
        })?;
    }
    Ok(0)
}

/// A pass in words: what changed; nothing is said of one that changed nothing, unless it is the only one.
fn told(view: &PassView, json: bool, only: bool) -> Result<()> {
    if json {
        return if only { output::json(view) } else { output::json_line(view) };
    }
    changed(view, output::text)?;
    if only {
        output::text(&format!(
            "{} rules on their groups looked at; {} out, {} sent.",
            view.looked_at,
            crate::text::figures::plural(view.firing, "alert"),
            crate::text::figures::plural(view.messages, "message")
        ))?;
    }
    Ok(())
}

/// Says what a pass changed, a line an alert.
pub(super) fn changed(view: &PassView, mut say: impl FnMut(&str) -> Result<()>) -> Result<()> {
    let line = |word: &str, alert: &AlertView| {
        let (at, group) = (clock(view.at), group_words(&alert.group));
        format!("{at} {word} {} {} {group}: {}", alert.id, alert.rule, alert.evidence.summary)
    };
    for alert in &view.fired {
        say(&line("FIRING", alert))?;
    }
    for alert in &view.resolved {
        say(&line("resolved", alert))?;
    }
    Ok(())
}
