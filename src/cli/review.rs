//! `tuesday review`, and `tuesday` alone: the program on the terminal.

use clap::Args;

use super::Face;
use crate::domain::{ErrorKind, Result};
use crate::ops::{Access, Ctx};
use crate::tui::{ScreenId, Start};

/// Open the program on the queue of a sample
#[derive(Args, Debug)]
pub(super) struct ReviewArgs {
    /// The sample's name [default: choose from the list]
    sample: Option<String>,
}

pub(super) fn run(face: &Face, args: &ReviewArgs) -> Result<u8> {
    open(face, ScreenId::Review, args.sample.clone())
}

/// Opens the program on this screen.
pub(super) fn open(face: &Face, first: ScreenId, sample: Option<String>) -> Result<u8> {
    let config = face.config.clone();
    let (path, reviewer, evals) = (face.store_path()?, face.reviewer(), config.evals_dir.value.clone());
    let clock = face.clock.clone();
    let store = Box::new(move || {
        let open = |access| Ctx::open(&path, access, &reviewer, clock.clone());
        // What cannot be written can still be looked at.
        let ctx = match open(Access::Existing) {
            Err(error) if error.kind == ErrorKind::Failed => open(Access::ReadOnly).map_err(|_| error)?,
            other => other?,
        };
        Ok(ctx.with_evals_dir(evals))
    });
    crate::tui::open(Start { config, first, sample, store })
}
