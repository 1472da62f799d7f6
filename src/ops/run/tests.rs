//! Runs on real stores, against an asker that counts.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::domain::{
    AskErrorKind, CaseBody, CaseId, Content, ModelSpec, Outcome, TargetKind, TargetLimits, Untrusted,
};
use crate::ops::{Access, testing};
use crate::store::RunWrite;
use crate::task::Clock;

/// A store with the set `s` of so many cases `c-0`, `c-1`, …
struct World {
    folder: TempDir,
}

impl World {
    fn with(cases: usize) -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        let body = |n: usize| CaseBody {
            input: Content::Text(format!("question {n}").into()),
            expected: Some("yes".into()),
            category: if n.is_multiple_of(3) { "ambiguous".into() } else { "plain".into() },
            ..CaseBody::default()
        };
        world.put((0..cases).map(|n| (format!("c-{n}"), body(n))));
        world
    }

    fn put(&self, cases: impl IntoIterator<Item = (String, CaseBody)>) {
        let ctx = self.open();
        ctx.store
            .change_cases(&set(), ctx.clock.now(), "ann", |tx| {
                for (id, body) in cases {
                    tx.put(&CaseId::parse(&id)?, &body)?;
                }
                Ok(())
            })
            .unwrap();
    }

    /// The store opened anew, as a further program would.
    fn open(&self) -> Ctx {
        let clock = Clock::fixed("2026-03-10T12:00:00Z".parse().unwrap());
        Ctx::open(&self.folder.path().join("t.db"), Access::Create, "ann", clock).unwrap()
    }
}

fn set() -> SetName {
    SetName::parse("s").unwrap()
}

fn model() -> TargetSpec {
    TargetSpec {
        name: "small".to_owned(),
        kind: TargetKind::OpenAi(ModelSpec {
            base_url: "http://127.0.0.1:1/v1".to_owned(),
            model: "small".to_owned(),
            api_key_env: None,
            temperature: None,
            max_tokens: Some(100),
        }),
        prompt: None,
        limits: TargetLimits { concurrency: 4, ..TargetLimits::default() },
    }
}

fn spec() -> RunSpec {
    RunSpec { cache: false, ..RunSpec::new(set(), model()) }
}

/// Answers after a while, and counts how often each case was asked.
#[derive(Default)]
struct Counting {
    asked: Mutex<BTreeMap<String, usize>>,
    at_once: AtomicUsize,
    most: AtomicUsize,
    wait: Duration,
    /// What cases cost, and which fail.
    costs: HashMap<String, f64>,
    failing: Mutex<HashMap<String, AskErrorKind>>,
}

impl Counting {
    fn slow(ms: u64) -> Arc<Self> {
        Arc::new(Self { wait: Duration::from_millis(ms), ..Self::default() })
    }

    fn times(&self) -> Vec<usize> {
        self.asked.lock().unwrap().values().copied().collect()
    }
}

impl Asker for Counting {
    fn ask<'a>(
        &'a self,
        ask: &'a Ask,
        _: MayAskAgain<'a>,
    ) -> BoxFuture<'a, (std::result::Result<Answer, AskError>, u32)> {
        async move {
            *self.asked.lock().unwrap().entry(ask.id.clone()).or_default() += 1;
            let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(self.wait).await;
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            if let Some(kind) = self.failing.lock().unwrap().get(&ask.id) {
                return (Err(AskError { kind: *kind, what: "no".into(), retry_after: None }), 3);
            }
            let answer = Answer {
                output: Content::Text("yes".into()),
                latency_ms: 10.0,
                tokens_in: Some(5),
                tokens_out: Some(1),
                cost_usd: Some(self.costs.get(&ask.id).copied().unwrap_or(0.001)),
                ..Answer::default()
            };
            (Ok(answer), 1)
        }
        .boxed()
    }
}

/// Passes every answer but those to some cases.
#[derive(Default)]
struct Strict(Vec<&'static str>);

impl Scores for Strict {
    fn score<'a>(
        &'a self,
        case: &'a EvalCase,
        subject: Subject<'a>,
        _: &'a dyn Purse,
    ) -> BoxFuture<'a, Vec<Assessment>> {
        let bad = self.0.contains(&case.id.as_str()) || subject.output.answer_text() != "yes";
        let outcome = if bad { Outcome::Fail } else { Outcome::Pass };
        let explanation: Untrusted =
            if bad { "not <as>\u{1b}[31m | \u{1} expected ]]> & such".into() } else { "as expected".into() };
        let one = Assessment {
            evaluator: "closing".to_owned(),
            kind: "contains".to_owned(),
            version: "0".to_owned(),
            outcome,
            score: None,
            explanation,
            span: None,
            criteria: BTreeMap::new(),
            by: None,
            cost_usd: None,
        };
        std::future::ready(vec![one]).boxed()
    }
}

fn go(ctx: &Ctx, spec: &RunSpec, asker: &Arc<Counting>) -> Result<RunView> {
    let asker = Arc::clone(asker) as Arc<dyn Asker>;
    run(ctx, spec, asker, Arc::new(Strict::default()), &Cancel::default(), &Progress::default())
}

#[test]
fn every_case_is_asked_once_and_so_many_at_a_time() {
    let world = World::with(50);
    let (ctx, asker, progress) = (world.open(), Counting::slow(5), Progress::default());
    let scores = Arc::new(Strict(vec!["c-3", "c-4"]));
    let view = run(&ctx, &spec(), Arc::clone(&asker) as _, scores, &Cancel::default(), &progress).unwrap();
    assert_eq!((view.cases, view.done, view.passed, view.failed, view.errors), (50, 50, 48, 2, 0));
    assert_eq!(asker.times(), vec![1; 50]);
    assert_eq!(asker.most.load(Ordering::SeqCst), 4);
    assert!((view.cost_usd - 0.05).abs() < 1e-9 && view.stopped.is_none());
    assert_eq!(view.latency_ms.p95, Some(10.0));
    assert_eq!(view.run.as_str(), "s-small-1");
    let shown = progress.view();
    assert_eq!(
        (shown.done, shown.total, shown.note.as_str()),
        (50, 50, "96.0 % [86.5, 98.9] pass · $0.0500")
    );
    assert_eq!(go(&ctx, &spec(), &asker).unwrap().run.as_str(), "s-small-2");
    let taken = RunSpec { name: Some(RunName::parse("s-small-1").unwrap()), ..spec() };
    assert!(go(&ctx, &taken, &asker).unwrap_err().what.contains("already"));
}

#[test]
fn a_stopped_run_goes_on_where_it_was() {
    let world = World::with(60);
    let (ctx, asker, cancel) = (world.open(), Counting::slow(10), Cancel::default());
    let stopper = cancel.clone();
    let by_hand = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(60));
        stopper.cancel();
    });
    let view = run(
        &ctx,
        &spec(),
        Arc::clone(&asker) as _,
        Arc::new(Strict::default()),
        &cancel,
        &Progress::default(),
    )
    .unwrap();
    by_hand.join().unwrap();
    assert!(view.done > 0 && view.done < 60, "{}", view.done);
    assert!(view.stopped.is_some() && view.errors == 0);
    // What was written down ahead and not asked is not taken for interrupted.
    assert_eq!(ctx.store.run_interrupted(&view.run).unwrap(), Vec::<String>::new());
    let view = go(&ctx, &RunSpec { resume: true, ..spec() }, &asker).unwrap();
    assert_eq!((view.done, view.passed, view.stopped), (60, 60, None));
    assert_eq!(asker.times(), vec![1; 60]);
}

#[test]
fn a_crash_at_any_moment_asks_no_case_twice() {
    let (mut interrupted, mut landed) = (0, 0);
    for round in 0..8 {
        let world = World::with(40);
        let asker = Counting::slow(3);
        {
            let (ctx, spec) = (world.open(), spec());
            let plan = plan::make(&ctx, &spec).unwrap();
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (cancel, progress) = (Cancel::default(), Progress::default());
                let scores = Arc::new(Strict::default());
                let drive =
                    drive::drive(&ctx, &spec, &plan, Arc::clone(&asker) as _, scores, &cancel, &progress);
                // Dropped in the middle: nothing is tidied up.
                tokio::time::timeout(Duration::from_millis(2 + 5 * round), drive).await.ok();
            });
        }
        let ctx = world.open();
        let view = go(&ctx, &RunSpec { resume: true, ..spec() }, &asker).unwrap();
        assert_eq!((view.done, view.passed + view.errors), (40, 40));
        assert!(asker.times().iter().all(|times| *times == 1));
        let results = ctx.store.run_results(&view.run).unwrap();
        let killed = |result: &&crate::domain::CaseResult| matches!(&result.answered, crate::domain::Answered::Error(e) if e.kind == AskErrorKind::Interrupted);
        assert_eq!(results.iter().filter(killed).count() as u64, view.errors);
        // No more than were in flight, or written down to be next.
        assert!(view.errors <= 5, "{}", view.errors);
        interrupted += view.errors;
        landed += view.passed;
        let view = go(&ctx, &RunSpec { retry_errors: true, ..spec() }, &asker).unwrap();
        assert_eq!((view.done, view.passed), (40, 40));
    }
    assert!(interrupted > 0 && landed > 0);
}

#[test]
fn a_crash_takes_only_what_was_sent_for_asked() {
    let world = World::with(12);
    let asker = Counting::slow(60_000);
    let (ctx, spec) = (world.open(), spec());
    let name = {
        let plan = plan::make(&ctx, &spec).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (cancel, progress, scores) =
                (Cancel::default(), Progress::default(), Arc::new(Strict::default()));
            let drive = drive::drive(&ctx, &spec, &plan, Arc::clone(&asker) as _, scores, &cancel, &progress);
            let asked = async {
                while asker.at_once.load(Ordering::SeqCst) < 4 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            tokio::select! {
                _ = drive => panic!("nothing was answered"),
                () = asked => {}
            }
        });
        plan.head.name.clone()
    };
    let interrupted = world.open().store.run_interrupted(&name).unwrap();
    let asked: Vec<String> = asker.asked.lock().unwrap().keys().cloned().collect();
    assert_eq!((interrupted.len(), interrupted), (4, asked));
}

#[test]
fn an_answer_that_came_before_the_crash_is_not_lost() {
    let world = World::with(1);
    let (ctx, asker) = (world.open(), Counting::slow(0));
    let spec = RunSpec { cache: true, resume: true, ..spec() };
    let case = ctx.store.eval_set(&set()).unwrap().cases.remove(0);
    let ask = bound::ask_of(&spec, &case);
    let key = bound::key_of(&spec, &ask).unwrap();
    let name = {
        let plan = plan::make(&ctx, &spec).unwrap();
        let answer = Answer { output: Content::Text("yes".into()), latency_ms: 7.0, ..Answer::default() };
        let now = ctx.clock.now();
        let writes = [RunWrite::Asked(case.id, now), RunWrite::Answered(key, Box::new(answer), now)];
        ctx.store.write_run(&plan.head.name, &writes).unwrap();
        plan.head.name.clone()
    };
    let view = go(&ctx, &spec, &asker).unwrap();
    assert_eq!((view.run, view.passed, view.cached), (name, 1, 1));
    assert_eq!(asker.times(), Vec::<usize>::new());
}

#[test]
fn errors_are_asked_again_where_a_person_says_so() {
    let world = World::with(6);
    let (ctx, asker) = (world.open(), Counting::slow(0));
    asker.failing.lock().unwrap().insert("c-2".to_owned(), AskErrorKind::RateLimit);
    let view = go(&ctx, &spec(), &asker).unwrap();
    assert_eq!((view.passed, view.errors), (5, 1));
    assert_eq!(go(&ctx, &RunSpec { resume: true, ..spec() }, &asker).unwrap().errors, 1);
    asker.failing.lock().unwrap().clear();
    let view = go(&ctx, &RunSpec { retry_errors: true, ..spec() }, &asker).unwrap();
    assert_eq!((view.passed, view.errors), (6, 0));
    assert_eq!(asker.times(), [1, 1, 2, 1, 1, 1]);
}

#[test]
fn a_run_does_not_go_on_as_another() {
    let world = World::with(2);
    let (ctx, asker) = (world.open(), Counting::slow(0));
    go(&ctx, &spec(), &asker).unwrap();
    let changed = RunSpec { prompt: Some("Be kind.".to_owned()), resume: true, ..spec() };
    assert!(go(&ctx, &changed, &asker).unwrap_err().what.contains("prompt"));
    let held = ctx.store.lock_run(&RunName::parse("s-small-1").unwrap()).unwrap().unwrap();
    let error = go(&ctx, &RunSpec { resume: true, ..spec() }, &asker).unwrap_err();
    assert!(error.what.contains("Another program"));
    drop(held);
    // The set as it was then, whatever it became.
    world.put([("c-9".to_owned(), CaseBody::default())]);
    assert_eq!(go(&ctx, &RunSpec { resume: true, ..spec() }, &asker).unwrap().cases, 2);
    let nothing = RunSpec::new(SetName::parse("none").unwrap(), model());
    assert!(go(&ctx, &nothing, &asker).unwrap_err().what.contains("no cases"));
}

#[test]
fn the_same_is_answered_from_the_cache() {
    let world = World::with(10);
    let (ctx, asker) = (world.open(), Counting::slow(0));
    let cached = RunSpec { cache: true, ..spec() };
    go(&ctx, &cached, &asker).unwrap();
    let view = go(&ctx, &cached, &asker).unwrap();
    assert_eq!((view.passed, view.cached, view.cost_usd), (10, 10, 0.0));
    assert_eq!(asker.times(), vec![1; 10]);
    let estimated = estimate(&ctx, &cached, &Cancel::default()).unwrap();
    assert_eq!((estimated.cases, estimated.cached, estimated.cost_usd), (10, 10, Some(0.0)));
    // Another prompt is another question; and nobody has to take the cache.
    go(&ctx, &RunSpec { prompt: Some("Be kind.".to_owned()), ..cached }, &asker).unwrap();
    go(&ctx, &spec(), &asker).unwrap();
    assert_eq!(asker.times(), vec![3; 10]);
}

#[test]
fn a_limit_that_cannot_be_kept_is_refused() {
    let world = World::with(2);
    let (ctx, asker) = (world.open(), Counting::slow(0));
    let error = go(&ctx, &RunSpec { max_usd: Some(1.0), ..spec() }, &asker).unwrap_err();
    assert!(error.exit_code() == 2 && error.hints[0].contains("[prices.\"small\"]"));
    assert!(ctx.store.runs().unwrap().is_empty());
}

#[test]
fn recorded_outputs_are_scored_without_asking() {
    let world = testing::World::with(3);
    let ctx = world.as_reviewer("ann");
    ctx.store
        .change_cases(&set(), ctx.clock.now(), "ann", |tx| {
            for (id, trace) in [("a", Some("t-1")), ("b", Some("gone")), ("c", None)] {
                let body = CaseBody { trace: trace.map(Untrusted::from), ..CaseBody::default() };
                tx.put(&CaseId::parse(id)?, &body)?;
            }
            Ok(())
        })
        .unwrap();
    let (config, cancel) = (crate::domain::EvalConfig::default(), Cancel::default());
    let spec = super::spec(&config, set(), "recorded").unwrap();
    let asker = asker(&ctx, &config, &spec, &cancel).unwrap();
    let scores = scores(&ctx, &config, &spec, &cancel).unwrap();
    let view = run(&ctx, &spec, asker, scores, &cancel, &Progress::default()).unwrap();
    assert_eq!((view.passed, view.errors, view.cost_usd, view.cached), (1, 2, 0.0, 0));
    // The trace does not say how long it took, and that survives the store.
    assert_eq!(view.latency_ms.mean, None);
    let shown = show(&ctx, &view.run).unwrap();
    let answer = shown.results[2].answer().unwrap();
    assert_eq!(answer.output, Content::Text("It was a fee.".into()));
    let why = export::reasons(&shown.results[0]).join("") + &export::reasons(&shown.results[1]).join("");
    assert!(why.contains("not in the store") && why.contains("did not come from a trace"));
    assert!(super::spec(&config, set(), "recorde").unwrap_err().hints[0].contains("recorded"));
}

#[test]
fn a_list_of_runs_is_grouped_from_figures() {
    let world = World::with(1);
    let ctx = world.open();
    let head = plan::make(&ctx, &spec()).unwrap().head.clone();
    let case = ctx.store.eval_set(&set()).unwrap().cases.remove(0);
    let made = |n: u32| {
        let answer = Answer {
            output: Content::Text("yes".into()),
            latency_ms: if n.is_multiple_of(7) { f64::NAN } else { f64::from(n * n) },
            cost_usd: (!n.is_multiple_of(5)).then(|| f64::from(n) / 1e5),
            tokens_in: Some(u64::from(n)),
            ..Answer::default()
        };
        let answered = if n.is_multiple_of(11) {
            let kind = AskErrorKind::Timeout;
            crate::domain::Answered::Error(AskError { kind, what: "no".into(), retry_after: None })
        } else {
            crate::domain::Answered::Answer(answer)
        };
        let mut result = crate::domain::CaseResult::new(&case, answered, 1, ctx.clock.now());
        result.case = CaseId::parse(&format!("c-{n}")).unwrap();
        result.category = if n.is_multiple_of(2) { "even".into() } else { "odd".into() };
        result.cached = n.is_multiple_of(4);
        let word = |evaluator: &str, outcome, rating: f64| Assessment {
            evaluator: evaluator.to_owned(),
            kind: "judge".to_owned(),
            version: "0".to_owned(),
            outcome,
            score: Some(crate::domain::Score { value: rating, min: 1.0, max: 10.0 }),
            explanation: "so".into(),
            span: None,
            criteria: BTreeMap::from([("tone".to_owned(), rating), ("truth".to_owned(), 10.0)]),
            by: None,
            cost_usd: None,
        };
        let outcome = if n.is_multiple_of(3) { Outcome::Fail } else { Outcome::Pass };
        // Two of one name, as a set and a case may have.
        result.assessments = vec![word("a", outcome, f64::from(n % 10)), word("a", Outcome::Pass, 1.0)];
        result
    };
    let results: Vec<_> = (1..=60).map(made).collect();
    testing::land(&ctx, &head.name, results.clone());
    // What lands again takes the place of what was there.
    testing::land(&ctx, &head.name, results[..9].to_vec());

    let view = list(&ctx).unwrap().remove(0);
    let count =
        |of: &dyn Fn(&crate::domain::CaseResult) -> bool| results.iter().filter(|one| of(one)).count() as u64;
    let outcomes = [Outcome::Pass, Outcome::Fail, Outcome::Error].map(|it| count(&|one| one.outcome() == it));
    assert_eq!([view.passed, view.failed, view.errors], outcomes);
    assert_eq!((view.done, view.cached), (60, count(&|one| one.cached)));
    let odd = view.categories.iter().find(|one| one.category.raw() == "odd").unwrap();
    assert_eq!(odd.failed, count(&|one| one.category.raw() == "odd" && one.outcome() == Outcome::Fail));
    let answers: Vec<_> = results.iter().filter_map(|one| one.answer()).collect();
    assert_eq!(view.tokens_in, answers.iter().filter_map(|one| one.tokens_in).sum::<u64>());
    let mut times: Vec<f64> = answers.iter().map(|one| one.latency_ms).filter(|ms| ms.is_finite()).collect();
    times.sort_by(f64::total_cmp);
    let rank = crate::stats::nearest_rank(0.95, times.len() as u64) as usize;
    assert_eq!(view.latency_ms.p95, Some(times[rank - 1]));
    let near = |figure: Option<f64>, all: Vec<f64>| {
        assert!((figure.unwrap() - all.iter().sum::<f64>() / all.len() as f64).abs() < 1e-9);
    };
    near(view.latency_ms.mean, times);
    near(view.cost_per_answer_usd, answers.iter().filter_map(|one| one.cost_usd).collect());
    let words: Vec<_> = results.iter().flat_map(|one| &one.assessments).collect();
    let judge = &view.evaluators[0];
    assert_eq!((view.evaluators.len(), judge.passed + judge.failed), (1, words.len() as u64));
    near(judge.mean_score, words.iter().map(|one| one.score.unwrap().value).collect());
    near(judge.criteria.get("tone").copied(), words.iter().map(|one| one.criteria["tone"]).collect());
    assert_eq!(show(&ctx, &head.name).unwrap().run, view);
}

#[test]
fn reports_hold_whatever_was_answered() {
    let world = World::with(0);
    world.put([
        ("ok".to_owned(), CaseBody { input: Content::Text("plain".into()), ..CaseBody::default() }),
        (
            "bad".to_owned(),
            CaseBody {
                input: Content::Text("<script>alert(1)</script> `x` | @all \u{1b}[31m\u{0}".into()),
                category: "odd <\"&'> \u{8}kind".into(),
                expected: Some("]]> &amp;".into()),
                ..CaseBody::default()
            },
        ),
        ("gone".to_owned(), CaseBody::default()),
    ]);
    let (ctx, asker) = (world.open(), Counting::slow(0));
    asker.failing.lock().unwrap().insert("gone".to_owned(), AskErrorKind::Timeout);
    let scores = Arc::new(Strict(vec!["bad"]));
    let view = run(&ctx, &spec(), Arc::clone(&asker) as _, scores, &Cancel::default(), &Progress::default())
        .unwrap();
    let shown = show(&ctx, &view.run).unwrap();

    let xml = export(&shown, ExportFormat::Junit).unwrap();
    let parsed = roxmltree::Document::parse(&xml).unwrap();
    let all = |name: &str| parsed.descendants().filter(|n| n.has_tag_name(name)).count();
    assert_eq!((all("testsuite"), all("testcase"), all("failure"), all("error")), (2, 3, 1, 1));
    let root = parsed.root_element();
    assert_eq!((root.attribute("failures"), root.attribute("errors")), (Some("1"), Some("1")));
    let failure = parsed.descendants().find(|n| n.has_tag_name("failure")).unwrap();
    assert!(failure.attribute("message").unwrap().starts_with("closing: not <as>"));
    assert!(failure.text().unwrap().contains("]]> &amp;"));

    let html = export(&shown, ExportFormat::Html).unwrap();
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;"));
    let markdown = export(&shown, ExportFormat::Markdown).unwrap();
    assert!(markdown.contains("| ``<script>alert(1)</script> `x` \\| @all"), "{markdown}");
    let json: serde_json::Value = serde_json::from_str(&export(&shown, ExportFormat::Json).unwrap()).unwrap();
    assert_eq!((&json["failed"], &json["results"][0]["case"]), (&1.into(), &"bad".into()));
    for text in [xml, html, markdown] {
        assert!(!text.contains(['\u{1b}', '\u{0}', '\u{8}', '\u{1}']));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// However costs fall within what tokens may cost at most, what was asked never costs more than the limit.
    #[test]
    fn a_spending_limit_is_never_passed(
        shares in prop::collection::vec(0.0f64..=1.0, 30),
        limit in 0.0f64..0.02,
        concurrency in 1usize..9,
    ) {
        let world = World::with(shares.len());
        let ctx = world.open();
        let price = Price { input: 2.0, output: 10.0 };
        let spec = RunSpec {
            price: Some(price),
            max_usd: Some(limit),
            concurrency: Some(concurrency),
            ..spec()
        };
        let most = 100.0 * 10.0 / 1e6;
        let costs = shares.iter().enumerate().map(|(n, share)| (format!("c-{n}"), most * share)).collect();
        let asker = Arc::new(Counting { wait: Duration::from_millis(1), costs, ..Counting::default() });
        let view = go(&ctx, &spec, &asker).unwrap();
        let paid: f64 = asker.asked.lock().unwrap().keys().map(|id| asker.costs[id]).sum();
        prop_assert!(paid <= limit + 1e-12, "{paid} of {limit}");
        prop_assert!((view.cost_usd - paid).abs() < 1e-9 && view.errors == 0);
        prop_assert_eq!(view.stopped.is_some(), view.done < view.cases);
        // It does not stop long before either: one more might have passed it.
        prop_assert!(view.stopped.is_none() || paid + 2.0 * most > limit);
        let more = go(&ctx, &RunSpec { resume: true, max_usd: Some(1.0), ..spec }, &asker).unwrap();
        prop_assert_eq!((more.done, more.stopped), (more.cases, None));
        prop_assert!(asker.times().iter().all(|times| *times == 1));
    }
}
