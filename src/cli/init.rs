//! `tuesday init`.

use clap::Args;

use super::output;
use crate::domain::{Error, Result};
use crate::ops::init::init;

/// Write tuesday.toml, runbooks/ and evals/ into this folder, to be changed and kept in git
#[derive(Args, Debug)]
pub(super) struct InitArgs {
    /// Answer with JSON: see `tuesday help json`
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &InitArgs) -> Result<u8> {
    let here = std::env::current_dir()
        .map_err(|e| Error::failed("The working directory cannot be found.").because(e))?;
    let view = init(&here)?;
    if args.json {
        return output::json(&view).map(|()| 0);
    }
    for made in &view.made {
        output::text(&format!("made {}", made.display()))?;
    }
    for kept in &view.kept {
        output::text(&format!("kept {} as it was", kept.display()))?;
    }
    Ok(0)
}
