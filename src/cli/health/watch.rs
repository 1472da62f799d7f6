//! `tuesday health --watch`: in place on a terminal, one answer after the other elsewhere.

use std::time::{Duration, Instant};

use super::{ask, print};
use crate::cli::{long, output};
use crate::domain::Result;
use crate::ops::Ctx;
use crate::ops::health::HealthSpec;
use crate::ops::watch::watch;

/// How often the store is looked at for changes; an import that goes on is shown no more often.
const LOOK: Duration = Duration::from_secs(1);
/// The window ends now: without any change too it is another one after this.
const AT_LATEST: Duration = Duration::from_secs(60);

/// Shows the figures until Ctrl-C.
pub(super) fn run(ctx: &Ctx, spec: &HealthSpec) -> Result<u8> {
    let mut changes = watch(ctx)?;
    let mut screen = output::InPlace::default();
    long::until_stopped(|cancel| {
        loop {
            let shown = Instant::now();
            let answer = ask(ctx, spec)?;
            screen.show(&print::answer(&answer.health, &answer.recent))?;
            loop {
                if cancel.wait(LOOK).is_err() {
                    return Ok(0);
                }
                if changes.poll()?.any() || shown.elapsed() >= AT_LATEST {
                    break;
                }
            }
        }
    })
}
