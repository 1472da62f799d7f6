//! Who is told of alerts, how often, and in how many messages.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::tests::{bot, healthy};
use super::*;
use crate::domain::monitor::{Delivery, Monitors, Notice, Receiver, ReceiverKind, Urgency, What};
use crate::ops::testing::World;
use crate::task::Cancel;

/// Told by a program, so that no server is needed.
pub(super) fn told_by(command: &[&str]) -> Monitors {
    let kind = ReceiverKind::Command(command.iter().map(|word| (*word).to_owned()).collect());
    Monitors { receivers: vec![Receiver { name: "program".into(), kind }], ..Monitors::default() }
}

fn ill() -> World {
    bot(10, 30, |n, ago, trace| {
        if ago < 90 && n % 4 == 0 {
            trace["status"] = json!("error");
            trace["error_kind"] = json!("timeout");
        }
    })
}

fn nothing(_: &str) -> Option<String> {
    None
}

fn quiet(_: &Notice) {}

#[test]
fn receivers_that_nobody_tells_are_said_and_the_open_program_is_nobody() {
    let world = bot(3, 10, healthy);
    let ctx = world.as_reviewer("ann");
    let words = |monitors: &Monitors| list(&ctx, monitors).unwrap().nobody_tells;
    assert_eq!(words(&Monitors::default()), None, "there is nobody to be told");
    let receivers = vec![Receiver { name: "bell".into(), kind: ReceiverKind::Bell }];
    let told = Monitors { receivers, ..Monitors::default() };
    let said = words(&told).unwrap();
    assert!(said.contains("neither tuesday watch nor tuesday serve runs"), "{said}");
    // A quiet pass of the open program changes nothing of it.
    let quiet = Watcher::default();
    assert!(quiet.holds(&ctx).unwrap());
    assert!(words(&told).is_some());
    quiet.leaves(&ctx).unwrap();
    let cancel = Cancel::default();
    watching(&ctx, &told, &cancel, |watched| {
        if matches!(watched, Watched::Pass(_)) {
            assert_eq!(words(&told), None);
            cancel.cancel();
        }
        Ok(())
    })
    .unwrap();
    assert!(words(&told).is_some(), "it has left");
    // One that looks once comes again within the hour.
    quiet.sent_once(&ctx).unwrap();
    assert_eq!(words(&told), None);
    world.clock.advance_ms(3_600_001);
    assert!(words(&told).is_some());
}

#[test]
fn what_is_in_the_outbox_is_sent_by_whoever_comes_next_and_once() {
    let world = ill();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("told");
    let monitors = told_by(&["tee", "-a", file.to_str().unwrap()]);
    // The program ends between writing the outbox and sending.
    assert_eq!(pass(&world.as_reviewer("ann"), &monitors).unwrap().messages, 1);
    assert!(!file.exists());
    for _ in 0..3 {
        let ctx = world.as_reviewer("ben");
        pass(&ctx, &monitors).unwrap();
        Sender::new(&ctx, &monitors, &nothing, &quiet).unwrap().send_now().unwrap();
    }
    let told = std::fs::read_to_string(&file).unwrap();
    assert_eq!(told.lines().count(), 1, "{told}");
    let message: Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
    assert_eq!((message["what"].as_str(), message["rule"].as_str()), (Some("firing"), Some("errors")));
    assert!(
        !told.contains("Why was I charged?") && !told.contains("It was a fee."),
        "no text of traces: {told}"
    );
    let told = alert(&world.as_reviewer("ann"), "A-1").unwrap().told.unwrap();
    assert_eq!((told.len(), told[0].state, told[0].attempts), (1, Delivery::Sent, 1));
}

#[test]
fn what_fails_is_tried_again_five_times_and_then_given_up() {
    let world = ill();
    let ctx = world.as_reviewer("ann");
    let monitors = told_by(&["false"]);
    pass(&ctx, &monitors).unwrap();
    let sender = Sender::new(&ctx, &monitors, &nothing, &quiet).unwrap();
    let stands = || {
        let told = alert(&ctx, "A-1").unwrap().told.unwrap();
        (told[0].attempts, told[0].state)
    };
    sender.send_now().unwrap();
    assert_eq!(stands(), (1, Delivery::Waiting));
    for (attempt, minutes) in [(2, 1), (3, 2), (4, 4), (5, 8), (6, 16)] {
        world.clock.advance_ms(minutes * 60_000 - 1);
        sender.send_now().unwrap();
        assert_eq!(stands().0, attempt - 1, "not before {minutes} minutes");
        world.clock.advance_ms(1);
        sender.send_now().unwrap();
        assert_eq!(stands().0, attempt);
    }
    assert_eq!(stands(), (6, Delivery::Failed));
}

#[test]
fn a_program_that_ended_while_it_sent_does_not_tell_twice() {
    let world = ill();
    let ctx = world.as_reviewer("ann");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("told");
    let mut monitors = told_by(&["tee", "-a", file.to_str().unwrap()]);
    // Without the silence that comes when the clock moves on and no traffic with it.
    monitors.rules.retain(|rule| rule.id == "errors");
    pass(&ctx, &monitors).unwrap();
    // It is taken to be sent, and the program ends there.
    assert_eq!(ctx.store.take_due(ctx.clock.now(), 30_000).unwrap().len(), 1);
    world.clock.advance_ms(61_000);
    let next = world.as_reviewer("ben");
    pass(&next, &monitors).unwrap();
    Sender::new(&next, &monitors, &nothing, &quiet).unwrap().send_now().unwrap();
    let told = alert(&next, "A-1").unwrap().told.unwrap();
    assert_eq!(told[0].state, Delivery::Unknown);
    assert!(!file.exists());
    // Four hours later it is still out, and is told as such: a page is not lost.
    world.clock.advance_ms(4 * 3_600_000);
    let out = pass(&next, &monitors).unwrap();
    let repeats = alert(&next, "A-1").unwrap().told.unwrap();
    assert!(out.messages >= 1 && repeats.iter().any(|one| one.what == What::Repeat), "{repeats:#?}");
}

#[test]
fn a_silence_keeps_it_from_being_told_until_it_ends() {
    let world = ill();
    let ctx = world.as_reviewer("ann");
    let monitors = told_by(&["true"]);
    assert!(silence(&ctx, &monitors, "errors", 600_000, " ").is_err(), "it needs a reason");
    assert!(silence(&ctx, &monitors, "erors", 600_000, "x").is_err(), "and a monitor");
    let until = silence(&ctx, &monitors, "errors", 600_000, "maintenance").unwrap().until;
    assert_eq!(pass(&ctx, &monitors).unwrap().messages, 0);
    assert_eq!(
        alerts(&ctx, false).unwrap()[0].silenced_until,
        Some(until),
        "it is kept and shown all the same"
    );
    world.clock.advance_ms(601_000);
    assert_eq!(pass(&ctx, &monitors).unwrap().messages, 1, "the silence is over and it is still out");
}

#[test]
fn a_test_goes_through_the_real_receivers_and_is_marked() {
    let world = bot(3, 10, healthy);
    let ctx = world.as_reviewer("ann");
    let said = test(&ctx, &told_by(&["true"]), "errors", &nothing, &quiet).unwrap();
    assert!(said.taken && said.receivers[0].what == What::Test, "{said:#?}");
    let said = test(&ctx, &told_by(&["false"]), "errors", &nothing, &quiet).unwrap();
    assert!(!said.taken && said.receivers[0].state == Delivery::Failed, "{said:#?}");
    assert!(test(&ctx, &Monitors::default(), "errors", &nothing, &quiet).is_err(), "nobody would be told");
    assert_eq!(alerts(&ctx, true).unwrap(), [], "a test raises nothing");
    // The newest test of each receiver stands beside it.
    let shown = show(&ctx, &told_by(&["true"]), "errors").unwrap();
    assert_eq!(shown.receivers[0].test.as_ref().unwrap().state, Delivery::Failed);
}

#[test]
fn a_bell_rings_where_the_watching_is() {
    let world = ill();
    let ctx = world.as_reviewer("ann");
    let receivers = vec![Receiver { name: "bell".into(), kind: ReceiverKind::Bell }];
    let monitors = Monitors { receivers, ..Monitors::default() };
    pass(&ctx, &monitors).unwrap();
    let rung = Arc::new(Mutex::new(Vec::new()));
    let ring = |notice: &Notice| rung.lock().unwrap().push(notice.alerts[0].rule.clone());
    Sender::new(&ctx, &monitors, &nothing, &ring).unwrap().send_now().unwrap();
    assert_eq!(*rung.lock().unwrap(), ["errors"]);
}

#[test]
fn no_data_explains_the_others_away() {
    let world = ill();
    world.clock.advance_ms(3 * 3_600_000);
    let ctx = world.as_reviewer("ann");
    let told = AtomicUsize::new(0);
    let seen = pass(&ctx, &told_by(&["true"])).unwrap();
    told.fetch_add(seen.messages, Ordering::Relaxed);
    let rules: Vec<&str> = seen.fired.iter().map(|one| one.rule.as_str()).collect();
    assert!(rules.contains(&"no-data"), "{rules:?}");
    let told_of: Vec<String> = alerts(&ctx, false)
        .unwrap()
        .iter()
        .filter(|one| !alert(&ctx, &one.id).unwrap().told.unwrap().is_empty())
        .map(|one| one.rule.clone())
        .collect();
    assert_eq!(told_of, ["no-data"]);
}

#[test]
fn four_fifths_of_the_budget_are_a_ticket_and_the_page_leaves_it_untold() {
    use crate::domain::monitor::{Metric, Rule, Test};
    let world = bot(16, 30, healthy);
    let ctx = world.as_reviewer("ann");
    let monitors = |usd: f64| {
        let test = Test::Budget { usd: Some(usd), warn: 0.8, forecast: 10.0 };
        let rules = vec![Rule { test, ..Rule::plain("spend", Metric::Spend) }];
        Monitors { rules, ..told_by(&["true"]) }
    };
    // 75 cents of 90.
    let seen = pass(&ctx, &monitors(0.9)).unwrap();
    assert_eq!(seen.fired.iter().map(|one| one.severity).collect::<Vec<_>>(), [Urgency::Ticket]);
    let say = || Sender::new(&ctx, &monitors(0.9), &nothing, &quiet).unwrap().send_now().unwrap();
    say();
    assert_eq!(seen.messages, 1);
    world.clock.advance_ms(300_000);
    let seen = pass(&ctx, &monitors(0.7)).unwrap();
    assert_eq!(seen.fired.iter().map(|one| one.severity).collect::<Vec<_>>(), [Urgency::Page]);
    assert_eq!((seen.messages, seen.firing), (1, 2));
    say();
    // Who was woken is told no ticket again.
    world.clock.advance_ms(5 * 3_600_000);
    let again = pass(&ctx, &monitors(0.7)).unwrap();
    assert_eq!((again.messages, again.firing), (1, 2), "the page alone is repeated");
}

/// Time-outs and refusals for volume in the last 90 minutes.
fn very_ill() -> World {
    bot(10, 60, |n, ago, trace| {
        if ago < 90 && n % 4 < 2 {
            trace["status"] = json!("error");
            trace["error_kind"] = json!(if n % 4 == 0 { "timeout" } else { "rate_limit" });
        }
    })
}

/// What every message says: the kinds of errors, and why.
fn said(tolls: &[crate::store::Toll]) -> Vec<Vec<(String, What)>> {
    let kind = |one: &crate::domain::monitor::Message| (one.group["kind"].raw().to_owned(), one.what);
    tolls.iter().map(|toll| toll.notice.alerts.iter().map(kind).collect()).collect()
}

#[test]
fn alerts_of_a_feature_that_come_together_are_one_message_after_the_wait() {
    let world = very_ill();
    let ctx = world.as_reviewer("ann");
    let monitors = told_by(&["true"]);
    let seen = pass(&ctx, &monitors).unwrap();
    assert_eq!((seen.fired.len(), seen.messages), (2, 1), "{seen:#?}");
    let due = || ctx.store.take_due(ctx.clock.now(), 0).unwrap();
    world.clock.advance_ms(29_999);
    assert_eq!(due(), [], "the first waits for others");
    // Another program, after the first was killed, puts nothing in twice.
    assert_eq!(pass(&world.as_reviewer("ben"), &monitors).unwrap().messages, 0);
    world.clock.advance_ms(1);
    let told = due();
    let (timeout, limit) = (("timeout".to_owned(), What::Firing), ("rate_limit".to_owned(), What::Firing));
    assert_eq!(said(&told).len(), 1);
    assert!(said(&told)[0].contains(&timeout) && said(&told)[0].contains(&limit), "{told:#?}");
    assert_eq!(due(), [], "and is told once");
    for id in ["A-1", "A-2"] {
        assert_eq!(alert(&ctx, id).unwrap().told.unwrap().len(), 1, "{id} knows that it was told");
    }
}

#[test]
fn what_comes_later_waits_for_the_interval_and_a_repeat_says_all_of_the_group() {
    let world = very_ill();
    let ctx = world.as_reviewer("ann");
    let mut monitors = told_by(&["true"]);
    monitors.rules.retain(|rule| rule.id == "errors");
    let errors = monitors.rules[0].clone();
    // The rule on time-outs alone first.
    monitors.rules[0].metric =
        crate::domain::monitor::Metric::ErrorShare(Some(crate::domain::FailureKind::Timeout));
    assert_eq!(pass(&ctx, &monitors).unwrap().fired.len(), 1);
    let due = || said(&ctx.store.take_due(ctx.clock.now(), 0).unwrap());
    world.clock.advance_ms(30_000);
    assert_eq!(due(), [[("timeout".to_owned(), What::Firing)]]);
    monitors.rules = vec![errors];
    world.clock.advance_ms(60_000);
    assert_eq!(pass(&ctx, &monitors).unwrap().fired.len(), 1, "the refusals");
    world.clock.advance_ms(300_000 - 60_001);
    assert_eq!(due(), Vec::<Vec<_>>::new(), "five minutes after the first message");
    world.clock.advance_ms(1);
    assert_eq!(due(), [[("rate_limit".to_owned(), What::Firing)]]);
    // Four hours after the first: both are said again, in one message.
    world.clock.advance_ms(4 * 3_600_000 - 300_000);
    assert_eq!(pass(&ctx, &monitors).unwrap().messages, 1);
    world.clock.advance_ms(30_000);
    let again = due();
    assert!(again.len() == 1 && again[0].len() == 2, "{again:?}");
    assert!(again[0].iter().all(|(_, what)| *what == What::Repeat), "{again:?}");
}

#[test]
fn what_is_silenced_while_it_waits_is_not_told() {
    let world = very_ill();
    let ctx = world.as_reviewer("ann");
    let monitors = told_by(&["true"]);
    pass(&ctx, &monitors).unwrap();
    silence(&ctx, &monitors, "A-1", 3_600_000, "known").unwrap();
    world.clock.advance_ms(10_000);
    pass(&ctx, &monitors).unwrap();
    world.clock.advance_ms(20_000);
    let told = ctx.store.take_due(ctx.clock.now(), 0).unwrap();
    let names: Vec<_> =
        told.iter().flat_map(|one| &one.notice.alerts).map(|one| one.alert.clone().unwrap()).collect();
    assert_eq!(names, ["A-2"]);
    assert_eq!(alert(&ctx, "A-1").unwrap().told.unwrap(), []);
    // It is still out when the silence ends, and is told then.
    world.clock.advance_ms(3_600_000);
    assert_eq!(
        pass(
            &ctx,
            &Monitors {
                rules: monitors.rules.iter().filter(|one| one.id == "errors").cloned().collect(),
                ..monitors
            }
        )
        .unwrap()
        .messages,
        1
    );
}

#[test]
fn a_receiver_that_gathers_itself_is_told_each_alert_by_its_key() {
    let world = very_ill();
    let ctx = world.as_reviewer("ann");
    let kind = ReceiverKind::PagerDuty { url_env: None, routing_key_env: Some("KEY".into()) };
    let monitors =
        Monitors { receivers: vec![Receiver { name: "pager".into(), kind }], ..Monitors::default() };
    assert_eq!(pass(&ctx, &monitors).unwrap().messages, 2);
    let due = ctx.store.take_due(ctx.clock.now(), 30_000).unwrap();
    assert!(due.iter().all(|toll| toll.notice.alerts.len() == 1), "{due:#?}");
}
