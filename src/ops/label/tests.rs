use super::*;
use crate::domain::ErrorKind;
use crate::ops::taxonomy;
use crate::ops::testing::{World, ids};

fn judge(ctx: &Ctx, trace: &str, what: Verdict, mode: Option<&str>) -> Result<LabelReceipt> {
    let mode = mode.map(ModeId::new);
    verdict(ctx, &VerdictRequest { trace: trace.into(), sample: None, verdict: what, mode })
}

fn exported(ctx: &Ctx) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    each_label(ctx, &LabelFilter::default(), |label| {
        let json = serde_json::to_value(&label).unwrap();
        assert_eq!(json.as_object().unwrap().len(), 8, "{json}");
        lines.push((label.trace.into_raw(), json["verdict"].as_str().unwrap().to_owned()));
    })
    .unwrap();
    lines
}

#[test]
fn the_present_labels_of_a_page_come_in_its_order() {
    let world = World::with(4);
    let (ann, ben) = (world.as_reviewer("ann"), world.as_reviewer("ben"));
    judge(&ben, "t-2", Verdict::Fail, Some("wrong_tone")).unwrap();
    judge(&ann, "t-2", Verdict::Pass, None).unwrap();
    judge(&ann, "t-1", Verdict::Unsure, None).unwrap();
    judge(&ann, "t-0", Verdict::Pass, None).unwrap();
    undo(&ann, &UndoScope::Everything).unwrap();
    let page = ids(["t-3", "t-2", "t-1", "t-0", "nowhere"]);
    let said: Vec<Vec<(String, Option<Verdict>)>> = present(&ann, &page)
        .unwrap()
        .into_iter()
        .map(|labels| labels.into_iter().map(|label| (label.reviewer.into_raw(), label.verdict)).collect())
        .collect();
    let one = |who: &str, verdict| (who.to_owned(), Some(verdict));
    assert_eq!(said[0], []);
    assert_eq!(said[1], [one("ann", Verdict::Pass), one("ben", Verdict::Fail)]);
    assert_eq!(said[2], [one("ann", Verdict::Unsure)]);
    assert_eq!((&said[3], &said[4]), (&vec![], &vec![]), "taken back, and not here");
}

#[test]
fn receipts_say_what_happened_and_what_it_is_now() {
    let world = World::with(3);
    let ctx = world.as_reviewer("ann");
    let [one] = ids(["t-1"]);
    assert_eq!(judge(&ctx, "t-1", Verdict::Pass, None).unwrap().words.raw(), "pass");
    let failed = judge(&ctx, "t-1", Verdict::Fail, Some("wrong_tone")).unwrap();
    assert_eq!(failed.words.raw(), "fail: wrong tone");
    assert_eq!(failed.before.unwrap().verdict, Some(Verdict::Pass));
    let severe = set_severity(&ctx, &one, None, Some(Severity::High)).unwrap();
    assert_eq!(severe.words.raw(), "fail: wrong tone, high");
    let noted = set_note(&ctx, &one, None, Some("cold".into())).unwrap();
    assert_eq!(noted.words.raw(), "fail: wrong tone, high, with a note");
    let mut undone = Vec::new();
    while let Ok(receipt) = undo(&ctx, &UndoScope::Everything) {
        undone.push((receipt.undone.into_raw(), receipt.now.into_raw()));
    }
    let expected = [
        ("the note", "fail: wrong tone, high"),
        ("severity high", "fail: wrong tone"),
        ("fail: wrong tone", "pass"),
        ("pass", "no label"),
    ];
    assert_eq!(undone, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    let nothing = undo(&ctx, &UndoScope::Everything).unwrap_err();
    assert!(nothing.what.contains("ann has nothing to undo"), "{nothing:?}");
}

#[test]
fn a_new_verdict_keeps_the_texts_and_a_pass_drops_the_severity() {
    let world = World::with(3);
    let ctx = world.as_reviewer("ann");
    let [one] = ids(["t-1"]);
    set_note(&ctx, &one, None, Some("odd".into())).unwrap();
    assert!(exported(&ctx).is_empty(), "a draft is no label");
    judge(&ctx, "t-1", Verdict::Fail, Some("off_topic")).unwrap();
    set_severity(&ctx, &one, None, Some(Severity::Low)).unwrap();
    let now = judge(&ctx, "t-1", Verdict::Pass, None).unwrap().label.unwrap();
    assert_eq!((now.mode, now.severity, now.note), (None, None, Some("odd".into())));
    assert_eq!(exported(&ctx), [("t-1".to_owned(), "pass".to_owned())]);
}

#[test]
fn what_cannot_be_labelled_is_refused_and_leaves_nothing() {
    let world = World::with(120);
    let ctx = world.as_reviewer("ann");
    let missing = judge(&ctx, "t-1l9", Verdict::Pass, None).unwrap_err();
    assert_eq!(missing.kind, ErrorKind::NotSo);
    assert_eq!(missing.hints, ["Did you mean t-119?"]);
    let moded = judge(&ctx, "t-1", Verdict::Pass, Some("off_topic")).unwrap_err();
    assert_eq!(moded.kind, ErrorKind::Usage);
    let unknown = judge(&ctx, "t-1", Verdict::Fail, Some("off_topics")).unwrap_err();
    assert!(unknown.hints[0].contains("off_topic "), "{unknown:?}");
    let [one] = ids(["t-1"]);
    judge(&ctx, "t-1", Verdict::Pass, None).unwrap();
    assert_eq!(set_severity(&ctx, &one, None, Some(Severity::Low)).unwrap_err().kind, ErrorKind::Usage);
    let nobody = world.as_reviewer(" ");
    assert_eq!(judge(&nobody, "t-1", Verdict::Pass, None).unwrap_err().kind, ErrorKind::Usage);
    assert_eq!(exported(&ctx).len(), 1);
}

#[test]
fn an_export_takes_one_sample_or_one_reviewer() {
    let world = World::with(40);
    let ctx = world.as_reviewer("ann");
    let spec = crate::ops::sample::DrawSpec {
        name: "s".to_owned(),
        method: crate::domain::Method::Size(5),
        query: None,
        since: None,
        strata: Vec::new(),
        suspicious: false,
        seed: 0,
    };
    let drawn = crate::ops::sample::draw(&ctx, &spec, &Default::default(), &Default::default()).unwrap();
    let (inside, outside) =
        (drawn.members[0].trace.clone(), (0..40).map(|n| Untrusted::from(format!("t-{n}"))));
    let outside = outside.into_iter().find(|t| drawn.members.iter().all(|m| m.trace != *t)).unwrap();
    judge(&ctx, inside.raw(), Verdict::Fail, None).unwrap();
    judge(&ctx, outside.raw(), Verdict::Pass, None).unwrap();
    judge(&world.as_reviewer("ben"), inside.raw(), Verdict::Pass, None).unwrap();
    let count = |sample: Option<&str>, reviewer: Option<&str>| {
        let filter = LabelFilter { sample: sample.map(str::to_owned), reviewer: reviewer.map(str::to_owned) };
        let mut lines = 0;
        each_label(&ctx, &filter, |_| lines += 1).map(|()| lines)
    };
    assert_eq!(count(None, None).unwrap(), 3);
    assert_eq!(count(Some("s"), None).unwrap(), 2);
    assert_eq!(count(Some("s"), Some("ben")).unwrap(), 1);
    assert_eq!(count(None, Some("carl")).unwrap(), 0);
    assert!(count(Some("none such"), None).is_err());
}

#[test]
fn a_note_becomes_a_mode_and_labels_its_trace() {
    let world = World::with(3);
    let ctx = world.as_reviewer("ann");
    let [one] = ids(["t-1"]);
    set_note(&ctx, &one, None, Some("tells people to transfer their balance".into())).unwrap();
    let (mode, receipt) = taxonomy::add_from_note(&ctx, &one, None, "Wrong advice").unwrap();
    assert_eq!((mode.id.as_str(), mode.key), ("wrong_advice", '6'));
    assert_eq!(mode.from_note, Some("tells people to transfer their balance".into()));
    assert_eq!(receipt.words.raw(), "fail: Wrong advice");
    assert!(receipt.label.unwrap().note.is_some());
    let clash = taxonomy::add_from_note(&ctx, &one, None, "wrong-advice").unwrap_err();
    assert!(clash.hints[0].contains("key is 6"), "{clash:?}");
    assert_eq!(taxonomy::rename(&ctx, "6", "bad advice").unwrap().id.as_str(), "wrong_advice");
    assert!(taxonomy::rename(&ctx, "6", "Off-Topic").is_err());
    taxonomy::retire(&ctx, "bad adv").unwrap();
    assert!(taxonomy::find(&ctx, "6").is_err());
    // The old label still says what it said, in the mode's present name.
    assert_eq!(undo(&ctx, &UndoScope::Everything).unwrap().undone.raw(), "fail: bad advice");
}

#[test]
fn two_programs_that_add_modes_at_once_give_them_two_keys() {
    let world = World::new();
    let keys: Vec<char> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..4)
            .map(|n| {
                let ctx = world.as_reviewer("ann");
                scope.spawn(move || {
                    let spec = taxonomy::ModeSpec { name: format!("mode {n}"), ..Default::default() };
                    taxonomy::add(&ctx, &spec).unwrap().key
                })
            })
            .collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let distinct: std::collections::BTreeSet<char> = keys.into_iter().collect();
    assert_eq!(distinct, ['6', '7', '8', '9'].into());
}
