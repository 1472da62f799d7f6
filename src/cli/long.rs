//! Long work on the command line: a bar on a terminal, and Ctrl-C as a wish to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::domain::{Error, Result};
use crate::task::{Cancel, Progress};

/// What the units of a progress are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Bytes.
    Bytes,
    /// Traces.
    Traces,
    /// Labelled pairs.
    Pairs,
    /// Eval cases.
    Cases,
    /// Failures that a target is tried with.
    Failures,
    /// Minutes of a drill.
    Minutes,
}

/// Runs long work. The first Ctrl-C asks it to stop at its next safe point, a second one ends the
/// process. The bar is drawn on standard error, and only on a terminal.
pub(super) fn run<T>(unit: Unit, work: impl FnOnce(&Cancel, &Progress) -> Result<T>) -> Result<T> {
    let cancel = Cancel::default();
    let progress = Progress::default();
    let caught = watch(&cancel)?;
    let over = AtomicBool::new(false);
    let result = std::thread::scope(|threads| {
        threads.spawn(|| draw(unit, &progress, &cancel, &over));
        // However the work ends, the drawing must end too.
        let _end = End(&over);
        work(&cancel, &progress)
    });
    caught.into_iter().for_each(|id| {
        signal_hook::low_level::unregister(id);
    });
    result
}

/// Runs work that goes on until Ctrl-C, which it hears of; a second one ends the process. Draws nothing.
pub(super) fn until_stopped<T>(work: impl FnOnce(&Cancel) -> Result<T>) -> Result<T> {
    let cancel = Cancel::default();
    let caught = watch(&cancel)?;
    let result = work(&cancel);
    caught.into_iter().for_each(|id| {
        signal_hook::low_level::unregister(id);
    });
    result
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn watch(cancel: &Cancel) -> Result<Vec<signal_hook::SigId>> {
    let failed = |e: std::io::Error| Error::failed("Ctrl-C cannot be watched for.").because(e);
    let mut caught = Vec::new();
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // In this order: the first signal finds the flag still down and only raises it.
        let flag = cancel.flag();
        caught.push(
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&flag))
                .map_err(failed)?,
        );
        caught.push(signal_hook::flag::register(signal, flag).map_err(failed)?);
    }
    Ok(caught)
}

fn draw(unit: Unit, progress: &Progress, cancel: &Cancel, over: &AtomicBool) {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if bar.is_hidden() {
        return;
    }
    let mut shown = ("", 0);
    while !over.load(Ordering::Relaxed) {
        let view = progress.view();
        if shown != (view.phase, view.total) {
            shown = (view.phase, view.total);
            bar.set_style(style(unit, view.total > 0));
            bar.set_length(view.total.max(1));
            bar.reset_eta();
        }
        let phase = if cancel.is_cancelled() { "stopping" } else { view.phase };
        bar.set_message(phase);
        bar.set_prefix(view.note);
        bar.set_position(view.done);
        std::thread::sleep(Duration::from_millis(100));
    }
    bar.finish_and_clear();
}

fn style(unit: Unit, whole_known: bool) -> ProgressStyle {
    let (done, whole, rate) = match unit {
        Unit::Bytes => ("{bytes}", "{total_bytes}", "{bytes_per_sec}"),
        Unit::Traces | Unit::Pairs | Unit::Cases | Unit::Minutes | Unit::Failures => {
            ("{human_pos}", "{human_len}", "{rate}")
        }
    };
    let bar = "{bar:30}";
    // How it goes so far has a line of its own: both must fit into 80 columns.
    let note = if unit == Unit::Cases { "\n{prefix}" } else { "" };
    let template = if whole_known {
        format!("{{msg}} {bar} {done} of {whole} · {rate} · {{eta}} left{note}")
    } else {
        format!("{{msg}} {{spinner}} {done} · {rate}")
    };
    let rate = |state: &ProgressState, f: &mut dyn std::fmt::Write| {
        let _ = write!(f, "{:.0} a second", state.per_sec());
    };
    ProgressStyle::with_template(&template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", rate)
}
