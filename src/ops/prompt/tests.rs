//! Prompts in a folder beside a store with traces of them.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::good::Because;
use super::lint::FindingKind;
use super::show::SERIES;
use super::*;
use crate::domain::switch::{SwitchOf, SwitchStage};
use crate::domain::{CaseResult, LabelBody, RunHead, RunName, Verdict};
use crate::ops::Ctx;
use crate::ops::testing::{World, land, of_json};
use crate::store::Act;
use crate::task::Cancel;

const V3: &str = "You are Robin. Never advise moving savings.\n";
const V4: &str = "You are Robin. Give one concrete action.\n";

struct Team {
    _folder: tempfile::TempDir,
    home: PathBuf,
    config: TeamConfig,
}

fn team() -> Team {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("prompts/support");
    std::fs::create_dir_all(&home).unwrap();
    for (file, text) in [("v2.txt", "You are Robin.\n"), ("v3.txt", V3), ("v4_current.txt", V4)] {
        std::fs::write(home.join(file), text).unwrap();
    }
    let config = TeamConfig {
        home: folder.path().to_owned(),
        prompts_dir: folder.path().join("prompts"),
        min_pass_rate: 0.9,
        min_cases: 20,
        ..TeamConfig::default()
    };
    Team { _folder: folder, home, config }
}

impl Team {
    fn support(&self) -> Home {
        home(&self.config, "support").unwrap()
    }
}

/// Traces of v3, then of v4, which satisfies less; the last an hour ago.
fn traffic(world: &World, count: usize) {
    let now = world.clock.now().as_second();
    let traces = (0..count).map(|n| {
        let new = n * 2 >= count;
        let up = if new { n % 2 == 0 } else { n % 10 != 0 };
        json!({
            "id": format!("t-{n}"), "time": jiff::Timestamp::from_second(now - 3600 - 600 * (count - n) as i64).unwrap(),
            "feature": "support", "prompt": "support", "prompt_version": if new { "v4" } else { "v3" },
            "input": [{"role": "system", "content": if new { V4 } else { V3 }}, {"role": "user", "content": "Why?"}],
            "output": "A fee.", "latency_ms": if new { 900 } else { 600 }, "cost_usd": 0.002,
            "feedback": [{"kind": "thumbs", "value": if up { "up" } else { "down" }}],
        })
    });
    world.add(of_json(traces.collect()));
}

/// A finished run of a text, of so many cases, of which so many pass.
fn run(ctx: &Ctx, name: &str, text: &str, cases: usize, passed: usize) {
    use sha2::{Digest, Sha256};
    let name = RunName::parse(name).unwrap();
    let head = json!({
        "name": name.as_str(), "set": "support", "set_version": 1, "target": "bot", "target_kind": "http",
        "prompt": "support@v3", "prompt_hash": format!("{:x}", Sha256::digest(text)), "evaluators": [],
        "cases": cases, "at": ctx.clock.now(), "by": "ann", "program": "test",
    });
    let head: RunHead = serde_json::from_value(head).unwrap();
    ctx.store.create_run(&head).unwrap();
    let results = (0..cases).map(|n| -> CaseResult {
        let outcome = if n < passed { "pass" } else { "fail" };
        serde_json::from_value(json!({
            "case": format!("c-{n}"), "category": "plain", "input": "Why?", "answer": {"output": "A fee.", "latency_ms": 5.0},
            "assessments": [{"evaluator": "x", "kind": "length", "version": "1", "outcome": outcome,
                             "score": null, "explanation": "", "span": null, "criteria": {}, "by": null, "cost_usd": null}],
            "attempts": 1, "at": ctx.clock.now(),
        }))
        .unwrap()
    });
    land(ctx, &name, results);
}

fn see(world: &World, team: &Team) -> PromptView {
    let since = world.clock.now() - jiff::SignedDuration::from_hours(28 * 24);
    show(&world.as_reviewer("ann"), &team.config, &team.support(), since, &Cancel::default()).unwrap()
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn each_version_has_its_figures_and_a_drop_is_traced_to_the_change() {
    let (world, team) = (World::new(), team());
    traffic(&world, 400);
    let view = see(&world, &team);
    let versions: Vec<&str> = view.versions.iter().map(|of| of.version.raw()).collect();
    assert_eq!((versions, view.current.as_deref()), (vec!["v4", "v3", "v2"], Some("v4")));
    let [v4, v3, v2] = &view.versions[..] else { panic!("three versions") };
    assert_eq!((v4.requests, v3.requests, v2.requests), (200, 200, 0));
    assert_eq!((v4.satisfaction, v3.satisfaction, v2.satisfaction), (Some(0.5), Some(0.9), None));
    assert_eq!(v4.series.requests.iter().sum::<u64>(), 200);
    assert!(v4.series.requests.len() <= SERIES && v4.series.requests.len() == v3.series.requests.len());
    assert_eq!(view.changes.len(), 1);
    assert_eq!(view.changes[0].words(), "v4 satisfies less than v3: 50.0 % against 90.0 %");
    assert!(view.changes[0].worse && view.changes[0].at <= v4.last_seen.unwrap());
}

#[test]
fn the_last_known_good_version_is_the_newest_that_something_speaks_for() {
    let (world, team) = (World::new(), team());
    traffic(&world, 20);
    let ctx = world.as_reviewer("ann");
    let search = || last_known_good(&ctx, &team.support(), "v4", Bar::of(&team.config)).unwrap();
    assert_eq!(search().good, None);
    let passed_over: Vec<String> = search().passed_over.into_iter().map(|(version, _)| version).collect();
    assert_eq!(passed_over, ["v3", "v2"]);
    // An older one that passes is taken only while no newer one does.
    run(&ctx, "of-v2", "You are Robin.\n", 40, 40);
    assert_eq!(search().good.unwrap().version, "v2");
    run(&ctx, "short", V3, 10, 10);
    assert_eq!(search().good.unwrap().version, "v2");
    run(&ctx, "of-v3", V3, 40, 37);
    let good = search().good.unwrap();
    assert_eq!((good.version.as_str(), good.because), ("v3", Because::Run));
    assert_eq!(good.why, "its run of-v3 passes 92.5 % of 40");
    // Its own file edited: the run was of another text.
    std::fs::write(team.home.join("v3.txt"), "Something else.\n").unwrap();
    assert_eq!(search().good.unwrap().version, "v2");
}

#[test]
fn labels_tell_when_there_are_enough_and_they_prove_it() {
    let (world, team) = (World::new(), team());
    traffic(&world, 600);
    let ctx = world.as_reviewer("ann");
    let give = |from: usize, to: usize, verdict| {
        for n in from..to {
            let trace = format!("t-{n}").as_str().into();
            let act = Act { at: ctx.clock.now(), reviewer: "ann", trace: &trace, sample: None };
            ctx.store.set_label(act, |_| Ok(LabelBody::verdict(verdict))).unwrap();
        }
    };
    let good = || last_known_good(&ctx, &team.support(), "v4", Bar::of(&team.config)).unwrap().good;
    give(0, 199, Verdict::Pass);
    assert_eq!(good(), None);
    give(199, 220, Verdict::Pass);
    give(220, 225, Verdict::Fail);
    let found = good().unwrap();
    assert_eq!((found.version.as_str(), found.because), ("v3", Because::Labels));
    assert_eq!(found.why, "people pass 97.8 % of 225 labelled traces of it");
    give(225, 250, Verdict::Fail);
    assert_eq!(good(), None, "the lower end of the interval is below the bar");
}

#[test]
fn a_rollback_takes_the_last_known_good_and_the_same_command_takes_it_back() {
    let (world, team) = (World::new(), team());
    let ctx = world.as_reviewer("ann");
    run(&ctx, "of-v3", V3, 40, 39);
    let cancel = Cancel::default();
    let before = files(&team.home);
    let spec = |dry_run| UseSpec { dry_run, ..UseSpec::default() };
    let back = |dry_run| rollback(&ctx, &team.config, &team.support(), None, &spec(dry_run), &cancel);
    let planned = back(true).unwrap();
    assert_eq!((planned.from.as_deref(), planned.to.as_str()), (Some("v4"), "v3"));
    assert_eq!(planned.steps, ["v3.txt → v3_current.txt", "v4_current.txt → v4.txt"]);
    assert_eq!(files(&team.home), before, "a dry run changes nothing");
    assert!(ctx.store.switches(SwitchOf::Prompt, "support").unwrap().is_empty());
    let done = back(false).unwrap();
    assert_eq!(files(&team.home), ["v2.txt", "v3_current.txt", "v4.txt"]);
    assert_eq!(done.undo.as_deref(), Some("tuesday prompt use support v4"));
    let stages: Vec<SwitchStage> =
        ctx.store.switches(SwitchOf::Prompt, "support").unwrap().iter().map(|event| event.stage).collect();
    assert_eq!(stages, [SwitchStage::Begun, SwitchStage::Done]);
    // What was rolled back from is not known good, even by its run.
    run(&ctx, "of-v4", V4, 40, 40);
    use_version(&ctx, &team.config, &team.support(), "v4", &spec(false), &cancel).unwrap();
    assert_eq!(files(&team.home), before);
    std::fs::write(team.home.join("v5.txt"), "Five.\n").unwrap();
    use_version(&ctx, &team.config, &team.support(), "5", &spec(false), &cancel).unwrap();
    assert_eq!(back(true).unwrap().to, "v3");
    let again = use_version(&ctx, &team.config, &team.support(), "v5", &spec(false), &cancel).unwrap();
    assert!(!again.changes && again.steps.is_empty());
}

#[test]
fn without_a_good_version_a_rollback_says_why_and_changes_nothing() {
    let (world, team) = (World::new(), team());
    let ctx = world.as_reviewer("ann");
    let before = files(&team.home);
    let error = rollback(&ctx, &team.config, &team.support(), None, &UseSpec::default(), &Cancel::default());
    let error = error.unwrap_err();
    assert_eq!(error.what, "No version of support before v4 is known to be good.");
    assert!(error.why.unwrap().to_string().contains("v3: no gate, run or label"));
    assert_eq!(files(&team.home), before);
    let to =
        rollback(&ctx, &team.config, &team.support(), Some("v2"), &UseSpec::default(), &Cancel::default());
    assert_eq!(to.unwrap().to, "v2");
}

#[test]
fn of_two_who_switch_at_once_one_is_told() {
    let (world, team) = (World::new(), team());
    let ctx = world.as_reviewer("ann");
    let held = ctx.store.lock_switch(SwitchOf::Prompt, "support").unwrap();
    let error =
        use_version(&ctx, &team.config, &team.support(), "v3", &UseSpec::default(), &Cancel::default())
            .unwrap_err();
    assert!(error.what.contains("Somebody else"), "{}", error.what);
    drop(held);
    use_version(&ctx, &team.config, &team.support(), "v3", &UseSpec::default(), &Cancel::default()).unwrap();
}

#[test]
fn traces_of_an_unknown_version_or_with_another_text_are_pointed_out() {
    let (world, team) = (World::new(), team());
    traffic(&world, 40);
    let ctx = world.as_reviewer("ann");
    let look = || lint(&ctx, &team.config, &homes(&team.config), &Cancel::default()).unwrap();
    let clean = look();
    assert!(clean.is_clean() && clean.traces > 0, "{clean:?}");
    std::fs::remove_file(team.home.join("v3.txt")).unwrap();
    std::fs::write(team.home.join("v4_current.txt"), "You are Robin. Give two concrete actions.\n").unwrap();
    let view = look();
    let kinds: Vec<(&str, FindingKind)> =
        view.findings.iter().map(|of| (of.version.as_ref().unwrap().raw(), of.kind)).collect();
    assert_eq!(kinds, [("v3", FindingKind::UnknownVersion), ("v4", FindingKind::OtherText)]);
    assert!(view.findings.iter().all(|finding| finding.trace.is_some() && finding.traces > 0));
    // The text of another version under this one's name.
    std::fs::write(team.home.join("v3.txt"), V4).unwrap();
    let other =
        look().findings.into_iter().find(|of| of.kind == FindingKind::OtherText && of.what.contains("v4 "));
    assert_eq!(other.unwrap().what, "Traces that name support@v4 hold the text of support@v3.");
}

#[test]
fn a_prompt_that_is_not_there_is_told_with_those_that_are() {
    let team = team();
    assert_eq!(home(&team.config, "suport").unwrap_err().hints, ["Did you mean support?"]);
    assert!(home(&team.config, "../support").is_err());
    assert_eq!(split("support@v3"), ("support", Some("v3")));
    let view = diff(&team.support(), "3", "current").unwrap();
    assert_eq!((view.from.as_str(), view.to.as_str()), ("v3", "v4"));
    assert!(view.removed >= 4 && view.added >= 4, "{view:?}");
}
