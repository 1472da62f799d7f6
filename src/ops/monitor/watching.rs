//! Watching: a pass over the rules when traffic comes in, and once a minute. Whoever stays open can do it; of several
//! who do, the one with the lease looks and the others wait.

use std::time::{Duration, Instant};

use super::pass::{PassView, Watcher, pass};
use crate::domain::monitor::Monitors;
use crate::domain::{Error, Result};
use crate::ops::{Ctx, watch};
use crate::task::Cancel;

/// Look at the rules at least so often.
const EVERY: Duration = Duration::from_secs(60);
/// Look at them no oftener, however much traffic comes.
const AT_MOST: Duration = Duration::from_secs(10);

/// Where another one looks, whether it is gone is asked so often.
const AGAIN: Duration = Duration::from_secs(5);
/// The open program looks first so long after it opened: the screen comes before.
const LATER: Duration = Duration::from_secs(3);

/// What there is to tell of it.
#[derive(Debug)]
pub enum Watched {
    /// Another program has the lease; said once.
    Elsewhere,
    /// This one has it; said once.
    Begun,
    /// A pass was made.
    Pass(PassView),
    /// It failed; the next one may be well.
    Failed(Error),
}

/// Watches as long as the program is open, where nobody else does, until cancelled: alerts are kept, and told to
/// nobody. The lease is held for a pass alone, so that one who watches and tells is not kept from it; what was
/// raised meanwhile that one tells. A pass that fails is made again.
pub fn quietly(ctx: &Ctx, monitors: &Monitors, cancel: &Cancel) {
    let monitors = Monitors { receivers: Vec::new(), ..monitors.clone() };
    let watcher = Watcher::default();
    let Ok(mut changes) = watch::watch(ctx) else { return };
    let (mut wait, mut last) = (LATER, None::<Instant>);
    while cancel.wait(wait).is_ok() {
        wait = AT_MOST;
        let changed = changes.poll().is_ok_and(|changes| changes.traces);
        if !changed && last.is_some_and(|at| at.elapsed() < EVERY) {
            continue;
        }
        last = Some(Instant::now());
        if watcher.holds(ctx).unwrap_or(false) {
            // The screen looks at the same figures itself, and says what is wrong with them.
            let _ = pass(ctx, &monitors);
            let _ = watcher.leaves(ctx);
        }
    }
}

/// Watches until cancelled; then the next one may watch at once.
pub fn watching(
    ctx: &Ctx,
    monitors: &Monitors,
    cancel: &Cancel,
    mut tell: impl FnMut(Watched) -> Result<()>,
) -> Result<()> {
    let watcher = Watcher::default();
    let mut holding = false;
    let result = until_cancelled(ctx, monitors, &watcher, &mut holding, cancel, &mut tell);
    if holding {
        watcher.sends_no_more(ctx)?;
    }
    watcher.leaves(ctx)?;
    result
}

fn until_cancelled(
    ctx: &Ctx,
    monitors: &Monitors,
    watcher: &Watcher,
    holding: &mut bool,
    cancel: &Cancel,
    tell: &mut dyn FnMut(Watched) -> Result<()>,
) -> Result<()> {
    let mut changes = watch::watch(ctx)?;
    let mut last: Option<Instant> = None;
    let (mut waiting, mut begun) = (false, false);
    loop {
        let changed = changes.poll()?.traces;
        let every = if *holding { EVERY } else { AGAIN };
        let due = last.is_none_or(|at| at.elapsed() >= every || (changed && at.elapsed() >= AT_MOST));
        if due {
            last = Some(Instant::now());
            let held = watcher.holds(ctx).and_then(|held| {
                if held {
                    watcher.sends(ctx)?;
                }
                Ok(held)
            });
            match held {
                Ok(false) => {
                    *holding = false;
                    if !std::mem::replace(&mut waiting, true) {
                        tell(Watched::Elsewhere)?;
                    }
                }
                Ok(true) => {
                    *holding = true;
                    if !std::mem::replace(&mut begun, true) {
                        tell(Watched::Begun)?;
                    }
                    // A store that is busy or a disk that is full may be well again at the next look.
                    tell(pass(ctx, monitors).map_or_else(Watched::Failed, Watched::Pass))?;
                    last = Some(Instant::now());
                }
                Err(error) => tell(Watched::Failed(error))?,
            }
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
