//! The screen driven by keys on a real store.

use jiff::Timestamp;
use serde_json::json;

use std::sync::Arc;

use crate::domain::incident::{ActPlan, Acting};
use crate::domain::runbook::Phase;
use crate::domain::{Check, EvalConfig, Evaluator, TargetKind, TargetLimits, TargetSpec};
use crate::ops::Ctx;
use crate::ops::incident::step::{Hands, Real};
use crate::ops::incident::{self, IncidentView};
use crate::ops::testing::{World, acting_team, of_json};
use crate::task::Clock;
use crate::tui::screens::ScreenId;
use crate::tui::testing::Story;

/// A store whose traffic goes wrong with prompt v4, and a person at it at 02:55.
struct Night {
    world: World,
    folder: tempfile::TempDir,
}

const NOW: &str = "2025-03-04T02:55:00Z";

impl Night {
    fn new() -> Self {
        let now: Timestamp = NOW.parse().unwrap();
        let world = World::at(now);
        let traces = (0..240).map(|n| {
            let v4 = n >= 120;
            json!({
                "id": format!("t-{n}"), "time": Timestamp::from_second(now.as_second() - 60 * (240 - n)).unwrap(),
                "input": "Can you take the overdraft fee back?",
                "output": if v4 { "You can just transfer your balance to resolve the overdraft fee." } else { "It is waived." },
                "user": format!("u{}", n % 40), "feature": "customer_support", "prompt": "customer_support",
                "prompt_version": if v4 { "v4" } else { "v3" }, "latency_ms": 900, "cost_usd": 0.003,
                "feedback": if v4 && n % 3 == 0 { json!([{"kind": "thumbs", "value": "down"}]) }
                    else if n % 5 == 0 { json!([{"kind": "thumbs", "value": "up"}]) } else { json!([]) },
            })
        });
        world.add(of_json(traces.collect()));
        Self { world, folder: tempfile::tempdir().unwrap() }
    }

    fn ctx(&self, who: &str) -> Ctx {
        self.world.as_reviewer(who)
    }

    fn story(&self) -> Story {
        Story::new(self.ctx("mira"), ScreenId::Review)
    }

    /// An incident that somebody opened with `I`.
    fn opened(&self) -> Story {
        let mut story = self.story();
        story.press("I").type_text("Bad overdraft advice after prompt v4").press("enter");
        story
    }

    /// A program on an incident whose runbook is [`BOOK`].
    fn with_book(&self) -> Story {
        let book = self.folder.path().join("book.toml");
        std::fs::write(&book, BOOK).unwrap();
        let request = incident::OpenRequest {
            title: "Bad overdraft advice".into(),
            runbook: Some(book.display().to_string()),
            ..incident::OpenRequest::default()
        };
        incident::open(&self.ctx("mira"), request).unwrap();
        self.story()
    }

    fn view(&self) -> IncidentView {
        incident::show(&self.ctx("test"), "INC-1").unwrap()
    }
}

fn later(story: &Story, minutes: i64) {
    let clock: &Clock = &story.ctx.clock;
    clock.advance_ms(minutes * 60_000);
}

#[test]
fn an_incident_is_walked_from_open_to_a_written_post_mortem() {
    let night = Night::new();
    let mut story = night.opened();
    assert!(
        story.row(1).contains("INC-1 SEV? 1/6 DETECT  0s since 02:55  update in 20m  cmd mira"),
        "{}",
        story.row(1)
    );
    insta::assert_snapshot!("opened_80", story.snapshot());

    later(&story, 2);
    story.press("x").type_text("I have it").press("enter");
    assert_eq!(story.status(), "done: Acknowledge, and say who leads");
    later(&story, 1);
    story.press("enter enter");
    story.press("s").type_text("the judge was not touched").press("enter");
    story.press("b").type_text("");
    later(&story, 9);
    story.press("x").type_text("all five say the same").press("enter");
    story.press("x 1");
    let view = night.view();
    assert_eq!((view.head.phase, view.phases[0].steps[3].over_box), (Phase::Assess, true));
    assert_eq!(view.sections.values().next().unwrap().raw(), "real", "the answer fills the post-mortem");
    assert!(story.row(1).contains("2/6 ASSESS  12m since 02:55"), "{}", story.row(1));

    story.press("B").type_text("132m").press("enter");
    story.press("v 2 a f");
    story.press("a t").type_text("t-200 t-210").press("enter");
    assert_eq!(night.view().evidence.len(), 2);
    insta::assert_snapshot!("assess_80", story.snapshot());
    insta::assert_snapshot!("assess_200", story.snapshot_at(200, 50));
    story.resize(80, 24);

    // Nobody has to finish assessing before they may contain.
    story.press("] j");
    assert!(story.text().contains("x shows exactly what it would do"), "{}", story.text());
    insta::assert_snapshot!("contain_80", story.snapshot());
    story.press("d").type_text("support-ai enabled -> disabled").press("enter");
    let view = night.view();
    assert_eq!(
        (view.head.phase, view.phases[2].steps[1].note.clone()),
        (Phase::Contain, Some("support-ai enabled -> disabled".into()))
    );

    story.press("T");
    insta::assert_snapshot!("timeline_80", story.snapshot());
    story.press("T H").type_text("jo").press("enter");
    assert!(story.row(1).contains("cmd jo"), "{}", story.row(1));

    later(&story, 30);
    story.press("c r").type_text("v3 is back").press("enter");
    assert!(story.row(1).contains("CLOSED resolved"), "{}", story.row(1));
    assert!(story.text().contains("Post-mortem INC-1"), "closing leads to the post-mortem: {}", story.text());
    story.press("e").press("enter").type_text("People were told to move money around.").press("ctrl-s");
    story
        .press("a")
        .type_text("Cases for fees")
        .press("tab tab")
        .type_text("ann")
        .press("tab")
        .type_text("2025-03-11")
        .press("enter");
    story.press("g g");
    insta::assert_snapshot!("postmortem_80", story.snapshot());

    let path = night.folder.path().join("inc.md");
    story.press("w ctrl-u").type_text(path.to_str().unwrap()).press("enter");
    let written = std::fs::read_to_string(&path).unwrap();
    for part in [
        "# Post-mortem INC-1",
        "People were told to move money around.",
        "| 1 | Cases for fees | prevent | ann |",
    ] {
        assert!(written.contains(part), "{part} in\n{written}");
    }
    // A second time it asks before it replaces what somebody may have edited.
    std::fs::write(&path, "edited").unwrap();
    story.press("w ctrl-u").type_text(path.to_str().unwrap()).press("enter");
    assert!(story.text().contains("is there already"), "{}", story.text());
    story.press("n");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "edited");
    story.press("w ctrl-u").type_text(path.to_str().unwrap()).press("enter y");
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("# Post-mortem"));
}

#[test]
fn i_goes_to_the_open_incident_from_anywhere() {
    let night = Night::new();
    let mut story = night.opened();
    story.press("] ] esc g r");
    story.press("I");
    assert!(story.row(1).contains("INC-1"), "{}", story.text());
    story.press("esc");
    assert!(story.text().contains("1 open of 1"), "{}", story.text());
    insta::assert_snapshot!("list_80", story.snapshot());
    story.press("n").type_text("Another").press("enter");
    assert!(story.row(1).contains("INC-2"), "{}", story.row(1));
    insta::assert_snapshot!("list_200", story.press("esc").snapshot_at(200, 50));
}

#[test]
fn an_empty_list_says_the_next_step() {
    let night = Night::new();
    let mut story = night.story();
    story.press("g i");
    assert!(story.text().contains("n opens one"), "{}", story.text());
    insta::assert_snapshot!("empty_80", story.snapshot());
}

#[test]
fn the_acts_of_another_program_show() {
    let night = Night::new();
    let mut story = night.opened();
    let done = incident::Act::Done { step: "acknowledge".into(), note: Some("jo has it".into()) };
    incident::act(&night.ctx("jo"), "1", done, None).unwrap();
    let changes = crate::ops::watch::Changes { traces: false, work: true };
    story.send(crate::tui::message::Message::Changed(changes));
    assert!(story.text().contains("✓ Acknowledge"), "{}", story.text());
    // Whoever comes second hears who was first.
    story.press("k x");
    let said = story.text() + &story.status();
    assert!(said.contains("was done by jo"), "{said}");
}

#[test]
fn hostile_words_stay_words() {
    let night = Night::new();
    let mut story = night.story();
    story.press("I").type_text("a").press("enter");
    let hostile = "\u{1b}]0;owned\u{7}\u{202e}evil\u{200b}\nnew line";
    let ctx = night.ctx("mira");
    let acts = vec![
        incident::Act::Note { text: hostile.into(), step: None },
        incident::Act::Done { step: "acknowledge".into(), note: Some(hostile.into()) },
        incident::Act::Assign { step: "fresh".into(), owner: hostile.into() },
    ];
    incident::acts(&ctx, "1", acts, None).unwrap();
    let changes = crate::ops::watch::Changes { traces: false, work: true };
    story.send(crate::tui::message::Message::Changed(changes));
    for keys in ["k", "T", "T", "p", "esc"] {
        story.press(keys);
        for size in [(80, 24), (200, 50), (41, 11)] {
            story.resize(size.0, size.1);
            let text = story.text();
            assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{200b}']), "{text:?}");
        }
    }
}

/// A team whose flag file, prompts and commands are real.
fn team(folder: &std::path::Path) -> Hands {
    let team = acting_team(folder, "customer_support");
    Real::of(Arc::new(team), Arc::new(EvalConfig::default())).into()
}

const BOOK: &str = r#"
schema = 1
name = "test"
feature = "customer_support"
[[step]]
id = "fails"
phase = "detect"
kind = "check"
title = "Do requests fail?"
metric = "error_share"
must = "< 5%"
window = "2h"
[[step]]
id = "off"
phase = "contain"
kind = "flag"
title = "Switch the AI answer off"
to = "off"
undo = "on"
confirm = "type"
confirm_effect = { metric = "model_answered", must = "== 0", for = "5m", min_expected = 5 }
[[step]]
id = "back"
phase = "fix"
kind = "rollback"
title = "Put v3 back"
to = "v3"
approve = { by = "other", within = "5m", break_glass = true }
[[step]]
id = "once"
phase = "fix"
kind = "command"
title = "Tell the queue"
run = ["./nowhere", "{{incident.id}}"]
[[step]]
id = "watch"
phase = "verify"
kind = "monitor"
title = "One clean hour"
for = "60m"
every = "1m"
stages = [10, 50, 100]
must = [
  { metric = "error_share", op = "<", value = 0.05, prove = 0.95 },
  { metric = "share_over_3s", op = "<", value = 0.05, prove = 0.95 },
  { metric = "prompt_share", version = "v4", op = "<", value = 0.01, prove = 0.95 },
]
"#;

#[test]
fn steps_are_run_from_the_screen_and_the_traces_prove_it() {
    let night = Night::new();
    let book = night.folder.path().join("book.toml");
    std::fs::write(&book, BOOK).unwrap();
    let hands = team(night.folder.path());
    let request = incident::OpenRequest {
        title: "Bad overdraft advice".into(),
        runbook: Some(book.display().to_string()),
        ..incident::OpenRequest::default()
    };
    incident::open(&night.ctx("mira"), request).unwrap();
    let story_of = |who: &str| {
        let mut story = Story::new(night.ctx(who), ScreenId::Review);
        story.model.env.hands = hands.clone();
        story.model.env.reviewer = who.to_owned();
        story.press("I");
        story
    };
    let mut story = story_of("mira");
    story.press("x");
    assert!(story.status().starts_with("ok: error share: 0 %"), "{}", story.status());
    let flags = || std::fs::read_to_string(night.folder.path().join("flags.json")).unwrap();

    // The dry run comes first; a wrong word does nothing.
    story.press("x");
    insta::assert_snapshot!("dry_run_80", story.snapshot());
    insta::assert_snapshot!("dry_run_200", story.snapshot_at(200, 50));
    story.resize(80, 24);
    story.type_text("support").press("enter");
    assert!(flags().contains("true"));
    story.press("ctrl-u").type_text("customer_support").press("enter");
    assert_eq!(flags(), "{\"ai\": false}\n");
    insta::assert_snapshot!("acted_80", story.snapshot());
    let add = |from: i64, to: i64| {
        let now: Timestamp = NOW.parse().unwrap();
        let traces = (from..to).map(|n| {
            json!({"id": format!("f-{n}"), "time": now + jiff::SignedDuration::from_secs(n * 10),
                "input": "q", "output": "a", "feature": "customer_support", "fallback": true})
        });
        night.world.add(of_json(traces.collect()));
    };
    add(0, 36);
    later(&story, 6);
    let changes = crate::ops::watch::Changes { traces: true, work: false };
    story.send(crate::tui::message::Message::Changed(changes));
    assert_eq!(night.view().phases[2].steps[0].acting.as_ref().unwrap().effect, "confirmed");
    story.press("[");
    insta::assert_snapshot!("confirmed_80", story.snapshot());

    // A second person is asked, and approves on their own screen.
    story.press("] x y");
    insta::assert_snapshot!("waits_80", story.snapshot());
    let mut other = story_of("jo");
    other.press("x");
    insta::assert_snapshot!("approve_80", other.snapshot());
    other.press("y");
    story.send(crate::tui::message::Message::Changed(crate::ops::watch::Changes {
        traces: false,
        work: true,
    }));
    story.press("x y");
    assert!(night.folder.path().join("prompts/customer_support/v3_current.txt").exists(), "{}", story.text());

    // What would fail is said, and nothing is begun.
    story.press("x");
    assert!(story.text().contains("would fail"), "{}", story.text());
    insta::assert_snapshot!("fails_80", story.snapshot());
    story.press("esc");
    // A program was killed in the middle.
    let plan = ActPlan { lines: vec!["./nowhere INC-1".into()], from: None, to: None };
    let begin = Acting::Begin { step: "once".into(), act: "killed".into(), plan, again: false };
    incident::act(&night.ctx("jo"), "1", incident::Act::Acting(begin), None).unwrap();
    story.send(crate::tui::message::Message::Changed(crate::ops::watch::Changes {
        traces: false,
        work: true,
    }));
    story.press("x");
    insta::assert_snapshot!("unknown_80", story.snapshot());
    story.press("d").type_text("the queue is open").press("enter");

    // One clean hour.
    story.press("x");
    later(&story, 10);
    add(36, 96);
    story.send(crate::tui::message::Message::Changed(changes));
    insta::assert_snapshot!("watch_80", story.snapshot());
    insta::assert_snapshot!("watch_200", story.snapshot_at(200, 50));
    story.resize(80, 24);
    // What is not proven is signed with a reason, or not at all.
    story.press("o enter");
    assert!(story.status().starts_with("not signed"), "{}", story.status());
    story.press("o").type_text("nobody asks at this hour").press("enter");
    let watch = &night.view().phases[4].steps[0];
    assert_eq!(watch.note.as_ref().unwrap().raw(), "signed unproven: nobody asks at this hour");
}

#[test]
fn the_options_say_beforehand_whether_they_would_act() {
    let night = Night::new();
    let mut story = night.with_book();
    story.model.env.hands = team(night.folder.path());
    story.press("I ] ]");
    insta::assert_snapshot!("preflight_80", story.snapshot());
    insta::assert_snapshot!("preflight_200", story.snapshot_at(200, 50));
}

#[test]
fn keys_that_come_before_the_incident_was_read_wait_for_it() {
    let night = Night::new();
    let mut story = night.opened();
    story.press("esc g r");
    story.hold().press("I n").type_text("support calls").press("enter");
    assert!(night.view().timeline.iter().all(|line| !line.text.raw().contains("support calls")));
    story.release();
    assert!(night.view().timeline.iter().any(|line| line.text.raw().contains("support calls")));
    // Esc takes back what waits, and a key that leads away is not about the incident.
    story.press("esc g r");
    story.hold().press("I n esc g h").release();
    assert!(story.model.overlays.is_empty(), "{}", story.text());
    assert_eq!(story.model.active, ScreenId::Health);
}

#[test]
fn what_is_typed_before_a_dry_run_is_shown_is_no_yes_to_it() {
    let night = Night::new();
    let hands = team(night.folder.path());
    let mut story = night.with_book();
    story.model.env.hands = hands;
    story.press("I ]").press("]");
    story.hold().press("x").type_text("customer_support").press("enter").release();
    assert!(story.text().contains("customer_support"), "the dry run waits for its word: {}", story.text());
    let flags = std::fs::read_to_string(night.folder.path().join("flags.json")).unwrap();
    assert!(flags.contains("true"), "{flags}");
    assert!(matches!(story.model.overlays.last(), Some(crate::tui::overlays::Overlay::RunStep(_))));
}

#[test]
fn i_goes_on_to_the_next_open_incident() {
    let night = Night::new();
    let mut story = night.opened();
    story.press("I");
    assert_eq!(story.status(), "INC-1 is the only incident that is open");
    story.press("esc n").type_text("Another").press("enter");
    assert!(story.row(1).contains("INC-2"), "{}", story.row(1));
    story.press("I");
    assert!(story.row(1).contains("INC-1"), "{}", story.row(1));
    story.press("I");
    assert!(story.row(1).contains("INC-2"), "{}", story.row(1));
}

#[test]
fn times_are_local_with_their_offset_or_utc() {
    let night = Night::new();
    let mut story = night.story();
    story.model.env.zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(1));
    story.press("I").type_text("Bad advice").press("enter T");
    assert!(
        story.text().contains("2025-03-04  +01") && story.text().contains("03:55 mira"),
        "{}",
        story.text()
    );
    story.press("t");
    assert_eq!(story.status(), "times are in UTC");
    assert!(
        story.text().contains("2025-03-04  UTC") && story.text().contains("02:55 mira"),
        "{}",
        story.text()
    );
    assert!(
        story.row(1).contains("since 02:55") && story.row(2).contains("times in UTC"),
        "{}",
        story.text()
    );
    story.press("p");
    assert!(story.text().contains("02:55"), "{}", story.text());
    story.press("t");
    assert!(story.text().contains("03:55") && !story.row(2).contains("UTC"), "{}", story.text());
}

#[test]
fn nobody_has_to_know_the_cause_to_contain() {
    let night = Night::new();
    let mut story = night.opened();
    later(&story, 12);
    story.press("E");
    later(&story, 12);
    story.press("] E");
    later(&story, 12);
    story.send(crate::tui::message::Message::Tick);
    assert!(story.text().contains("C contains anyway, the cause unknown"), "{}", story.text());
    insta::assert_snapshot!("over_the_box_80", story.snapshot());
    story.press("C");
    let view = night.view();
    assert_eq!(view.head.phase, Phase::Contain);
    let said = view.sections.values().any(|text| text.raw() == "unknown: contain anyway");
    assert!(said, "the post-mortem's why says so: {:?}", view.sections);
}

#[test]
fn the_failing_examples_are_asked_again_of_what_answers_now() {
    let night = Night::new();
    let mut story = night.opened();
    story.press("a t").type_text("t-200 t-210 t-220").press("enter");
    story.press("] ] ] ]").press("r");
    assert!(story.status().contains("No target is described"), "{}", story.status());
    let target = TargetSpec {
        name: "now".into(),
        kind: TargetKind::Command(["sed", "s/.*/It is waived./"].map(str::to_owned).to_vec()),
        prompt: None,
        limits: TargetLimits::default(),
    };
    let check = Check::parse(r#"{"kind": "forbidden", "values": ["transfer your balance"]}"#).unwrap();
    let advice = Evaluator { name: "advice".into(), check };
    story.model.env.evaluation = Arc::new(EvalConfig {
        home: night.folder.path().into(),
        targets: vec![target],
        evaluators: vec![(advice, 1)],
        ..EvalConfig::default()
    });
    story.press("r");
    insta::assert_snapshot!("replay_80", story.snapshot());
    story.press("enter");
    // Three people asked the same: it is one example.
    let said = "1 failing example asked again of now: 1 of 1 pass now, 0 did; 1 fixed, 0 newly failing";
    assert!(story.status().starts_with(said), "{}", story.status());
    let view = night.view();
    let noted = view.timeline.last().unwrap();
    assert!(noted.text.raw().contains(said) && noted.step.as_deref() == Some("replay"), "{noted:?}");
}
