//! `tuesday eval …`: evaluators at work; eval sets put through targets, and what came of it.

mod calibrate;
mod compare;
mod export;
mod list;
mod run;
mod score;
mod show;
mod trust;

use clap::{Args, Subcommand};

use super::{Face, long, output};
use crate::domain::Result;

/// Run eval sets through targets; list, show, compare and export the runs; score samples
#[derive(Args, Debug)]
pub(super) struct EvalArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Run(run::RunArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Export(export::ExportArgs),
    Score(score::ScoreArgs),
    Calibrate(calibrate::CalibrateArgs),
    Compare(compare::CompareArgs),
    Trust(trust::TrustArgs),
}

pub(super) fn run(face: &Face, args: &EvalArgs) -> Result<u8> {
    match &args.command {
        Command::Run(args) => run::run(face, args),
        Command::List(args) => list::run(face, args),
        Command::Show(args) => show::run(face, args),
        Command::Export(args) => export::run(face, args),
        Command::Score(args) => score::run(face, args),
        Command::Calibrate(args) => calibrate::run(face, args),
        Command::Compare(args) => compare::run(face, args),
        Command::Trust(args) => trust::run(face, args),
    }
}
