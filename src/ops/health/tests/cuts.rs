//! Traffic cut and told apart: by whatever, the hourly figures are what a plain count of the traces gives.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

fn name(of: &Option<Untrusted>) -> &str {
    of.as_ref().map_or("", Untrusted::raw)
}

fn language(trace: &Trace) -> String {
    crate::text::trace_language(trace).map_or_else(String::new, |of| of.name)
}

/// What a trace counts under.
fn group_of(by: By, trace: &Trace) -> String {
    match by {
        By::PromptVersion => match (name(&trace.prompt), name(&trace.prompt_version)) {
            (prompt, "") => prompt.to_owned(),
            (prompt, version) => format!("{prompt}@{version}"),
        },
        By::Model => name(&trace.model).to_owned(),
        By::Language => language(trace),
        By::Feature => name(&trace.feature).to_owned(),
    }
}

fn holds(only: &Only, trace: &Trace) -> bool {
    let same = |wanted: &Option<Untrusted>, held: &Option<Untrusted>| wanted.is_none() || wanted == held;
    same(&only.model, &trace.model)
        && same(&only.prompt, &trace.prompt)
        && same(&only.version, &trace.prompt_version)
        && only.language.as_ref().is_none_or(|wanted| wanted.raw() == language(trace))
}

/// Traffic of nine weeks in which any name may be missing.
fn varied(count: usize) -> Vec<Trace> {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut traces = traffic(count, true);
    for trace in &mut traces {
        let back: i64 = rng.random_range(0..63 * 24 * HOUR_MS);
        if rng.random_range(0..3) > 0 {
            trace.time = Some(instant(now() - back));
        }
        for name in [&mut trace.feature, &mut trace.model, &mut trace.prompt, &mut trace.prompt_version] {
            if rng.random_range(0..9) == 0 {
                *name = None;
            }
        }
        if rng.random_range(0..6) == 0 {
            trace.metadata.clear();
        }
    }
    traces
}

#[test]
fn every_cut_is_what_a_plain_count_gives() {
    let traces = varied(4_000);
    let (_world, ctx) = world(&traces);
    let maybe = |name: &'static str| prop_oneof![Just(None), Just(Some(Untrusted::from(name)))];
    let wanted = (
        (maybe("gpt-4o"), maybe("support"), maybe("v3"), maybe("de")),
        prop_oneof![Just(Scope::All), Just(Scope::Feature("customer_support".into()))],
        prop_oneof![Just(1i64), Just(24), Just(100), Just(168), Just(672)],
        prop_oneof![Just(Against::LastWeek), Just(Against::Previous)],
        0..By::ALL.len(),
    );
    let mut runner = TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
    runner
        .run(&wanted, |((model, prompt, version, language), scope, hours, against, by)| {
            let only = Only { model, prompt, version, language };
            let by = By::ALL[by];
            let spec = HealthSpec { scope: scope.clone(), only: only.clone(), hours, against, by };
            let view = health(&ctx, &spec).unwrap();
            let feature = (scope != Scope::All).then_some("customer_support");
            let count = |from: i64, to: i64| {
                let mut all = plain_of(&traces, from, to);
                all.retain(|t| feature.is_none_or(|wanted| name(&t.feature) == wanted) && holds(&only, t));
                all
            };
            let (from, to) = (now() - hours * HOUR_MS, now());
            let earlier =
                HOUR_MS * if against == Against::Previous { hours } else { (hours + 167) / 168 * 168 };
            let (p, q) = (count(from, to), count(from - earlier, to - earlier));
            prop_assert_eq!(view.requests.value, Some(p.len() as u64));
            prop_assert_eq!(view.requests.previous, Some(q.len() as u64));
            let failed = p.iter().filter(|t| t.status == Status::Error).count() as u64;
            prop_assert_eq!(view.errors.kinds().iter().map(|(_, n)| n).sum::<u64>(), failed);
            let mut groups: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
            for trace in &p {
                *groups.entry(group_of(by, trace)).or_default() += 1;
            }
            let got: std::collections::BTreeMap<String, u64> =
                view.groups.iter().map(|g| (name(&g.name).to_owned(), g.requests)).collect();
            prop_assert_eq!(&got, &groups);
            let opened = |query: &Query| count_of(&ctx, query);
            prop_assert_eq!(opened(&view.requests.query), p.len() as u64);
            if let Some(group) = view.groups.last() {
                prop_assert_eq!(opened(&group.query), group.requests);
            }
            Ok(())
        })
        .unwrap();
}

fn plain_of(traces: &[Trace], from: i64, to: i64) -> Vec<&Trace> {
    plain(traces, None, from, to).0
}

fn count_of(ctx: &Ctx, query: &Query) -> u64 {
    count(ctx, query, &Cancel::default()).unwrap()
}

#[test]
fn a_name_that_no_trace_has_is_told_with_the_nearest() {
    let (_world, ctx) = world(&traffic(200, false));
    let told = |only: Only| health(&ctx, &HealthSpec { only, ..HealthSpec::default() }).unwrap_err();
    let error = told(Only { model: Some("gpt-4".into()), ..Only::default() });
    assert_eq!(error.what, "No trace has the model gpt-4.");
    assert_eq!(error.hints, ["Did you mean gpt-4o?"]);
    let error = told(Only::default().with_prompt_version("support@v33"));
    assert_eq!(error.what, "No trace has the prompt version v33.");
    assert_eq!(told(Only { language: Some("xx".into()), ..Only::default() }).kind, ErrorKind::NotSo);
    assert_eq!(By::from_word("Prompt-Version").unwrap(), By::PromptVersion);
    assert_eq!(By::from_word("langage").unwrap_err().hints, ["Did you mean language?"]);
}

#[test]
fn what_is_held_against_what_is_said() {
    let said = |hours, against| against_words(hours, against);
    assert_eq!(said(24, Against::LastWeek), "last 24 h against the same time last week");
    assert_eq!(said(1, Against::Previous), "last hour against the hour before");
    assert_eq!(said(168, Against::LastWeek), "last 7 days against the 7 days before");
    assert_eq!(said(672, Against::LastWeek), "last 28 days against the 28 days before");
    assert_eq!(said(240, Against::LastWeek), "last 10 days against the same time 2 weeks ago");
    assert_eq!(said(48, Against::Previous), "last 48 h against the 48 h before");
}
