//! Drills that play themselves, on small stores.

use super::*;
use crate::domain::Trace;
use crate::domain::prompt::FeatureSpec;
use crate::ops::runbook::Books;
use crate::ops::testing::{World, acting_team, flag_of_file};

const NOW: &str = "2026-03-10T12:00:00Z";

fn team(home: &std::path::Path, features: Vec<FeatureSpec>) -> TeamConfig {
    TeamConfig {
        home: home.to_owned(),
        file: None,
        prompts_dir: home.join("prompts"),
        features,
        min_pass_rate: 0.8,
        min_cases: 10,
    }
}

fn played(
    scenario: Scenario,
    own: &TeamConfig,
    runbook: Option<std::path::PathBuf>,
) -> (ScoreView, Drill, World) {
    let home = World::new();
    let now = NOW.parse().unwrap();
    let plan = plan((scenario, Stage::default()), 7, 120, 1.0, now);
    let (cancel, progress) = (Cancel::default(), Progress::default());
    let books = Books { usual: runbook, ..Books::default() };
    let mut drill =
        Drill::make(plan, "mira", Some(Clock::fixed(now)), (own, None, &books), &cancel, &progress).unwrap();
    play(&mut drill, &books, &cancel, &progress).unwrap();
    let view = drill.end(true, &home.as_reviewer("mira")).unwrap();
    (view, drill, home)
}

#[test]
fn a_bad_prompt_is_found_and_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let (view, drill, home) = played(Scenario::BadAdvice, &team(folder.path(), Vec::new()), None);
    assert_eq!(
        drill.check.fail, 0,
        "the runbook that comes along can be rehearsed unedited: {:#?}",
        drill.check
    );
    let score = &view.score;
    assert!(score.right_cause && score.right_outcome, "{view:#?}");
    assert_eq!((score.right_version, score.wrong_acts.len()), (Some(true), 0), "{view:#?}");
    assert!(score.harmed > 0 && score.contained_ms.is_some() && score.verified_ms.is_some(), "{view:#?}");
    assert_eq!(score.points, score.points());
    // It is kept in the person's own store, and nothing of the drill else.
    let own = home.as_reviewer("mira");
    assert_eq!(held(&own).unwrap().as_slice(), std::slice::from_ref(score));
    assert!(crate::ops::incident::list(&own).unwrap().is_empty());
    drill.place.discard();
    assert!(!drill.place.folder.exists());
}

/// A team with a store of its own: 1,200 requests of its assistant, the last of them three days ago.
fn own_store() -> (World, tempfile::TempDir, TeamConfig) {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let last = world.clock.now().as_second() - 3 * 86_400;
    world.add((0..1_200_i64).map(|n| Trace {
        time: Timestamp::from_second(last - 600 * (1_199 - n)).ok(),
        feature: Some("assistant".into()),
        model: Some(if n % 3 == 0 { "small" } else { "large" }.into()),
        user: Some(format!("user-{}", n % 90).into()),
        session: Some(format!("s-{}", n / 2).into()),
        output: crate::domain::Content::Text("A sound answer.".into()),
        latency_ms: Some(800.0 + (n % 37) as f64 * 20.0),
        tokens_out: Some(120),
        cost_usd: Some(0.002 + (n % 11) as f64 * 0.0001),
        ..crate::ops::testing::trace(&format!("own-{n}"))
    }));
    let team = TeamConfig { min_pass_rate: 0.8, min_cases: 10, ..acting_team(folder.path(), "assistant") };
    (world, folder, team)
}

/// Every file of the team's folder with what is in it.
fn files(folder: &std::path::Path) -> Vec<(std::path::PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found.sort();
    found
}

fn played_on_own(scenario: Scenario) -> (ScoreView, Drill) {
    let (world, folder, team) = own_store();
    let home = world.as_reviewer("mira");
    let before = (files(folder.path()), home.store.trace_count().unwrap());
    let now = NOW.parse().unwrap();
    let (cancel, progress) = (Cancel::default(), Progress::default());
    let own = own(&home, &team, scenario, None, now, &cancel).unwrap().unwrap();
    assert_eq!((own.stage.feature.as_str(), own.history.len()), ("assistant", 1_200));
    let newest = own.history.iter().filter_map(|(trace, _)| trace.time).max();
    assert_eq!(newest, Some(now), "the history ends when the drill begins");
    let plan = plan((scenario, own.stage.clone()), 7, 120, 1.0, now);
    let clock = Some(Clock::fixed(now));
    let mut drill =
        Drill::make(plan, "mira", clock, (&team, Some(own), &Books::default()), &cancel, &progress).unwrap();
    assert_eq!(drill.check.fail, 0, "{:#?}", drill.check);
    play(&mut drill, &Books::default(), &cancel, &progress).unwrap();
    let view = drill.end(true, &home).unwrap();
    assert!(view.own && view.feature.raw() == "assistant");
    assert_eq!((files(folder.path()), home.store.trace_count().unwrap()), before, "nothing real is changed");
    (view, drill)
}

#[test]
fn a_drill_on_a_team_s_own_traffic_ships_a_bad_version_of_its_own_prompt() {
    let (view, drill) = played_on_own(Scenario::BadAdvice);
    let stage = &drill.place.plan.stage;
    assert_eq!((stage.good.as_str(), stage.guilty.as_str()), ("v4", "v5"));
    let score = &view.score;
    assert!(score.right_cause && score.right_outcome, "{view:#?}");
    assert_eq!((score.right_version, score.wrong_acts.len()), (Some(true), 0), "{view:#?}");
    assert!(score.harmed > 0 && score.contained_ms.is_some(), "{view:#?}");
    drill.place.discard();
}

#[test]
fn an_outage_on_a_team_s_own_traffic_is_of_its_own_model() {
    let (view, drill) = played_on_own(Scenario::Outage);
    drill.place.discard();
    assert!(view.told.contains("large"), "{}", view.told);
    assert!(view.score.right_cause && view.score.right_outcome && view.score.harmed > 0, "{view:#?}");
}

#[test]
fn what_own_traffic_lacks_for_a_drill_is_said() {
    let (world, _folder, team) = own_store();
    let home = world.as_reviewer("mira");
    let asked = |home: &Ctx, team: &TeamConfig, scenario, feature| {
        let found = own(home, team, scenario, feature, world.clock.now(), &Cancel::default()).unwrap();
        found.err().unwrap_or_default()
    };
    let without = TeamConfig { features: Vec::new(), prompts_dir: "/none".into(), ..team.clone() };
    assert!(asked(&home, &without, Scenario::BadAdvice, None).contains("no prompt with a current version"));
    let other = asked(&home, &team, Scenario::Outage, Some("other"));
    assert!(other.starts_with("other has 0 traces"), "{other}");
    let empty = World::new();
    assert_eq!(asked(&empty.as_reviewer("mira"), &team, Scenario::Cost, None), "there are no traces");
}

/// What would fail at night is known before the drill begins.
#[test]
fn a_runbook_that_would_fail_is_found_beforehand() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runbook.toml");
    let text = r#"
schema = 1
name = "ours"
[[step]]
id = "look"
phase = "contain"
kind = "check"
title = "Look at the moon"
metric = "moon"
must = "== 0"
"#;
    std::fs::write(&file, text).unwrap();
    let now = NOW.parse().unwrap();
    let plan = plan((Scenario::Judge, Stage::default()), 7, 20, 1.0, now);
    let own = team(folder.path(), Vec::new());
    let make = |runbook: &std::path::Path| {
        let clock = Some(Clock::fixed(now));
        let (cancel, progress) = (Cancel::default(), Progress::default());
        let books = Books { usual: Some(runbook.to_owned()), ..Books::default() };
        Drill::make(plan.clone(), "mira", clock, (&own, None, &books), &cancel, &progress)
    };
    let drill = make(&file).unwrap();
    drill.place.discard();
    assert_eq!(drill.check.fail, 1, "{:#?}", drill.check);
    let told: Vec<String> = drill.check.would_fail().collect();
    assert!(told.len() == 1 && told[0].starts_with("Look at the moon: "), "{told:?}");
    // One that is not there: nothing is left of the drill.
    assert!(make(&folder.path().join("none.toml")).is_err());
}

#[test]
fn a_broken_judge_is_a_false_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let (view, drill, _home) = played(Scenario::Judge, &team(folder.path(), Vec::new()), None);
    drill.place.discard();
    assert_eq!((view.score.right_outcome, view.score.harmed, view.score.points), (true, 0, 100), "{view:#?}");
}

/// The team's own flag file, programs and addresses stand in its configuration and runbook; a drill walks through all
/// of them, and none is reached.
#[cfg(unix)]
#[test]
fn nothing_real_is_reached() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let flags = "{\"support\": true}\n";
    std::fs::write(at("flags.json"), flags).unwrap();
    std::fs::write(at("page"), format!("#!/bin/sh\necho called >> {}\n", at("called").display())).unwrap();
    std::fs::set_permissions(at("page"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let address = server.local_addr().unwrap();
    let runbook = format!(
        r#"
schema = 1
name = "ours"
[[step]]
id = "tell"
phase = "detect"
kind = "http"
title = "Tell the status page"
method = "POST"
url = "http://{address}/incidents"
[[step]]
id = "page"
phase = "contain"
kind = "command"
title = "Page the people"
run = ["{page}"]
[[step]]
id = "off"
phase = "contain"
kind = "flag"
title = "Off"
to = "off"
undo = "on"
"#,
        page = at("page").display()
    );
    std::fs::write(at("runbook.toml"), runbook).unwrap();
    let feature = FeatureSpec {
        name: "customer_support".to_owned(),
        prompts: None,
        switch: Some(flag_of_file("/support")),
        line: 1,
    };
    let own = team(folder.path(), vec![feature]);
    let (view, drill, _home) = played(Scenario::Outage, &own, Some(at("runbook.toml")));
    assert!(drill.hands.is_sandbox());
    let Hands::Sandbox(sandbox) = drill.hands.as_ref() else { panic!() };
    let kinds: Vec<String> = sandbox.acts().into_iter().map(|act| act.kind).collect();
    assert_eq!(kinds, ["http", "command"], "what was to be done is written down: {view:#?}");
    assert!(
        crate::ops::incident::show(&drill.ctx, "1")
            .unwrap()
            .timeline
            .iter()
            .any(|line| { line.text.raw().contains("Off") })
    );
    assert_eq!(std::fs::read_to_string(at("flags.json")).unwrap(), flags);
    assert!(!at("called").exists(), "the program was started");
    let asked = server.accept();
    assert!(asked.is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock), "somebody called the address");
    drill.place.discard();
}
