//! The daily sample on real stores, with judges that answer, fail, cost and are killed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use serde_json::json;

use super::*;
use crate::domain::sample::draw_hash;
use crate::domain::{Answer, Ask, AskError, AskErrorKind, Check, Content, EvalConfig, Evaluator};
use crate::ops::score::{AskModel, MayAskAgain, Services};
use crate::ops::testing::{World, of_json};

/// A Tuesday in the morning.
const NOW: &str = "2026-11-24T09:35:00Z";

/// A judge: fails the answers that say so, costs this much, and is down while it is told to be.
struct Fake {
    cost: f64,
    down: Mutex<Option<AskErrorKind>>,
    asked: AtomicUsize,
}

impl AskModel for Fake {
    fn most_usd(&self, _: &Ask) -> f64 {
        2.0 * self.cost
    }

    fn by(&self) -> String {
        "judge fake".into()
    }

    fn ask<'a>(
        &'a self,
        ask: &'a Ask,
        _: MayAskAgain<'a>,
    ) -> BoxFuture<'a, std::result::Result<Answer, AskError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let down = *self.down.lock().unwrap();
        let rating = if ask.input.plain_text().raw().contains("wrong answer") { 2 } else { 9 };
        Box::pin(async move {
            if let Some(kind) = down {
                return Err(AskError { kind, what: "no route".into(), retry_after: None });
            }
            let output = Content::Text(format!(r#"{{"explanation":"So.","accuracy":{rating}}}"#).into());
            Ok(Answer {
                output,
                cost_usd: Some(self.cost),
                model: Some("fake-1".into()),
                ..Answer::default()
            })
        })
    }
}

struct Stage {
    world: World,
    ctx: Ctx,
    judge: Arc<Fake>,
    spec: JudgeSample,
}

impl Stage {
    fn new(cost: f64, spec: JudgeSample) -> Self {
        let world = World::at(NOW.parse().unwrap());
        let ctx = world.as_reviewer("ann");
        let judge = Arc::new(Fake { cost, down: Mutex::new(None), asked: AtomicUsize::new(0) });
        let stage = Self { world, ctx, judge, spec };
        stage.add("old", 5, 60, |_| false);
        // It begins with what arrives from now on.
        assert_eq!(stage.round(), Round::default());
        stage
    }

    fn sample(&self) -> DailySample<'_> {
        let judges = BTreeMap::from([("j".to_owned(), Arc::clone(&self.judge) as Arc<dyn AskModel>)]);
        let config = EvalConfig { judge: Some("j".into()), ..EvalConfig::default() };
        let scorer = Scorer::new(&config, Services { embedders: Vec::new(), judges }).unwrap();
        let check = Check::from_value(json!({"kind": "judge", "criteria": ["accuracy"]})).unwrap();
        let prepared = scorer.prepare(&[Evaluator { name: "quality".into(), check }]).unwrap();
        DailySample::with(&self.ctx, &self.spec, scorer, prepared)
    }

    fn round(&self) -> Round {
        self.sample().once(&Cancel::default(), &|_| {}).unwrap()
    }

    /// Rounds until nothing waits, or none goes on.
    fn all(&self) -> (u64, Round) {
        let mut told = 0;
        loop {
            let round = self.round();
            told += round.told;
            if round.told == 0 {
                return (told, round);
            }
        }
    }

    /// So many traces, one every so many seconds, the last five minutes ago.
    fn add(&self, name: &str, count: i64, seconds: i64, wrong: impl Fn(i64) -> bool) {
        let now = self.world.clock.now().as_second();
        let trace = |n: i64| {
            json!({
                "id": format!("{name}-{n}"), "input": "Why?", "feature": "customer_support",
                "output": if wrong(n) { "a wrong answer" } else { "a good answer" },
                "time": jiff::Timestamp::from_second(now - 300 - (count - n) * seconds).unwrap(),
            })
        };
        self.world.add(of_json((0..count).map(trace).collect()));
    }

    fn asked(&self) -> usize {
        self.judge.asked.load(Ordering::Relaxed)
    }
}

fn few() -> JudgeSample {
    JudgeSample { at_least: 40, ..JudgeSample::default() }
}

#[test]
fn the_day_says_what_was_drawn_judged_and_spent() {
    let stage = Stage::new(0.004, JudgeSample { max_usd_per_day: 0.05, ..few() });
    let ctx = stage.ctx.clone().with_judge_sample(Some(stage.spec.clone()));
    assert_eq!(today(&stage.ctx).unwrap(), None, "nobody asked for one");
    let none = today(&ctx).unwrap().unwrap();
    assert_eq!((none.drawn, none.judged, none.waiting, none.features.len()), (0, 0, 0, 0));
    stage.add("new", 400, 30, |_| false);
    let (told, last) = stage.all();
    assert!(last.no_room && told > 0);
    let day = today(&ctx).unwrap().unwrap();
    assert_eq!(day.judged, told);
    assert_eq!(day.drawn, told + day.waiting, "{day:?}");
    assert!((day.spent_usd - 0.004 * told as f64).abs() < 1e-9, "{day:?}");
    assert!(
        (day.left_usd + day.spent_usd - 0.05).abs() < 1e-9 && day.spent_usd <= day.released_usd,
        "{day:?}"
    );
    assert_eq!(day.features.len(), 1);
    assert_eq!(day.features[0].feature.as_ref().map(|name| name.raw()), Some("customer_support"));
    assert_eq!(
        day.words(),
        format!(
            "{} drawn today · {told} judged · {} wait · $0.0{} of $0.0500 spent",
            day.drawn,
            day.waiting,
            4 * told * 10
        )
    );
    // Health and the rule that it feeds say the same.
    let health = crate::ops::health::health(&ctx, &crate::ops::health::HealthSpec::default()).unwrap();
    assert_eq!(health.daily_sample.as_ref(), Some(&day));
    let monitors = crate::domain::monitor::Monitors::default();
    let of = |rule: &str| crate::ops::monitor::show(&ctx, &monitors, rule).unwrap().daily_sample;
    assert_eq!((of("quality-drift"), of("errors")), (Some(day.clone()), None));
    // What was drawn two days ago and never judged waits no more, and the new day has its own budget.
    stage.world.clock.advance_ms(3 * DAY_MS);
    let later = today(&ctx).unwrap().unwrap();
    assert_eq!((later.drawn, later.waiting, later.left_usd), (0, 0, 0.05));
}

#[test]
fn arriving_traces_are_drawn_by_their_hash_judged_once_and_feed_quality() {
    let stage = Stage::new(0.001, few());
    stage.add("new", 400, 30, |n| n % 4 == 0);
    let (told, last) = stage.all();
    // The day is not over: what is to come gets its share.
    assert!((8..=60).contains(&told), "{told}");
    assert_eq!((last.drawn, last.untold, last.trouble), (0, 0, None));
    assert_eq!(stage.asked() as u64, told);
    let set = stage.ctx.store.judged(&[], (0, i64::MAX)).unwrap();
    assert_eq!(set.rows.len() as u64, told);
    assert_eq!(set.judges[0].model.as_deref(), Some("fake-1"));
    for row in &set.rows {
        assert!(row.trace.raw().starts_with("new-"), "{:?}", row.trace);
        let place = draw_hash(crate::store::id_hash(row.trace.raw()), 0) as f64 / 2f64.powi(64);
        assert!(place < row.probability && row.probability >= 0.01, "{row:?}");
        let n: i64 = row.trace.raw()["new-".len()..].parse().unwrap();
        let good = row.verdicts.settled(&set.judges, |_| true).unwrap().0;
        assert_eq!(good, n % 4 != 0, "{row:?}");
    }
    // The share that a steady draw takes is among them.
    for n in 0..400 {
        let id = format!("new-{n}");
        if (draw_hash(crate::store::id_hash(&id), 0) as f64) < 0.01 * 2f64.powi(64) {
            assert!(set.rows.iter().any(|row| row.trace.raw() == id), "{id}");
        }
    }
    stage.all();
    assert_eq!(stage.asked() as u64, told, "nobody is asked twice");
    assert!(
        (stage.ctx.store.judging_cost(stage.sample().day()).unwrap().0 - 0.001 * told as f64).abs() < 1e-9
    );
}

#[test]
fn history_that_is_imported_is_not_judged() {
    let stage = Stage::new(0.001, few());
    let now = stage.world.clock.now().as_second();
    let traces = (0..50).map(|n| {
        json!({"id": format!("h-{n}"), "input": "q", "output": "a", "feature": "customer_support",
               "time": jiff::Timestamp::from_second(now - 3 * 86_400 - n).unwrap()})
    });
    stage.world.add(of_json(traces.collect()));
    assert_eq!(stage.all().0, 0);
}

#[test]
fn the_budget_of_the_day_is_released_by_the_hour_and_never_passed() {
    let spec = JudgeSample { at_least: 400, max_usd_per_day: 0.10, ..JudgeSample::default() };
    let stage = Stage::new(0.01, spec);
    stage.add("new", 300, 30, |_| false);
    let (told, last) = stage.all();
    // 10 h 35 min of 24 h are released; a question is asked when twice its cost has room.
    assert!(last.no_room && last.trouble.is_none(), "{last:?}");
    assert!((1..=4).contains(&told), "{told}");
    stage.world.clock.advance_ms(10 * HOUR_MS);
    let more = stage.all().0;
    assert!(more >= 2 && told + more <= 9, "{told} {more}");
    let (cost, asked) = stage.ctx.store.judging_cost(stage.sample().day()).unwrap();
    assert!(cost <= 0.10 && asked > 0, "{cost}");
    // Another day has another budget; the rest of yesterday's is judged first.
    stage.world.clock.advance_ms(10 * HOUR_MS);
    assert!(stage.all().0 > 0);
}

#[test]
fn a_judge_that_is_down_is_asked_again_and_nothing_is_lost() {
    let stage = Stage::new(0.001, JudgeSample { at_least: 400, ..JudgeSample::default() });
    stage.add("new", 30, 30, |_| false);
    *stage.judge.down.lock().unwrap() = Some(AskErrorKind::Unavailable);
    let round = stage.round();
    assert_eq!((round.told, round.untold), (0, 0));
    assert!(
        round.again > 0 && round.again <= AT_A_TIME as u64,
        "it is not asked about all of them: {round:?}"
    );
    assert!(round.trouble.as_deref().is_some_and(|why| why.contains("no route")), "{round:?}");
    *stage.judge.down.lock().unwrap() = None;
    assert!((25..=30).contains(&stage.all().0));
    // What may have been paid is not asked again.
    stage.add("late", 20, 5, |_| false);
    *stage.judge.down.lock().unwrap() = Some(AskErrorKind::Timeout);
    let round = stage.round();
    assert!(round.untold > 0 && round.again == 0, "{round:?}");
}

#[test]
fn what_was_asked_when_a_program_ended_counts_as_paid_and_is_not_asked_again() {
    let stage = Stage::new(0.001, JudgeSample { at_least: 400, ..JudgeSample::default() });
    stage.add("new", 20, 30, |_| false);
    draw(&stage.ctx, &stage.spec, &Cancel::default()).unwrap();
    let now = stage.ctx.clock.now().as_millisecond();
    let picks = stage.ctx.store.waiting_picks((0, now), 100).unwrap();
    assert!(picks.len() >= 15);
    // Another program took the first and put a bound aside for it; there it ended.
    assert!(stage.ctx.store.begin_pick(&picks[0], "gone", stage.sample().day()).unwrap());
    assert!(!stage.ctx.store.begin_pick(&picks[0], "other", stage.sample().day()).unwrap(), "it is taken");
    stage.ctx.store.put_aside(&picks[0], 0.25).unwrap();
    let notes = Mutex::new(Vec::new());
    let tell = |told: Told| notes.lock().unwrap().push(format!("{told:?}"));
    let round = stage.sample().once(&Cancel::default(), &tell).unwrap();
    assert_eq!(round.told as usize, picks.len() - 1);
    assert!(notes.lock().unwrap()[0].contains("1 trace was being judged"), "{notes:?}");
    let (cost, asked) = stage.ctx.store.judging_cost(stage.sample().day()).unwrap();
    assert!(
        (cost - 0.25 - 0.001 * (picks.len() - 1) as f64).abs() < 1e-9 && asked as usize == picks.len(),
        "{cost}"
    );
}

#[test]
fn two_programs_do_not_judge_one_store() {
    let stage = Stage::new(0.001, few());
    stage.add("new", 40, 30, |_| false);
    let (first, second) = (stage.sample(), stage.sample());
    let mut held = None;
    first.round(&mut held, &Cancel::default(), &|_| {}).unwrap();
    assert!(second.once(&Cancel::default(), &|_| {}).unwrap().elsewhere);
    drop(held);
    assert!(!second.once(&Cancel::default(), &|_| {}).unwrap().elsewhere);
}

#[test]
fn what_was_scored_by_hand_is_not_paid_for_again() {
    let stage = Stage::new(0.001, JudgeSample { at_least: 400, ..JudgeSample::default() });
    stage.add("new", 10, 30, |_| false);
    let sample = stage.sample();
    for n in 0..10 {
        let trace = stage.ctx.store.trace_by_id(&format!("new-{n}")).unwrap().unwrap().trace;
        let before = sample.scorer.before(&stage.ctx, &sample.prepared, &trace).unwrap();
        let scored = sample.scorer.score_trace(
            &stage.ctx,
            &sample.prepared,
            &trace,
            before,
            &crate::ops::score::Unlimited,
        );
        let words = futures::executor::block_on(scored);
        stage.ctx.store.keep_trace_scores(&words.fresh).unwrap();
    }
    assert_eq!(stage.asked(), 10);
    assert!((8..=10).contains(&stage.all().0));
    assert_eq!(stage.asked(), 10);
}
