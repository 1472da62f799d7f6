//! Items on real stores: what each figure comes to, and when it no longer counts.

use std::path::PathBuf;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::*;
use crate::domain::{CaseResult, LabelBody, RunHead, Verdict as Label};
use crate::ops::label::{self, LabelRequest};
use crate::ops::testing::{World, land, of_json};

struct Team {
    world: World,
    ctx: Ctx,
    config: EvalConfig,
}

impl Team {
    /// Two versions of a prompt, written long before anything else, and this gate.
    fn new(gate: &str) -> Self {
        let world = World::new();
        let folder: PathBuf = world.path().parent().unwrap().to_owned();
        let home = folder.join("prompts/support");
        std::fs::create_dir_all(&home).unwrap();
        std::fs::create_dir_all(folder.join("gates")).unwrap();
        for (name, text) in [("v3.txt", "three"), ("v4_current.txt", "four")] {
            std::fs::write(home.join(name), text).unwrap();
            let file = std::fs::File::options().write(true).open(home.join(name)).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000)).unwrap();
        }
        let config = EvalConfig {
            home: folder.clone(),
            prompts_dir: folder.join("prompts"),
            gates_dir: folder.join("gates"),
            ..EvalConfig::default()
        };
        let team = Self { ctx: world.as_reviewer("ann"), world, config };
        team.gate(gate);
        team
    }

    fn gate(&self, text: &str) {
        std::fs::write(self.config.gates_dir.join("support.toml"), format!("schema = 1\n{text}")).unwrap();
    }

    /// A run of so many cases, of which the last `bad` fail.
    fn run(&self, name: &str, text: &str, cases: usize, bad: usize) {
        let head: RunHead = serde_json::from_value(json!({
            "name": name, "set": "s", "set_version": 0, "target": "t", "target_kind": "openai small",
            "prompt": format!("support@{name}"), "prompt_hash": format!("{:x}", Sha256::digest(text)),
            "evaluators": [], "cases": cases, "at": self.ctx.clock.now().to_string(), "by": "ann", "program": "1",
        }))
        .unwrap();
        self.ctx.store.create_run(&head).unwrap();
        land(&self.ctx, &head.name, (0..cases).map(|n| result(n, n + bad >= cases)));
        self.ctx.clock.advance_ms(1000);
    }

    /// Traces of a version, a minute after each other up to now; every `slow`-th takes long.
    fn traffic(&self, version: &str, count: usize, slow: usize) {
        let now = self.ctx.clock.now().as_second();
        let trace = |n: usize| {
            json!({
                "id": format!("{version}-{n}"), "input": "q", "output": "a", "feature": "support", "prompt": "support",
                "prompt_version": version, "latency_ms": if n % slow == slow - 1 { 5000 } else { 800 },
                "time": jiff::Timestamp::from_second(now - 60 * (n as i64 + 1)).unwrap(),
            })
        };
        self.world.add(of_json((0..count).map(trace).collect()));
    }

    fn item(&self, item: Item) -> ItemView {
        let of = GateOf { feature: "support".into(), version: "v4".into() };
        let view = check(&self.ctx, &self.config, &of, &Cancel::default()).unwrap();
        view.items.into_iter().find(|view| view.item == item).unwrap()
    }
}

fn result(n: usize, bad: bool) -> CaseResult {
    serde_json::from_value(json!({
        "case": format!("c-{n:03}"), "category": "plain", "input": format!("question {n}"), "attempts": 1,
        "at": "2026-03-10T12:00:00Z",
        "answer": {"output": "a", "latency_ms": 900.0, "cost_usd": 0.002 + (n % 5) as f64 * 1e-4},
        "assessments": [{"evaluator": "e", "kind": "exact", "version": "1", "explanation": "",
                         "outcome": if bad { "fail" } else { "pass" }}],
    }))
    .unwrap()
}

#[test]
fn a_candidate_that_is_worse_than_its_baseline_is_not_met_however_good() {
    let team = Team::new("");
    team.run("v3", "three", 100, 0);
    team.run("v4", "four", 100, 7);
    // 93 % are above 90 %, and seven newly failing cases with none newly passing are no chance.
    let eval = team.item(Item::Eval);
    assert_eq!((eval.verdict, eval.proven), (Verdict::NotMet, false), "{eval:#?}");
    assert_eq!((eval.figures["lost"], eval.figures["gained"]), (7.0, 0.0));
    assert!((eval.figures["mcnemar_p"] - 0.015_625).abs() < 1e-9);
    assert!(eval.figure.ends_with("worse than v3"), "{}", eval.figure);
    // Held against another, which is named, it is none the worse.
    team.run("other", "other", 100, 7);
    team.gate("[item.eval]\nbaseline = 'other'\n");
    assert_eq!(team.item(Item::Eval).verdict, Verdict::Met);
}

#[test]
fn a_run_counts_for_its_days_and_by_its_words() {
    let team = Team::new("");
    team.run("v4", "four", 40, 0);
    assert_eq!(team.item(Item::Eval).verdict_words(), "met, proven");
    team.ctx.clock.advance_ms(8 * 86_400_000);
    let old = team.item(Item::Eval);
    assert_eq!((old.verdict, old.figure.as_str()), (Verdict::Stale, "the run is too old"));
    assert!(
        old.evidence.is_some_and(|evidence| evidence.run.as_deref() == Some("v4")),
        "what it was is shown"
    );
    team.gate("[item.eval]\nmax_age = '30d'\n");
    assert_eq!(team.item(Item::Eval).verdict, Verdict::Met);
    // Ten cases decide nothing, and a run without its cases neither.
    team.run("few", "four", 10, 0);
    assert_eq!(team.item(Item::Eval).verdict, Verdict::NotEnoughData);
}

#[test]
fn a_budget_is_held_against_the_forecast() {
    let team = Team::new("[item.cost]\nbudget_usd = 2\n");
    team.run("v4", "four", 40, 0);
    let cost = team.item(Item::Cost);
    assert_eq!((cost.verdict, cost.figure.as_str()), (Verdict::NotEnoughData, "no traffic to forecast from"));
    // 140 in a week are 20 a day: 600 in 30 days, at $0.0022 each.
    team.traffic("v4", 140, 1000);
    let cost = team.item(Item::Cost);
    assert_eq!(
        (cost.verdict, cost.proven, cost.figures["requests_per_day"]),
        (Verdict::Met, true, 20.0),
        "{cost:#?}"
    );
    team.gate("[item.cost]\nbudget_usd = 1\n");
    assert_eq!(team.item(Item::Cost).verdict, Verdict::NotMet);
    // The figure keeps within, its upper bound does not: that is met where the figure will do.
    team.gate("[item.cost]\nmax_usd = 0.00221\n");
    assert_eq!(team.item(Item::Cost).verdict, Verdict::NotEnoughData);
    team.gate("[item.cost]\nmax_usd = 0.00221\nneed = 'point'\n");
    assert_eq!(team.item(Item::Cost).verdict_words(), "met, not proven");
    team.gate("");
    assert!(team.item(Item::Cost).figure.ends_with("no budget stated"));
}

#[test]
fn the_response_time_is_that_of_the_traffic_where_there_is_enough() {
    let team = Team::new("");
    team.run("v4", "four", 40, 0);
    let run = team.item(Item::Latency);
    // None of 40 is late, which is not enough to prove that fewer than one in twenty is.
    assert_eq!(
        (run.verdict, run.figures["n"], run.warnings.len()),
        (Verdict::NotEnoughData, 40.0, 1),
        "{run:#?}"
    );
    team.traffic("v4", 124, 70);
    let traffic = team.item(Item::Latency);
    assert_eq!((traffic.verdict, traffic.proven), (Verdict::Met, true), "{traffic:#?}");
    assert_eq!((traffic.figures["over"], traffic.figures["n"], traffic.warnings.len()), (1.0, 124.0, 0));
    assert!(traffic.evidence.is_some_and(|evidence| evidence.query.is_some() && evidence.run.is_none()));
    team.gate("[item.latency]\np95 = '500ms'\n");
    assert_eq!(team.item(Item::Latency).verdict, Verdict::NotMet);
    // What came before the prompt's file was written may be of another text.
    std::fs::write(team.config.prompts_dir.join("support/v4_current.txt"), "four").unwrap();
    team.gate("");
    assert_eq!(team.item(Item::Latency).figures["n"], 40.0);
}

#[test]
fn the_last_known_good_version_is_found_by_gate_run_or_labels() {
    let team = Team::new("[item.rollback]\ncommand = ['true']\n");
    let words = || team.item(Item::Rollback).words;
    assert!(words().starts_with("No version before v4 is known to be good"), "{}", words());
    team.traffic("v3", 210, 1000);
    for n in 0..210 {
        let trace = format!("v3-{n}").as_str().into();
        let body = LabelBody::verdict(if n == 0 { Label::Fail } else { Label::Pass });
        label::label(&team.ctx, &LabelRequest { trace, sample: None, body }).unwrap();
    }
    assert!(words().contains("to v3: people pass 99.5 % of 210 labelled traces"), "{}", words());
    team.run("v3", "three", 40, 1);
    assert!(words().contains("to v3: its run v3 passes 97.5 % of 40"), "{}", words());
    let off: String = Item::ALL.map(|item| format!("[item.{}]\noff = true\n", item.name())).concat();
    team.gate(&off);
    let of = GateOf { feature: "support".into(), version: "v3".into() };
    assert_eq!(check(&team.ctx, &team.config, &of, &Cancel::default()).unwrap().decision, Decision::Met);
    team.gate("[item.rollback]\ncommand = ['true']\n");
    assert!(words().contains("to v3: its gate was met"), "{}", words());
    team.gate("[item.rollback]\ncommand = ['true', '{{form}}']\n");
    assert!(words().contains("a word that stands for nothing"), "{}", words());
}

#[test]
fn what_can_only_be_read_is_looked_at_and_not_kept() {
    let team = Team::new("");
    team.run("v4", "four", 40, 0);
    let reader =
        Ctx::open(&team.world.path(), crate::ops::Access::ReadOnly, "bo", team.ctx.clock.clone()).unwrap();
    let of = GateOf { feature: "support".into(), version: "current".into() };
    let view = check(&reader, &team.config, &of, &Cancel::default()).unwrap();
    assert_eq!((view.version.as_str(), view.items[0].verdict), ("v4", Verdict::Met));
    assert_eq!(view.items[0].evidence, None);
    assert!(team.ctx.store.gate_evidence("support", "v4").unwrap().is_empty());
}
