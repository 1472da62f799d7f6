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
use crate::ops::runbook::CheckView;
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
/// Before it begins the runbook is checked on the drill's ground, as by `tuesday runbook check`: one that would fail in
/// an incident is not rehearsed but with --anyway.
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
    #[arg(long, conflicts_with_all = ["scenario", "auto", "anyway"])]
    list: bool,
    /// Hold it although `tuesday runbook check` finds what would fail
    #[arg(long)]
    anyway: bool,
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
        Drill::make(plan, &reviewer, clock, (&team, own, &books), cancel, progress)
    })?;
    if let Err(red) = green(&drill.check, args.anyway) {
        drill.place.discard();
        return Err(red);
    }
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
        Err(why) if feature.is_some() => Err(Error::not_so(format!(
            "The drill cannot be played on it: {why}."
        ))
        .hint("Without --feature it is played on your busiest feature; --demo takes the demo's traffic.")),
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

/// Refuses a drill whose runbook would fail; `anyway` only says it.
fn green(check: &CheckView, anyway: bool) -> Result<()> {
    if check.fail == 0 {
        return Ok(());
    }
    let what = format!(
        "{} of the runbook “{}” would fail in an incident.",
        plural(check.fail, "thing"),
        check.name.raw()
    );
    if anyway {
        output::note(&what);
        check.would_fail().for_each(|line| output::note(&format!("  FAILS  {line}")));
        return Ok(());
    }
    let error = check.would_fail().fold(Error::not_so(what), Error::hint);
    Err(error.hint("Mend it (`tuesday runbook check` looks again), or hold the drill with --anyway."))
}

fn told(view: &ScoreView, json: bool) -> Result<u8> {
    if json {
        return output::json(view).map(|()| 0);
    }
    score_lines(view).iter().try_for_each(|line| output::text(line)).map(|()| 0)
}

/// The end of a drill, to be read on 80 columns.
fn score_lines(view: &ScoreView) -> Vec<String> {
    let (score, before) = (&view.score, &view.before);
    let mut lines = vec![String::new(), format!("{} points. {}", score.points, view.told), String::new()];
    let earlier = |ms: Option<u64>| match before.drills {
        0 => String::new(),
        _ => format!("before: {}", ms.map_or_else(|| "not at all".to_owned(), span_words)),
    };
    let began = "after it began";
    let opened = "after the incident was opened";
    let mut phases = vec![
        ("noticed", score.noticed_ms, began, earlier(before.noticed_ms)),
        ("acknowledged", score.acknowledged_ms, opened, String::new()),
    ];
    // Of a false alarm there is nothing to contain, to fix or to verify.
    if score.scenario.is_real() {
        phases.extend([
            ("contained", score.contained_ms, opened, earlier(before.contained_ms)),
            ("fixed", score.fixed_ms, opened, String::new()),
            ("verified", score.verified_ms, opened, earlier(before.verified_ms)),
        ]);
    }
    phases.push(("closed", score.closed_ms, began, String::new()));
    for (name, ms, since, was) in phases {
        let text = match ms {
            Some(ms) => format!("{:<8} {since:<30} {was}", span_words(ms)),
            None => format!("{:<39} {was}", "not at all"),
        };
        lines.push(format!("  {name:<13} {text}").trim_end().to_owned());
    }
    let mut fact = |name: &str, text: &str| lines.push(format!("  {name:<13} {text}"));
    fact("cause", if score.right_cause { "named" } else { "not named in any note" });
    if let Some(is) = score.right_version {
        fact("version", if is { "the bad one was taken out" } else { "the bad one was not taken out" });
    }
    fact("outcome", if score.right_outcome { "closed as what it was" } else { "not closed as what it was" });
    if let Some(off) = score.onset_off_ms {
        fact("it began", &format!("{} from the time that was said", span_words(off)));
    }
    let harmed = usize::try_from(score.harmed).unwrap_or(usize::MAX);
    fact("harm", &plural(harmed, "request"));
    lines.extend(score.lost().map(|(points, why)| format!("  −{points} points: {why}")));
    lines.extend(score.wrong_acts.iter().map(|wrong| format!("  WRONG: {wrong}")));
    lines.extend(score.missed.iter().map(|missed| format!("  missed: {missed}")));
    lines.push(String::new());
    lines.push(match (before.drills, before.points) {
        (0, _) | (_, None) => "The first of its kind: the next is held against it.".to_owned(),
        (1, Some(points)) => format!("One of its kind before, with {points} points."),
        (n, Some(points)) => {
            format!("{n} of its kind before: “before” is their median, as are {points} points.")
        }
    });
    lines
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
