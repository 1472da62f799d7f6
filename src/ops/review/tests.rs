use super::*;
use crate::domain::{Method, Severity};
use crate::ops::label::{
    UndoScope, VerdictRequest, set_corrected, set_note, set_severity, skip, undo, verdict,
};
use crate::ops::sample::{DrawSpec, draw};
use crate::ops::testing::{World, ids};

fn judge(ctx: &Ctx, trace: &Untrusted, what: Verdict) {
    let mode = (what == Verdict::Fail).then(|| ModeId::new("wrong_tone"));
    verdict(ctx, &VerdictRequest { trace: trace.clone(), sample: None, verdict: what, mode }).unwrap();
}

/// A queue of five traces by hand, in order.
fn five(ctx: &Ctx) -> QueueView {
    open_traces(ctx, &ids(["t-0", "t-1", "t-2", "t-3", "t-4"])).unwrap()
}

fn at(queue: &QueueView, place: usize) -> Untrusted {
    queue.items[place].trace.clone()
}

#[test]
fn a_queue_goes_on_after_the_last_act_and_comes_back_to_what_was_skipped() {
    let world = World::with(6);
    let ann = world.as_reviewer("ann");
    assert_eq!(five(&ann).resume, Some(0));
    judge(&ann, &"t-2".into(), Verdict::Pass);
    assert_eq!(five(&world.as_reviewer("ann")).resume, Some(3));
    skip(&ann, &"t-3".into(), None).unwrap();
    let queue = five(&ann);
    assert_eq!((queue.resume, queue.items[3].state), (Some(4), ItemState::Skipped));
    judge(&ann, &"t-4".into(), Verdict::Fail);
    let mut queue = five(&ann);
    assert_eq!(queue.resume, Some(0), "round to what is open at the start");
    judge(&ann, &"t-0".into(), Verdict::Unsure);
    judge(&ann, &"t-1".into(), Verdict::Pass);
    assert_eq!(refresh(&ann, &mut queue).unwrap(), [0, 1]);
    assert_eq!(queue.next_unreviewed(Some(1)), Some(3), "only the skipped one is left");
    let tally = Tally { total: 5, reviewed: 4, passes: 2, fails: 1, unsure: 1, skipped: 1, disagreed: 0 };
    assert_eq!(queue.tally, tally);
    judge(&ann, &"t-3".into(), Verdict::Pass);
    let done = five(&ann);
    assert_eq!((done.resume, done.tally.reviewed, done.tally.skipped), (None, 5, 0));
    // Acts elsewhere are no acts in this queue.
    judge(&ann, &"t-5".into(), Verdict::Pass);
    undo(&ann, &UndoScope::Traces(ids(["t-3"]).into())).unwrap();
    let again = five(&world.as_reviewer("ann"));
    assert_eq!((again.resume, again.items[3].state), (Some(3), ItemState::Skipped));
}

#[test]
fn an_undone_item_is_where_the_reviewer_goes_on() {
    let world = World::with(5);
    let ann = world.as_reviewer("ann");
    for trace in ids(["t-0", "t-1", "t-2"]) {
        judge(&ann, &trace, Verdict::Pass);
    }
    undo(&ann, &UndoScope::Everything).unwrap();
    undo(&ann, &UndoScope::Everything).unwrap();
    assert_eq!(five(&world.as_reviewer("ann")).resume, Some(1));
}

#[test]
fn each_reviewer_has_a_queue_and_sees_where_others_disagree() {
    let world = World::with(5);
    let (ann, ben) = (world.as_reviewer("ann"), world.as_reviewer("ben"));
    let mut of_ann = five(&ann);
    let mut of_ben = five(&ben);
    for (place, (a, b)) in
        [(Verdict::Pass, Verdict::Pass), (Verdict::Fail, Verdict::Pass), (Verdict::Fail, Verdict::Fail)]
            .into_iter()
            .enumerate()
    {
        judge(&ann, &at(&of_ann, place), a);
        judge(&ben, &at(&of_ben, place), b);
    }
    judge(&ben, &at(&of_ben, 3), Verdict::Unsure);
    assert_eq!(refresh(&ann, &mut of_ann).unwrap(), [0, 1, 2, 3]);
    assert_eq!(refresh(&ann, &mut of_ann).unwrap(), [0; 0]);
    assert_eq!((of_ann.tally.reviewed, of_ann.tally.disagreed), (3, 1));
    let disagreed: Vec<usize> = (0..5).filter(|&place| of_ann.items[place].disagreed()).collect();
    assert_eq!(disagreed, [1]);
    assert_eq!(of_ann.items[3].others[0].verdict, Verdict::Unsure);
    assert_eq!(of_ann.next_unreviewed(None), Some(3));
    refresh(&ben, &mut of_ben).unwrap();
    assert_eq!((of_ben.tally.reviewed, of_ben.next_unreviewed(None)), (4, Some(4)));
    undo(&ben, &UndoScope::Everything).unwrap();
    assert_eq!(refresh(&ann, &mut of_ann).unwrap(), [3]);
    assert!(of_ann.items[3].others.is_empty());
}

#[test]
fn the_pace_leaves_breaks_out() {
    let world = World::with(5);
    let ann = world.as_reviewer("ann");
    assert_eq!(five(&ann).seconds_each, None);
    for (trace, seconds) in ids(["t-0", "t-1", "t-2", "t-3"]).iter().zip([0, 8, 3_600, 10]) {
        world.clock.advance_ms(seconds * 1_000);
        judge(&ann, trace, Verdict::Fail);
        // A note on the same trace is part of the visit.
        world.clock.advance_ms(2_000);
        set_note(&ann, trace, None, Some("why".into())).unwrap();
    }
    let queue = five(&ann);
    assert_eq!((queue.seconds_each, queue.seconds_left), (Some(11.0), Some(11.0)));
}

#[test]
fn an_item_shows_the_trace_the_labels_and_how_they_came_about() {
    let world = World::with(2);
    let (ann, ben) = (world.as_reviewer("ann"), world.as_reviewer("ben"));
    let [one] = ids(["t-1"]);
    judge(&ben, &one, Verdict::Pass);
    judge(&ann, &one, Verdict::Fail);
    set_severity(&ann, &one, None, Some(Severity::High)).unwrap();
    set_corrected(&ann, &one, None, Some("It is waived.".into())).unwrap();
    undo(&ann, &UndoScope::Everything).unwrap();
    let seen = item(&ann, &one).unwrap();
    assert_eq!(seen.trace.id, one);
    let mine = seen.mine.unwrap();
    assert_eq!(
        (mine.verdict, mine.severity, mine.corrected),
        (Some(Verdict::Fail), Some(Severity::High), None)
    );
    assert_eq!(seen.others.iter().map(|l| l.reviewer.raw()).collect::<Vec<_>>(), ["ben"]);
    let history: Vec<(&str, &str, bool)> =
        seen.history.iter().map(|h| (h.reviewer.raw(), h.words.raw(), h.undone)).collect();
    assert_eq!(
        history,
        [
            ("ben", "pass", false),
            ("ann", "fail: wrong tone", false),
            ("ann", "fail: wrong tone, high", false),
            ("ann", "fail: wrong tone, high", true),
            ("ann", "took it back", false),
        ]
    );
    let gone = item(&ann, &"t-9".into()).unwrap_err();
    assert!(gone.what.contains("no trace"), "{gone:?}");
}

#[test]
fn the_lines_of_a_queue_stand_in_its_order() {
    let world = World::with(5);
    let ann = world.as_reviewer("ann");
    let seen = lines(&ann, &ids(["t-3", "gone", "t-1", "t-3"])).unwrap();
    let seen: Vec<Option<&str>> = seen.iter().map(|row| row.as_ref().map(|row| row.id.raw())).collect();
    assert_eq!(seen, [Some("t-3"), None, Some("t-1"), Some("t-3")]);
}

#[test]
fn a_queue_over_a_sample_has_its_order_and_is_gone_through_by_filter() {
    let world = World::with(50);
    let ann = world.as_reviewer("ann");
    let spec = DrawSpec {
        name: "week".to_owned(),
        method: Method::Size(10),
        query: None,
        since: None,
        strata: Vec::new(),
        suspicious: false,
        seed: 3,
    };
    let drawn = draw(&ann, &spec, &Default::default(), &Default::default()).unwrap();
    let queue = open(&ann, "week").unwrap();
    let order: Vec<_> = queue.items.iter().map(|i| (i.trace.clone(), i.probability)).collect();
    assert_eq!(order, drawn.members.iter().map(|m| (m.trace.clone(), 0.2)).collect::<Vec<_>>());
    let json = serde_json::to_value(&queue).unwrap();
    assert_eq!((&json["name"], &json["total"], &json["resume"]), (&"week".into(), &10.into(), &0.into()));
    let label_fail = |queue: &QueueView| matching(&ann, queue, "label:fail", &Default::default()).unwrap();
    judge(&ann, &at(&queue, 7), Verdict::Fail);
    judge(&ann, &at(&queue, 2), Verdict::Fail);
    assert_eq!(label_fail(&queue), [2, 7]);
    let by_hand = open_traces(&ann, &[at(&queue, 3), at(&queue, 2)]).unwrap();
    assert_eq!(label_fail(&by_hand), [1]);
    assert!(matching(&ann, &queue, "label:", &Default::default()).is_err());
    // An undo in the queue takes back what was done on its traces, wherever that was done, and no more.
    let outside = (0..50).map(|n| Untrusted::from(format!("t-{n}"))).find(|t| queue.place(t).is_none());
    judge(&ann, &at(&queue, 0), Verdict::Pass);
    judge(&ann, &outside.unwrap(), Verdict::Pass);
    let mut undone = Vec::new();
    while let Ok(receipt) = undo(&ann, &UndoScope::Sample("week".to_owned())) {
        undone.push(queue.place(&receipt.trace));
    }
    assert_eq!(undone, [Some(0), Some(2), Some(7)]);
}
