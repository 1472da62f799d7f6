//! The run that was started here and goes on: how far it is, stopping it, and what came of it.

use std::sync::Arc;

use super::{Page, Request, RunsScreen};
use crate::domain::{EvalConfig, Result, RunName};
use crate::ops::run::{self, RunAsk, RunView};
use crate::task::ProgressView;
use crate::text::{Line, Role, figures};
use crate::tui::jobs::{Job, Policy, RUN};
use crate::tui::overlays::StartRun;
use crate::tui::screen::{Cx, Wish};
use crate::tui::words::words;

/// Cells of the bar.
const BAR: usize = 20;

/// A run that this program drives.
#[derive(Debug)]
pub struct Going {
    pub name: RunName,
    /// How far it is, once it has gone on for a quarter of a second.
    progress: Option<ProgressView>,
    /// A person stopped it; what is being asked may still come.
    stopping: bool,
}

impl Going {
    /// `████████░░░░ 12 of 48 · 3.1/s · 12 s left`.
    pub fn bar(&self) -> Line {
        let out = words().put(Role::Accent, "▸ ");
        let Some(progress) = &self.progress else { return out.muted("starting…").done() };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bar for the eye")]
        let full = (progress.done as f64 / progress.total.max(1) as f64 * BAR as f64) as usize;
        let full = full.min(BAR);
        let count = |n: u64| figures::thousands(i64::try_from(n).unwrap_or(i64::MAX));
        let out = out.put(Role::Accent, "█".repeat(full)).muted("░".repeat(BAR - full)).plain(format!(
            " {} of {}",
            count(progress.done),
            count(progress.total)
        ));
        if self.stopping {
            return out.put(Role::Alert, " · stopping…").done();
        }
        let left = progress.left.map(|left| left.as_secs_f64() * 1000.0);
        out.muted(format!(" · {}/s", figures::fixed(progress.per_second, 1)))
            .maybe(Role::Muted, left.map(|ms| format!(" · {} left", figures::duration(ms))))
            .done()
    }

    /// `support-candidate-3 · 91.7 % [64.6, 98.5] pass · 1 error · $0.10`, as far as it is.
    pub fn note(&self) -> Line {
        let note = self.progress.as_ref().map(|progress| format!(" · {}", progress.note));
        words().put(Role::Accent, self.name.as_str()).maybe(Role::Plain, note).done()
    }
}

impl RunsScreen {
    /// The run that goes on here, where it is this one.
    pub fn going(&self, name: &RunName) -> Option<&Going> {
        self.going.as_ref().filter(|going| going.name == *name)
    }

    /// The question before the program is left while a run goes on here.
    pub fn leaving(&self) -> Option<String> {
        let going = self.going.as_ref()?;
        let done = going
            .progress
            .as_ref()
            .map_or_else(String::new, |progress| format!(" ({} of {} cases)", progress.done, progress.total));
        Some(format!(
            "The run {} goes on{done}. Leaving stops it; what it has is kept, and it can go on later.",
            going.name
        ))
    }

    /// Begins a run; there is none that goes on here.
    pub fn begin(&mut self, config: Arc<EvalConfig>, ask: RunAsk, cx: &mut Cx<'_>) {
        let Some(name) = ask.name.clone() else { return };
        if self.refuses(cx) {
            return;
        }
        // A run that goes on is on screen already; a new one comes into the list.
        if !ask.resume {
            self.pile.clear();
            if let Some(runs) = &mut self.runs {
                runs.set_filter("");
            }
        }
        self.begun = Some(name.clone());
        self.going = Some(Going { name, progress: None, stopping: false });
        let request = Request::Begin { config, ask }.into();
        cx.start(Job { title: "running the eval set", scope: RUN, policy: Policy::Exclusive, request });
    }

    /// Whether a run goes on here, so that no other can begin; says so.
    pub fn refuses(&self, cx: &mut Cx<'_>) -> bool {
        if let Some(going) = &self.going {
            cx.say(words().plain(format!("{} goes on: one run at a time", going.name)));
        }
        self.going.is_some()
    }

    /// Opens the form on what was offered.
    pub(super) fn offered(&self, offer: run::RunOffer, config: Arc<EvalConfig>, cx: &mut Cx<'_>) {
        if !self.refuses(cx) {
            let form = StartRun::new(offer, config, cx);
            cx.open(form);
        }
    }

    /// Asks how the run here would go on.
    pub(super) fn go_on(&self, cx: &mut Cx<'_>) {
        if let Some(run) = self.run().cloned().filter(|_| !self.refuses(cx)) {
            let request = Request::OfferRest { config: Arc::clone(&cx.env.evaluation), run };
            cx.start(Job::replace("run offer", "preparing the run", request.into()));
        }
    }

    /// Takes note of how far the run is.
    pub fn progressed(&mut self, view: ProgressView) {
        if let Some(going) = &mut self.going {
            going.progress = Some(view);
        }
    }

    pub(super) fn stop(&mut self, cx: &mut Cx<'_>) {
        if let Some(going) = &mut self.going {
            going.stopping = true;
            cx.wish(Wish::Stop(RUN));
        }
    }

    /// The run is over, was stopped, or could not begin.
    pub(super) fn ended(&mut self, result: Result<RunView>, cx: &mut Cx<'_>) {
        self.going = None;
        let view = match result {
            Ok(view) => view,
            Err(error) => return cx.fail(error),
        };
        let told = match view.pass_rate {
            Some(_) => format!("{} pass", view.pass_words()),
            None => "nothing told".to_owned(),
        };
        let errors = usize::try_from(view.errors).unwrap_or(usize::MAX);
        let errors = (errors > 0).then(|| format!(" · {}", figures::plural(errors, "error")));
        let cost = format!(" · {}", figures::dollars(view.cost_usd));
        let words = if view.is_complete() {
            words().put(Role::Pass, "✓ ").plain(format!("{} is done: {told}", view.run))
        } else {
            let left = format!("{}: stopped with {} left", view.run, view.cases - view.done);
            words().put(Role::Alert, "! ").plain(left).muted(format!(" · {told}"))
        };
        // Said when the list has it, so that the next key finds it there.
        self.news = Some(words.maybe(Role::Muted, errors).muted(cost).done());
        self.reload(cx);
    }

    /// Puts the cursor on the run that has just begun, once it is in the list.
    pub(super) fn find_begun(&mut self) {
        let (Some(begun), Some(runs)) = (&self.begun, &mut self.runs) else { return };
        if let Some(at) = runs.all.iter().position(|run| run.run == *begun) {
            self.begun = None;
            runs.refilter(Some(at));
        }
    }

    /// Whether the run here can go on: it ended before its end or has errors, and does not go on here.
    pub(super) fn can_go_on(&self) -> bool {
        let view = match self.pile.last() {
            None => self.runs.as_ref().and_then(|runs| runs.selected()),
            Some(Page::Run(page)) => page.view.as_deref(),
            Some(_) => None,
        };
        view.is_some_and(|run| (!run.is_complete() || run.errors > 0) && self.going(&run.run).is_none())
    }
}
