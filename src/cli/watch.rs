//! `tuesday watch`.

use std::time::{Duration, Instant};

use clap::Args;

use super::long::until_stopped;
use super::monitor::{clock, variable};
use super::{Face, output};
use crate::domain::{Error, Result};
use crate::ops::monitor::{AlertView, PassView, Sender, Watcher, group_words, pass};
use crate::ops::watch;
use crate::ops::{Access, Ctx};
use crate::task::Cancel;

/// Look at the rules at least so often.
const EVERY: Duration = Duration::from_secs(60);
/// Look at them no oftener, however much traffic comes.
const AT_MOST: Duration = Duration::from_secs(10);

/// Run the monitors: keep their alerts, and tell the receivers
///
/// One program at a time does it for a store: a second one waits until the first is gone.
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
    let sender = Sender::new(&ctx, &face.config.monitors, &variable, &output::ring)?;
    let watcher = Watcher::default();
    if args.once {
        return once(face, args, &ctx, &sender, &watcher);
    }
    until_stopped(|cancel| {
        std::thread::scope(|threads| {
            let result = watching(face, args, &ctx, &watcher, cancel, |cancel| {
                threads.spawn(|| sender.run(cancel, &|error| output::error(error)));
            });
            // The sender ends with the watching, whatever ended it.
            cancel.cancel();
            result
        })
    })?;
    watcher.leaves(&ctx)?;
    Ok(0)
}

fn once(face: &Face, args: &WatchArgs, ctx: &Ctx, sender: &Sender<'_>, watcher: &Watcher) -> Result<u8> {
    if !watcher.holds(ctx)? {
        return Err(Error::not_so("Another `tuesday watch` watches this store.")
            .hint("It does what this one would do; when it is gone its place is free after a minute."));
    }
    let result = pass(ctx, &face.config.monitors);
    let sent = sender.send_now();
    watcher.leaves(ctx)?;
    let view = result?;
    sent?;
    told(&view, args, true)?;
    Ok(0)
}

/// Watches until it is stopped. `first` is called once, when this program has the lease.
fn watching<'a>(
    face: &Face,
    args: &WatchArgs,
    ctx: &Ctx,
    watcher: &Watcher,
    cancel: &'a Cancel,
    first: impl FnOnce(&'a Cancel),
) -> Result<()> {
    let mut first = Some(first);
    let mut changes = watch::watch(ctx)?;
    let mut last: Option<Instant> = None;
    let mut waiting = false;
    loop {
        let changed = changes.poll()?.traces;
        let due = last.is_none_or(|at| at.elapsed() >= EVERY || (changed && at.elapsed() >= AT_MOST));
        if due && !watcher.holds(ctx)? {
            if !std::mem::replace(&mut waiting, true) {
                output::note("Another `tuesday watch` watches this store; waiting until it is gone.");
            }
            last = Some(Instant::now());
        } else if due {
            if let Some(first) = first.take() {
                output::note("Watching. Ctrl-C ends it.");
                first(cancel);
            }
            match pass(ctx, &face.config.monitors) {
                Ok(view) => told(&view, args, false)?,
                // A store that is busy or a disk that is full may be well again at the next look.
                Err(error) => output::error(&error),
            }
            last = Some(Instant::now());
        }
        // A change that came too soon after a look is looked at when its time has come.
        let missed = changed && !due;
        let pause = if missed {
            AT_MOST.saturating_sub(last.map_or(AT_MOST, |at| at.elapsed()))
        } else {
            Duration::from_secs(1)
        };
        if cancel.wait(pause.max(Duration::from_millis(100))).is_err() {
            return Ok(());
        }
        if missed {
            last = last.map(|at| at.checked_sub(EVERY).unwrap_or(at));
        }
    }
}

/// A pass in words: what changed; nothing is said of one that changed nothing, unless it is the only one.
fn told(view: &PassView, args: &WatchArgs, only: bool) -> Result<()> {
    if args.json {
        return if only { output::json(view) } else { output::json_line(view) };
    }
    let line = |word: &str, alert: &AlertView| {
        let group = group_words(&alert.group);
        output::text(&format!(
            "{} {word} {} {} {group}: {}",
            clock(view.at),
            alert.id,
            alert.rule,
            alert.evidence.summary
        ))
    };
    for alert in &view.fired {
        line("FIRING", alert)?;
    }
    for alert in &view.resolved {
        line("resolved", alert)?;
    }
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
