//! `tuesday incident drill`.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use jiff::Timestamp;

use crate::cli::long::{self, Unit};
use crate::cli::{Face, output, review};
use crate::domain::incident::span_words;
use crate::domain::prompt::TeamConfig;
use crate::domain::{Error, Result};
use crate::ops::drill::{self, AN_HOUR, Drill, Own, Scenario, Score, ScoreView};
use crate::ops::{Access, Ctx};
use crate::task::Clock;
use crate::text::figures::{date_clock, plural};
use crate::tui::ScreenId;

/// Rehearse an incident: faults arrive on a store of its own, and nothing real is reached
///
/// The program opens on a copy of your busiest feature's last two weeks, and traffic like it arrives by the drill's
/// clock (on the demo's support bot where there is too little of your own); sooner or later something goes wrong. The
/// same screens and steps work. Switches, prompts, commands and requests go to a sandbox that writes them
/// down. On leaving you get the score, beside those of earlier drills. Without a SCENARIO one is drawn, and not told.
#[derive(Args, Debug)]
pub(super) struct DrillArgs {
    /// What goes wrong: bad-advice, outage, cost, drift, judge
    #[arg(value_parser = PossibleValuesParser::new(Scenario::ALL.map(Scenario::name)))]
    scenario: Option<String>,
    /// Play it on the demo's traffic, not on a copy of your own
    #[arg(long)]
    demo: bool,
    /// Play it on the traffic of this feature, not of the busiest
    #[arg(long, value_name = "NAME", conflicts_with = "demo")]
    feature: Option<String>,
    /// How much faster than the clock on the wall the drill's goes
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// Take the default steps without a person, and end with the score
    #[arg(long)]
    auto: bool,
    /// List the drills that were held, instead
    #[arg(long, conflicts_with_all = ["scenario", "auto"])]
    list: bool,
    /// Keep the drill's store, to read its record and post-mortem
    #[arg(long)]
    keep: bool,
    /// Another seed is other traffic
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,
    /// Requests an hour
    #[arg(long, value_name = "N", default_value_t = AN_HOUR, hide = true,
        value_parser = clap::value_parser!(u64).range(20..=5_000))]
    an_hour: u64,
    /// Answer with JSON: see `tuesday help json-drill`
    #[arg(long)]
    json: bool,
}

fn speed(text: &str) -> std::result::Result<f64, String> {
    let speed: f64 = text.trim_end_matches('x').parse().map_err(|_| "a number, such as 60".to_owned())?;
    if (0.1..=600.0).contains(&speed) { Ok(speed) } else { Err("a number from 0.1 to 600".to_owned()) }
}

pub(super) fn run(face: &Face, args: &DrillArgs) -> Result<u8> {
    if face.config.drill.is_some() {
        return Err(Error::not_so("This is a drill already.").hint("Leave it first."));
    }
    if args.list {
        return listed(&drill::held(&face.ctx(Access::ReadOnly)?)?, args.json);
    }
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if !args.auto && !terminal {
        return Err(Error::usage("A drill is held on a terminal, and there is none.")
            .hint("--auto takes the default steps without a person."));
    }
    let home = face.ctx(Access::Create)?;
    let now = Clock::System.now();
    let scenario = match &args.scenario {
        Some(name) => Scenario::from_name(name),
        // Nobody can know it beforehand who does not read the clock to the millisecond.
        None => Scenario::ALL
            .get(usize::try_from(now.as_millisecond()).unwrap_or(0) % Scenario::ALL.len())
            .copied(),
    };
    let Some(scenario) = scenario else { return Err(Error::usage("There is no such drill.")) };
    let speed = if args.auto { 1.0 } else { args.speed };
    let books = face.config.books.clone();
    let (reviewer, team) = (face.reviewer(), face.config.team.clone());
    let own = if args.demo { None } else { own_traffic(&home, &team, scenario, args, now)? };
    let stage = own.as_ref().map(|own| own.stage.clone()).unwrap_or_default();
    let plan = drill::plan((scenario, stage), args.seed, args.an_hour, speed, now);
    let clock = args.auto.then(|| Clock::fixed(now));
    let mut drill = long::run(Unit::Traces, |cancel, progress| {
        Drill::make(plan, &reviewer, clock, (&team, own), cancel, progress)
    })?;
    let held = if args.auto {
        long::run(Unit::Minutes, |cancel, progress| drill::play(&mut drill, &books, cancel, progress))
    } else {
        open(face, &mut drill)
    };
    let ended = held.and_then(|()| drill.end(args.auto, &home));
    if args.keep {
        output::note(&format!("The drill's store: {}", drill.place.store().display()));
    } else {
        drill.place.discard();
    }
    told(&ended?, args.json)
}

/// What the drill is played on, said to the person: their own traffic, or the demo's and why.
fn own_traffic(
    home: &Ctx,
    team: &TeamConfig,
    scenario: Scenario,
    args: &DrillArgs,
    now: Timestamp,
) -> Result<Option<Own>> {
    let feature = args.feature.as_deref();
    let found = long::run(Unit::Traces, |cancel, _| drill::own(home, team, scenario, feature, now, cancel))?;
    match found {
        Ok(own) => {
            let (n, feature) = (own.history.len(), &own.stage.feature);
            output::note(&format!("Played on a copy of {} of your own: {feature}.", plural(n, "trace")));
            Ok(Some(own))
        }
        Err(why) if feature.is_some() => {
            Err(Error::not_so(format!("The drill cannot be played on it: {why}."))
                .hint("Without --feature it is played on the demo's traffic."))
        }
        Err(why) => {
            output::note(&format!("Played on the demo's traffic: {why}."));
            Ok(None)
        }
    }
}

/// Says that it is over, however the program ends: the world is waited for, and would go on for ever.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Opens the program on the drill, and lets its world go on beside it.
fn open(face: &Face, drill: &mut Drill) -> Result<()> {
    output::note(&format!(
        "A drill, on a store of its own: nothing real can be reached. Who else takes part opens it with: \
         tuesday --store {}",
        drill.place.store().display()
    ));
    let over = AtomicBool::new(false);
    let config = face.config.clone().in_drill(&drill.place)?;
    let face = Face { config, clock: drill.ctx.clock.clone() };
    std::thread::scope(|threads| {
        let world = threads.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                drill.advance()?;
                std::thread::sleep(Duration::from_millis(300));
            }
            Ok(())
        });
        let opened = {
            let _ends = Ends(&over);
            review::open(&face, ScreenId::FRONT, None)
        };
        let world = world.join().unwrap_or_else(|_| Err(Error::failed("The world of the drill broke down.")));
        opened.map(drop).and(world)
    })
}

fn told(view: &ScoreView, json: bool) -> Result<u8> {
    if json {
        return output::json(view).map(|()| 0);
    }
    let score = &view.score;
    output::text(&format!("\n{} points. {}", score.points, view.told))?;
    let before = &view.before;
    let span = |ms: Option<u64>| ms.map_or_else(|| "not at all".to_owned(), span_words);
    let against = |ms: Option<u64>| match (before.drills, ms) {
        (0, _) => String::new(),
        (_, Some(ms)) => format!("   before: {}", span_words(ms)),
        (_, None) => "   before: not at all".to_owned(),
    };
    for (name, ms, was) in [
        ("noticed", score.noticed_ms, against(before.noticed_ms)),
        ("acknowledged", score.acknowledged_ms, String::new()),
        ("contained", score.contained_ms, against(before.contained_ms)),
        ("fixed", score.fixed_ms, String::new()),
        ("verified", score.verified_ms, against(before.verified_ms)),
        ("over", score.closed_ms, String::new()),
    ] {
        output::text(&format!("  {name:<13} {:<10}{was}", span(ms)))?;
    }
    let right = |is: bool| if is { "right" } else { "not found" };
    output::text(&format!("  {:<13} {}", "the cause", right(score.right_cause)))?;
    if let Some(is) = score.right_version {
        output::text(&format!("  {:<13} {}", "the version", right(is)))?;
    }
    let outcome = if score.right_outcome { "right" } else { "closed as something else, or not at all" };
    output::text(&format!("  {:<13} {outcome}", "the outcome"))?;
    if let Some(off) = score.onset_off_ms {
        output::text(&format!("  {:<13} {} off", "when it began", span_words(off)))?;
    }
    let harmed = usize::try_from(score.harmed).unwrap_or(usize::MAX);
    output::text(&format!("  {:<13} {}", "harmed", plural(harmed, "request")))?;
    for wrong in &score.wrong_acts {
        output::text(&format!("  WRONG: {wrong}"))?;
    }
    for missed in &score.missed {
        output::text(&format!("  missed: {missed}"))?;
    }
    match (before.drills, before.points) {
        (0, _) | (_, None) => output::text("The first of its kind: the next is held against it."),
        (n, Some(points)) => output::text(&format!(
            "{} of its kind before, with {points} points in the middle.",
            plural(n, "drill")
        )),
    }
    .map(|()| 0)
}

fn listed(all: &[Score], json: bool) -> Result<u8> {
    if json {
        return output::json(&all).map(|()| 0);
    }
    if all.is_empty() {
        return output::text("No drills yet. Hold one: `tuesday incident drill`.").map(|()| 0);
    }
    let zone = jiff::tz::TimeZone::system();
    let span = |ms: Option<u64>| ms.map_or_else(|| "–".to_owned(), span_words);
    let rows = all.iter().rev().map(|score| {
        vec![
            date_clock(score.held_at.as_millisecond(), &zone),
            score.scenario.name().to_owned(),
            if score.auto { "by itself".to_owned() } else { score.by.raw().to_owned() },
            score.points.to_string(),
            span(score.noticed_ms),
            span(score.contained_ms),
            span(score.verified_ms),
        ]
    });
    output::table(&["held", "scenario", "by", "points", "noticed", "contained", "verified"], rows).map(|()| 0)
}
