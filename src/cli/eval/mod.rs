//! `tuesday eval …`: one file a subcommand.

mod compare;
mod trust;

use clap::Subcommand;

use super::{Face, output};
use crate::domain::Result;

/// Compare runs of an eval set, and see how far a judge can be trusted
#[derive(clap::Args, Debug)]
pub(super) struct EvalArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Compare(compare::CompareArgs),
    Trust(trust::TrustArgs),
}

pub(super) fn run(face: &Face, args: &EvalArgs) -> Result<u8> {
    match &args.command {
        Command::Compare(args) => compare::run(face, args),
        Command::Trust(args) => trust::run(face, args),
    }
}
