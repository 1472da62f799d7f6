//! Small stores for the tests of ops: real files in a folder that goes away, and a clock that stands.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::{Access, Ctx};
use crate::domain::monitor::{Evidence, Group, Urgency};
use crate::domain::prompt::{FeatureSpec, TeamConfig};
use crate::domain::switch::{FlagFile, FlagFormat, SwitchKind, SwitchSpec};
use crate::domain::{CaseResult, RunName, Trace, Untrusted};
use crate::store::{NewAlert, PassWrite, Preparer, RunWrite};
use crate::task::Clock;

/// Lets results of a run land.
pub fn land(ctx: &Ctx, run: &RunName, results: impl IntoIterator<Item = CaseResult>) {
    let writes: Vec<_> = results.into_iter().map(|result| RunWrite::Landed(Box::new(result))).collect();
    ctx.store.write_run(run, &writes).unwrap();
}

/// Raises an alert of the monitor `errors`, unless one is out.
pub fn an_alert(ctx: &Ctx) {
    let fired = NewAlert {
        rule: "errors".into(),
        group: Group::from([("feature".to_owned(), "support".into())]),
        severity: Urgency::Page,
        fired_at: ctx.clock.now(),
        resolved_at: None,
        evidence: Evidence { traces: vec!["t-0".into()], query: "id:t-0".into(), ..Evidence::default() },
    };
    let write = PassWrite { fired: vec![fired], ..PassWrite::default() };
    ctx.store.keep_pass(&write, ctx.clock.now(), |_, _| Vec::new()).unwrap();
}

/// A switch that is a flag of `flags.json` in the team's folder.
pub fn flag_of_file(pointer: &str) -> SwitchSpec {
    SwitchSpec {
        kind: SwitchKind::FlagFile(FlagFile {
            path: "flags.json".into(),
            format: FlagFormat::Json,
            pointer: pointer.to_owned(),
            on: true.into(),
            off: false.into(),
            fallback_pointer: None,
        }),
        ofrep: None,
        timeout: Duration::from_secs(5),
        settle: Duration::from_secs(1),
    }
}

/// A team in this folder whose feature has a flag file and two prompt versions, of which v4 is the current one.
pub fn acting_team(folder: &Path, feature: &str) -> TeamConfig {
    std::fs::write(folder.join("flags.json"), "{\"ai\": true}\n").unwrap();
    let prompts = folder.join("prompts").join(feature);
    std::fs::create_dir_all(&prompts).unwrap();
    for file in ["v3.txt", "v4_current.txt"] {
        std::fs::write(prompts.join(file), format!("{file}\n")).unwrap();
    }
    TeamConfig {
        home: folder.to_owned(),
        prompts_dir: folder.join("prompts"),
        features: vec![FeatureSpec {
            name: feature.to_owned(),
            prompts: Some(format!("prompts/{feature}").into()),
            switch: Some(flag_of_file("/ai")),
            line: 1,
        }],
        ..TeamConfig::default()
    }
}

/// A store in a folder of its own.
pub struct World {
    pub clock: Clock,
    folder: TempDir,
}

impl World {
    /// An empty store; the clock stands at 2026-03-10 12:00 UTC.
    pub fn new() -> Self {
        Self::at("2026-03-10T12:00:00Z".parse().unwrap())
    }

    /// An empty store whose clock stands at this time.
    pub fn at(now: jiff::Timestamp) -> Self {
        let world = Self { clock: Clock::fixed(now), folder: tempfile::tempdir().unwrap() };
        drop(world.as_reviewer("ann"));
        world
    }

    /// A store of plain traces `t-0`, `t-1`, …, one a minute, the last a minute ago.
    pub fn with(count: usize) -> Self {
        let world = Self::new();
        let now = world.clock.now().as_second();
        world.add((0..count).map(|n| Trace {
            time: jiff::Timestamp::from_second(now - 60 * (count - n) as i64).ok(),
            ..trace(&format!("t-{n}"))
        }));
        world
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("t.db")
    }

    /// The store opened anew, as a further program would, for this person.
    pub fn as_reviewer(&self, name: &str) -> Ctx {
        Ctx::open(&self.path(), Access::Create, name, self.clock.clone()).unwrap()
    }

    /// Adds traces as an import does.
    pub fn add(&self, traces: impl IntoIterator<Item = Trace>) {
        let ctx = self.as_reviewer("import");
        let mut loader = ctx.store.loader(0).unwrap();
        let mut preparer = Preparer::new(loader.dictionary()).unwrap();
        let mut batch: Vec<_> =
            traces.into_iter().map(|t| preparer.prepare(t, self.clock.now()).unwrap()).collect();
        loader.write(&mut batch).unwrap();
    }
}

/// Traces in the `tuesday` format.
pub fn of_json(traces: Vec<serde_json::Value>) -> Vec<Trace> {
    traces.into_iter().map(|trace| serde_json::from_value(trace).unwrap()).collect()
}

/// A trace with this id and little else.
pub fn trace(id: &str) -> Trace {
    let json = serde_json::json!({ "id": id, "input": "Why was I charged?", "output": "It was a fee." });
    serde_json::from_value(json).unwrap()
}

/// Ids as the ops take them.
pub fn ids<const N: usize>(ids: [&str; N]) -> [Untrusted; N] {
    ids.map(Untrusted::from)
}
