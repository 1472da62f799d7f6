use std::sync::{Arc, Barrier};

use proptest::prelude::*;

use super::*;
use crate::domain::incident::{Act, OpenSpec, Pinned, StepStatus, TraceExcerpt};
use crate::domain::runbook::{Guard, Runbook, Step, StepKind};
use crate::store::Access;

fn stamp(actor: &str, minute: i64) -> Stamp {
    let at =
        "2025-03-04T02:55:00.1239Z".parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_mins(minute);
    Stamp { happened_at: at, recorded_at: at, actor: actor.into() }
}

fn spec(title: &str) -> OpenSpec {
    let step = |id: &str, phase| Step {
        id: id.into(),
        phase,
        title: id.into(),
        say: None,
        owner: None,
        box_ms: Some(60_000),
        show: vec![],
        fills: None,
        guard: Guard::default(),
        kind: StepKind::Flag { flag: None, to: "off".into(), undo: None, effect: None },
    };
    let book = Runbook {
        name: "b".into(),
        feature: None,
        severity: vec![],
        update_every_ms: vec![],
        secrets: vec![],
        steps: Phase::ALL
            .iter()
            .flat_map(|p| [step(&format!("{}-a", p.name()), *p), step(&format!("{}-b", p.name()), *p)])
            .collect(),
    };
    OpenSpec {
        title: title.into(),
        severity: Some(Severity::Sev2),
        feature: Some("customer_support".into()),
        began_at: None,
        runbook: Pinned { text: "text".into(), hash: "hash".into(), book },
    }
}

fn new_store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("t.db"), Access::Create).unwrap();
    (folder, store)
}

fn open(store: &Store, title: &str) -> Incident {
    store.open_incident(Incident::open(spec(title)).unwrap(), &stamp("mira", 0)).unwrap()
}

fn act(store: &Store, number: i64, stamp: &Stamp, act: Act) -> Result<Incident> {
    store.act_on_incident(&IncidentRef::Number(number), stamp, |incident| {
        incident.handle(act, stamp.recorded_at, &stamp.actor)
    })
}

fn done(step: &str) -> Act {
    Act::Done { step: step.into(), note: Some("ok\u{1b}[31m".into()) }
}

#[test]
fn what_is_acted_is_what_is_read_back() {
    let (folder, store) = new_store();
    let first = open(&store, "one");
    let second = open(&store, "two");
    assert_eq!((first.name(), second.name()), ("INC-1".to_owned(), "INC-2".to_owned()));
    act(&store, 1, &stamp("jo", 1), done("detect-a")).unwrap();
    let live = act(&store, 1, &stamp("jo", 2), done("detect-b")).unwrap();
    drop(store);
    let store = Store::open(&folder.path().join("t.db"), Access::ReadOnly).unwrap();
    let file = store.incident(&IncidentRef::Number(1)).unwrap();
    assert_eq!(file.incident, live);
    assert_eq!((file.record.len(), file.broken_at), (4, None), "the phase entered is an event too");
    assert_eq!(store.incident(&IncidentRef::Uuid(live.uuid.clone())).unwrap().incident, live);
    let rows = store.incidents().unwrap();
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(
        (rows[1].phase, rows[1].progress, rows[1].severity),
        (Phase::Assess, (2, 12), Some(Severity::Sev2))
    );
    assert!(store.incident(&IncidentRef::Number(3)).unwrap_err().hints[0].contains("incident list"));
}

#[test]
fn closed_incidents_stand_after_the_open_ones() {
    let (_folder, store) = new_store();
    for title in ["one", "two", "three"] {
        open(&store, title);
    }
    act(&store, 3, &stamp("jo", 5), Act::Close { outcome: Outcome::FalseAlarm, note: None }).unwrap();
    let rows = store.incidents().unwrap();
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [2, 1, 3]);
    assert_eq!(rows[2].closed.unwrap().1, Outcome::FalseAlarm);
}

#[test]
fn names_of_incidents_read_as_people_write_them() {
    for name in ["INC-7", "inc-7", "7", " 7 "] {
        assert_eq!(IncidentRef::parse(name).unwrap(), IncidentRef::Number(7), "{name}");
    }
    let uuid = "0195605A-7b5c-7c3e-8d6b-5f1c2a3b4c5d";
    assert_eq!(IncidentRef::parse(uuid).unwrap(), IncidentRef::Uuid(uuid.to_lowercase()));
    for name in ["", "INC-", "-7", "0", "INC-7; DROP TABLE incident", "éé7", "99999999999999999999"] {
        assert!(IncidentRef::parse(name).is_err(), "{name}");
    }
}

#[test]
fn of_two_programs_that_do_a_step_at_once_one_hears_that_it_is_done() {
    let (folder, store) = new_store();
    open(&store, "one");
    for round in 0..12 {
        let (start, step) = (Arc::new(Barrier::new(2)), format!("{}", round + 1));
        let results: Vec<Result<Incident>> = std::thread::scope(|scope| {
            let hands: Vec<_> = ["ann", "jo"]
                .into_iter()
                .map(|who| {
                    let (start, step) = (start.clone(), step.clone());
                    let path = folder.path().join("t.db");
                    scope.spawn(move || {
                        let store = Store::open(&path, Access::Existing).unwrap();
                        start.wait();
                        act(&store, 1, &stamp(who, 1), done(&step))
                    })
                })
                .collect();
            hands.into_iter().map(|hand| hand.join().unwrap()).collect()
        });
        let errors: Vec<&Error> = results.iter().filter_map(|result| result.as_ref().err()).collect();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].what.contains("was done by"), "{}", errors[0].what);
    }
    let file = store.incident(&IncidentRef::Number(1)).unwrap();
    assert_eq!((file.broken_at, file.incident.progress()), (None, (12, 12)));
}

#[test]
fn a_record_changed_from_outside_is_noticed_and_not_written_to() {
    let (folder, store) = new_store();
    open(&store, "one");
    act(&store, 1, &stamp("jo", 1), done("detect-a")).unwrap();
    act(&store, 1, &stamp("jo", 2), done("contain-a")).unwrap();
    let db = Connection::open(folder.path().join("t.db-work")).unwrap();
    let change = "UPDATE incident_event SET actor = 'nobody' WHERE seq = 2";
    assert!(db.execute(change, []).unwrap_err().to_string().contains("append-only"));
    assert!(db.execute("DELETE FROM incident_event", []).unwrap_err().to_string().contains("append-only"));
    db.execute("DROP TRIGGER incident_event_stays", []).unwrap();
    db.execute(change, []).unwrap();
    assert_eq!(store.incident(&IncidentRef::Number(1)).unwrap().broken_at, Some(2));
    let error = act(&store, 1, &stamp("jo", 3), done("fix-a")).unwrap_err();
    assert!(error.what.contains("changed from outside at event 2"), "{}", error.what);
    assert_eq!(store.incident(&IncidentRef::Number(1)).unwrap().record.len(), 4);
}

#[test]
fn what_a_refused_act_would_have_recorded_is_not_there() {
    let (_folder, store) = new_store();
    open(&store, "one");
    let error = store
        .act_on_incident(&IncidentRef::Number(1), &stamp("jo", 1), |_| Err(Error::not_so("no").hint("never")))
        .unwrap_err();
    assert_eq!(error.what, "no");
    assert_eq!(store.incident(&IncidentRef::Number(1)).unwrap().record.len(), 1);
}

#[test]
fn a_trace_knows_the_incidents_it_is_evidence_in() {
    let (_folder, store) = new_store();
    open(&store, "one");
    open(&store, "two");
    let excerpt = TraceExcerpt {
        id: "t\n1".into(),
        time: None,
        version: None,
        asked: "a".into(),
        answered: "b".into(),
    };
    for number in [1, 2] {
        let evidence = Evidence::Traces { traces: vec![excerpt.clone()] };
        act(&store, number, &stamp("jo", 1), Act::Attach { evidence }).unwrap();
    }
    assert_eq!(store.incidents_with_trace(&"t\n1".into()).unwrap(), [2, 1]);
    assert_eq!(store.incidents_with_trace(&"t".into()).unwrap(), [0i64; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Whatever is done in whatever order: what the store reads back is what the acts answered, and the
    /// chain holds.
    #[test]
    fn replay_equals_live(steps in prop::collection::vec((0usize..14, 0u8..6, any::<String>()), 1..25)) {
        let (_folder, store) = new_store();
        let mut live = open(&store, "one");
        for (minute, (step, what, words)) in steps.into_iter().enumerate() {
            let (step, words) = (step.to_string(), Untrusted::new(words));
            let note = Some(words.clone());
            let next = match what {
                0 => Act::Start { step, owner: None, note },
                1 | 2 => Act::Done { step, note },
                3 => Act::Skip { step, note },
                4 => Act::Reopen { step, note },
                _ => Act::Note { text: words, step: None },
            };
            if let Ok(after) = act(&store, 1, &stamp("jo", minute as i64), next) {
                live = after;
            }
        }
        let file = store.incident(&IncidentRef::Number(1)).unwrap();
        prop_assert_eq!(file.broken_at, None);
        prop_assert_eq!(&file.incident, &live);
        let settled = live.steps.iter().filter(|s| matches!(s.state, StepStatus::Done | StepStatus::Skipped));
        prop_assert_eq!(store.incidents().unwrap()[0].progress.0, small(settled.count()));
    }
}
