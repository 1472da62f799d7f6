//! The command line: arguments → op → printed answer. One file a command.

mod alert;
mod bench;
mod demo;
mod doctor;
mod eval;
mod evals;
mod feature;
mod gate;
mod health;
mod help;
mod import;
mod incident;
mod init;
mod keys;
mod label;
mod labels;
mod long;
mod mark;
mod monitor;
mod output;
mod prompt;
mod reread;
mod review;
mod runbook;
mod sample;
mod serve;
mod taxonomy;
mod trace;
mod trouble;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, Environment, Flags};
use crate::domain::Result;
use crate::ops::drill::Place;
use crate::ops::{Access, Ctx};
use crate::task::Clock;
use crate::tui::ScreenId;

/// Review, label, evaluate and run incidents for an LLM feature in production.
#[derive(Parser, Debug)]
#[command(name = "tuesday", version, disable_help_subcommand = true)]
struct Args {
    /// The configuration [default: the nearest tuesday.toml upwards from here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The store to work on [env: TUESDAY_STORE] [default: tuesday.db here, else in your data folder]
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Your name, on labels and incident records [env: TUESDAY_REVIEWER] [default: your login name]
    #[arg(long, value_name = "NAME")]
    reviewer: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    #[command(hide = true)]
    Bench(bench::BenchArgs),
    Alert(alert::AlertArgs),
    Health(health::HealthArgs),
    Demo(demo::DemoArgs),
    Import(import::ImportArgs),
    Help(help::HelpArgs),
    Doctor(doctor::DoctorArgs),
    Eval(eval::EvalArgs),
    Evals(evals::EvalsArgs),
    Gate(gate::GateArgs),
    Feature(feature::FeatureArgs),
    Incident(incident::IncidentArgs),
    Mark(mark::MarkArgs),
    Monitor(monitor::MonitorArgs),
    Watch(watch::WatchArgs),
    Init(init::InitArgs),
    Sample(sample::SampleArgs),
    Serve(serve::ServeArgs),
    Label(label::LabelArgs),
    Labels(labels::LabelsArgs),
    Taxonomy(taxonomy::TaxonomyArgs),
    Trace(trace::TraceArgs),
    Prompt(prompt::PromptArgs),
    Reread(reread::RereadArgs),
    Review(review::ReviewArgs),
    Runbook(runbook::RunbookArgs),
    Keys(keys::KeysArgs),
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
    let asked = args.store.clone();
    let flags = Flags { config: args.config, store: args.store, reviewer: args.reviewer };
    let mut config = Config::resolve(&flags, &Environment::of_process()?)?;
    // Whoever opens a drill's store takes part in the drill, by its clock and with its sandbox.
    let drill = Place::of_store(&config.store.value);
    if let Some(place) = &drill {
        config = config.in_drill(place)?;
    }
    let face = Face { config, clock: drill.map_or(Clock::System, |place| place.clock()) };
    let Some(command) = &args.command else { return review::open(&face, ScreenId::FRONT, None) };
    match command {
        Command::Bench(args) => bench::run(args),
        Command::Alert(args) => alert::run(&face, args),
        Command::Health(args) => health::run(&face, args),
        Command::Demo(args) => demo::run(face, asked, args),
        Command::Doctor(args) => doctor::run(&face, args),
        Command::Help(args) => help::run(args),
        Command::Import(args) => import::run(&face, args),
        Command::Eval(args) => eval::run(&face, args),
        Command::Evals(args) => evals::run(&face, args),
        Command::Gate(args) => gate::run(&face, args),
        Command::Feature(args) => feature::run(&face, args),
        Command::Incident(args) => incident::run(&face, args),
        Command::Mark(args) => mark::run(&face, args),
        Command::Monitor(args) => monitor::run(&face, args),
        Command::Watch(args) => watch::run(&face, args),
        Command::Init(args) => init::run(args),
        Command::Sample(args) => sample::run(&face, args),
        Command::Serve(args) => serve::run(&face, args),
        Command::Label(args) => label::run(&face, args),
        Command::Labels(args) => labels::run(&face, args),
        Command::Taxonomy(args) => taxonomy::run(&face, args),
        Command::Trace(args) => trace::run(&face, args),
        Command::Prompt(args) => prompt::run(&face, args),
        Command::Reread(args) => reread::run(&face, args),
        Command::Review(args) => review::run(&face, args),
        Command::Runbook(args) => runbook::run(&face, args),
        Command::Keys(args) => keys::run(&face, args),
    }
}

/// What each command gets: the configuration in force, and the time.
struct Face {
    config: Config,
    /// The machine's, or a drill's.
    clock: Clock,
}

impl Face {
    /// Opens the store that the flags, the environment, the configuration or the default name.
    fn ctx(&self, access: Access) -> Result<Ctx> {
        let (path, reviewer) = (self.store_path()?, self.reviewer());
        let ctx = if Ctx::is_behind(&path) {
            let opened = long::run(long::Unit::Traces, |cancel, progress| {
                Ctx::open_watched(&path, access, &reviewer, cancel, progress)
            })?;
            Ctx { clock: self.clock.clone(), ..opened }
        } else {
            Ctx::open(&path, access, &reviewer, self.clock.clone())?
        };
        let ctx = ctx.with_evals_dir(self.config.evals_dir.value.clone());
        let ctx = ctx.with_fallback(self.config.fallback.clone());
        Ok(ctx.with_judge_sample(self.config.judge_sample.clone()))
    }

    fn store_path(&self) -> Result<PathBuf> {
        Ok(self.config.store.value.clone())
    }

    fn reviewer(&self) -> String {
        self.config.reviewer.value.clone()
    }
}
