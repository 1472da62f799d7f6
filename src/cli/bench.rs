//! `tuesday bench`: measurements for those who work on the program.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::long::{self, Unit};
use super::output;
use crate::domain::Result;
use crate::ops::bench::{ImportBench, Measured, import, make_data};

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
}

pub(super) fn run(args: &BenchArgs) -> Result<u8> {
    let What::Import { traces, dir, rounds, no_index, json } = &args.what;
    let folder = dir.clone().unwrap_or_else(|| std::env::temp_dir().join("tuesday-bench"));
    let measured = long::run(Unit::Traces, |_, progress| {
        let data = make_data(&folder, *traces, progress)?;
        let bench = ImportBench { folder: folder.clone(), index: !no_index, rounds: *rounds };
        import(&data, &bench, progress)
    })?;
    show(&measured, *json)
}

fn show(measured: &[Measured], json: bool) -> Result<u8> {
    if json {
        output::json(&measured)?;
    } else {
        output::table(
            &["what", "plain", "tuesday", "unit", "ratio", "wanted"],
            measured.iter().map(|m| {
                vec![
                    m.what.to_owned(),
                    format!("{:.2}", m.raw),
                    format!("{:.2}", m.ours),
                    m.unit.to_owned(),
                    format!("{:.2}", m.ratio),
                    format!("{:.2}", m.wanted),
                ]
            }),
        )?;
    }
    Ok(u8::from(measured.iter().any(|m| m.ratio < m.wanted)))
}
