//! What is drawn over time: held against plain counts, and every bar opens its traces.

use super::*;

fn opened(ctx: &Ctx, query: &Query) -> u64 {
    count(ctx, query, &Cancel::default()).unwrap()
}

fn view(ctx: &Ctx, hours: i64) -> HealthView {
    health(ctx, &HealthSpec { hours, ..HealthSpec::default() }).unwrap()
}

#[test]
fn parts_of_the_window_are_counted_and_open_their_traces() {
    let traces = traffic(6_000, true);
    let (_world, ctx) = world(&traces);
    for (hours, parts, step) in
        [(1, 12, HOUR_MS / 12), (24, 24, HOUR_MS), (168, 42, 4 * HOUR_MS), (672, 28, 24 * HOUR_MS)]
    {
        let view = view(&ctx, hours);
        assert_eq!(view.timeline.len(), parts, "{hours} h");
        assert!(view.timeline.last().unwrap().to.as_millisecond() > now());
        assert!(view.timeline.windows(2).all(|pair| pair[0].to == pair[1].from));
        for of in view.timeline.iter().step_by(5) {
            let (from, to) = (of.from.as_millisecond(), of.to.as_millisecond());
            assert_eq!(to - from, step);
            let p = plain(&traces, None, from, to);
            assert_eq!(of.requests, p.0.len() as u64);
            assert_eq!(of.errors() as f64, p.of(|t| t.status == Status::Error));
            assert_eq!(opened(&ctx, &of.query), of.requests);
            assert_eq!(opened(&ctx, &of.failed(None)), of.errors());
            assert_eq!(opened(&ctx, &of.failed(Some(FailureKind::ContentPolicy))), of.content_policy);
            let mut times: Vec<f64> = p.0.iter().filter_map(|t| t.latency_ms).collect();
            times.sort_by(f64::total_cmp);
            let at = |q| times[nearest_rank(q, times.len() as u64) as usize - 1];
            if !times.is_empty() {
                close(of.p50_latency_ms, at(0.5), 0.0101);
                close(of.p99_latency_ms, at(0.99), 0.0101);
                assert!(opened(&ctx, &of.slow()) < of.requests.max(2));
            }
        }
    }
    let days = view(&ctx, 672).timeline;
    assert_eq!(days[0].from.as_millisecond() % (24 * HOUR_MS), 0, "days of UTC");
}

#[test]
fn a_few_that_hung_do_not_press_the_others_flat() {
    let traces = (0..300).map(|n| {
        json!({"id": format!("t-{n}"), "input": "q", "output": "a", "time": instant(now() - n * 60_000),
               "latency_ms": if n % 60 == 7 { 30_000 } else { 1_000 }})
    });
    let (_world, ctx) = world(&of_json(traces.collect()));
    let axis = TimesAxis::of(&view(&ctx, 24).timeline);
    assert!((2_900.0..=4_000.0).contains(&axis.top), "{axis:?}");
    assert!(axis.tick(axis.top).ends_with(" s+") && axis.tick(0.0) == "0");
    assert_eq!(TimesAxis::of(&[]).tick(1.0), "1 ms");
}

#[test]
fn a_histogram_holds_every_time_once() {
    let traces = traffic(6_000, false);
    let (_world, ctx) = world(&traces);
    let view = view(&ctx, 168);
    let p = plain(&traces, None, now() - 168 * HOUR_MS, now());
    let timed = p.of(|t| t.latency_ms.is_some()) as u64;
    assert_eq!(view.histogram.iter().map(|bar| bar.requests).sum::<u64>(), timed);
    assert_eq!(view.histogram.iter().map(|bar| opened(&ctx, &bar.query)).sum::<u64>(), timed);
    assert!((8..=24).contains(&view.histogram.len()), "{}", view.histogram.len());
    for bar in &view.histogram {
        let within = |t: &Trace, slack: f64| {
            let (low, high) = (bar.from_ms * (1.0 + slack), bar.to_ms.unwrap_or(f64::MAX) * (1.0 - slack));
            t.latency_ms.is_some_and(|ms| low < ms && ms <= high)
        };
        assert!(p.of(|t| within(t, 0.021)) <= bar.requests as f64, "{bar:?}");
        assert!(p.of(|t| within(t, -0.021)) >= bar.requests as f64, "{bar:?}");
    }
}

#[test]
fn days_cost_what_their_traces_cost() {
    let traces = traffic(3_000, true);
    let (_world, ctx) = world(&traces);
    let view = view(&ctx, 24);
    assert_eq!(view.days.len(), 28);
    for day in view.days.iter().rev().take(12) {
        let from = day.day.as_millisecond();
        let p = plain(&traces, None, from, from + 24 * HOUR_MS);
        let cost: f64 = p.0.iter().filter_map(|t| t.cost_usd).sum();
        assert!((day.cost_usd - cost).abs() < 1e-6, "{day:?}, not {cost}");
        assert_eq!((day.requests, opened(&ctx, &day.query)), (p.0.len() as u64, p.0.len() as u64));
    }
    assert_eq!(view.days[0].requests, 0, "traffic began later");
}

#[test]
fn a_new_version_is_marked_in_its_first_hour() {
    let traces = traffic(3_000, true);
    let (world, ctx) = world(&traces);
    let first = |of: &dyn Fn(&Trace) -> bool| {
        traces
            .iter()
            .filter(|t| of(t))
            .map(|t| t.time.unwrap().as_millisecond())
            .min()
            .unwrap()
            .div_euclid(HOUR_MS)
    };
    let v4 = first(&|t| t.prompt_version.as_ref().is_some_and(|v| v.raw() == "v4"));
    let marks = view(&ctx, 24).marks;
    // What a feature began with is not new; both features have v4 from about the same time.
    assert!(marks.iter().any(|mark| mark.at == instant(v4 * HOUR_MS)), "{marks:?}");
    assert!(marks.iter().all(|mark| mark.kind == MarkKind::PromptVersion && mark.name.raw() == "support@v4"));
    // A model that comes later is one too, and its late earlier traces move the mark.
    for (id, hours) in [("new-1", 2), ("new-0", 5)] {
        world.add(of_json(vec![json!({
            "id": id, "input": "q", "output": "a", "model": "gpt-5", "feature": "customer_support",
            "time": instant(now() - hours * HOUR_MS),
        })]));
        let marks = view(&ctx, 24).marks;
        let mark = marks.iter().find(|mark| mark.kind == MarkKind::Model).unwrap();
        let hour = (now() - hours * HOUR_MS).div_euclid(HOUR_MS);
        assert_eq!((mark.at, mark.name.raw()), (instant(hour * HOUR_MS), "gpt-5"));
    }
}

#[test]
fn the_trend_of_a_long_window_is_28_days() {
    let traces = traffic(3_000, false);
    let (_world, ctx) = world(&traces);
    let series = view(&ctx, 672).series;
    assert_eq!((series.requests.len(), series.step_hours), (168, 4));
    let end = series.from.as_millisecond() + 168 * 4 * HOUR_MS;
    assert!(end > now() && end <= now() + 4 * HOUR_MS);
    let from = series.from.as_millisecond() + 160 * 4 * HOUR_MS;
    assert_eq!(series.requests[160], plain(&traces, None, from, from + 4 * HOUR_MS).0.len() as u64);
}
