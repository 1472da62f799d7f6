//! The command line: arguments → op → printed answer. One file a command.

mod bench;
mod evals;
mod import;
mod incident;
mod init;
mod label;
mod labels;
mod long;
mod output;
mod sample;
mod taxonomy;
mod trace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::domain::Result;
use crate::ops::{Access, Ctx};
use crate::task::Clock;

/// Review, label, evaluate and run incidents for an LLM feature in production.
#[derive(Parser, Debug)]
#[command(name = "tuesday", version, disable_help_subcommand = true)]
struct Args {
    /// The store to work on
    #[arg(long, value_name = "FILE", env = "TUESDAY_STORE")]
    store: Option<PathBuf>,
    /// Your name, on labels and incident records [default: your login name]
    #[arg(long, value_name = "NAME", env = "TUESDAY_REVIEWER")]
    reviewer: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    #[command(hide = true)]
    Bench(bench::BenchArgs),
    Import(import::ImportArgs),
    Evals(evals::EvalsArgs),
    Incident(incident::IncidentArgs),
    Init(init::InitArgs),
    Sample(sample::SampleArgs),
    Label(label::LabelArgs),
    Labels(labels::LabelsArgs),
    Taxonomy(taxonomy::TaxonomyArgs),
    Trace(trace::TraceArgs),
}

/// Parses the arguments, runs, prints, and gives the exit code.
pub fn main() -> ExitCode {
    let args = Args::parse();
    match run(args) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(args: Args) -> Result<u8> {
    let face = Face { args };
    let Some(command) = &face.args.command else { return Ok(0) };
    match command {
        Command::Bench(args) => bench::run(args),
        Command::Import(args) => import::run(&face, args),
        Command::Evals(args) => evals::run(&face, args),
        Command::Incident(args) => incident::run(&face, args),
        Command::Init(args) => init::run(args),
        Command::Sample(args) => sample::run(&face, args),
        Command::Label(args) => label::run(&face, args),
        Command::Labels(args) => labels::run(&face, args),
        Command::Taxonomy(args) => taxonomy::run(&face, args),
        Command::Trace(args) => trace::run(&face, args),
    }
}

/// What each command gets: the global flags, resolved when they are needed.
struct Face {
    args: Args,
}

impl Face {
    /// Opens the store that the flags, the environment or the default name.
    fn ctx(&self, access: Access) -> Result<Ctx> {
        Ctx::open(&self.store_path()?, access, &self.reviewer(), Clock::System)
    }

    fn store_path(&self) -> Result<PathBuf> {
        Ok(self.args.store.clone().unwrap_or_else(|| PathBuf::from("tuesday.db")))
    }

    fn reviewer(&self) -> String {
        self.args.reviewer.clone().or_else(|| std::env::var("USER").ok()).unwrap_or_else(|| "me".to_owned())
    }
}
