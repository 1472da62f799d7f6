//! Where a drill is held: a folder of its own with a store, a team's repository, and the sandbox that its switches
//! and commands go to.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::feed::{DEPLOYER, judge_history, write_guilty};
use super::own::Own;
use super::traffic::{Replay, Traffic};
use crate::domain::drill::{Scenario, Stage};
use crate::domain::prompt::{FeatureSpec, TeamConfig};
use crate::domain::switch::{FlagFile, FlagFormat, SwitchKind, SwitchSpec};
use crate::domain::{Error, EvalConfig, Result, Untrusted};
use crate::ops::demo::{HISTORY_HOURS, Live, Verdict, history, team_folder, write_team};
use crate::ops::incident::step::{Hands, Sandbox};
use crate::ops::prompt::{UseSpec, home, use_version};
use crate::ops::runbook::{self, Books, CheckView};
use crate::ops::{Access, Ctx, import};
use crate::task::{Cancel, Clock, Progress};
use crate::wire::write::new_file::write_text;

/// The store's name in the folder, and the file that says what is held there.
const STORE: &str = "drill.db";
const PLAN: &str = "drill.json";
/// The store of what is done before it begins.
const BEFORE: &str = "before.db";

/// What is held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What goes wrong.
    pub scenario: Scenario,
    /// Seed of the traffic.
    pub seed: u64,
    /// Requests an hour.
    pub an_hour: u64,
    /// When it begins by its own clock.
    pub begin: Timestamp,
    /// When it began by the wall's; later than that by the time that its making took.
    pub begun: Timestamp,
    /// How much faster than the wall's its clock goes.
    pub speed: f64,
    /// The names that it is played with.
    #[serde(default)]
    pub stage: Stage,
}

impl Plan {
    /// What it was, told when it is over.
    pub fn told(&self) -> String {
        self.scenario.told(&self.stage)
    }
}

/// The folder of a drill, and what is held there.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// The folder.
    pub folder: PathBuf,
    /// What is held.
    pub plan: Plan,
}

impl Place {
    /// Makes a fresh folder for a drill, under the system's temporary one.
    ///
    /// # Errors
    /// `Failed` when it cannot be made.
    pub fn make(plan: Plan) -> Result<Self> {
        let cannot =
            |e: std::io::Error| Error::failed("No temporary folder can be made for the drill.").because(e);
        let folder = tempfile::Builder::new().prefix("tuesday-drill-").tempdir().map_err(cannot)?.keep();
        let place = Self { folder, plan };
        place.write()?;
        Ok(place)
    }

    /// Begins now, by the wall's clock.
    ///
    /// # Errors
    /// `Failed` when the plan cannot be written.
    pub fn begin(&mut self) -> Result<()> {
        self.plan.begun = Clock::System.now();
        self.write()
    }

    fn write(&self) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.plan)
            .map_err(|e| Error::failed("The drill's plan cannot be written as JSON.").because(e))?;
        write_text(&self.folder.join(PLAN), &text, true).map(drop)
    }

    /// The drill that is held on the store at this path, where one is.
    pub fn of_store(store: &Path) -> Option<Self> {
        let folder = store.parent()?;
        if store.file_name()? != STORE {
            return None;
        }
        let plan = serde_json::from_str(&std::fs::read_to_string(folder.join(PLAN)).ok()?).ok()?;
        Some(Self { folder: folder.to_owned(), plan })
    }

    /// Its store.
    pub fn store(&self) -> PathBuf {
        self.folder.join(STORE)
    }

    /// Its clock.
    pub fn clock(&self) -> Clock {
        Clock::Scaled(self.plan.begin, self.plan.begun, self.plan.speed)
    }

    /// Takes the folder away, with all that is in it.
    pub fn discard(&self) {
        // What cannot be removed stays: it is only a drill.
        let _ = std::fs::remove_dir_all(&self.folder);
    }

    /// Opens its store for this person, by this clock.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&self, reviewer: &str, clock: Clock) -> Result<Ctx> {
        Ctx::open(&self.store(), Access::Create, reviewer, clock)
    }

    /// Fills the store up to the beginning, some of it judged: with healthy traffic of the demo, whose repository is
    /// written, or with the team's own. Gives the traffic that goes on from there.
    ///
    /// # Errors
    /// When the folder cannot be written, or it was cancelled.
    pub fn fill(&self, ctx: &Ctx, own: Option<Own>, cancel: &Cancel, progress: &Progress) -> Result<Traffic> {
        progress.phase("making the drill's store");
        let plan = &self.plan;
        let Some(own) = own else { return self.fill_with_demo(ctx, cancel, progress) };
        progress.set_total(own.history.len() as u64);
        let truths: HashMap<Untrusted, bool> =
            own.history.iter().map(|(trace, good)| (trace.id.clone(), *good)).collect();
        let traffic = Replay::new(&own.history, plan.seed, plan.begin, plan.an_hour);
        let copied = own.history.into_iter().take_while(|_| !cancel.is_cancelled());
        import::traces(ctx, copied.map(|(trace, _)| trace).inspect(|_| progress.add(1)))?;
        cancel.check()?;
        judge_history(ctx, &plan.stage.feature, plan.begin, &truths)?;
        Ok(Traffic::Own(traffic))
    }

    fn fill_with_demo(&self, ctx: &Ctx, cancel: &Cancel, progress: &Progress) -> Result<Traffic> {
        let (plan, stage) = (&self.plan, &self.plan.stage);
        progress.set_total(plan.an_hour * HISTORY_HOURS / 5);
        let mut truths = HashMap::<Untrusted, bool>::new();
        let made = history(plan.seed, plan.begin, plan.an_hour).take_while(|_| !cancel.is_cancelled());
        let traces = made.map(|(trace, truth)| {
            progress.add(1);
            truths.insert(trace.id.clone(), truth.verdict == Verdict::Good);
            trace
        });
        import::traces(ctx, traces)?;
        cancel.check()?;
        judge_history(ctx, &stage.feature, plan.begin, &truths)?;
        write_team(&self.store())?;
        Ok(Traffic::Made(Live::new(plan.seed, plan.begin, plan.an_hour)))
    }

    /// What of the usual runbook would fail here, found while the version that is to ship is in force, as it will be
    /// in the incident. Then the good one is; the other lies ready. None of this is in the drill's own record.
    ///
    /// # Errors
    /// When the runbook cannot be read, or the sandbox's prompts cannot be written.
    pub fn rehearse(&self, ctx: &Ctx, hands: &Hands, books: &Books, cancel: &Cancel) -> Result<CheckView> {
        let stage = &self.plan.stage;
        let (runbook, _) = books.usual()?;
        let before = Ctx::open(&self.folder.join(BEFORE), Access::Create, DEPLOYER, ctx.clock.clone())?;
        let to = |version: &str| -> Result<()> {
            let Some(prompt) = &stage.prompt else { return Ok(()) };
            let home = home(hands.team(), prompt)?;
            use_version(&before, hands.team(), &home, version, &UseSpec::default(), cancel).map(drop)
        };
        if let Some(prompt) = stage.prompt.as_ref().filter(|_| stage.own) {
            write_guilty(&home(hands.team(), prompt)?, &stage.guilty)?;
        }
        to(&stage.guilty)?;
        let check = runbook::check(ctx, hands, runbook, Some(&stage.feature), cancel)?;
        to(&stage.good)?;
        Ok(check)
    }

    /// The repository's configuration, as its file says it.
    fn demo_team(&self) -> TeamConfig {
        let home = team_folder(&self.store());
        let switch = flag_file(
            PathBuf::from("flags.json"),
            "/flags/support-ai/enabled",
            Some("/flags/support-ai/fallback"),
        );
        let feature = &self.plan.stage.feature;
        let prompts = PathBuf::from("prompts").join(feature);
        TeamConfig {
            prompts_dir: home.join("prompts"),
            features: vec![FeatureSpec {
                name: feature.clone(),
                prompts: Some(prompts),
                switch: Some(switch),
                line: 1,
            }],
            home,
            file: None,
            min_pass_rate: 0.8,
            min_cases: 10,
        }
    }

    /// The hands that act in it: a sandbox with copies of its repository, and of the switches of the team that
    /// rehearses, so that its own runbook can be walked through. Made once; whoever comes later finds it as it is.
    ///
    /// # Errors
    /// `Failed` when it cannot be written.
    pub fn hands(&self, own: &TeamConfig) -> Result<Arc<Hands>> {
        let team = if self.plan.stage.own { self.own_team(own)? } else { self.demo_team_with(own) };
        let evals = EvalConfig { home: team.home.clone(), ..EvalConfig::default() };
        Ok(Arc::new(Sandbox::make(&team, &evals, &self.folder.join("sandbox"))?.into()))
    }

    /// The demo's team, with the switches of the team that rehearses.
    fn demo_team_with(&self, own: &TeamConfig) -> TeamConfig {
        let mut team = self.demo_team();
        for feature in &own.features {
            let switch = feature.switch.clone().map(|switch| at_home(switch, &own.home));
            let prompts = feature.prompts.as_ref().map(|path| own.home.join(path));
            match team.features.iter_mut().find(|of| of.name == feature.name) {
                Some(of) => of.switch = switch.or(of.switch.take()),
                None => team.features.push(FeatureSpec { prompts, switch, ..feature.clone() }),
            }
        }
        team
    }

    /// The team that rehearses; where it does not say how the feature is switched, it has a switch in the drill.
    fn own_team(&self, own: &TeamConfig) -> Result<TeamConfig> {
        let (mut team, name) = (own.clone(), &self.plan.stage.feature);
        if team.features.iter().all(|of| of.name != *name) {
            team.features.push(FeatureSpec { name: name.clone(), prompts: None, switch: None, line: 1 });
        }
        for feature in team.features.iter_mut().filter(|of| of.name == *name && of.switch.is_none()) {
            let path = self.folder.join("switch.json");
            if !path.exists() {
                write_text(&path, "{\"enabled\": true}\n", true)?;
            }
            feature.switch = Some(flag_file(path, "/enabled", None));
        }
        Ok(team)
    }
}

/// A switch that is a value of a JSON file.
fn flag_file(path: PathBuf, pointer: &str, fallback: Option<&str>) -> SwitchSpec {
    SwitchSpec {
        kind: SwitchKind::FlagFile(FlagFile {
            path,
            format: FlagFormat::Json,
            pointer: pointer.to_owned(),
            on: true.into(),
            off: false.into(),
            fallback_pointer: fallback.map(str::to_owned),
        }),
        ofrep: None,
        timeout: Duration::from_secs(5),
        settle: Duration::from_secs(1),
    }
}

/// A switch whose files are named from everywhere.
fn at_home(mut switch: SwitchSpec, home: &Path) -> SwitchSpec {
    match &mut switch.kind {
        SwitchKind::FlagFile(of) => of.path = home.join(&of.path),
        SwitchKind::Flagd(of) => of.path = home.join(&of.path),
        _ => {}
    }
    switch
}
