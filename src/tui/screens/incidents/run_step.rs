//! Running the step under the cursor: what it would do comes first, then what the person must do to let it, then what
//! came of it.

use jiff::Timestamp;

use super::asks::{ASK, Asked};
use super::{Carried, IncidentsScreen, Request};
use crate::command::table::incidents as table;
use crate::domain::incident::span_words;
use crate::domain::runbook::Confirm;
use crate::ops::incident::step::{
    ApprovalState, ApprovalView, DryRun, EffectState, EffectView, Ran, RanState, RunAsk, UnsettledView,
};
use crate::ops::incident::{ActingState, StepView};
use crate::text::{Line, Role, clean_line, figures};
use crate::tui::jobs::{Job, STEP};
use crate::tui::overlays::{Choice, Let, Picker, RunStep};
use crate::tui::screen::{Cx, Env};
use crate::tui::words::{line, words};

/// What a dry run that is on screen leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum Leads {
    /// The step is run.
    Run,
    /// The step is approved, for somebody else to run.
    Approve,
    /// The step is run by one alone, who says why.
    BreakGlass,
}

/// What can be done about an act whose outcome is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    LookAgain,
    WasDone,
    Again,
    Reopen,
}

impl IncidentsScreen {
    /// Runs the step under the cursor; one that a person does is signed instead.
    pub(super) fn run_step(&mut self, cx: &mut Cx<'_>) {
        let Some(step) = self.step() else { return };
        if step.state.is_settled() || matches!(step.kind, "manual" | "ask") {
            return self.ask_done(cx);
        }
        let waits =
            step.acting.as_ref().is_some_and(|act| act.state == ActingState::Done && act.effect == "waiting");
        let Some(id) = self.open.as_ref().map(|open| open.id.clone()) else { return };
        let (hands, step_id) = (cx.env.hands.clone(), step.id.clone());
        let request = match (waits, step.acts) {
            // It has acted; what is left is to see that it took.
            (true, _) => Request::Recheck { hands, id, step: step_id, asked: true },
            (false, true) => {
                self.reading = true;
                Request::Plan { hands, id, step: step_id }
            }
            (false, false) => Request::Run { hands, id, step: step_id, ask: RunAsk::default() },
        };
        let does = if step.acts { "looking what it would do" } else { "looking" };
        cx.start(Job::queue(STEP, does, request.into()));
    }

    /// Looks again at what the traces show: the effect of a switch, and the watch.
    pub(super) fn look_again(&self, cx: &mut Cx<'_>) {
        let Some(open) = &self.open else { return };
        let Some(view) = open.view.as_ref().filter(|view| view.head.closed_at.is_none()) else { return };
        if !cx.env.writable {
            return;
        }
        let steps =
            || view.phases.iter().flat_map(|phase| &phase.steps).filter(|step| !step.state.is_settled());
        let hands = cx.env.hands.clone();
        let waiting = steps().find(|step| {
            let act = step.acting.as_ref();
            act.is_some_and(|act| act.state == ActingState::Done && act.effect == "waiting")
        });
        if let Some(step) = waiting {
            let (hands, id, step) = (hands.clone(), open.id.clone(), step.id.clone());
            let request = Request::Recheck { hands, id, step, asked: false };
            cx.start(Job::replace("incident effect", "looking at the traces", request.into()));
        }
        if steps().any(|step| step.clean_from.is_some()) {
            let request = Request::Watch { hands, id: open.id.clone() };
            cx.start(Job::replace("incident watch", "looking at the watch", request.into()));
        }
    }

    /// Shows what a step would do, and asks.
    pub(super) fn planned(&mut self, plan: DryRun, cx: &mut Cx<'_>) {
        if let Some(open) = plan.unsettled.as_ref().filter(|open| !open.runs) {
            return self.ask_unsettled(&plan, open, cx);
        }
        let step = plan.step.clone();
        let me = cx.env.reviewer.clone();
        let asked_by_me = plan.approval.asked.as_ref().is_some_and(|(_, by)| by.raw() == me);
        let running = plan.unsettled.is_some();
        let (how, leads) = match plan.approval.state {
            _ if running || !plan.fails.is_empty() => (Let::Read, Leads::Run),
            ApprovalState::Waiting | ApprovalState::Lapsed if asked_by_me && plan.approval.break_glass => {
                let label = clean_line("nobody is there? act alone, because:");
                (Let::Words(label), Leads::BreakGlass)
            }
            ApprovalState::Waiting | ApprovalState::Lapsed if asked_by_me => (Let::Read, Leads::Run),
            ApprovalState::Waiting | ApprovalState::Lapsed => {
                (Let::Key("approve it, for them to run"), Leads::Approve)
            }
            ApprovalState::Wanted => (Let::Key("ask a second person to approve it"), Leads::Run),
            ApprovalState::NotNeeded | ApprovalState::Given => match (&plan.type_this, plan.confirm) {
                (Some(word), Confirm::Type) => (Let::Word(clean_line(word.raw())), Leads::Run),
                _ => (Let::Key("do it"), Leads::Run),
            },
        };
        let title = words().put(Role::Title, clean_line(plan.title.raw()).as_str());
        let overlay = RunStep::new(ASK, title, &plan_lines(&plan, cx.env), how);
        self.ask(Asked::Plan(step, leads), overlay, cx);
    }

    /// Asks what became of an act that was begun by a program which is no more.
    fn ask_unsettled(&mut self, plan: &DryRun, open: &UnsettledView, cx: &mut Cx<'_>) {
        let mut ways = vec![(Open::LookAgain, 'l', "look again", "at the flag, the folder, the traces")];
        ways.push((Open::WasDone, 'd', "it was done", "sign it, and say how you know"));
        ways.push((Open::Reopen, 'n', "it was not done", "take the step up again"));
        if plan.idempotent {
            ways.push((Open::Again, 'r', "run it again", "running it twice does no harm"));
        }
        let choices = ways
            .iter()
            .map(|(_, key, name, more)| {
                Choice::new(words().plain(format!("{name}  ")).muted(*more))
                    .detail(line(Role::Key, key.to_string()))
                    .key(*key)
            })
            .collect();
        let at = figures::when(open.at.as_millisecond(), cx.env.now_ms(), &cx.env.zone);
        let by = clean_line(open.by.raw());
        let title = words().put(Role::Alert, format!("NOT KNOWN: what {} began at {at}", by.as_str()));
        let ways = ways.into_iter().map(|(way, ..)| way).collect();
        self.ask(Asked::Unsettled(plan.step.clone(), ways), Picker::new(ASK, title, choices), cx);
    }

    /// The person has let a step.
    pub(super) fn let_step(&mut self, step: String, leads: &Leads, text: Option<String>, cx: &mut Cx<'_>) {
        let Some(id) = self.open.as_ref().map(|open| open.id.clone()) else { return };
        if *leads == Leads::Approve {
            return Self::act(Request::Approve { id, step }, cx);
        }
        self.carries(&id, &step, cx);
        let break_glass = text.filter(|_| *leads == Leads::BreakGlass);
        let ask = RunAsk { break_glass, ..RunAsk::default() };
        let request = Request::Run { hands: cx.env.hands.clone(), id, step, ask };
        cx.start(Job::queue(STEP, "carrying the step out", request.into()));
    }

    fn carries(&mut self, id: &str, step: &str, cx: &Cx<'_>) {
        let view = self.open.as_ref().and_then(|open| open.view.as_ref());
        let mut steps = view.into_iter().flat_map(|view| &view.phases).flat_map(|phase| &phase.steps);
        let title = steps.find(|of| of.id == step).map_or(step, |of| of.title.raw()).to_owned();
        let (incident, step, since) = (id.to_owned(), step.to_owned(), cx.env.now);
        self.carried.push(Carried { incident, step, title, since });
    }

    /// The question before the program is left while a step that acts is carried out.
    pub fn leaving(&self, now: Timestamp) -> Option<String> {
        let of = self.carried.first()?;
        let so_far = u64::try_from(now.duration_since(of.since).as_millis()).unwrap_or(0);
        let so_far = span_words(so_far - so_far % 1_000);
        let title = clean_line(&of.title);
        Some(format!(
            "“{}” is being carried out, for {so_far} now. Leaving stops it on the way: what came of it is not known \
             then, and you are asked when you come back.",
            title.as_str()
        ))
    }

    /// The person has said what to do about an act whose outcome is not known.
    pub(super) fn settle_unknown(&mut self, step: String, way: Open, cx: &mut Cx<'_>) {
        let Some(id) = self.open.as_ref().map(|open| open.id.clone()) else { return };
        let hands = cx.env.hands.clone();
        match way {
            Open::LookAgain => {
                let request = Request::Recheck { hands, id, step, asked: true };
                cx.start(Job::queue(STEP, "looking again", request.into()));
            }
            Open::Again => {
                self.carries(&id, &step, cx);
                let ask = RunAsk { again: true, ..RunAsk::default() };
                let request = Request::Run { hands, id, step, ask };
                cx.start(Job::queue(STEP, "carrying the step out", request.into()));
            }
            Open::WasDone => {
                if let Some(step) = self.step().filter(|view| view.id == step) {
                    self.ask_words(&step, cx);
                }
            }
            Open::Reopen => self.reopen(cx),
        }
    }

    /// A step was run: the status line says what came of it, and the incident is read again.
    pub(super) fn ran(&mut self, request: &Request, ran: Ran, cx: &mut Cx<'_>) {
        let told = |open: &super::Open| open.id == ran.incident;
        let Some(open) = self.open.as_mut().filter(|open| told(open)) else { return };
        // What nobody asked for is worth a word once it is settled.
        let quiet = matches!(request, Request::Recheck { asked: false, .. }) && !ran.settled;
        if let Some(watch) = &ran.watch {
            open.watch = Some(watch.clone());
        }
        if !quiet {
            cx.say(said(&ran));
        }
        // What is typed next is about the step that follows, once the incident is read.
        self.reading |= ran.settled;
        open.ran = Some(ran);
        open.detail.cols = 0;
        self.read_again(cx);
    }
}

/// The outcome in a line.
fn said(ran: &Ran) -> Line {
    let role = match ran.state {
        RanState::Done | RanState::Ok => Role::Pass,
        RanState::Failed | RanState::Breach => Role::Fail,
        RanState::Unknown | RanState::WaitingForApproval | RanState::NotEnoughData => Role::Alert,
        RanState::Shown | RanState::Watching | RanState::StageHeld => Role::Accent,
    };
    let more = ran.said.as_ref().filter(|said| !said.is_empty()).map(|said| said.raw());
    let effect = ran.effect.as_ref().map(|effect| effect.words.as_str());
    let more = effect.or(more).map(|more| format!(": {}", clean_line(more).as_str()));
    let waits = ran.effect.as_ref().is_some_and(|effect| effect.state == EffectState::Waiting);
    let (role, word) = match waits && ran.state == RanState::Done {
        true => (Role::Accent, "acted, and its effect is waited for"),
        false => (role, ran.state.words()),
    };
    words().put(role, word).plain(more.unwrap_or_default()).done()
}

/// What a step would do.
fn plan_lines(plan: &DryRun, env: &Env) -> Vec<Line> {
    let mut lines = Vec::new();
    if plan.sandbox {
        lines.push(line(Role::Accent, "A drill: it is done on copies."));
    }
    if let (Some(from), Some(to)) = (&plan.from, &plan.to) {
        lines.push(words().muted("now ").plain(from.raw()).muted(" → ").put(Role::Title, to.raw()).done());
    }
    lines.extend(plan.lines.iter().map(|text| line(Role::Plain, clean_line(text.raw()).as_str())));
    for fail in &plan.fails {
        lines.push(words().put(Role::Fail, "would fail  ").plain(clean_line(fail.raw()).as_str()).done());
    }
    for note in &plan.notes {
        lines.push(line(Role::Muted, clean_line(note.raw()).as_str()));
    }
    if let Some(undo) = &plan.undo {
        lines.push(words().muted("undo  ").plain(clean_line(undo.raw()).as_str()).done());
    }
    if let Some(running) = &plan.unsettled {
        let by = clean_line(running.by.raw());
        lines.push(line(Role::Alert, format!("{} carries it out now.", by.as_str())));
    }
    lines.extend(approval_line(&plan.approval, env));
    lines
}

fn approval_line(approval: &ApprovalView, env: &Env) -> Option<Line> {
    let by = approval.by.as_ref().map_or_else(String::new, |by| clean_line(by.raw()).as_str().to_owned());
    let who = if by == "other" { "a second person".to_owned() } else { by.clone() };
    let when = |at: jiff::Timestamp| figures::when(at.as_millisecond(), env.now_ms(), &env.zone);
    let asked = approval
        .asked
        .as_ref()
        .map(|(at, by)| format!(", asked by {} at {}", clean_line(by.raw()).as_str(), when(*at)));
    let asked = asked.unwrap_or_default();
    Some(match approval.state {
        ApprovalState::NotNeeded => return None,
        ApprovalState::Given => line(Role::Pass, format!("approved by {by}")),
        ApprovalState::Wanted => line(Role::Alert, format!("It needs {who} to approve it.")),
        ApprovalState::Waiting => {
            let until = approval.until.map(|until| format!(", until {}", when(until)));
            line(Role::Alert, format!("It waits for {who}{asked}{}.", until.unwrap_or_default()))
        }
        ApprovalState::Lapsed => line(Role::Alert, format!("It waited for {who} in vain{asked}.")),
    })
}

/// What the record says of a step's act, check or approval, for its text.
pub fn act_lines(step: &StepView, ran: Option<&Ran>, env: (i64, &jiff::tz::TimeZone)) -> Vec<Line> {
    let when = |at: jiff::Timestamp| figures::when(at.as_millisecond(), env.0, env.1);
    let mut lines = Vec::new();
    if let Some(act) = &step.acting {
        let (role, word) = match act.state {
            ActingState::Running => (Role::Accent, "runs now"),
            ActingState::Done => (Role::Pass, "acted"),
            ActingState::Failed => (Role::Fail, "did not take"),
            ActingState::Unknown => (Role::Alert, "NOT KNOWN what came of it"),
        };
        let mut told = words().put(role, word).muted(format!("  {} by ", when(act.at))).muted(act.by.raw());
        if let (Some(from), Some(to)) = (&act.from, &act.to) {
            told = told.plain(format!("  {} → {}", clean_line(from.raw()), clean_line(to.raw())));
        }
        lines.push(told.done());
        if let Some(said) = act.said.as_ref().filter(|said| !said.is_empty()) {
            lines.push(line(Role::Plain, format!("  {}", clean_line(said.raw()))));
        }
        let live = ran.filter(|ran| ran.step == step.id).and_then(|ran| ran.effect.as_ref());
        lines.extend(effect_lines(act.effect, act.effect_words.as_ref().map(|words| words.raw()), live));
    }
    if let (Some(found), Some(at)) = (&step.found, step.found_at) {
        use crate::domain::incident::Verdict;
        let role = match found.verdict {
            Verdict::Ok => Role::Pass,
            Verdict::Breach => Role::Fail,
            Verdict::NotEnoughData => Role::Alert,
            Verdict::Shown => Role::Accent,
        };
        let told = words().put(role, found.verdict.words()).muted(format!("  {}  ", when(at)));
        lines.push(told.plain(clean_line(found.words.raw()).as_str()).done());
    }
    if let Some(by) = &step.waits_for_approval {
        let told = words().put(Role::Alert, "waits for a second person").muted("  asked by ").muted(by.raw());
        lines.push(told.done());
    }
    lines
}

fn effect_lines(state: &str, known: Option<&str>, live: Option<&EffectView>) -> Vec<Line> {
    let (role, word) = match state {
        "confirmed" => (Role::Pass, "CONFIRMED"),
        "unconfirmed" => (Role::Alert, "UNCONFIRMED"),
        "waiting" => (Role::Accent, "waited for"),
        _ => return Vec::new(),
    };
    let told = known.or(live.map(|live| live.words.as_str())).unwrap_or("the traces tell");
    let mut lines =
        vec![words().muted("effect  ").put(role, word).plain(format!("  {}", clean_line(told))).done()];
    if let Some(live) = live.filter(|live| live.series.len() > 1 && live.state != EffectState::Unconfirmed) {
        let series: Vec<String> = live.series.iter().map(u64::to_string).collect();
        let slot = crate::domain::incident::span_words(live.slot_ms);
        lines.push(words().muted(format!("per {slot}  ")).plain(series.join(" → ")).done());
    }
    lines
}

/// What `x` does with a step, for its text.
pub fn x_words(step: &StepView, env: &Env) -> Option<Line> {
    if step.state.is_settled() {
        return None;
    }
    let does = match step.kind {
        "command" | "http" | "flag" | "rollback" => "shows exactly what it would do, and asks",
        "check" => "looks, and writes down what it finds",
        "gate" => "goes through the checklist",
        "monitor" if step.clean_from.is_some() => "looks; enters the next stage when this one was held",
        "monitor" => "begins to watch",
        _ => return None,
    };
    let sign = format!("; {} signs it by hand", env.key(table::DONE));
    Some(words().key(env.key(table::RUN)).muted(format!(" {does}{sign}")).done())
}
