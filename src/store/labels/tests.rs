use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::domain::label::{fold, last_act as model_last_act};
use crate::store::Access;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_000 + ms).unwrap()
}

fn open(folder: &Path) -> Store {
    Store::open(&folder.join("t.db"), Access::Create).unwrap()
}

fn set(store: &Store, reviewer: &str, trace: &str, body: LabelBody) -> Written {
    let trace = trace.into();
    store.set_label(Act { at: at(0), reviewer, trace: &trace, sample: None }, |_| Ok(body)).unwrap()
}

fn all_events(store: &Store) -> Vec<LabelEvent> {
    store.labels_since(0).unwrap().0
}

fn table(store: &Store) -> Vec<String> {
    store
        .read(|db| {
            db.prepare(
                "SELECT concat_ws('|', trace_hash, trace_id, reviewer, coalesce(verdict, '-'), \
                 coalesce(mode, '-'), coalesce(severity, '-'), coalesce(note, '-'), coalesce(corrected, '-'), \
                 at, event) FROM work.label_now ORDER BY 1",
            )?
            .query_map([], |r| r.get(0))?
            .collect()
        })
        .unwrap()
}

fn mode() -> Option<ModeId> {
    Some(ModeId::new("wrong_tone"))
}

#[test]
fn undo_goes_to_any_depth_across_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let bodies =
        [LabelBody::verdict(Verdict::Pass), LabelBody::fail(mode()), LabelBody::verdict(Verdict::Unsure)];
    let store = open(folder.path());
    for body in &bodies {
        set(&store, "ann", "t-1", body.clone());
    }
    set(&store, "ann", "t-2", bodies[0].clone());
    set(&store, "ben", "t-1", bodies[1].clone());
    drop(store);
    let mut left = Vec::new();
    for _ in 0..5 {
        let undone = open(folder.path()).undo_label("ann", at(1), Within::Everything).unwrap();
        left.push(undone.map(|u| (u.undone.trace.into_raw(), u.written.now.map(|row| row.body))));
    }
    let t1 = |body: Option<&LabelBody>| Some(("t-1".to_owned(), body.cloned()));
    assert_eq!(
        left,
        [Some(("t-2".to_owned(), None)), t1(Some(&bodies[1])), t1(Some(&bodies[0])), t1(None), None]
    );
    let kept = open(folder.path()).labels_of(&"t-1".into()).unwrap();
    assert_eq!(kept.iter().map(|row| row.reviewer.raw()).collect::<Vec<_>>(), ["ben"]);
}

#[test]
fn an_undo_within_a_sample_or_a_list_leaves_other_acts() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for trace in ["a", "b", "c"] {
        set(&store, "ann", trace, LabelBody::verdict(Verdict::Pass));
    }
    let listed = ["a".into(), "b".into()];
    let undone = store.undo_label("ann", at(1), Within::Traces(&listed)).unwrap().unwrap();
    assert_eq!(undone.undone.trace.raw(), "b");
    assert!(store.undo_label("ann", at(1), Within::Sample("none such")).unwrap().is_none());
    let undone = store.undo_label("ann", at(1), Within::Everything).unwrap().unwrap();
    assert_eq!(undone.undone.trace.raw(), "c");
}

#[test]
fn an_amended_label_keeps_what_was_not_amended_and_a_label_that_says_nothing_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let trace: Untrusted = "t".into();
    let act = Act { at: at(0), reviewer: "ann", trace: &trace, sample: None };
    let note = |text: Option<&str>| {
        let note = text.map(Untrusted::from);
        move |now: Option<&LabelBody>| Ok(LabelBody { note, ..now.cloned().unwrap_or_default() })
    };
    let draft = store.set_label(act, note(Some("odd"))).unwrap();
    assert_eq!(draft.now.unwrap().body.verdict, None);
    assert!(store.set_label(act, note(None)).unwrap().now.is_none());
    set(&store, "ann", "t", LabelBody::fail(mode()));
    let noted = store.set_label(act, note(Some("cold"))).unwrap();
    let expected = LabelBody { note: Some("cold".into()), ..LabelBody::fail(mode()) };
    assert_eq!(noted.now.unwrap().body, expected);
}

#[test]
fn events_are_neither_changed_nor_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    set(&store, "ann", "t", LabelBody::verdict(Verdict::Pass));
    for act in ["DELETE FROM label_event", "UPDATE label_event SET verdict = 'fail'"] {
        let error = store
            .write_work(|tx| tx.execute(act, []).map_err(|e| store.explain_work(e)))
            .expect_err("the table is append-only");
        assert!(format!("{:?}", error.why).contains("never"), "{error:?}");
    }
}

#[test]
fn present_labels_that_drifted_are_counted_and_made_right() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for trace in ["a", "b", "c"] {
        set(&store, "ann", trace, LabelBody::verdict(Verdict::Pass));
    }
    let sound = table(&store);
    let damage = "DELETE FROM label_now WHERE trace_id = 'a'; \
                  UPDATE label_now SET verdict = 'fail' WHERE trace_id = 'b'";
    store.write_work(|tx| tx.execute_batch(damage).map_err(|e| store.explain_work(e))).unwrap();
    assert_eq!(store.label_drift().unwrap(), 3, "one is missing, one is there and should not be, as another");
    store.rebuild_labels().unwrap();
    assert_eq!((store.label_drift().unwrap(), table(&store)), (0, sound));
}

#[test]
fn two_programs_label_at_once_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    std::thread::scope(|scope| {
        for reviewer in ["ann", "ben", "ann"] {
            let path = folder.path();
            scope.spawn(move || {
                let store = open(path);
                for n in 0..40 {
                    set(&store, reviewer, &format!("t-{n}"), LabelBody::verdict(Verdict::Pass));
                    if n % 4 == 3 {
                        store.undo_label(reviewer, at(1), Within::Everything).unwrap().unwrap();
                    }
                }
            });
        }
    });
    let store = open(folder.path());
    let events = all_events(&store);
    assert_eq!(events.len(), 150);
    assert!(events.is_sorted_by(|a, b| a.id < b.id));
    let expected = table(&store);
    let folded = fold(&events);
    assert_eq!(expected.len(), folded.values().filter(|s| s.label.is_some()).count());
    store.rebuild_labels().unwrap();
    assert_eq!(table(&store), expected);
}

#[derive(Debug, Clone)]
enum Step {
    Set(u8, u8, u8),
    Skip(u8, u8),
    Undo(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..2u8, 0..3u8, 0..4u8).prop_map(|(who, trace, what)| Step::Set(who, trace, what)),
        1 => (0..2u8, 0..3u8).prop_map(|(who, trace)| Step::Skip(who, trace)),
        3 => (0..2u8).prop_map(Step::Undo),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The kept table, the table made anew, and the domain's fold agree after any acts.
    #[test]
    fn the_present_labels_are_what_the_events_say(steps in proptest::collection::vec(step(), 1..25)) {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        for (n, step) in steps.iter().enumerate() {
            let who = |who: &u8| format!("reviewer {who}");
            match step {
                Step::Set(r, trace, what) => {
                    let body = match what {
                        0 => LabelBody::default(),
                        1 => LabelBody::fail(mode()),
                        2 => LabelBody { severity: Some(Severity::High), ..LabelBody::fail(None) },
                        _ => LabelBody { note: Some("why".into()), ..LabelBody::verdict(Verdict::Pass) },
                    };
                    set(&store, &who(r), &format!("t-{trace}"), body);
                }
                Step::Skip(r, trace) => {
                    let (reviewer, trace) = (who(r), format!("t-{trace}").into());
                    let act = Act { at: at(n as i64), reviewer: &reviewer, trace: &trace, sample: None };
                    store.skip_label(act).unwrap();
                }
                Step::Undo(r) => {
                    let expected = model_last_act(&all_events(&store), &who(r).into()).map(|e| e.id.clone());
                    let undone = store.undo_label(&who(r), at(n as i64), Within::Everything).unwrap();
                    prop_assert_eq!(undone.map(|u| u.undone.id), expected);
                }
            }
        }
        let events = all_events(&store);
        let expected: Vec<(Untrusted, Untrusted, String)> = fold(&events)
            .into_iter()
            .filter_map(|((trace, who), s)| Some((trace.clone(), who.clone(), s.label?.id.clone())))
            .collect();
        let mut hashes: Vec<i64> = (0..3).map(|n| id_hash(&format!("t-{n}"))).collect();
        hashes.dedup();
        let mut rows = store.labels_on(&hashes).unwrap();
        rows.sort_by(|a, b| (&a.trace, &a.reviewer).cmp(&(&b.trace, &b.reviewer)));
        let found: Vec<_> = rows.into_iter().map(|row| (row.trace, row.reviewer, row.event)).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(store.label_drift().unwrap(), 0);
        let kept = table(&store);
        store.rebuild_labels().unwrap();
        prop_assert_eq!(table(&store), kept);
    }
}
