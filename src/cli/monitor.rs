//! `tuesday monitor`.

use clap::{Args, Subcommand};
use jiff::tz::TimeZone;

use super::{Face, output};
use crate::domain::Result;
use crate::ops::Access;
use crate::ops::monitor::{
    self, CheckView, GroupView, MonitorDetail, MonitorList, ReplayView, ResumeView, TestView, Trust,
    group_words,
};
use crate::task::Cancel;
use crate::text::figures::{UNKNOWN, date_clock, fixed, plural};

/// The rules that watch the traces: how they stand, and when they would have fired
#[derive(Args, Debug)]
pub(super) struct MonitorArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// List the monitors: state, figure, and the false pages that each is to be expected to raise
    List {
        /// Answer with JSON: see `tuesday help json-monitor`
        #[arg(long)]
        json: bool,
    },
    /// Show one monitor with all its groups and receivers
    Show {
        /// Its id
        monitor: String,
        /// Answer with JSON: see `tuesday help json-monitor`
        #[arg(long)]
        json: bool,
    },
    /// Send a marked test through the receivers of a monitor, and keep what they answered
    Test {
        /// Its id
        monitor: String,
        /// Answer with JSON: see `tuesday help json-monitor`
        #[arg(long)]
        json: bool,
    },
    /// Check the monitors against tests in a file: what happens, and the state that is to come of it
    ///
    /// A file has tables [[test]] with `name`, `monitor` and `steps`: `{ for = "1h", requests = 60, timeout = 0.25 }`
    /// lets time pass, `{ expect = "firing" }` says what is to be so then. `tuesday help monitor-tests` shows one.
    /// The exit code is 1 when something is not as expected.
    Check {
        /// Files of tests
        #[arg(required = true, value_name = "FILE")]
        files: Vec<std::path::PathBuf>,
        /// Answer with JSON: see `tuesday help json-monitor`
        #[arg(long)]
        json: bool,
    },
    /// Take up again a monitor that is paused since its judge changed; recorded with your name
    Resume {
        /// Its id
        monitor: String,
        /// Only on this feature
        #[arg(long, value_name = "NAME")]
        feature: Option<String>,
        /// What is well with the new judge: the target of the monitor, or the share that fails with it so far, of
        /// at least 1,000 judged traces
        #[arg(long, value_enum, value_name = "WHICH", default_value_t = Baseline::Target)]
        baseline: Baseline,
        /// Answer with JSON: see `tuesday help json-monitor`
        #[arg(long)]
        json: bool,
    },
    /// Say when a monitor would have fired
    Replay {
        /// Its id
        monitor: String,
        /// How far back: 1h to 52w
        #[arg(long, value_name = "TIME", default_value = "28d", value_parser = span)]
        last: i64,
        /// Answer with JSON: see `tuesday help json-monitor`
        #[arg(long)]
        json: bool,
    },
}

/// What is well with a new judge.
#[derive(clap::ValueEnum, Debug, Clone, Copy)]
enum Baseline {
    /// What the monitor says
    Target,
    /// What was judged so far
    Judged,
}

/// Milliseconds of `24h`, `28d`, `4w`, up to a year.
pub(super) fn span(text: &str) -> std::result::Result<i64, String> {
    monitor::span_ms(text).ok_or_else(|| "write a time up to a year: 30m, 24h, 28d, 4w".to_owned())
}

pub(super) fn run(face: &Face, args: &MonitorArgs) -> Result<u8> {
    let monitors = &face.config.monitors;
    match &args.command {
        Command::List { json } => {
            let all = monitor::list(&face.ctx(Access::ReadOnly)?, monitors)?;
            if *json { output::json(&all.monitors).map(|()| 0) } else { list(&all) }
        }
        Command::Show { monitor: id, json } => {
            let one = monitor::show(&face.ctx(Access::ReadOnly)?, monitors, id)?;
            if *json { output::json(&one).map(|()| 0) } else { show(&one) }
        }
        Command::Test { monitor: id, json } => {
            let ctx = face.ctx(Access::Existing)?;
            let said = monitor::test(&ctx, monitors, id, &variable, &output::ring)?;
            if *json {
                output::json(&said)?;
            } else {
                tested(&said)?;
            }
            Ok(u8::from(!said.taken))
        }
        Command::Check { files, json } => {
            let all = files
                .iter()
                .map(|file| monitor::check(monitors, file, &Cancel::default()))
                .collect::<Result<Vec<_>>>()?;
            if *json {
                output::json(&all)?;
            } else {
                checked(&all)?;
            }
            Ok(u8::from(all.iter().any(|one| one.failed > 0)))
        }
        Command::Resume { monitor: id, feature, baseline, json } => {
            let ctx = face.ctx(Access::Existing)?;
            let trust = match baseline {
                Baseline::Target => Trust::Target,
                Baseline::Judged => Trust::Judged,
            };
            let done = monitor::resume(&ctx, monitors, id, feature.as_deref(), trust)?;
            if *json { output::json(&done).map(|()| 0) } else { resumed(&done) }
        }
        Command::Replay { monitor: id, last, json } => {
            let ctx = face.ctx(Access::ReadOnly)?;
            let past = monitor::replay(&ctx, monitors, id, *last, &Cancel::default())?;
            if *json { output::json(&past).map(|()| 0) } else { replayed(&past) }
        }
    }
}

fn pages(expected: Option<f64>) -> String {
    expected.map_or_else(|| UNKNOWN.to_owned(), |pages| fixed(pages, 2))
}

fn list(all: &MonitorList) -> Result<u8> {
    let rows = all.monitors.iter().map(|one| {
        let state = match one.silenced_until {
            Some(_) => format!("{} (silenced)", one.state.word()),
            None => one.state.word().to_owned(),
        };
        let expected = pages(one.expected_false_pages_per_month);
        vec![one.id.clone(), state, one.severity.name().to_owned(), expected, one.says.clone()]
    });
    output::table(&["monitor", "state", "", "false/month", "now"], rows)?;
    output::text(&format!(
        "\nFalse pages to be expected in a month at this traffic: {}; the knob allows {}.",
        fixed(all.expected, 2),
        fixed(all.false_pages_per_month, 2)
    ))?;
    if let Some(words) = &all.nobody_tells {
        output::text(words)?;
    }
    if let Some(end) = all.stands_at {
        output::text(&format!(
            "This is a demonstration: all is as of {}, when its traffic ends.",
            clock(end)
        ))?;
    }
    Ok(0)
}

fn show(one: &MonitorDetail) -> Result<u8> {
    let monitor = &one.monitor;
    output::text(&format!(
        "{}  {}\n{} by {}, {}\n",
        monitor.id,
        monitor.state.word(),
        monitor.metric.name(),
        monitor.test,
        monitor.severity.name()
    ))?;
    let rows = monitor.groups.iter().map(|of: &GroupView| {
        let since = of.since.map_or_else(|| UNKNOWN.to_owned(), clock);
        vec![
            group_words(&of.group),
            of.state.word().to_owned(),
            since,
            pages(of.expected_false_pages_per_month),
            of.says.clone(),
        ]
    });
    output::table(&["group", "state", "since", "false/month", "now"], rows)?;
    if let Some(sample) = &one.daily_sample {
        output::text(&format!("\ndaily sample: {}", sample.words()))?;
    }
    if one.receivers.is_empty() {
        output::text("\nNobody is told: add [[notify]] to tuesday.toml.")?;
        return Ok(0);
    }
    output::text("")?;
    let rows = one.receivers.iter().map(|of| {
        let test = of.test.as_ref().map_or_else(
            || "never tested".to_owned(),
            |test| format!("tested {}: {}", clock(test.at), test.state.name()),
        );
        vec![of.receiver.clone(), of.kind.clone(), test]
    });
    output::table(&["receiver", "kind", ""], rows)?;
    Ok(0)
}

fn tested(said: &TestView) -> Result<()> {
    let rows = said.receivers.iter().map(|one| {
        let status = one.status.map_or_else(String::new, |status| status.to_string());
        let words = one.answer.as_ref().map_or_else(String::new, |words| words.raw().to_owned());
        vec![one.receiver.clone(), one.kind.clone(), one.state.name().to_owned(), status, words]
    });
    output::table(&["receiver", "kind", "test", "status", "answer"], rows)
}

fn checked(all: &[CheckView]) -> Result<()> {
    for file in all {
        for test in &file.tests {
            let word = if test.passed { "ok" } else { "FAILED" };
            output::text(&format!("{word:<6}  {}: {}", test.monitor, test.name))?;
            for failure in &test.failures {
                output::text(&format!("        {}", failure.in_words(&file.file)))?;
            }
        }
    }
    let (passed, failed) = all.iter().fold((0, 0), |(a, b), file| (a + file.passed, b + file.failed));
    output::text(&format!("{} held, {failed} did not.", plural(passed, "test")))
}

fn resumed(done: &ResumeView) -> Result<u8> {
    for of in &done.groups {
        let judges = crate::text::figures::list_of(&of.judges, "and");
        output::text(&format!(
            "{} on {}: trusts {judges}; {}.",
            done.id,
            group_words(&of.group),
            of.words()
        ))?;
    }
    Ok(0)
}

/// Addresses and keys of receivers come from the environment.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn replayed(past: &ReplayView) -> Result<u8> {
    let times = plural(past.episodes.len(), "time");
    output::text(&format!(
        "{} would have fired {times} from {} to {}; {} false pages a month are to be expected.",
        past.id,
        clock(past.since),
        clock(past.until),
        pages(past.expected_false_pages_per_month)
    ))?;
    if let Some(words) = past.chance_words() {
        output::text(&words)?;
    }
    for one in &past.episodes {
        let over =
            one.resolved_at.map_or_else(|| "still firing".to_owned(), |at| format!("over {}", clock(at)));
        output::text(&format!(
            "\n{}  {}  {over}\n  {}",
            clock(one.fired_at),
            group_words(&one.group),
            one.evidence.summary
        ))?;
    }
    Ok(0)
}

/// A time with its date, here.
pub(super) fn clock(at: jiff::Timestamp) -> String {
    date_clock(at.as_millisecond(), &TimeZone::system())
}
