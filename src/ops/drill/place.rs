//! Where a drill is held: a folder of its own with a store, a team's repository, and the sandbox that its switches
//! and commands go to.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::feed::{DEPLOYER, FEATURE, judge_history};
use crate::domain::drill::Scenario;
use crate::domain::prompt::{FeatureSpec, TeamConfig};
use crate::domain::switch::{FlagFile, FlagFormat, SwitchKind, SwitchSpec};
use crate::domain::{Error, EvalConfig, Result, Untrusted};
use crate::ops::demo::{HISTORY_HOURS, Verdict, history, team_folder, write_team};
use crate::ops::incident::step::{Hands, Sandbox};
use crate::ops::prompt::{UseSpec, home, use_version};
use crate::ops::runbook::{self, CheckView};
use crate::ops::{Access, Ctx, import};
use crate::task::{Cancel, Clock, Progress};
use crate::wire::write::new_file::write_text;

/// The store's name in the folder, and the file that says what is held there.
const STORE: &str = "drill.db";
const PLAN: &str = "drill.json";

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

    /// Fills the store with healthy traffic up to the beginning, some of it judged, and writes the repository.
    ///
    /// # Errors
    /// When the folder cannot be written, or it was cancelled.
    pub fn fill(&self, ctx: &Ctx, cancel: &Cancel, progress: &Progress) -> Result<()> {
        progress.phase("making the drill's store");
        let plan = &self.plan;
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
        judge_history(ctx, plan.begin, &truths)?;
        write_team(&self.store()).map(drop)
    }

    /// What of the runbook would fail here: the file, or the one that comes with the program. To be asked while the
    /// version that is to ship is in force, as it will be in the incident.
    ///
    /// # Errors
    /// When the runbook cannot be read.
    pub fn check(
        &self,
        ctx: &Ctx,
        hands: &Hands,
        runbook: Option<&Path>,
        cancel: &Cancel,
    ) -> Result<CheckView> {
        let (pinned, _) = runbook::find(hands.team(), runbook, None)?;
        runbook::check(ctx, hands, pinned, Some(FEATURE), cancel)
    }

    /// Puts the good version in force; the one that is to ship lies ready.
    ///
    /// # Errors
    /// When the sandbox's prompts cannot be written.
    pub fn begin_with_the_good_version(&self, ctx: &Ctx, hands: &Hands, cancel: &Cancel) -> Result<()> {
        let home = home(hands.team(), FEATURE)?;
        let deployer = Ctx { reviewer: DEPLOYER.to_owned(), ..ctx.clone() };
        use_version(&deployer, hands.team(), &home, "v3", &UseSpec::default(), cancel).map(drop)
    }

    /// The repository's configuration, as its file says it.
    fn team(&self) -> TeamConfig {
        let home = team_folder(&self.store());
        let switch = SwitchSpec {
            kind: SwitchKind::FlagFile(FlagFile {
                path: PathBuf::from("flags.json"),
                format: FlagFormat::Json,
                pointer: "/flags/support-ai/enabled".to_owned(),
                on: true.into(),
                off: false.into(),
                fallback_pointer: Some("/flags/support-ai/fallback".to_owned()),
            }),
            ofrep: None,
            timeout: Duration::from_secs(5),
            settle: Duration::from_secs(1),
        };
        let prompts = PathBuf::from("prompts").join(FEATURE);
        TeamConfig {
            prompts_dir: home.join("prompts"),
            features: vec![FeatureSpec {
                name: FEATURE.to_owned(),
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
        let mut team = self.team();
        for feature in &own.features {
            let switch = feature.switch.clone().map(|switch| at_home(switch, &own.home));
            let prompts = feature.prompts.as_ref().map(|path| own.home.join(path));
            match team.features.iter_mut().find(|of| of.name == feature.name) {
                Some(of) => of.switch = switch.or(of.switch.take()),
                None => team.features.push(FeatureSpec { prompts, switch, ..feature.clone() }),
            }
        }
        let evals = EvalConfig { home: team.home.clone(), ..EvalConfig::default() };
        Ok(Arc::new(Sandbox::make(&team, &evals, &self.folder.join("sandbox"))?.into()))
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
