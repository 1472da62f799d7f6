//! Features switched by a file and by a program, on a real store.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::domain::prompt::FeatureSpec;
use crate::domain::switch::{
    Fallback, FlagFile, FlagFormat, SwitchCommand, SwitchKind, SwitchOf, SwitchSpec,
};
use crate::ops::Ctx;
use crate::ops::testing::{World, of_json};
use crate::task::Cancel;

fn team(home: &Path, kind: SwitchKind) -> TeamConfig {
    let settle = Duration::from_millis(300);
    let switch = SwitchSpec { kind, ofrep: None, timeout: Duration::from_secs(5), settle };
    let feature = FeatureSpec { name: "support".to_owned(), prompts: None, switch: Some(switch), line: 3 };
    TeamConfig { home: home.to_owned(), features: vec![feature], ..TeamConfig::default() }
}

fn file(home: &Path) -> TeamConfig {
    std::fs::write(home.join("flags.toml"), "# flags\n[support]\nenabled = true # ours\nby = \"none\"\n")
        .unwrap();
    team(
        home,
        SwitchKind::FlagFile(FlagFile {
            path: "flags.toml".into(),
            format: FlagFormat::Toml,
            pointer: "/support/enabled".to_owned(),
            on: true.into(),
            off: false.into(),
            fallback_pointer: Some("/support/by".to_owned()),
        }),
    )
}

/// A program that keeps the state in a file, or pretends to.
fn command(home: &Path, script: &str) -> TeamConfig {
    let words = |last: &str| {
        ["/bin/sh", "-c", script, "flag", last].iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    team(
        home,
        SwitchKind::Command(SwitchCommand {
            run: words("{{to}}"),
            read: words("read"),
            dry_run: Vec::new(),
            env: Vec::new(),
        }),
    )
}

fn ask(to: Power, dry_run: bool) -> SwitchAsk {
    let fallback = (to == Power::Off).then_some(Fallback::Human);
    SwitchAsk { feature: "support".to_owned(), to, fallback, reason: Some("drill".to_owned()), dry_run }
}

fn go(ctx: &Ctx, team: &TeamConfig, ask: &SwitchAsk) -> crate::domain::Result<SwitchView> {
    switch(ctx, team, ask, &|_| None, &Cancel::default())
}

fn stages(ctx: &Ctx) -> Vec<SwitchStage> {
    let record = ctx.store.switches(SwitchOf::Feature, "support").unwrap();
    record.iter().map(|event| event.stage).collect()
}

#[test]
fn a_file_is_switched_read_back_recorded_and_switched_back() {
    let (world, home) = (World::new(), tempfile::tempdir().unwrap());
    let (ctx, team) = (world.as_reviewer("ann"), file(home.path()));
    let text = || std::fs::read_to_string(home.path().join("flags.toml")).unwrap();
    let before = text();
    let planned = go(&ctx, &team, &ask(Power::Off, true)).unwrap();
    let steps = ["flags.toml /support/enabled: true → false", "flags.toml /support/by: \"none\" → \"human\""];
    assert_eq!(planned.steps, steps);
    assert_eq!((text(), stages(&ctx)), (before.clone(), Vec::new()), "a dry run changes nothing");
    let done = go(&ctx, &team, &ask(Power::Off, false)).unwrap();
    assert_eq!((done.proof, done.from), (Proof::Proved, Some(Power::On)));
    assert_eq!(text(), "# flags\n[support]\nenabled = false # ours\nby = \"human\"\n");
    assert_eq!(stages(&ctx), [SwitchStage::Begun, SwitchStage::Done]);
    let record = ctx.store.switches(SwitchOf::Feature, "support").unwrap();
    assert_eq!(record[1].note.fallback, Some(Fallback::Human));
    assert_eq!((record[1].by.raw(), record[0].act == record[1].act), ("ann", true));
    assert_eq!(done.undo.as_deref(), Some("tuesday feature on support"));
    // Another fallback meanwhile does not become what is put back.
    let rules = SwitchAsk { fallback: Some(Fallback::Rules), ..ask(Power::Off, false) };
    go(&ctx, &team, &rules).unwrap();
    assert!(text().contains("by = \"rules\""));
    go(&ctx, &team, &ask(Power::On, false)).unwrap();
    assert_eq!(text(), before, "the file is as it was, with the fallback that it named");
    // What stands so already is left alone.
    let again = go(&ctx, &team, &ask(Power::On, false)).unwrap();
    assert!(!again.changes && again.proof == Proof::NotDone);
    assert_eq!(stages(&ctx).len(), 6);
}

#[test]
fn a_switch_that_lies_is_found_out() {
    let (world, home) = (World::new(), tempfile::tempdir().unwrap());
    let ctx = world.as_reviewer("ann");
    let team = command(home.path(), "[ $1 = read ] && echo on; exit 0");
    let error = go(&ctx, &team, &ask(Power::Off, false)).unwrap_err();
    assert!(
        error.what.contains("the switch reads on") || error.what.contains("switch reads on"),
        "{}",
        error.what
    );
    assert_eq!(stages(&ctx), [SwitchStage::Begun, SwitchStage::Unproven]);
}

#[test]
fn a_program_that_fails_after_it_acted_has_acted() {
    let (world, home) = (World::new(), tempfile::tempdir().unwrap());
    let ctx = world.as_reviewer("ann");
    let script = "if [ $1 = read ]; then cat state 2>/dev/null || echo on; else echo $1 >state; echo oops >&2; exit 3; fi";
    let team = command(home.path(), script);
    let done = go(&ctx, &team, &ask(Power::Off, false)).unwrap();
    assert_eq!(done.proof, Proof::Proved);
    let team = command(home.path(), "[ $1 = read ] && { echo on; exit 0; }; exit 3");
    let error = go(&ctx, &team, &ask(Power::Off, false)).unwrap_err();
    assert!(error.what.contains("is not known") && error.what.contains("code 3"), "{}", error.what);
    assert!(error.hints[0].contains("not tried again"));
}

#[test]
fn a_hanging_program_is_ended_and_one_that_is_missing_is_named() {
    let (world, home) = (World::new(), tempfile::tempdir().unwrap());
    let ctx = world.as_reviewer("ann");
    let mut team = command(home.path(), "[ $1 = read ] && { echo on; exit 0; }; sleep 600 & sleep 600");
    team.features[0].switch.as_mut().unwrap().timeout = Duration::from_millis(200);
    let error = go(&ctx, &team, &ask(Power::Off, false)).unwrap_err();
    assert!(error.what.contains("did not end in time"), "{}", error.what);
    let missing = SwitchKind::Command(SwitchCommand {
        run: vec!["/nowhere/flag".to_owned(), "{{to}}".to_owned()],
        read: Vec::new(),
        dry_run: Vec::new(),
        env: Vec::new(),
    });
    let error = go(&ctx, &self::team(home.path(), missing), &ask(Power::Off, false)).unwrap_err();
    assert!(error.what.contains("/nowhere/flag"), "{}", error.what);
    assert_eq!(stages(&ctx).last(), Some(&SwitchStage::Failed));
}

#[test]
fn what_a_program_that_was_killed_in_the_middle_left_is_said() {
    let (world, home) = (World::new(), tempfile::tempdir().unwrap());
    let (ctx, team) = (world.as_reviewer("ann"), file(home.path()));
    go(&ctx, &team, &ask(Power::Off, false)).unwrap();
    let mut begun = ctx.store.switches(SwitchOf::Feature, "support").unwrap().swap_remove(0);
    begun.act = "cut off".to_owned();
    ctx.store.record_switch(SwitchOf::Feature, "support", &begun).unwrap();
    let view = go(&ctx, &team, &ask(Power::On, true)).unwrap();
    assert!(view.notes[0].contains("is not known"), "{:?}", view.notes);
    let rows = list(&ctx, &team, true, &|_| None, &Cancel::default()).unwrap();
    assert!(!rows[0].settled && rows[0].state == Some(Power::Off), "{rows:?}");
}

#[test]
fn of_two_who_switch_at_once_one_is_told() {
    let (world, home) = (World::new(), tempfile::tempdir().unwrap());
    let (ctx, team) = (world.as_reviewer("ann"), file(home.path()));
    let held = ctx.store.lock_switch(SwitchOf::Feature, "support").unwrap();
    let error = go(&ctx, &team, &ask(Power::Off, false)).unwrap_err();
    assert!(error.what.contains("Somebody else"), "{}", error.what);
    drop(held);
    go(&ctx, &team, &ask(Power::Off, false)).unwrap();
}

#[test]
fn the_list_tells_how_each_stands_and_who_answers() {
    let (world, home) = (World::new(), tempfile::tempdir().unwrap());
    let now = world.clock.now();
    let trace = |n: i64, feature: &str, fallback: bool| {
        serde_json::json!({"id": format!("{feature}-{n}"), "time": now - jiff::SignedDuration::from_mins(n),
                           "feature": feature, "input": "q", "output": "a", "fallback": fallback})
    };
    world.add(of_json(vec![
        trace(1, "support", false),
        trace(2, "support", true),
        trace(9, "support", false),
        trace(1, "search", false),
    ]));
    let (ctx, team) = (world.as_reviewer("ann"), file(home.path()));
    go(&ctx, &team, &ask(Power::Off, false)).unwrap();
    let rows = list(&ctx, &team, true, &|_| None, &Cancel::default()).unwrap();
    assert_eq!(rows.iter().map(|row| row.feature.raw()).collect::<Vec<_>>(), ["support", "search"]);
    assert_eq!((rows[0].served.requests, rows[0].served.fallback), (2, 1));
    let effect = rows[0].effect.as_ref().unwrap();
    assert_eq!((effect.verdict, effect.requests), (Confirmed::NotYet, 0), "what was before proves nothing");
    assert!(rows[1].effect.is_none() && (rows[0].day.requests, rows[0].day.fallback) == (3, 1), "{rows:#?}");
    assert_eq!(rows[1].unknown.as_deref(), Some("no switch is configured"));
    let error =
        go(&ctx, &team, &SwitchAsk { feature: "suport".to_owned(), ..ask(Power::Off, true) }).unwrap_err();
    assert_eq!(error.hints, ["Did you mean support?"]);
}
