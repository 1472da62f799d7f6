use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::domain::ErrorKind;
use crate::domain::runbook::{Guard, StepKind};

fn at(minute: i64) -> Timestamp {
    "2025-03-04T02:55:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute)
}

fn step(id: &str, phase: Phase) -> Step {
    Step {
        id: id.into(),
        phase,
        title: id.into(),
        say: None,
        owner: None,
        box_ms: None,
        show: vec![],
        fills: (id == "cause").then_some(Section::Why),
        guard: Guard::default(),
        kind: StepKind::Manual,
    }
}

fn book() -> Runbook {
    use Phase::*;
    let steps = [
        ("fresh", Detect),
        ("real", Detect),
        ("who", Assess),
        ("cause", Assess),
        ("off", Contain),
        ("tell", Contain),
        ("back", Fix),
        ("watch", Verify),
        ("write", Postmortem),
    ];
    Runbook {
        name: "test".into(),
        feature: None,
        severity: vec![],
        update_every_ms: vec![],
        secrets: vec![],
        steps: steps.into_iter().map(|(id, phase)| step(id, phase)).collect(),
    }
}

/// An incident with its record, acting as the store would.
struct Live {
    record: Vec<Recorded>,
    incident: Incident,
}

impl Live {
    fn new() -> Self {
        let spec = OpenSpec {
            title: "bad advice".into(),
            severity: None,
            feature: None,
            began_at: None,
            runbook: Pinned { text: "".into(), hash: String::new(), book: book() },
        };
        let opened = recorded(1, at(0), "mira", Incident::open(spec).unwrap());
        let incident = Incident::opened("u", 7, &opened).unwrap();
        Self { record: vec![opened], incident }
    }

    fn act(&mut self, minute: i64, actor: &str, act: Act) -> crate::domain::Result<()> {
        for event in self.incident.handle(act, at(minute), &actor.into())? {
            let event = recorded(self.incident.seq + 1, at(minute), actor, event);
            self.incident.apply(&event);
            self.record.push(event);
        }
        Ok(())
    }

    fn done(&mut self, minute: i64, step: &str) {
        self.act(minute, "mira", Act::Done { step: step.into(), note: None }).unwrap();
    }

    fn state(&self, step: &str) -> &StepState {
        &self.incident.steps[self.incident.find(step).unwrap()]
    }
}

fn recorded(seq: u64, at: Timestamp, actor: &str, event: IncidentEvent) -> Recorded {
    Recorded { seq, happened_at: at, recorded_at: at, actor: actor.into(), event, hash: [0; 32] }
}

#[test]
fn phases_follow_the_work() {
    let mut live = Live::new();
    live.done(1, "fresh");
    assert_eq!(live.incident.phase, Phase::Detect);
    live.done(2, "2");
    assert_eq!(live.incident.phase, Phase::Assess, "the last step of a phase opens the next");
    live.act(3, "jo", Act::Start { step: "off".into(), owner: None, note: None }).unwrap();
    assert_eq!(live.incident.phase, Phase::Contain, "nobody has to finish assessing before containing");
    live.done(4, "who");
    assert_eq!(live.incident.phase, Phase::Contain, "catching up on an earlier phase does not go back");
    live.done(5, "off");
    live.done(6, "tell");
    live.done(7, "back");
    live.act(8, "mira", Act::Enter { phase: Phase::Contain }).unwrap();
    live.act(9, "mira", Act::Enter { phase: Phase::Verify }).unwrap();
    live.done(60, "watch");
    assert_eq!(live.incident.phase, Phase::Postmortem);
    live.done(61, "write");
    assert!(live.incident.is_open(), "closing is said, not assumed");
}

#[test]
fn time_taken_counts_work_and_not_waiting() {
    let mut live = Live::new();
    live.done(4, "fresh");
    assert_eq!(live.state("fresh").taken_ms, 4 * 60_000, "not started: since the incident was idle");
    live.act(5, "jo", Act::Start { step: "real".into(), owner: None, note: None }).unwrap();
    live.act(7, "jo", Act::Reopen { step: "real".into(), note: None }).unwrap();
    live.act(20, "jo", Act::Start { step: "real".into(), owner: None, note: None }).unwrap();
    live.done(23, "real");
    assert_eq!(live.state("real").taken_ms, 5 * 60_000, "two minutes, then three; not the wait between");
    assert_eq!(live.state("real").owner, Some("jo".into()));
    live.act(40, "jo", Act::Skip { step: "who".into(), note: Some("known".into()) }).unwrap();
    assert_eq!(live.state("who").taken_ms, 0, "skipping takes no time");
}

/// The reference case `incident_durations`: onset 01:10, detected 02:55, contained 03:04, fixed 03:40,
/// verified 04:52.
#[test]
fn durations_agree_with_the_reference() {
    let mut live = Live::new();
    live.act(1, "mira", Act::Began { began_at: at(-105) }).unwrap();
    live.done(8, "off");
    live.done(9, "tell");
    live.done(45, "back");
    live.done(117, "watch");
    let seconds = |ms: Option<u64>| ms.unwrap() / 1000;
    let times = live.incident.times(at(200));
    assert_eq!(
        (
            seconds(times.detect_ms),
            seconds(times.contain_ms),
            seconds(times.fix_ms),
            seconds(times.verify_ms),
            seconds(times.exposure_ms)
        ),
        (6_300, 540, 2_700, 7_020, 6_840)
    );
    live.act(130, "mira", Act::Reopen { step: "back".into(), note: None }).unwrap();
    assert_eq!(live.incident.times(at(131)).fix_ms, None, "a fix taken back is no fix");
}

#[test]
fn a_second_hand_on_the_same_step_hears_who_was_first() {
    let mut live = Live::new();
    live.done(3, "fresh");
    let error = live.act(3, "jo", Act::Done { step: "fresh".into(), note: None }).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotSo);
    assert!(error.what.contains("done by mira at 2025-03-04 02:58 UTC"), "{}", error.what);
    assert!(error.hints[0].contains("incident step INC-7 fresh reopen"), "{:?}", error.hints);
    let error = live.act(4, "jo", Act::Done { step: "frsh".into(), note: None }).unwrap_err();
    assert!(error.hints[0].contains("fresh"), "{:?}", error.hints);
}

#[test]
fn after_closing_only_the_post_mortem_goes_on() {
    let mut live = Live::new();
    live.act(1, "mira", Act::Close { outcome: Outcome::Resolved, note: None }).unwrap();
    let error = live.act(2, "jo", Act::Done { step: "off".into(), note: None }).unwrap_err();
    assert!(error.what.contains("closed by mira") && error.hints[0].contains("incident reopen INC-7"));
    live.act(3, "jo", Act::Note { text: "it was the prompt".into(), step: None }).unwrap();
    live.done(4, "write");
    live.act(5, "jo", Act::ReopenIncident { note: None }).unwrap();
    live.done(6, "off");
}

#[test]
fn steps_fill_the_post_mortem_until_somebody_writes_it() {
    let mut live = Live::new();
    let note = Some(Untrusted::from("prompt v4"));
    live.act(1, "mira", Act::Done { step: "cause".into(), note }).unwrap();
    assert_eq!(live.incident.section(Section::Why), Some("prompt v4".into()));
    live.act(2, "jo", Act::Write { section: Section::Why, text: "line 12 of v4".into() }).unwrap();
    assert_eq!(live.incident.section(Section::Why), Some("line 12 of v4".into()));
    live.act(3, "jo", Act::Write { section: Section::Why, text: " ".into() }).unwrap();
    assert_eq!(live.incident.section(Section::Why), Some("prompt v4".into()));
}

#[test]
fn evidence_is_attached_once() {
    let mut live = Live::new();
    let traces = |ids: &[&str]| Act::Attach {
        evidence: Evidence::Traces {
            traces: ids
                .iter()
                .map(|id| TraceExcerpt {
                    id: (*id).into(),
                    time: None,
                    version: None,
                    asked: "".into(),
                    answered: "".into(),
                })
                .collect(),
        },
    };
    live.act(1, "mira", traces(&["a", "b", "a"])).unwrap();
    live.act(2, "jo", traces(&["b", "c"])).unwrap();
    let ids: Vec<&str> = live.incident.traces().iter().map(|trace| trace.id.raw()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    assert!(live.act(3, "jo", traces(&["c"])).unwrap_err().what.contains("already"));
}

fn any_act() -> impl Strategy<Value = Act> {
    let step =
        prop::sample::select(vec!["fresh", "real", "who", "cause", "off", "7", "watch", "write", "none"])
            .prop_map(str::to_owned);
    let note = prop::option::of(any::<String>().prop_map(Untrusted::new));
    let phase = prop::sample::select(Phase::ALL.to_vec());
    prop_oneof![
        4 => (step.clone(), note.clone()).prop_map(|(step, note)| Act::Done { step, note }),
        2 => (step.clone(), note.clone()).prop_map(|(step, note)| Act::Skip { step, note }),
        3 => (step.clone(), note.clone()).prop_map(|(step, note)| Act::Start { step, owner: None, note }),
        2 => (step.clone(), note.clone()).prop_map(|(step, note)| Act::Reopen { step, note }),
        1 => (step.clone(), any::<String>()).prop_map(|(step, o)| Act::Assign { step, owner: o.into() }),
        1 => (any::<String>(), prop::option::of(step)).prop_map(|(t, step)| Act::Note { text: t.into(), step }),
        1 => prop::sample::select(Severity::ALL.to_vec()).prop_map(|severity| Act::Severity { severity, note: None }),
        1 => (-500i64..500).prop_map(|minute| Act::Began { began_at: at(minute) }),
        1 => note.clone().prop_map(|feature| Act::Feature { feature }),
        1 => phase.prop_map(|phase| Act::Enter { phase }),
        1 => any::<String>().prop_map(|to| Act::HandOver { to: to.into(), note: None }),
        1 => note.clone().prop_map(|note| Act::Close { outcome: Outcome::Resolved, note }),
        1 => note.prop_map(|note| Act::ReopenIncident { note }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever people do in whatever order: replaying the record gives the same state, what is refused
    /// changes nothing and names a way out, and the state agrees with itself.
    #[test]
    fn any_sequence_of_acts_folds_consistently(acts in prop::collection::vec((any_act(), -5i64..30), 0..60)) {
        let mut live = Live::new();
        let mut minute = 0;
        for (act, later) in acts {
            minute += later;
            let before = live.incident.clone();
            match live.act(minute, "mira", act) {
                Ok(()) => prop_assert!(live.incident.seq > before.seq),
                Err(error) => {
                    prop_assert_eq!(&live.incident, &before);
                    prop_assert_eq!(error.kind, ErrorKind::NotSo);
                    prop_assert!(!error.hints.is_empty(), "no way out of: {}", error.what);
                }
            }
            for state in &live.incident.steps {
                prop_assert_eq!(state.state.is_settled(), state.ended.is_some());
                prop_assert!(state.state != StepStatus::Doing || state.owner.is_some());
            }
            prop_assert!(live.incident.entered[live.incident.phase.index()].is_some());
            live.incident.missing();
            live.incident.times(at(minute));
        }
        let replayed = Incident::fold("u", 7, &live.record).unwrap();
        prop_assert_eq!(&replayed, &live.incident);
        let kept: Vec<Recorded> = live
            .record
            .iter()
            .map(|r| {
                let text = serde_json::to_string(&r.event).unwrap();
                Recorded { event: serde_json::from_str(&text).unwrap(), ..r.clone() }
            })
            .collect();
        prop_assert_eq!(&Incident::fold("u", 7, &kept).unwrap(), &live.incident);
    }
}
