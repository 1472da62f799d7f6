//! Promotion on real stores, real files and, where it is installed, real git.

use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;

use super::*;
use crate::domain::{CaseId, Check, Kept, LabelBody, SetName, Untrusted, Verdict};
use crate::ops::{Access, Ctx};
use crate::store::{Act, Preparer};
use crate::task::Clock;

struct World {
    folder: tempfile::TempDir,
    ctx: Ctx,
}

const FEE: &str = "I was charged an overdraft fee but my salary arrived the same day";

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(Timestamp::from_second(1_780_000_000).unwrap());
        let ctx = Ctx::open(&folder.path().join("t.db"), Access::Create, "ann", clock).unwrap();
        let ctx = ctx.with_evals_dir(folder.path().join("evals"));
        Self { folder, ctx }
    }

    /// Traces `t1`, `t2`, … with these inputs.
    fn with_traces(inputs: &[&str]) -> Self {
        let world = Self::new();
        for (n, input) in (1..).zip(inputs) {
            world.trace(&format!("t{n}"), input);
        }
        world
    }

    fn trace(&self, id: &str, input: &str) {
        let trace =
            serde_json::from_value(serde_json::json!({"id": id, "input": input, "output": "an answer"}));
        let mut loader = self.ctx.store.loader(0).unwrap();
        let mut preparer = Preparer::new(None).unwrap();
        let ready = preparer.prepare(trace.unwrap(), self.ctx.clock.now()).unwrap();
        loader.write(&mut [ready]).unwrap();
    }

    fn label(&self, reviewer: &str, trace: &str, body: LabelBody) -> String {
        self.ctx.clock.advance_ms(1000);
        let trace = Untrusted::from(trace);
        let act = Act { at: self.ctx.clock.now(), reviewer, trace: &trace, sample: None };
        self.ctx.store.set_label(act, |_| Ok(body)).unwrap().event.id
    }

    fn draft(&self, trace: &str) -> crate::domain::Result<CaseDraft> {
        let mut made = drafts(&self.ctx, &[trace.into()], &set(), &crate::task::Cancel::default())?;
        Ok(made.remove(0))
    }

    fn promote(&self, traces: &[&str]) -> PromoteReport {
        self.promote_with(traces, CaseFields::default())
    }

    fn promote_with(&self, traces: &[&str], fields: CaseFields) -> PromoteReport {
        self.ctx.clock.advance_ms(1000);
        let traces = traces.iter().map(|t| Untrusted::from(*t)).collect();
        promote(&self.ctx, &PromoteRequest { traces, set: set(), fields, skip_duplicates: false }).unwrap()
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("evals/support.jsonl")
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap()
    }

    fn lines(&self) -> Vec<String> {
        self.text().lines().map(str::to_owned).collect()
    }

    fn write(&self, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(), text).unwrap();
    }

    fn import(&self) -> ImportReport {
        self.import_file(&self.path())
    }

    fn import_file(&self, file: &Path) -> ImportReport {
        import(&self.ctx, &ImportRequest { file: file.to_owned(), set: set(), dry_run: false }).unwrap()
    }

    fn expected(&self) -> Vec<Option<String>> {
        let cases = show(&self.ctx, &set(), None).unwrap().cases;
        cases.into_iter().map(|case| case.expected.map(Untrusted::into_raw)).collect()
    }
}

fn set() -> SetName {
    SetName::parse("support").unwrap()
}

fn expects(text: &str) -> CaseFields {
    CaseFields { expected: Some(text.to_owned()), ..CaseFields::default() }
}

fn fail(note: &str, corrected: &str) -> LabelBody {
    LabelBody {
        note: Some(Untrusted::from(note)),
        corrected: Some(Untrusted::from(corrected)),
        ..LabelBody::verdict(Verdict::Fail)
    }
}

#[test]
fn a_draft_is_filled_in_from_the_trace_and_the_label() {
    let world = World::with_traces(&[FEE, "what is my balance"]);
    world.label("bob", "t1", fail("bob's note", "bob's answer"));
    let mine = world.label("ann", "t1", fail("ignores the same-day rule", "We waive it."));
    world.label("bob", "t1", LabelBody::verdict(Verdict::Fail));
    let made = world.draft("t1").unwrap();
    assert_eq!(made.body.expected.unwrap().raw(), "We waive it.");
    assert_eq!(made.body.reasoning.unwrap().raw(), "ignores the same-day rule");
    assert_eq!(made.body.label.unwrap().raw(), mine, "one's own label comes first");
    assert_eq!(made.body.trace.unwrap().raw(), "t1");
    assert_eq!(made.body.category.raw(), "plain");
    assert_eq!(made.already, None);
    world.label("bob", "t2", LabelBody::verdict(Verdict::Pass));
    let passed = world.draft("t2").unwrap();
    assert_eq!(passed.body.expected.unwrap().raw(), "an answer", "what passed is what is expected");
    assert_eq!(world.draft("t9").unwrap_err().exit_code(), 1);
}

#[test]
fn a_trace_without_a_label_is_promoted_and_what_it_lacks_is_said() {
    let world = World::with_traces(&[FEE]);
    let report = world.promote_with(&["t1"], expects("We waive it."));
    assert_eq!(report.promoted[0].outcome, Outcome::Added);
    assert_eq!(report.promoted[0].lacks, ["label", "reasoning"]);
    assert_eq!(report.version, 1);
    let file = report.file.unwrap();
    assert!(file.written && file.path == world.path());
}

#[test]
fn promoting_again_changes_only_what_is_given_by_hand() {
    let world = World::with_traces(&[FEE]);
    let first = world.promote_with(&["t1", "t1"], expects("one"));
    assert_eq!(first.promoted.len(), 1, "a trace named twice is promoted once");
    assert_eq!(world.promote(&["t1"]).promoted[0].outcome, Outcome::Unchanged);
    let fields = CaseFields { category: Some("Out of Domain".into()), ..CaseFields::default() };
    let again = world.promote_with(&["t1"], fields);
    assert_eq!(again.promoted[0].outcome, Outcome::Changed);
    let case = again.promoted[0].case.clone().unwrap();
    assert_eq!((case.expected.unwrap().raw(), case.category.raw()), ("one", "out_of_domain"));
    assert_eq!(again.version, 2);
}

#[test]
fn duplicates_are_pointed_out_also_within_one_promotion_and_left_out_when_asked() {
    let near = FEE.replace("salary", "wages");
    let world = World::with_traces(&[FEE, &FEE.to_uppercase(), &near, "what is my balance"]);
    let first = world.promote(&["t1"]);
    let id = first.promoted[0].case.clone().unwrap().id;
    let request = PromoteRequest {
        traces: ["t2", "t3", "t4"].map(Untrusted::from).to_vec(),
        set: set(),
        fields: CaseFields::default(),
        skip_duplicates: true,
    };
    let report = promote(&world.ctx, &request).unwrap();
    assert_eq!(
        report.promoted.iter().map(|p| p.outcome).collect::<Vec<_>>(),
        [Outcome::Duplicate, Outcome::Added, Outcome::Added]
    );
    let like = &report.promoted[1].resembles[0];
    assert!(like.case == id && !like.exact && like.similarity >= NEAR);
    assert!(report.promoted[0].resembles[0].exact);
    assert_eq!(report.promoted[2].resembles, []);
    let kept = promote(&world.ctx, &PromoteRequest { skip_duplicates: false, ..request }).unwrap();
    assert_eq!(kept.promoted[0].outcome, Outcome::Added);
    let case = show_case(&world.ctx, &set(), &id).unwrap();
    assert_eq!(case.resembles.len(), 2);
}

#[test]
fn a_bulk_promotion_reports_per_trace_and_fails_only_when_nothing_is_there() {
    let world = World::with_traces(&[FEE]);
    let report = world.promote(&["t1", "nope"]);
    assert_eq!((report.promoted.len(), report.failed.len()), (1, 1));
    assert!(report.failed[0].reason.contains("nope"));
    let request = PromoteRequest {
        traces: vec!["x".into(), "y".into()],
        set: set(),
        fields: CaseFields::default(),
        skip_duplicates: false,
    };
    assert!(promote(&world.ctx, &request).unwrap_err().what.contains("1 more"));
}

#[test]
fn edit_retire_and_restore_keep_every_version() {
    let world = World::with_traces(&[FEE, "what is my balance"]);
    let id = world.promote_with(&["t1"], expects("one")).promoted[0].case.clone().unwrap().id;
    world.promote(&["t2"]);
    edit(&world.ctx, &set(), &id, &expects("two")).unwrap();
    retire(&world.ctx, &set(), std::slice::from_ref(&id)).unwrap();
    assert_eq!(world.lines().len(), 1);
    assert_eq!(retire(&world.ctx, &set(), std::slice::from_ref(&id)).unwrap_err().exit_code(), 1);
    assert!(edit(&world.ctx, &set(), &id, &expects("three")).is_err());
    assert_eq!(show(&world.ctx, &set(), Some(1)).unwrap().cases.len(), 1);
    assert!(show(&world.ctx, &set(), Some(9)).unwrap_err().hints[0].contains('4'));
    assert!(restore(&world.ctx, &set(), &id, 4).is_err(), "it was retired then");
    restore(&world.ctx, &set(), &id, 2).unwrap();
    assert_eq!(world.expected()[0].as_deref(), Some("one"));
    assert!(world.lines()[0].contains(id.as_str()), "back in its old place");
    assert_eq!(show_case(&world.ctx, &set(), &id).unwrap().history.len(), 4);
    assert_eq!(list(&world.ctx).unwrap()[0].version, 5);
}

#[test]
fn an_edited_file_is_taken_back() {
    let world = World::with_traces(&[FEE, "what is my balance", "close my account"]);
    world.promote_with(&["t1", "t2", "t3"], expects("one"));
    let mut lines = world.lines();
    lines[0] = lines[0].replace("\"one\"", "\"better\"");
    lines.remove(1);
    lines.push(
        r#"{"input":"Guten Tag","category":"multilingual","checks":[{"kind":"language","values":["de"]}]}"#
            .into(),
    );
    world.write(lines.join("\n"));
    let report = world.import();
    assert_eq!((report.taken.added.len(), report.taken.changed.len(), report.taken.retired.len()), (1, 1, 1));
    assert_eq!(report.taken.changed[0].fields, ["expected"]);
    assert_eq!(report.taken.conflicts, []);
    assert_eq!(world.expected(), [Some("better".into()), Some("one".into()), None]);
    let id = report.taken.added[0].as_str();
    assert!(
        world.lines()[2].starts_with(&format!("{{\"id\":\"{id}\",\"input\":\"Guten Tag\"")),
        "it got its id"
    );
    let again = world.import();
    assert!(!again.taken.changed_anything() && again.taken.unchanged == 3, "{again:?}");
    assert_eq!(again.version, report.version);
}

#[test]
fn bad_lines_are_named_kept_out_and_never_overwritten() {
    let world = World::with_traces(&[FEE, "what is my balance"]);
    world.promote(&["t1"]);
    let broken = format!(
        "{}oops {{\n{{\"input\":\"new\"}}\n",
        world.text().replace("\"reasoning\":null", "\"reasoning\":")
    );
    world.write(&broken);
    let report = world.import();
    assert_eq!(report.taken.rejected.iter().map(|bad| bad.line).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(report.taken.retired, [], "the missing case may be on a bad line");
    assert_eq!(report.taken.added.len(), 1);
    assert!(!report.file.unwrap().written);
    assert_eq!(world.text(), broken);
    let promoted = world.promote(&["t2"]).file.unwrap();
    assert!(!promoted.written && promoted.taken.rejected.len() == 2);
    assert_eq!(world.text(), broken);
    world.write(broken.replace("\"reasoning\":,", "\"reasoning\":\"r\",").replace("oops {\n", ""));
    assert!(world.import().file.unwrap().written);
    assert_eq!(world.lines().len(), 3);
}

#[test]
fn hand_edits_survive_a_promotion_that_comes_before_their_import() {
    let world = World::with_traces(&[FEE, "what is my balance", "close my account"]);
    world.promote_with(&["t1", "t2"], expects("one"));
    let mut lines = world.lines();
    lines[0] = lines[0].replace("\"one\"", "\"by hand\"");
    lines.remove(1);
    world.write(lines.join("\n"));
    let file = world.promote(&["t3"]).file.unwrap();
    assert_eq!(file.taken.changed.len(), 1);
    assert_eq!(file.taken.kept.len(), 1, "only an import retires: it is put back, and said");
    assert_eq!(world.expected(), [Some("by hand".into()), Some("one".into()), None]);
    assert_eq!(world.lines().len(), 3);
}

#[test]
fn an_act_is_later_than_the_hand_edit_that_it_finds() {
    let world = World::with_traces(&[FEE]);
    let id = world.promote_with(&["t1"], expects("one")).promoted[0].case.clone().unwrap().id;
    world.write(world.text().replace("\"one\"", "\"by hand\"").replace("\"plain\"", "\"harmful\""));
    let report = edit(&world.ctx, &set(), &id, &expects("on screen")).unwrap();
    let case = &report.cases[0];
    assert_eq!((case.expected.as_ref().unwrap().raw(), case.category.raw()), ("on screen", "harmful"));
    assert!(world.text().contains("on screen") && report.file.unwrap().taken.conflicts.is_empty());
    let history = show_case(&world.ctx, &set(), &id).unwrap().history;
    assert!(history.iter().any(|e| e.body.as_ref().unwrap().expected.as_ref().unwrap().raw() == "by hand"));
}

#[test]
fn an_old_file_does_not_take_the_set_back() {
    let world = World::with_traces(&[FEE, "what is my balance", "close my account"]);
    let id = world.promote_with(&["t1"], expects("one")).promoted[0].case.clone().unwrap().id;
    let old = world.text();
    world.promote(&["t2"]);
    edit(&world.ctx, &set(), &id, &expects("two")).unwrap();
    world.write(old);
    let file = world.promote(&["t3"]).file.unwrap();
    assert!(!file.taken.changed_anything());
    assert_eq!(world.expected()[0].as_deref(), Some("two"));
    assert_eq!(world.lines().len(), 3);
}

#[test]
fn keys_keep_their_order_in_the_file_and_another_order_is_no_edit() {
    let world = World::with_traces(&[FEE, "what is my balance"]);
    let came = r#"{"values":["de"],"kind":"language"}"#;
    let line =
        |check: &str| format!(r#"{{"id":"c-1","input":"Guten Tag","category":"plain","checks":[{check}]}}"#);
    std::fs::create_dir_all(world.path().parent().unwrap()).unwrap();
    world.write(line(came));
    world.import();
    world.promote(&["t1"]);
    assert!(world.lines()[0].contains(came), "{}", world.text());
    // An old file with its keys turned says nothing that the case never said.
    let id = CaseId::parse("c-1").unwrap();
    edit(&world.ctx, &set(), &id, &expects("two")).unwrap();
    world.write(line(r#"{"kind":"language","values":["de"]}"#));
    let file = world.promote(&["t2"]).file.unwrap();
    assert!(!file.taken.changed_anything() && file.taken.conflicts.is_empty(), "{file:?}");
    assert_eq!(world.expected()[0].as_deref(), Some("two"));
    assert!(world.lines()[0].contains(came), "{}", world.text());
}

#[test]
fn what_the_store_and_the_file_both_changed_is_named_and_neither_is_lost() {
    let world = World::with_traces(&[FEE, "what is my balance"]);
    let id = world.promote_with(&["t1"], expects("one")).promoted[0].case.clone().unwrap().id;
    let elsewhere = Ctx { evals_dir: None, ..world.ctx.clone() };
    edit(&elsewhere, &set(), &id, &expects("store")).unwrap();
    let by = CaseFields { reasoning: Some("why".into()), ..CaseFields::default() };
    edit(&elsewhere, &set(), &id, &by).unwrap();
    world.write(world.text().replace("\"one\"", "\"file\""));
    let report = world.import();
    let [conflict] = &report.taken.conflicts[..] else { panic!("{report:?}") };
    assert_eq!((conflict.field, conflict.kept), ("expected", Kept::File));
    assert_eq!(
        (conflict.base.as_str(), conflict.store.as_str(), conflict.file.as_str()),
        (Some("one"), Some("store"), Some("file"))
    );
    let case = show_case(&world.ctx, &set(), &id).unwrap();
    let now = case.case.unwrap();
    assert_eq!((now.expected.unwrap().raw(), now.reasoning.unwrap().raw()), ("file", "why"));
    let said: Vec<_> = case.history.iter().filter_map(|e| e.body.as_ref()?.expected.clone()).collect();
    assert!(said.contains(&"store".into()) && said.contains(&"file".into()));
}

#[test]
fn an_export_edited_elsewhere_is_taken_and_a_stranger_only_adds() {
    let world = World::with_traces(&[FEE, "what is my balance", "close my account"]);
    world.promote(&["t1", "t2", "t3"]);
    let text = export(&world.ctx, &set()).unwrap();
    assert_eq!(text, world.text());
    let copy = world.folder.path().join("copy.jsonl");
    let shorter: Vec<&str> = text.lines().take(2).collect();
    std::fs::write(&copy, shorter.join("\n")).unwrap();
    let seen = import(&world.ctx, &ImportRequest { file: copy.clone(), set: set(), dry_run: true }).unwrap();
    assert_eq!((seen.taken.retired.len(), world.expected().len()), (1, 3), "a dry run changes nothing");
    assert_eq!(world.import_file(&copy).taken.retired.len(), 1);
    assert_eq!(world.lines().len(), 2, "the set's own file follows");
    std::fs::write(&copy, "{\"input\":\"from elsewhere\"}\n").unwrap();
    let stranger = world.import_file(&copy);
    assert_eq!(
        (stranger.taken.added.len(), stranger.taken.retired.len(), stranger.taken.kept.len()),
        (1, 0, 2)
    );
    std::fs::write(&copy, "\n").unwrap();
    assert!(import(&world.ctx, &ImportRequest { file: copy, set: set(), dry_run: false }).is_err());
}

#[test]
fn a_clone_with_an_empty_store_takes_the_set_in_its_order_and_adds_one_line() {
    let first = World::with_traces(&[FEE, "what is my balance", "close my account"]);
    first.promote_with(&["t3", "t1", "t2"], expects("one"));
    let clone = World::with_traces(&[FEE]);
    clone.trace("u1", "where is my card");
    std::fs::create_dir(clone.path().parent().unwrap()).unwrap();
    clone.write(first.text());
    let report = clone.promote(&["u1"]);
    assert_eq!(report.file.unwrap().taken.added.len(), 3);
    let added =
        clone.text().strip_prefix(&first.text()).map(str::to_owned).expect("the lines before are untouched");
    assert!(added.contains("where is my card") && added.lines().count() == 1);
    assert_eq!(
        clone.promote(&["t1"]).promoted[0].outcome,
        Outcome::Unchanged,
        "the same trace is the same case"
    );
}

#[test]
#[allow(clippy::print_stderr)]
fn git_shows_a_promotion_as_one_added_line() {
    let git = |folder: &Path, args: &[&str]| -> Option<String> {
        let out = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main"])
            .args(args)
            .current_dir(folder)
            .output()
            .ok()?;
        out.status.success().then(|| String::from_utf8_lossy(&out.stdout).into_owned())
    };
    let world =
        World::with_traces(&[FEE, "what is my balance", "close\nmy \u{1b}[31m account\u{2028}", "last"]);
    if git(world.folder.path(), &["init", "-q"]).is_none() {
        eprintln!("skipped: git is not here");
        return;
    }
    let run = |args: &[&str]| git(world.folder.path(), args).unwrap_or_else(|| panic!("git {args:?}"));
    for (n, trace) in (0..).zip(["t1", "t2", "t3", "t4"]) {
        world.promote_with(&[trace], expects("one"));
        if n > 0 {
            assert_eq!(run(&["diff", "--numstat", "--", "evals"]).trim(), "1\t0\tevals/support.jsonl");
        }
        assert!(!run(&["status", "--porcelain", "--", "evals"]).contains(".tmp"));
        run(&["add", "evals"]);
        run(&["commit", "-qm", "promote"]);
    }
    let id = list_ids(&world)[1].clone();
    edit(&world.ctx, &set(), &id, &expects("two")).unwrap();
    assert_eq!(run(&["diff", "--numstat"]).trim(), "1\t1\tevals/support.jsonl");
    retire(&world.ctx, &set(), std::slice::from_ref(&id)).unwrap();
    assert_eq!(run(&["diff", "--numstat"]).trim(), "0\t1\tevals/support.jsonl");
    restore(&world.ctx, &set(), &id, 4).unwrap();
    assert_eq!(run(&["diff", "--numstat"]).trim(), "");
}

fn list_ids(world: &World) -> Vec<CaseId> {
    show(&world.ctx, &set(), None).unwrap().cases.into_iter().map(|case| case.id).collect()
}

#[test]
fn a_case_knows_its_label_and_whether_it_stands() {
    let world = World::with_traces(&[FEE]);
    world.label("ann", "t1", fail("wrong", "We waive it."));
    let id = world.promote(&["t1"]).promoted[0].case.clone().unwrap().id;
    let label = show_case(&world.ctx, &set(), &id).unwrap().label.unwrap();
    assert!(label.stands && label.verdict == Some(Verdict::Fail) && label.note.unwrap().raw() == "wrong");
    world.label("ann", "t1", LabelBody::verdict(Verdict::Pass));
    let label = show_case(&world.ctx, &set(), &id).unwrap().label.unwrap();
    assert!(!label.stands && label.verdict == Some(Verdict::Fail));
}

#[test]
fn the_usual_set_is_the_last_one_changed_else_named_after_the_feature() {
    let world = World::with_traces(&[FEE]);
    assert_eq!(usual_set(&world.ctx, "t1").unwrap().as_str(), "evals");
    world.promote(&["t1"]);
    assert_eq!(usual_set(&world.ctx, "t1").unwrap(), set());
    assert_eq!(SetName::near("Customer Support").unwrap().as_str(), "customer_support");
}

#[test]
fn checks_travel_with_their_case() {
    let world = World::with_traces(&[FEE]);
    let checks = vec![
        Check::parse("forbidden: transfer your balance").unwrap(),
        Check::parse("length: 20..200").unwrap(),
    ];
    let fields = CaseFields { checks: Some(checks.clone()), ..CaseFields::default() };
    world.promote_with(&["t1"], fields);
    assert!(world.text().contains(r#""checks":[{"kind":"forbidden","values":["transfer your balance"]},"#));
    assert_eq!(show(&world.ctx, &set(), None).unwrap().cases[0].checks, checks);
    world.write(world.text().replace("forbidden", "forbiden"));
    assert!(world.import().taken.rejected[0].reason.contains("did you mean `forbidden`"));
}
