//! `tuesday eval …`: evaluators at work.

mod calibrate;
mod score;

use clap::{Args, Subcommand};

use super::Face;
use crate::domain::Result;

/// Evaluate answers: score the traces of a sample, calibrate an embedder
#[derive(Args, Debug)]
pub(super) struct EvalArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Score(score::ScoreArgs),
    Calibrate(calibrate::CalibrateArgs),
}

pub(super) fn run(face: &Face, args: &EvalArgs) -> Result<u8> {
    match &args.command {
        Command::Score(args) => score::run(face, args),
        Command::Calibrate(args) => calibrate::run(face, args),
    }
}
