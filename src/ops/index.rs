//! The search index brought up to the rows, in the background or after an import.

use crossbeam_channel::{Receiver, bounded};

use super::Ctx;
use crate::domain::Result;
use crate::store::text_index::Words;
use crate::task::{Cancel, Progress};

/// Traces whose words are made at a time.
const STEP: i64 = 512;
/// Traces and bytes of words in one transaction. The larger, the fewer segments are to be merged; but as
/// long as it lasts, an import waits.
const MOST_TRACES: usize = 16_384;
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// Steps that each maker of words may be ahead.
const AHEAD: usize = 3;

/// What a catch-up did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct IndexView {
    /// Traces that it added to the index.
    pub indexed: u64,
    /// Traces that are still to be added.
    pub pending: u64,
    /// Whether it was stopped before its end. Pending without this means that another process is at it.
    pub stopped: bool,
}

/// Whether there is something to catch up with. Not while an import runs: that brings the index up itself,
/// and leaves the building of other indexes to its end, where it is cheaper.
pub fn is_behind(ctx: &Ctx) -> Result<bool> {
    let (at, last) = ctx.store.text_index_state()?;
    Ok(at < last && !ctx.store.import_runs())
}

/// Brings the search index up to the rows. It goes in steps that are each whole: when cancelled or
/// killed, what is done is done, and the next call goes on from there. Progress counts traces.
///
/// The indexes that a killed import left out are built first.
pub fn catch_up(ctx: &Ctx, cancel: &Cancel, progress: &Progress) -> Result<IndexView> {
    progress.phase("building the search index");
    ctx.store.build_indexes()?;
    let (start, last) = ctx.store.text_index_state()?;
    progress.set_total((last - start).max(0).unsigned_abs());
    progress.set_done(0);
    let mut at = start;
    if at < last {
        let makers =
            std::thread::available_parallelism().map_or(1, |n| n.get().saturating_sub(1).clamp(1, 4));
        at = std::thread::scope(|threads| {
            let made: Vec<Receiver<Result<Vec<Words>>>> = (0..makers)
                .map(|n| {
                    let (give, take) = bounded(AHEAD);
                    threads.spawn(move || {
                        let mut from = start + 1 + n as i64 * STEP;
                        while from <= last && !cancel.is_cancelled() {
                            let words = ctx.store.words(from, last.min(from + STEP - 1));
                            if give.send(words).is_err() {
                                return;
                            }
                            from += makers as i64 * STEP;
                        }
                    });
                    take
                })
                .collect();
            write(ctx, start, &made, cancel, progress)
        })?;
    }
    let pending = (last - at).max(0).unsigned_abs();
    Ok(IndexView {
        indexed: (at - start).unsigned_abs(),
        pending,
        stopped: pending > 0 && cancel.is_cancelled(),
    })
}

/// Brings the search index nearer to the rows by at most so many traces, in one transaction of this thread
/// alone: what the receiver does beside its work. Gives how many.
pub fn catch_up_some(ctx: &Ctx, most: i64) -> Result<i64> {
    let (at, last) = ctx.store.text_index_state()?;
    let upto = last.min(at + most);
    if upto <= at {
        return Ok(0);
    }
    let words = ctx.store.words(at + 1, upto)?;
    Ok(if ctx.store.index_words(at, &words)? { upto - at } else { 0 })
}

/// Takes the words in turn and writes them; gives how far it came.
fn write(
    ctx: &Ctx,
    start: i64,
    made: &[Receiver<Result<Vec<Words>>>],
    cancel: &Cancel,
    progress: &Progress,
) -> Result<i64> {
    let mut at = start;
    let mut batch: Vec<Words> = Vec::new();
    let mut weight = 0;
    let mut turns = made.iter().cycle();
    loop {
        let words = turns.next().and_then(|maker| maker.recv().ok()).transpose()?;
        if cancel.is_cancelled() {
            return Ok(at);
        }
        let over = words.is_none();
        if let Some(words) = words {
            weight += words.iter().map(Words::weight).sum::<usize>();
            batch.extend(words);
        }
        if batch.len() >= MOST_TRACES || weight >= MOST_BYTES || over && !batch.is_empty() {
            if !ctx.store.index_words(at, &batch)? {
                // Another process is at it.
                return Ok(at);
            }
            at = batch.last().map_or(at, |last| last.seq);
            progress.set_done((at - start).unsigned_abs());
            batch.clear();
            weight = 0;
        }
        if over {
            return Ok(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Content, Trace};
    use crate::ops::testing::{World, trace};
    use crate::store::text_index::normalise;

    fn said(n: usize, input: &str, output: &str) -> Trace {
        Trace {
            input: Content::Text(input.into()),
            output: Content::Text(output.into()),
            ..trace(&format!("t-{n}"))
        }
    }

    #[test]
    fn words_are_found_where_they_were_said() {
        let world = World::new();
        let talk = r#"[{"role":"system","content":"secret rules"},{"role":"user","content":"Überweisung nach 東京都"},
            {"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"send_money","arguments":"{\"to\":\"Tokyo\"}"}}]}]"#;
        world.add([
            said(0, "The overdraft fee", "You can transfer your balance"),
            said(1, "fee overdraft", "No fee"),
            Trace { input: serde_json::from_str(talk).unwrap(), ..said(2, "", "done") },
        ]);
        let ctx = world.as_reviewer("ann");
        let (cancel, progress) = (Cancel::default(), Progress::default());
        let view = catch_up(&ctx, &cancel, &progress).unwrap();
        assert_eq!((view.indexed, view.pending), (3, 0));
        let hits = |text: &str| ctx.store.text_hits(&format!("\"{}\"", normalise(text).trim_end()));
        assert_eq!(hits("OVERDRAFT fee"), [1]);
        assert_eq!(hits("fee"), [1, 2]);
        assert_eq!(ctx.store.text_hits("output : fee"), [2]);
        assert_eq!(hits("uberweisung"), [3]);
        assert_eq!(hits("東京"), [3]);
        assert_eq!(hits("send_money"), [3]);
        assert_eq!(hits("tokyo"), [3]);
        assert_eq!(hits("secret"), Vec::<i64>::new());
        assert_eq!(catch_up(&ctx, &cancel, &progress).unwrap().indexed, 0);
    }

    #[test]
    fn stopped_anywhere_it_goes_on_from_there() {
        let world = World::new();
        world.add((0..40_000).map(|n| said(n, &format!("question {n}"), "same")));
        let ctx = world.as_reviewer("ann");
        let mut stops = 0;
        loop {
            let (cancel, progress) = (Cancel::default(), Progress::default());
            let view = std::thread::scope(|threads| {
                threads.spawn(|| {
                    while progress.view().done == 0 && progress.view().phase != "over" {
                        std::thread::yield_now();
                    }
                    cancel.cancel();
                });
                let view = catch_up(&ctx, &cancel, &progress).unwrap();
                progress.phase("over");
                view
            });
            if view.pending == 0 {
                break;
            }
            assert!(view.stopped);
            stops += 1;
        }
        assert!(stops > 0);
        for n in [0, 16_383, 16_384, 39_999] {
            assert_eq!(ctx.store.text_hits(&format!("question AND {n}")), [n + 1]);
        }
        assert_eq!(ctx.store.text_hits("same").len(), 40_000);
    }

    #[test]
    fn two_at_once_do_not_index_twice() {
        let world = World::new();
        world.add((0..20_000).map(|n| said(n, "one", "two")));
        std::thread::scope(|threads| {
            for name in ["ann", "ben"] {
                let ctx = world.as_reviewer(name);
                threads.spawn(move || catch_up(&ctx, &Cancel::default(), &Progress::default()).unwrap());
            }
        });
        let ctx = world.as_reviewer("eve");
        catch_up(&ctx, &Cancel::default(), &Progress::default()).unwrap();
        assert_eq!(ctx.store.text_hits("one").len(), 20_000);
        assert_eq!(ctx.store.text_index_state().unwrap(), (20_000, 20_000));
    }
}
