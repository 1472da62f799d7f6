//! `tuesday demo`.

use clap::Args;

use super::long::{self, Unit};
use super::{Face, output, review};
use crate::config::{Config, Environment, FILE, Flags};
use crate::domain::Result;
use crate::domain::monitor::Monitors;
use crate::ops::demo::{self, DemoSpec, DemoView};
use crate::ops::index::catch_up;
use crate::ops::monitor;
use crate::ops::{Access, Ctx};
use crate::task::Clock;
use crate::text::figures::thousands;
use crate::tui::ScreenId;

/// Make a store of example traces and open the program on it
///
/// Four weeks of a fictional bank's support bot, ending now, with some work already done on it. It is
/// made in a temporary place unless --store says where. Nothing that is there already is overwritten.
#[derive(Args, Debug)]
pub(super) struct DemoArgs {
    /// Where to make the store, a file that is not there yet [default: a temporary place]
    #[arg(long, value_name = "FILE")]
    store: Option<std::path::PathBuf>,
    /// Only make it
    #[arg(long)]
    no_open: bool,
    /// How many traces
    #[arg(long, value_name = "N", default_value_t = 40_000)]
    traces: u64,
    /// Another seed makes other conversations of the same story
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,
    /// Answer with JSON without opening the program: see `tuesday help json`
    #[arg(long)]
    json: bool,
}

pub(super) fn run(mut face: Face, asked: Option<std::path::PathBuf>, args: &DemoArgs) -> Result<u8> {
    let clock = Clock::System;
    let spec = DemoSpec { traces: args.traces, seed: args.seed, now: clock.now() };
    let path = demo::place(args.store.as_deref().or(asked.as_deref()))?;
    let ctx = Ctx::open(&path, Access::Create, &face.reviewer(), clock)?;
    let made = long::run(Unit::Traces, |cancel, progress| demo::make(&ctx, &spec, cancel, progress));
    let view = match made {
        Ok(view) => view,
        Err(error) => {
            drop(ctx);
            demo::discard(&path);
            return Err(error);
        }
    };
    // Its alerts, as if somebody had watched; nobody is told.
    monitor::pass(&ctx, &Monitors::default())?;
    let opens = !args.no_open && !args.json;
    if !opens {
        // The program does this in the background; alone, it is done before the end.
        long::run(Unit::Traces, |cancel, progress| catch_up(&ctx, cancel, progress))?;
    }
    if args.json {
        output::json(&view)?;
    } else {
        output::note(&told(&view));
    }
    drop(ctx);
    if !opens {
        return Ok(0);
    }
    // The prompts and flags of the demo team, not of the folder that we happen to be in.
    let flags = Flags { config: Some(view.team.join(FILE)), ..Flags::default() };
    let theirs = Config::resolve(&flags, &Environment::of_process()?)?;
    (face.config.team, face.config.evaluation.prompts_dir) = (theirs.team, theirs.evaluation.prompts_dir);
    face.config.store.value = path;
    review::open(&face, ScreenId::FRONT, None)
}

fn told(view: &DemoView) -> String {
    let store = view.store.display();
    format!(
        "{} traces of a fictional bank's support bot, in {:.1} s: {store}\nTo open it again: tuesday --config {}",
        thousands(i64::try_from(view.traces).unwrap_or(i64::MAX)),
        view.seconds,
        view.team.join(FILE).display()
    )
}
