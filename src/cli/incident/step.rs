//! `tuesday incident step` and its like: signing a step, and running one.

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::{At, Which, print, text};
use crate::cli::prompt::confirm;
use crate::cli::{Face, long, output};
use crate::domain::runbook::Confirm;
use crate::domain::{Result, Untrusted};
use crate::ops::incident::step::{
    self, CriterionView, DryRun, EffectView, Hands, Ran, RanState, RunAsk, WatchState, WatchView,
};
use crate::ops::incident::{self, Act};
use crate::ops::{Access, Ctx};
use crate::task::Cancel;
use crate::text::clean_line;
use crate::text::figures as words;

#[derive(Args, Debug)]
pub(super) struct StepArgs {
    #[command(flatten)]
    which: Which,
    /// The step's id or number
    step: String,
    /// What becomes of it; nothing: it is run
    #[arg(value_parser = PossibleValuesParser::new(["run", "done", "skip", "start", "reopen", "assign"]))]
    what: Option<String>,
    /// What came of it, or why
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Who has it
    #[arg(long, value_name = "NAME", required_if_eq("what", "assign"))]
    owner: Option<String>,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    run: RunArgs,
}

/// How a step is run.
#[derive(Args, Debug)]
pub(super) struct RunArgs {
    /// Say exactly what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
    /// Agree to somebody else's act, and do nothing
    #[arg(long, conflicts_with_all = ["dry_run", "yes", "break_glass", "again", "take", "recheck"])]
    approve: bool,
    /// Act alone where two should; the reason stands in the record
    #[arg(long, value_name = "REASON")]
    break_glass: Option<String>,
    /// Run it again though it may have been done, where the runbook says that this does no harm
    #[arg(long)]
    again: bool,
    /// Take the acting over from whoever carries a step out now
    #[arg(long)]
    take: bool,
    /// Look again at what came of it, and at its effect in the traces; do nothing
    #[arg(long, conflicts_with_all = ["dry_run", "yes", "break_glass", "again", "take"])]
    recheck: bool,
}

/// The containment: a step that acts, in the phase Contain.
#[derive(Args, Debug)]
pub(super) struct ContainArgs {
    #[command(flatten)]
    which: Which,
    /// The step's id or number [default: the first of the phase that acts and is open]
    step: Option<String>,
    #[command(flatten)]
    run: RunArgs,
}

/// The hands of the configuration in force.
pub(in crate::cli) fn hands(face: &Face) -> Hands {
    Hands::clone(&face.config.hands())
}

pub(super) fn contain(face: &Face, args: &ContainArgs) -> Result<u8> {
    let step = match &args.step {
        Some(step) => step.clone(),
        None => step::containing(&face.ctx(Access::ReadOnly)?, &args.which.id)?,
    };
    run_step(face, &args.which, &step, &args.run, None)
}

pub(super) fn run(face: &Face, args: &StepArgs) -> Result<u8> {
    let (step, note) = (args.step.clone(), text(&args.note));
    let what = args.what.as_deref().unwrap_or("run");
    if what == "run" {
        return run_step(face, &args.which, &step, &args.run, note);
    }
    let ctx = face.ctx(Access::Existing)?;
    let owner = text(&args.owner);
    let assign = owner.clone().map(|owner| Act::Assign { step: step.clone(), owner });
    let (acts, said) = match what {
        "start" => (vec![Act::Start { step: step.clone(), owner, note }], "Began"),
        "assign" => (assign.into_iter().collect(), "Gave away"),
        "reopen" => {
            let act = Act::Reopen { step: step.clone(), note };
            ([act].into_iter().chain(assign).collect(), "Took up again")
        }
        "skip" => {
            let act = Act::Skip { step: step.clone(), note };
            (assign.into_iter().chain([act]).collect(), "Skipped")
        }
        _ => {
            let act = Act::Done { step: step.clone(), note };
            (assign.into_iter().chain([act]).collect(), "Done:")
        }
    };
    let view = incident::acts(&ctx, &args.which.id, acts, args.at.time(&ctx)?)?;
    print::stepped(&view, &step, said, args.which.json)
}

fn run_step(face: &Face, which: &Which, step: &str, args: &RunArgs, note: Option<Untrusted>) -> Result<u8> {
    let (hands, cancel) = (hands(face), Cancel::default());
    if args.approve {
        let view = step::approve(&face.ctx(Access::Existing)?, &which.id, step, note)?;
        return print::stepped(&view, step, "Approved", which.json);
    }
    let ctx = face.ctx(if args.dry_run { Access::ReadOnly } else { Access::Existing })?;
    if args.recheck {
        let ran = long::until_stopped(|cancel| step::recheck(&ctx, &hands, &which.id, step, cancel))?;
        return told(&ran, which.json);
    }
    if args.dry_run {
        let planned = step::plan(&ctx, &hands, &which.id, step, &cancel)?;
        if which.json {
            output::json(&planned)?;
        } else {
            print_planned(&planned)?;
        }
        return Ok(u8::from(!planned.fails.is_empty()));
    }
    if !args.yes {
        asked(&ctx, &hands, which, step, &cancel)?;
    }
    let ask = RunAsk { again: args.again, take: args.take, break_glass: args.break_glass.clone() };
    // Ctrl-C ends what the step started too, and writes down that its outcome is not known.
    let ran = long::until_stopped(|cancel| step::run(&ctx, &hands, &which.id, step, &ask, cancel))?;
    told(&ran, which.json)
}

/// Shows what would be done, and asks.
fn asked(ctx: &Ctx, hands: &Hands, which: &Which, step: &str, cancel: &Cancel) -> Result<()> {
    let planned = step::plan(ctx, hands, &which.id, step, cancel)?;
    // What waits for somebody else, or would fail, is told by running it: nothing is done.
    if planned.confirm == Confirm::None || !planned.fails.is_empty() {
        return Ok(());
    }
    if !which.json {
        print_planned(&planned)?;
    }
    let what = format!("tuesday incident step {} {}", planned.incident, planned.step);
    let title = clean_line(planned.title.raw());
    match &planned.type_this {
        // What many people feel is confirmed by its name, not by a key that lies near.
        Some(word) => {
            let word = clean_line(word.raw());
            confirm(&format!("Type {word} to do it: "), &[word.as_str()], &what)
        }
        None => confirm(&format!("{title}? [y/N] "), &["y", "yes"], &what),
    }
}

fn print_planned(planned: &DryRun) -> Result<()> {
    let mut head = format!("{} {}: {}", planned.incident, planned.step, planned.title.raw());
    if let (Some(from), Some(to)) = (&planned.from, &planned.to) {
        head += &format!(" ({} → {})", from.raw(), to.raw());
    }
    output::text(&head)?;
    if planned.lines.is_empty()
        && let Some(would) = &planned.would
    {
        output::text(&format!("  {}", would.raw()))?;
    }
    for line in &planned.lines {
        output::text(&format!("  {}", line.raw()))?;
    }
    for fail in &planned.fails {
        output::text(&format!("  WOULD FAIL: {}", fail.raw()))?;
    }
    if let Some(open) = &planned.unsettled {
        let how = if open.runs { "carries it out now" } else { "began it; what came of it is not known" };
        output::text(&format!("  {} {how}: {}", open.by.raw(), open.why.raw()))?;
    }
    if let Some(undo) = &planned.undo {
        output::text(&format!("  To take it back: {}", undo.raw()))?;
    }
    planned.notes.iter().for_each(|note| output::note(note.raw()));
    Ok(())
}

fn told(ran: &Ran, json: bool) -> Result<u8> {
    if json {
        output::json(ran)?;
        return Ok(ran.state.exit_code());
    }
    output::text(&format!("{} {}: {}", ran.incident, ran.title.raw(), ran.state.words()))?;
    for line in &ran.lines {
        output::text(&format!("  {}", line.raw()))?;
    }
    if let Some(said) = ran.said.as_ref().filter(|said| !said.is_empty()) {
        output::text(&format!("  {}", said.raw()))?;
    }
    if let Some(watch) = &ran.watch {
        return watch_lines(watch).map(|()| ran.state.exit_code());
    }
    if let Some(effect) = &ran.effect {
        effect_lines(effect)?;
    }
    if let (Some(undo), RanState::Done) = (&ran.undo, ran.state) {
        output::text(&format!("  To take it back: {}", undo.raw()))?;
    }
    for next in &ran.next {
        output::text(&format!("  → {next}"))?;
    }
    Ok(ran.state.exit_code())
}

pub(super) fn verify(face: &Face, which: &Which) -> Result<u8> {
    let ctx = face.ctx(Access::Existing)?;
    let view = step::verify(&ctx, &hands(face), &which.id, &Cancel::default())?;
    if which.json {
        output::json(&view)?;
    } else {
        watch_lines(&view)?;
    }
    Ok(0)
}

fn watch_lines(view: &WatchView) -> Result<()> {
    let span = crate::domain::incident::span_words;
    let state = match view.state {
        WatchState::Watching => "CLEAN",
        WatchState::StageHeld => "STAGE HELD, CLEAN",
        WatchState::Held => "HELD, CLEAN",
    };
    let mut head = format!("{state} {} of {}", span(view.clean_ms), span(view.for_ms));
    if let Some(last) = view.resets.last() {
        let at = print::clock(last.at, &jiff::tz::TimeZone::system());
        head += &format!("  resets {} (last {at}: {})", view.resets.len(), last.why.raw());
    }
    if view.unseen_ms > 0 {
        head += &format!("  {} without data do not count", span(view.unseen_ms));
    }
    output::text(&head)?;
    output::table(
        &["criterion", "now", "95 % bound", "must be", "still needs", "state"],
        view.criteria.iter().map(|one| criterion_row(one).to_vec()),
    )?;
    if !view.stages.is_empty() {
        let stages: Vec<String> =
            view.stages.iter().map(|stage| format!("{} % {}", stage.percent, stage.state)).collect();
        output::text(&format!("stage {}", stages.join("  ")))?;
    }
    for next in &view.next {
        output::text(&format!("  → {next}"))?;
    }
    Ok(())
}

fn criterion_row(one: &CriterionView) -> [String; 6] {
    let unknown = || words::UNKNOWN.to_owned();
    [
        one.title.clone(),
        one.value.map_or_else(unknown, |value| format!("{} ({}/{})", words::percent(value), one.k, one.n)),
        one.bound.map_or_else(unknown, words::percent),
        one.must.clone(),
        one.needs.map_or_else(unknown, |needs| format!("{needs} clean")),
        one.state.word().to_owned(),
    ]
}

fn effect_lines(effect: &EffectView) -> Result<()> {
    let state = match effect.state {
        step::EffectState::Waiting => "waited for",
        step::EffectState::Confirmed => "CONFIRMED",
        step::EffectState::Unconfirmed => "UNCONFIRMED",
    };
    output::text(&format!("  effect {state}: {}", effect.words))?;
    if effect.series.len() > 1 {
        let series: Vec<String> = effect.series.iter().map(u64::to_string).collect();
        let slot = crate::domain::incident::span_words(effect.slot_ms);
        output::text(&format!("  per {slot}: {}", series.join(" → ")))?;
    }
    Ok(())
}
