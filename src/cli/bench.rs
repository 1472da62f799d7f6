//! `tuesday bench`: measurements for those who work on the program.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::long::{self, Unit};
use super::output;
use crate::domain::Result;
use crate::ops::bench::{
    ImportBench, Measured, assess, draw, import, labels, make_data, monitors, pages, receive, run as runs,
    score, search, soak, vitals,
};

/// Measure this program against plain SQLite, in one run
#[derive(Args, Debug)]
pub(super) struct BenchArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Import and search index
    Import {
        /// How many traces
        #[arg(long, visible_alias = "n", default_value_t = 1_000_000)]
        traces: u64,
        /// Where data and databases are made; the data stay for the next time
        #[arg(long, value_name = "FOLDER")]
        dir: Option<PathBuf>,
        /// Times that each is done
        #[arg(long, default_value_t = 1)]
        rounds: usize,
        /// Leave the search index out
        #[arg(long)]
        no_index: bool,
        /// Answer with JSON
        #[arg(long)]
        json: bool,
    },
    /// A draw of a hundredth
    Draw {
        /// Of how many traces
        #[arg(long, visible_alias = "n", default_value_t = 1_000_000)]
        traces: u64,
        /// Where data and stores are made; they stay for the next time
        #[arg(long, value_name = "FOLDER")]
        dir: Option<PathBuf>,
        /// Draws
        #[arg(long, default_value_t = 9)]
        rounds: usize,
        /// Answer with JSON
        #[arg(long)]
        json: bool,
    },
    /// Pages at any depth, with and without a filter
    Page(Read),
    /// First hits of words, newest first, and their count
    Search(Read),
    /// The dashboard, against that of 100,000 traces
    Health(Read),
    /// Rule evaluators over recorded outputs, against 100 MB of text a second and core
    Score {
        /// How many outputs
        #[arg(long, visible_alias = "n", default_value_t = 100_000)]
        traces: u64,
        /// Where data are made; they stay for the next time
        #[arg(long, value_name = "FOLDER")]
        dir: Option<PathBuf>,
        /// Answer with JSON
        #[arg(long)]
        json: bool,
    },
    /// A run of eval cases at 50 ms an answer, 32 at a time, against its ideal
    Run {
        /// How many cases
        #[arg(long, default_value_t = 1000)]
        cases: u64,
        /// Where the store is made
        #[arg(long, value_name = "FOLDER")]
        dir: Option<PathBuf>,
        /// Times that it is done
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// Answer with JSON
        #[arg(long)]
        json: bool,
    },
    /// False pages of the monitors in quiet months, their delay to faults, and a pass over all rules
    Monitors {
        /// Quiet months
        #[arg(long, default_value_t = 1000)]
        months: u64,
        /// Traces of the store that passes are made over
        #[arg(long, visible_alias = "n", default_value_t = 1_000_000)]
        traces: u64,
        /// Where data and stores are made; they stay for the next time
        #[arg(long, value_name = "FOLDER")]
        dir: Option<PathBuf>,
        /// Passes
        #[arg(long, default_value_t = 20)]
        rounds: usize,
        /// Answer with JSON
        #[arg(long)]
        json: bool,
    },
    /// Planted faults found by an assessment, and quiet traffic of which it claims nothing
    Assess {
        /// Faults, and as many quiet stores
        #[arg(long, default_value_t = 200)]
        trials: u64,
        /// Answer with JSON
        #[arg(long)]
        json: bool,
    },
    /// Spans received over loopback in batches of 512 while somebody looks at the health figures
    Serve {
        /// How many spans
        #[arg(long, default_value_t = 200_000)]
        spans: u64,
        /// Where the stores are made
        #[arg(long, value_name = "FOLDER")]
        dir: Option<PathBuf>,
        /// Times that it is done
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// Answer with JSON
        #[arg(long)]
        json: bool,
    },
    /// A steady stream of spans: none lost, and memory stays where it is
    Soak {
        /// Spans a second
        #[arg(long, default_value_t = 2_000)]
        rate: u64,
        /// For so many seconds
        #[arg(long, default_value_t = 3_600)]
        seconds: u64,
        /// Where the store is made
        #[arg(long, value_name = "FOLDER")]
        dir: Option<PathBuf>,
        /// Answer with JSON
        #[arg(long)]
        json: bool,
    },
    /// A label, and the next trace, on a quiet machine and while an import runs
    Label {
        /// How many traces the import brings
        #[arg(long, visible_alias = "n", default_value_t = 200_000)]
        traces: u64,
        /// Where data and databases are made; the data stay for the next time
        #[arg(long, value_name = "FOLDER")]
        dir: Option<PathBuf>,
        /// Labels
        #[arg(long, default_value_t = 500)]
        acts: usize,
        /// Answer with JSON
        #[arg(long)]
        json: bool,
    },
}

/// A measurement that only reads.
#[derive(Args, Debug)]
struct Read {
    /// Of how many traces
    #[arg(long, visible_alias = "n", default_value_t = 1_000_000)]
    traces: u64,
    /// Where data and stores are made; they stay for the next time
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Times that each is done
    #[arg(long, default_value_t = 200)]
    rounds: usize,
    /// Answer with JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &BenchArgs) -> Result<u8> {
    let (what, traces, dir, json) = match &args.what {
        what @ (What::Run { dir, json, .. }
        | What::Serve { dir, json, .. }
        | What::Soak { dir, json, .. }) => (what, 0, dir, *json),
        what @ What::Assess { json, .. } => (what, 0, &None, *json),
        what @ (What::Import { traces, dir, json, .. }
        | What::Draw { traces, dir, json, .. }
        | What::Label { traces, dir, json, .. }
        | What::Monitors { traces, dir, json, .. }
        | What::Score { traces, dir, json }
        | What::Page(Read { traces, dir, json, .. })
        | What::Search(Read { traces, dir, json, .. })
        | What::Health(Read { traces, dir, json, .. })) => (what, *traces, dir, *json),
    };
    let folder = dir.clone().unwrap_or_else(|| std::env::temp_dir().join("tuesday-bench"));
    let unit = if matches!(what, What::Run { .. }) { Unit::Cases } else { Unit::Traces };
    let measured = long::run(unit, |cancel, progress| {
        let data = || make_data(&folder, traces, progress);
        match what {
            What::Run { cases, rounds, .. } => runs(&folder, *cases, *rounds, progress),
            What::Soak { rate, seconds, .. } => {
                soak(&folder, *rate, std::time::Duration::from_secs(*seconds), progress)
            }
            What::Serve { spans, rounds, .. } => receive(&folder, *spans, *rounds, progress),
            What::Import { no_index, rounds, .. } => {
                let bench = ImportBench { folder: folder.clone(), index: !no_index, rounds: *rounds };
                import(&data()?, &bench, progress)
            }
            What::Assess { trials, .. } => assess(*trials, cancel, progress),
            What::Monitors { months, rounds, .. } => monitors(&data()?, &folder, *months, *rounds, progress),
            What::Score { .. } => score(&data()?, progress),
            What::Page(read) => pages(&data()?, &folder, read.rounds, progress),
            What::Search(read) => search(&data()?, &folder, read.rounds, progress),
            What::Health(read) => vitals(traces, &folder, read.rounds, progress),
            What::Draw { rounds, .. } => draw(&data()?, &folder, *rounds, progress),
            What::Label { acts, .. } => labels(&data()?, &folder, *acts, progress),
        }
    })?;
    show(&measured, json)
}

fn show(measured: &[Measured], json: bool) -> Result<u8> {
    if json {
        output::json(&measured)?;
    } else {
        output::table(
            &["what", "plain", "tuesday", "unit", "ratio", "wanted", "plain cpu", "tuesday cpu"],
            measured.iter().map(|m| {
                let cpu =
                    |of: fn((f64, f64)) -> f64| m.cpu.map_or(String::new(), |cpu| format!("{:.2}", of(cpu)));
                vec![
                    m.what.to_owned(),
                    format!("{:.2}", m.raw),
                    format!("{:.2}", m.ours),
                    m.unit.to_owned(),
                    format!("{:.2}", m.ratio),
                    format!("{:.2}", m.wanted),
                    cpu(|c| c.0),
                    cpu(|c| c.1),
                ]
            }),
        )?;
    }
    Ok(u8::from(measured.iter().any(|m| m.ratio < m.wanted)))
}
