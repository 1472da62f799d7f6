//! The dashboard at many traces against the dashboard at few, in turn. The stores are made here, with short
//! texts: the dashboard reads none but the handful of recent responses.

use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::Measured;
use super::work::{ms, quantile};
use crate::domain::{Content, FailureKind, Feedback, FeedbackKind, Result, Status, Thumbs, Trace};
use crate::ops::health::{By, HealthSpec, Only, Scope, health, recent};
use crate::ops::{Access, Ctx};
use crate::store::Preparer;
use crate::task::{Cancel, Clock, Progress};

/// Traces of the small store.
const FEW: u64 = 100_000;
/// The many may take so many times as long as the few.
const LONGEST: f64 = 1.5;
/// Traces written at a time.
const BATCH: u64 = 10_000;
/// Recent responses of a tall screen.
const RECENT: usize = 40;
/// Sixty days that end here: 2026-03-02 09:37, in milliseconds.
const END_MS: i64 = 1_772_444_220_000;
const SPAN_MS: i64 = 60 * 86_400_000;

/// All that the screen shows, of a day and of 28 days, whole and cut.
pub fn vitals(traces: u64, folder: &Path, rounds: usize, progress: &Progress) -> Result<Vec<Measured>> {
    let few = filled(folder, FEW, progress)?;
    let many = filled(folder, traces, progress)?;
    progress.phase("health");
    let day = HealthSpec::default();
    let cut = Only { language: Some("de".into()), ..Only::default() };
    let specs = [
        ("dashboard of 24 h, times that of 100,000 traces", day.clone()),
        ("the same of 28 days", HealthSpec { hours: 672, ..day.clone() }),
        ("the same of 24 h in one language, by model", HealthSpec { only: cut, by: By::Model, ..day }),
    ];
    let mut lines = Vec::new();
    for (what, spec) in specs {
        let (mut small, mut large) = (Vec::new(), Vec::new());
        for _ in 0..rounds.max(9) {
            for (ctx, took) in [(&few, &mut small), (&many, &mut large)] {
                let begun = Instant::now();
                health(ctx, &spec)?;
                recent(ctx, &Scope::All, &spec.only, RECENT, &Cancel::default())?;
                took.push(ms(begun));
            }
        }
        let (small, large) = (quantile(&small, 0.5), quantile(&large, 0.5));
        lines.push(Measured::less(what, "ms", small, large, 1.0 / LONGEST));
    }
    Ok(lines)
}

/// A store of this many traces of sixty days, made once; its clock stands at their end.
fn filled(folder: &Path, traces: u64, progress: &Progress) -> Result<Ctx> {
    let path = folder.join(format!("bench-short-{traces}.db"));
    let now = Timestamp::from_millisecond(END_MS).unwrap_or_default();
    let clock = Clock::fixed(now);
    if path.exists() {
        let ctx = Ctx::open(&path, Access::Existing, "bench", clock.clone())?;
        if ctx.store.trace_count()?.unsigned_abs() == traces {
            return Ok(ctx);
        }
        drop(ctx);
        super::import::remove(&path);
    }
    progress.phase("making traces");
    progress.set_total(traces);
    let ctx = Ctx::open(&path, Access::Create, "bench", clock)?;
    let mut loader = ctx.store.loader(traces)?;
    let mut rng = ChaCha8Rng::seed_from_u64(traces);
    for first in (0..traces).step_by(BATCH as usize) {
        let mut preparer = Preparer::new(loader.dictionary())?;
        let batch = first..traces.min(first + BATCH);
        let mut batch =
            batch.map(|n| preparer.prepare(trace(n, traces, &mut rng), now)).collect::<Result<Vec<_>>>()?;
        loader.write(&mut batch)?;
        progress.set_done(first + BATCH);
    }
    loader.finish()?;
    Ok(ctx)
}

fn trace(n: u64, of: u64, rng: &mut ChaCha8Rng) -> Trace {
    let back = SPAN_MS as f64 * (1.0 - (n + 1) as f64 / of as f64);
    let fate = rng.random_range(0..1000);
    let feature = if rng.random_range(0..8) == 0 { "summarization" } else { "customer_support" };
    // A new version every fifteen days.
    let version = ["v1", "v2", "v3", "v4"][(n * 4 / of) as usize];
    let thumb = |thumbs| Feedback { kind: FeedbackKind::Thumbs(thumbs), comment: None, time: None };
    let kind = [FailureKind::Timeout, FailureKind::RateLimit, FailureKind::ContentPolicy][fate % 3];
    let language = ["en", "en", "de", "es", "fr"][rng.random_range(0..5)];
    Trace {
        id: format!("{n:032x}").into(),
        time: Timestamp::from_millisecond(END_MS - back as i64).ok(),
        feature: Some(feature.into()),
        model: Some(["gpt-4o", "gpt-4o", "gpt-4o-mini", "claude-sonnet"][rng.random_range(0..4)].into()),
        prompt: Some(feature.into()),
        prompt_version: Some(version.into()),
        input: Content::Text("Why was I charged an overdraft fee?".into()),
        output: Content::Text("Your salary arrived a day later. I have asked to waive it.".into()),
        latency_ms: Some((300.0 + 600.0 * (-(1.0 - rng.random::<f64>()).ln()).powf(1.2)).round()),
        tokens_in: Some(400),
        tokens_out: Some(60),
        cost_usd: Some(0.0021),
        status: if fate < 20 { Status::Error } else { Status::Ok },
        error_kind: (fate < 20).then_some(kind),
        fallback: (20..40).contains(&fate),
        feedback: match fate {
            40..90 => vec![thumb(Thumbs::Up)],
            90..120 => vec![thumb(Thumbs::Down)],
            _ => Vec::new(),
        },
        metadata: json!({"locale": language}).as_object().cloned().unwrap_or_default(),
        ..Trace::default()
    }
}
