//! Acting steps on real files, programs and a counter of acts.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::json;

use super::hands::Sandbox;
use super::*;
use crate::domain::incident::StepStatus;
use crate::domain::{ErrorKind, EvalConfig};
use crate::ops::incident::{IncidentView, OpenRequest, open, show};
use crate::ops::testing::{World, acting_team, of_json};
use crate::wire::read::runbook::{runbook, runbook_file};

/// A team's repository, a store, and an incident with this runbook.
struct Team {
    world: World,
    folder: tempfile::TempDir,
    hands: Hands,
}

impl Team {
    fn new(steps: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_owned();
        let team = acting_team(&home, "support");
        let hands = Real::of(Arc::new(team), Arc::new(EvalConfig::default())).into();
        let team = Self { world: World::new(), folder, hands };
        let text = format!("schema = 1\nname = \"test\"\nfeature = \"support\"\n{steps}");
        let file = team.home().join("book.toml");
        std::fs::write(&file, text).unwrap();
        let request = OpenRequest {
            title: "bad advice".into(),
            runbook: Some(file.display().to_string()),
            ..OpenRequest::default()
        };
        open(&team.ctx("ann"), request).unwrap();
        team
    }

    fn home(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    fn ctx(&self, name: &str) -> Ctx {
        self.world.as_reviewer(name)
    }

    fn script(&self, name: &str, body: &str) {
        let path = self.home().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn run_as(&self, name: &str, step: &str, ask: &RunAsk) -> Result<Ran> {
        run(&self.ctx(name), &self.hands, "INC-1", step, ask, &Cancel::default())
    }

    fn run(&self, step: &str) -> Result<Ran> {
        self.run_as("ann", step, &RunAsk::default())
    }

    fn plan(&self, step: &str) -> DryRun {
        plan(&self.ctx("ann"), &self.hands, "INC-1", step, &Cancel::default()).unwrap()
    }

    fn recheck(&self, step: &str) -> Result<Ran> {
        recheck(&self.ctx("ann"), &self.hands, "INC-1", step, &Cancel::default())
    }

    fn view(&self) -> IncidentView {
        show(&self.ctx("ann"), "1").unwrap()
    }

    fn status(&self, step: &str) -> StepStatus {
        let view = self.view();
        view.phases.iter().flat_map(|phase| &phase.steps).find(|of| of.id == step).unwrap().state
    }

    fn timeline(&self) -> String {
        self.view().timeline.iter().map(|line| format!("{}\n", line.text.raw())).collect()
    }

    /// Writes what a program that was killed leaves behind: an act that was begun.
    fn killed(&self, step: &str, to: &str) {
        let plan = ActPlan { lines: vec!["it".into()], from: None, to: Some(to.into()) };
        let act = Acting::Begin { step: step.into(), act: "killed".into(), plan, again: false };
        super::super::act(&self.ctx("ann"), "1", Act::Acting(act), None).unwrap();
    }

    fn acts(&self) -> usize {
        std::fs::read_to_string(self.home().join("count")).map_or(0, |text| text.lines().count())
    }
}

fn command(id: &str, rest: &str) -> String {
    format!(
        "[[step]]\nid = \"{id}\"\nphase = \"contain\"\nkind = \"command\"\ntitle = \"{id}\"\nconfirm = \"none\"\n{rest}\n"
    )
}

const OFF: &str = "[[step]]\nid = \"off\"\nphase = \"contain\"\nkind = \"flag\"\ntitle = \"Off\"\nto = \"off\"\nconfirm = \"type\"\n";
const BACK: &str =
    "[[step]]\nid = \"back\"\nphase = \"fix\"\nkind = \"rollback\"\ntitle = \"Back\"\nto = \"v3\"\n";

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

#[test]
fn a_switch_says_what_it_would_do_does_it_once_and_is_written_down() {
    let team = Team::new(OFF);
    let planned = team.plan("off");
    assert_eq!((planned.from.unwrap().raw(), planned.to.unwrap().raw()), ("on", "off"));
    assert_eq!(planned.type_this.unwrap().raw(), "support");
    assert!(planned.fails.is_empty() && planned.changes, "{:?}", planned.fails);
    assert!(std::fs::read_to_string(team.home().join("flags.json")).unwrap().contains("true"));

    let ran = team.run("off").unwrap();
    assert_eq!((ran.state, ran.settled), (RanState::Done, true));
    assert_eq!(ran.undo.unwrap().raw(), "tuesday feature on support");
    assert_eq!(std::fs::read_to_string(team.home().join("flags.json")).unwrap(), "{\"ai\": false}\n");
    // The file is kept as it was before the incident.
    let kept = team.home().join("flags.json.before-INC-1");
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "{\"ai\": true}\n");
    let timeline = team.timeline();
    assert!(timeline.contains("begins to act: flags.json /ai: true → false"), "{timeline}");
    assert!(timeline.contains("read back: it is off"), "{timeline}");
    // The second press finds it done.
    let error = team.run_as("jo", "off", &RunAsk::default()).unwrap_err();
    assert!(error.what.contains("was done by ann"), "{}", error.what);
    assert!(team.view().record.whole);
}

#[test]
fn after_a_kill_the_flag_is_read_again_and_decides() {
    let team = Team::new(OFF);
    team.killed("off", "off");
    let planned = team.plan("off");
    assert!(!planned.unsettled.unwrap().runs, "nobody is at it");
    // It had not been switched: that is found out, and it may be done.
    assert_eq!(team.recheck("off").unwrap().state, RanState::Failed);
    assert_eq!(team.run("off").unwrap().state, RanState::Done);

    let team = Team::new(OFF);
    team.killed("off", "off");
    std::fs::write(team.home().join("flags.json"), "{\"ai\": false}\n").unwrap();
    let ran = team.run("off").unwrap();
    assert_eq!((ran.state, ran.settled), (RanState::Done, true));
    assert!(ran.said.unwrap().raw().contains("read again"));
    assert!(team.timeline().contains("NOT KNOWN"));
}

#[test]
fn a_rollback_that_was_cut_off_is_brought_to_its_end() {
    let team = Team::new(BACK);
    let prompts = team.home().join("prompts/support");
    let planned = team.plan("back");
    assert_eq!(planned.lines[0].raw(), "v3.txt → v3_current.txt");
    let notes: Vec<&str> = planned.notes.iter().map(|note| note.raw()).collect();
    assert!(
        notes.iter().any(|note| note.starts_with("- ")) && notes.iter().any(|note| note.starts_with("+ "))
    );
    team.killed("back", "v3");
    std::fs::rename(prompts.join("v3.txt"), prompts.join("v3_current.txt")).unwrap();
    std::fs::write(prompts.join(".current-is-changing"), "v3\n").unwrap();
    let ran = team.run("back").unwrap();
    assert_eq!(ran.state, RanState::Done, "{ran:?}");
    assert_eq!(files(&prompts), ["v3_current.txt", "v4.txt"]);
}

#[test]
fn a_command_that_may_have_run_is_not_repeated_by_itself() {
    let body = "run = [\"./act\", \"{{incident.id}}\", \"{{feature}}\"]";
    let twice = format!("{body}\nidempotent = true");
    let team = Team::new(&(command("once", body) + &command("often", &twice)));
    team.script("act", "echo \"$@\" >> count; echo did $1 for $2");
    team.killed("once", "");
    let error = team.run("once").unwrap_err();
    assert!(error.what.contains("is not known; it is not repeated by itself"), "{}", error.what);
    assert!(
        team.run_as("ann", "once", &RunAsk { again: true, ..RunAsk::default() }).is_err(),
        "it is not idempotent"
    );
    assert_eq!(team.acts(), 0);
    assert_eq!(team.recheck("once").unwrap().state, RanState::Unknown);

    team.killed("often", "");
    assert!(team.run("often").is_err());
    let ran = team.run_as("ann", "often", &RunAsk { again: true, ..RunAsk::default() }).unwrap();
    assert_eq!((ran.state, team.acts()), (RanState::Done, 1));
    assert!(ran.said.unwrap().raw().contains("did INC-1 for support"));
}

#[test]
fn a_command_that_fails_hangs_floods_or_is_missing_has_its_outcome() {
    let steps = command("code", "run = [\"./code\"]")
        + &command("hang", "run = [\"./hang\"]\ntimeout = \"100ms\"")
        + &command("flood", "run = [\"./flood\"]")
        + &command("leave", "run = [\"./leave\"]")
        + &command("missing", "run = [\"./nowhere\"]");
    let team = Team::new(&steps);
    team.script("code", "echo broken >&2; exit 3");
    team.script("hang", "trap '' TERM; sleep 600 & wait; sleep 600");
    team.script("flood", "yes | head -c 3000000");
    team.script("leave", "(sleep 600; echo late >> count) & echo left");
    let ran = team.run("code").unwrap();
    assert_eq!((ran.state, ran.state.exit_code()), (RanState::Failed, 1));
    assert!(ran.said.unwrap().raw().contains("code 3: broken"));
    let ran = team.run("hang").unwrap();
    assert_eq!(ran.state, RanState::Unknown, "it began, and did some of what it does");
    let ran = team.run("flood").unwrap();
    assert_eq!(ran.state, RanState::Done);
    assert!(ran.said.unwrap().raw().len() < 5000);
    assert_eq!(team.run("leave").unwrap().state, RanState::Done);
    let planned = team.plan("missing");
    assert!(planned.fails[0].raw().contains("no program ./nowhere"));
    assert!(team.run("missing").unwrap_err().what.contains("would fail"));
    assert_eq!(team.status("missing"), StepStatus::Todo, "nothing was begun");
}

#[test]
fn what_is_secret_is_not_written_and_what_is_filled_is_one_word() {
    let steps = format!(
        "[[step]]\nid = \"who\"\nphase = \"assess\"\nkind = \"ask\"\ntitle = \"who\"\n{}{}",
        command("tell", "run = [\"./tell\", \"{{answer.who}}\"]\nenv = [\"PATH\", \"HOME\"]"),
        command("early", "run = [\"./tell\", \"{{answer.nobody}}\"]"),
    );
    let team = Team::new(&steps);
    team.script("tell", "echo \"<$1>\" >> count");
    assert!(team.plan("tell").fails[0].raw().contains("has no answer yet"));
    assert!(team.plan("early").fails[0].raw().contains("no step"), "{:?}", team.plan("early").fails);
    let answer = |note: &str| {
        let act = Act::Done { step: "who".into(), note: Some(note.into()) };
        super::super::act(&team.ctx("ann"), "1", act, None).unwrap();
    };
    answer("; rm -rf $HOME `x` \"y\"");
    assert_eq!(team.run("tell").unwrap().state, RanState::Done);
    let told = std::fs::read_to_string(team.home().join("count")).unwrap();
    assert_eq!(told, "<; rm -rf $HOME `x` \"y\">\n");

    let team = Team::new(&steps);
    team.script("tell", "echo never >> count");
    let act = Act::Done { step: "who".into(), note: Some("--force".into()) };
    super::super::act(&team.ctx("ann"), "1", act, None).unwrap();
    assert!(team.run("tell").unwrap_err().what.contains("may take for an option"));
    assert_eq!(team.acts(), 0);
    let partial = runbook(
        "r",
        &format!("schema = 1\nname = \"r\"\n{}", command("x", "run = [\"sh\", \"id={{incident.id}}\"]")),
    );
    assert!(partial.unwrap_err().what.contains("whole argument"));
}

#[test]
fn a_second_person_agrees_or_the_glass_is_broken() {
    let steps = command(
        "two",
        "run = [\"./act\"]\napprove = { by = \"other\", within = \"5m\", break_glass = true }",
    );
    let team = Team::new(&steps);
    team.script("act", "echo x >> count");
    let ran = team.run("two").unwrap();
    assert_eq!((ran.state, ran.state.exit_code(), team.acts()), (RanState::WaitingForApproval, 1, 0));
    assert_eq!(team.plan("two").approval.state, ApprovalState::Waiting);
    assert!(approve(&team.ctx("ann"), "1", "two", None).unwrap_err().what.contains("somebody else"));
    approve(&team.ctx("jo"), "1", "two", Some("go".into())).unwrap();
    assert_eq!(team.plan("two").approval.state, ApprovalState::Given);
    // An agreement does not hold for ever.
    team.world.clock.advance_ms(6 * 60_000);
    assert_eq!(team.plan("two").approval.state, ApprovalState::Lapsed);
    assert_eq!(team.run("two").unwrap().state, RanState::WaitingForApproval);
    let alone = RunAsk { break_glass: Some("nobody answers".into()), ..RunAsk::default() };
    assert_eq!(team.run_as("ann", "two", &alone).unwrap().state, RanState::Done);
    assert_eq!(team.acts(), 1);
    assert!(team.timeline().contains("BREAK GLASS"));
    let error = team.run_as("ann", "two", &RunAsk { break_glass: Some(" ".into()), ..RunAsk::default() });
    assert!(error.is_err());
}

#[test]
fn two_who_press_at_once_act_once() {
    let team = Team::new(&command("slow", "run = [\"./act\"]"));
    team.script("act", "echo x >> count; while [ ! -e go ]; do sleep 0.02; done");
    std::thread::scope(|threads| {
        let first = threads.spawn(|| team.run("slow"));
        while team.acts() == 0 {
            std::thread::yield_now();
        }
        let error = team.run_as("jo", "slow", &RunAsk::default()).unwrap_err();
        assert!(error.what.contains("ann carries out"), "{}", error.what);
        assert!(team.plan("slow").unsettled.unwrap().runs);
        std::fs::write(team.home().join("go"), "").unwrap();
        assert_eq!(first.join().unwrap().unwrap().state, RanState::Done);
    });
    assert!(team.run_as("jo", "slow", &RunAsk::default()).is_err());
    assert_eq!(team.acts(), 1);
}

#[test]
fn an_effect_is_confirmed_by_traces_alone() {
    let effect = format!(
        "{OFF}confirm_effect = {{ metric = \"model_answered\", must = \"== 0\", for = \"5m\", min_expected = 20 }}\n"
    );
    let team = Team::new(&effect);
    let start = team.world.clock.now();
    let add = |from: i64, to: i64, fallback: bool| {
        let traces = (from * 12..to * 12).map(|n| {
            json!({ "id": format!("e-{n}"), "time": start + SignedDuration::from_secs(n * 5), "input": "q",
                "output": "a", "feature": "support", "fallback": fallback })
        });
        team.world.add(of_json(traces.collect()));
    };
    add(-60, 0, false);
    let ran = team.run("off").unwrap();
    let effect = ran.effect.unwrap();
    assert_eq!((ran.state, ran.settled, effect.state), (RanState::Done, false, EffectState::Waiting));
    assert_eq!(effect.series, [60], "what was usual before");
    // A switch that nobody reads: the model goes on.
    team.world.clock.advance_ms(6 * 60_000);
    add(0, 6, false);
    let effect = team.recheck("off").unwrap().effect.unwrap();
    assert_eq!(effect.state, EffectState::Waiting);
    assert!(effect.words.contains("60 of 60 requests"), "{}", effect.words);
    // Nothing comes in: nothing is proven.
    team.world.clock.advance_ms(6 * 60_000);
    let effect = team.recheck("off").unwrap().effect.unwrap();
    assert!(effect.words.contains("import"), "{}", effect.words);
    add(6, 12, true);
    let ran = team.recheck("off").unwrap();
    assert_eq!((ran.effect.unwrap().state, ran.settled), (EffectState::Confirmed, true));
    assert_eq!(team.status("off"), StepStatus::Done);

    // Signed without it, and the record says so.
    let team = Team::new(&effect_of());
    team.run("off").unwrap();
    let act = Act::Done { step: "off".into(), note: Some("no traffic at night".into()) };
    super::super::act(&team.ctx("ann"), "1", act, None).unwrap();
    assert!(team.timeline().contains("UNCONFIRMED"));
}

fn effect_of() -> String {
    format!("{OFF}confirm_effect = {{ metric = \"model_answered\", must = \"== 0\", for = \"5m\" }}\n")
}

const WATCH: &str = "[[step]]\nid = \"watch\"\nphase = \"verify\"\nkind = \"monitor\"\ntitle = \"Watch\"\nfor = \"60m\"\nevery = \"1m\"\nmust = [{ metric = \"error_share\", op = \"<\", value = 0.05, prove = 0.95 }]\n";

#[test]
fn a_watch_starts_again_at_a_breach_and_counts_what_data_prove() {
    let team = Team::new(WATCH);
    let start = team.world.clock.now();
    let add = |from: i64, to: i64, errors: bool| {
        let traces = (from * 4..to * 4).map(|n| {
            json!({ "id": format!("w-{n}"), "time": start + SignedDuration::from_secs(n * 15), "input": "q",
                "output": "a", "feature": "support", "status": if errors { "error" } else { "ok" } })
        });
        team.world.add(of_json(traces.collect()));
    };
    let look = || verify(&team.ctx("ann"), &team.hands, "1", &Cancel::default()).unwrap();
    let view = look();
    assert_eq!((view.state, view.clean_ms, view.criteria[0].n), (WatchState::Watching, 0, 0));
    assert_eq!(view.criteria[0].needs, Some(59), "clean ones that prove less than 5 %");
    add(0, 10, false);
    add(10, 13, true);
    add(13, 50, false);
    team.world.clock.advance_ms(50 * 60_000);
    let view = look();
    // Twice: it went on when the clock had started again.
    let at: Vec<i64> = view.resets.iter().map(|reset| reset.at.duration_since(start).as_mins()).collect();
    assert_eq!(at, [12, 13], "{:?}", view.resets);
    assert_eq!(look().resets.len(), 2, "a look changes nothing more");
    // Away for an hour in which nothing came: it does not count.
    team.world.clock.advance_ms(60 * 60_000);
    let view = look();
    assert_eq!((view.state, view.unseen_ms), (WatchState::Watching, 60 * 60_000));
    add(110, 140, false);
    team.world.clock.advance_ms(30 * 60_000);
    let view = look();
    assert_eq!((view.state, view.criteria[0].state), (WatchState::Held, CriterionState::Proven));
    assert_eq!(team.status("watch"), StepStatus::Done);
}

#[test]
fn another_text_of_the_runbook_keeps_what_was_done() {
    let team = Team::new(&(OFF.to_owned() + BACK));
    team.run("off").unwrap();
    let file = team.home().join("book.toml");
    let read = || runbook_file(&file).unwrap();
    assert!(rebase(&team.ctx("ann"), "1", read()).unwrap_err().what.contains("very text"));
    let text = std::fs::read_to_string(&file).unwrap().replace("\"Back\"", "\"Back to v3\"");
    std::fs::write(&file, text + &command("more", "run = [\"true\"]")).unwrap();
    assert_eq!(team.plan("back").title.raw(), "Back", "pinned until somebody says so");
    let view = rebase(&team.ctx("ann"), "1", read()).unwrap();
    assert_eq!(view.phases.iter().map(|phase| phase.steps.len()).sum::<usize>(), 3);
    assert_eq!((team.status("off"), team.status("more")), (StepStatus::Done, StepStatus::Todo));
    assert_eq!(team.plan("back").title.raw(), "Back to v3");
    team.killed("more", "");
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap() + "\n").unwrap();
    assert_eq!(rebase(&team.ctx("ann"), "1", read()).unwrap_err().kind, ErrorKind::NotSo);
}

#[test]
fn a_sandbox_touches_nothing_real() {
    let steps = OFF.to_owned()
        + BACK
        + &command("act", "run = [\"./act\", \"{{incident.id}}\"]")
        + "[[step]]\nid = \"tell\"\nphase = \"contain\"\nkind = \"http\"\ntitle = \"Tell\"\nurl = \"https://status.example.com/x\"\nheader = { Authorization = \"env:NO_SUCH_TOKEN\" }\nexpect = [201]\n";
    let team = Team::new(&steps);
    team.script("act", "echo x >> count");
    let copies = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::make(team.hands.team(), &EvalConfig::default(), copies.path()).unwrap();
    let hands = Hands::from(sandbox.clone());
    let before = std::fs::read_to_string(team.home().join("flags.json")).unwrap();
    for step in ["off", "act", "tell", "back"] {
        let ran = run(&team.ctx("ann"), &hands, "1", step, &RunAsk::default(), &Cancel::default()).unwrap();
        assert_eq!(ran.state, RanState::Done, "{ran:?}");
    }
    assert_eq!(std::fs::read_to_string(team.home().join("flags.json")).unwrap(), before);
    assert_eq!(files(&team.home().join("prompts/support")), ["v3.txt", "v4_current.txt"]);
    assert_eq!(team.acts(), 0);
    assert_eq!(files(&copies.path().join("prompts/support")), ["v3_current.txt", "v4.txt"]);
    let acts = sandbox.acts();
    assert_eq!(acts.iter().map(|act| act.kind.as_str()).collect::<Vec<_>>(), ["command", "http"]);
    assert_eq!(acts[0].what[1].raw(), "INC-1");
    assert!(acts[1].what.iter().any(|line| line.raw().contains("[NO_SUCH_TOKEN]")));
}

#[test]
fn what_is_filled_into_a_shell_is_a_value_and_never_its_language() {
    let shell = |id: &str, rest: &str| command(id, rest).replace("\"none\"", "\"type\"") + "shell = true\n";
    let ask = "[[step]]\nid = \"why\"\nphase = \"contain\"\nkind = \"ask\"\ntitle = \"Why?\"\n";
    let dump = shell(
        "dump",
        "run = [\"printf '%s|' \\\"$@\\\" > out; echo done\", \"{{answer.why}}\", \"two words\"]",
    );
    let broken = shell("broken", "run = [\"if true; then ./act\"]");
    let dry = shell("dry", "run = [\"./act\"]\ndry_run = [\"echo would $1\", \"{{incident.id}}\"]");
    let team = Team::new(&(ask.to_owned() + &dump + &broken + &dry));
    let hostile = "$(touch pwned) `touch pwned` \"; touch pwned; ' && touch pwned\n-x";
    let done = Act::Done { step: "why".into(), note: Some(hostile.into()) };
    super::super::act(&team.ctx("ann"), "1", done, None).unwrap();
    let planned = team.plan("dump");
    assert_eq!(planned.type_this.as_ref().unwrap().raw(), "support");
    assert!(planned.lines[1].raw().contains("through a shell") && planned.fails.is_empty(), "{planned:?}");
    let ran = team.run("dump").unwrap();
    assert_eq!(ran.state, RanState::Done, "{ran:?}");
    assert_eq!(std::fs::read_to_string(team.home().join("out")).unwrap(), format!("{hostile}|two words|"));
    assert!(!team.home().join("pwned").exists());
    // Its text is read beforehand, and nothing of it is run.
    let planned = team.plan("broken");
    assert!(planned.fails[0].raw().contains("the shell cannot read its text"), "{:?}", planned.fails);
    assert!(team.run("broken").unwrap_err().what.contains("would fail"));
    assert!(team.plan("dry").notes[0].raw().contains("would INC-1"), "{:?}", team.plan("dry").notes);
    assert_eq!(team.acts(), 0);
}

#[test]
fn a_prompts_folder_that_is_not_as_it_should_be_has_its_outcome_in_a_rollback() {
    let to = |id: &str, version: &str| BACK.replace("\"back\"", &format!("\"{id}\"")).replace("v3", version);
    let steps = BACK.to_owned() + &to("out", "v5") + &to("gone", "v9") + &to("good", "last_known_good");
    let team = Team::new(&steps);
    let prompts = team.home().join("prompts/support");
    // A link that leads out is no version: it is not made the current one.
    std::fs::write(team.home().join("secret.txt"), "the key").unwrap();
    std::os::unix::fs::symlink("../../secret.txt", prompts.join("v5.txt")).unwrap();
    for id in ["out", "gone"] {
        assert!(team.plan(id).fails[0].raw().contains("no version"), "{:?}", team.plan(id).fails);
        assert!(team.run(id).unwrap_err().what.contains("would fail"));
    }
    // Of two current versions none is the one to go back from: a named version sets it right.
    std::fs::write(prompts.join("v6_current.txt"), "six").unwrap();
    let planned = team.plan("good");
    assert!(planned.fails[0].raw().contains("current"), "{:?}", planned.fails);
    let planned = team.plan("back");
    assert!(planned.fails.is_empty() && planned.changes, "{planned:?}");
    // Between the dry run and the act somebody takes one of them away.
    std::fs::rename(prompts.join("v6_current.txt"), prompts.join("v6.txt")).unwrap();
    assert_eq!(team.run("back").unwrap().state, RanState::Done);
    assert_eq!(files(&prompts), ["v3_current.txt", "v4.txt", "v5.txt", "v6.txt"]);
    assert_eq!(std::fs::read_to_string(team.home().join("secret.txt")).unwrap(), "the key");
    // Who may do all is kept out by nothing.
    let mode = |mode| std::fs::set_permissions(&prompts, std::fs::Permissions::from_mode(mode)).unwrap();
    super::super::act(&team.ctx("ann"), "1", Act::Reopen { step: "back".into(), note: None }, None).unwrap();
    std::fs::rename(prompts.join("v3_current.txt"), prompts.join("v3.txt")).unwrap();
    std::fs::rename(prompts.join("v4.txt"), prompts.join("v4_current.txt")).unwrap();
    mode(0o555);
    let free = std::fs::write(prompts.join(".probe"), "").is_ok();
    if !free {
        let planned = team.plan("back");
        assert!(planned.fails[0].raw().contains("cannot be written"), "{:?}", planned.fails);
        assert!(team.run("back").unwrap_err().what.contains("would fail"));
    }
    mode(0o755);
    std::fs::remove_file(prompts.join(".probe")).ok();
    assert_eq!(files(&prompts), ["v3.txt", "v4_current.txt", "v5.txt", "v6.txt"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_command_that_leaves_something_behind_says_so() {
    let team = Team::new(&command("start", "run = [\"./start\"]\nenv = [\"PATH\"]"));
    team.script(
        "start",
        "setsid sh -c 'echo $$ > number.new; mv number.new number; exec sleep 600' > /dev/null 2>&1 &\n\
         while [ ! -e number ]; do sleep 0.01; done; echo started",
    );
    let ran = team.run("start").unwrap();
    let number = std::fs::read_to_string(team.home().join("number")).unwrap();
    let number = rustix::process::Pid::from_raw(number.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(number, rustix::process::Signal::KILL).unwrap();
    assert_eq!(ran.state, RanState::Done);
    let said = ran.said.unwrap().into_raw();
    assert_eq!(said, "ended with code 0; it left a process behind that goes on: started");
    assert!(team.timeline().contains("left a process behind"), "{}", team.timeline());
}
