//! Stored answers read again, where the patterns of fallbacks changed.
//!
//! It is asked for and does not go by itself: it changes figures of the past that people have seen, and reads every
//! body of the store. Until then Health says that older answers were read by other patterns.

use serde::Serialize;

use super::Ctx;
use crate::domain::{Error, Result};
use crate::task::{Cancel, Progress};

/// Traces of a transaction, at most: a receiver waits no longer than for these.
const STEP: i64 = 2_048;

/// What reading again changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RereadView {
    /// Traces that were read.
    pub read: u64,
    /// Traces that count as fallbacks now, and did not before.
    pub found: u64,
    /// Traces that did, and do so no more.
    pub lost: u64,
}

/// Whether older answers were read by other patterns than the configuration's.
pub fn is_behind(ctx: &Ctx) -> Result<bool> {
    ctx.store.reads_by_other_patterns(&ctx.fallback)
}

/// Reads all answers again, by the patterns of the configuration. What the source of a trace says stays. It goes in
/// steps that are each whole; stopped, it errors, and Health goes on to say that patterns differ.
pub fn reread(ctx: &Ctx, cancel: &Cancel, progress: &Progress) -> Result<RereadView> {
    if !ctx.writable() {
        return Err(Error::not_so("The store is open for reading only.")
            .hint("Give write permission to the file and its folder."));
    }
    progress.phase("reading answers");
    let last = ctx.store.last_arrival()?;
    progress.set_total(last.max(0).unsigned_abs());
    let mut view = RereadView::default();
    // What arrives meanwhile is read by whoever takes it.
    let mut from = 1;
    while from <= last {
        cancel.check()?;
        let to = (from + STEP - 1).min(last);
        let done = ctx.store.reread_fallbacks((from, to), &ctx.fallback)?;
        view.read += (to - from + 1).unsigned_abs();
        view.found += done.found;
        view.lost += done.lost;
        progress.add((to - from + 1).unsigned_abs());
        from = to + 1;
    }
    ctx.store.all_read_by(&ctx.fallback)?;
    Ok(view)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ops::doctor::examine;
    use crate::ops::health::{HealthSpec, health};
    use crate::ops::testing::{World, of_json};
    use crate::text::Fallback;

    const NOW: &str = "2026-11-24T09:35:00Z";

    /// Three by the usual patterns, two by the own ones, one that its source calls a fallback; one is both.
    fn stage() -> (World, Ctx) {
        let world = World::at(NOW.parse().unwrap());
        let answers = [
            ("I don't know.", false),
            ("Sorry, I do not know that.", false),
            ("I do not know; a colleague will call you.", false),
            ("A colleague will call you.", false),
            ("The fee is two euros.", true),
            ("Your card is on its way.", false),
        ];
        let of = |(n, (output, fallback)): (usize, (&str, bool))| {
            json!({"id": format!("t-{n}"), "time": "2026-11-24T09:00:00Z", "input": "q", "output": output,
                   "fallback": fallback})
        };
        world.add(of_json(answers.into_iter().enumerate().map(of).collect()));
        let own = world.as_reviewer("ann").with_fallback(Fallback::new(&["a colleague will"]).unwrap());
        (world, own)
    }

    fn rate(ctx: &Ctx) -> (f64, bool) {
        let view = health(ctx, &HealthSpec::default()).unwrap();
        (view.fallback_rate.value.unwrap(), view.fallback_patterns_differ)
    }

    #[test]
    fn answers_are_read_again_by_the_patterns_of_now_and_all_figures_follow() {
        let (world, own) = stage();
        assert_eq!(rate(&world.as_reviewer("ann")), (4.0 / 6.0, false));
        assert_eq!(rate(&own), (4.0 / 6.0, true), "it says so until they are read again");
        let read = || reread(&own, &Cancel::default(), &Progress::default()).unwrap();
        assert_eq!(read(), RereadView { read: 6, found: 1, lost: 2 });
        assert_eq!(rate(&own), (3.0 / 6.0, false));
        assert_eq!(rate(&world.as_reviewer("ann")), (3.0 / 6.0, true), "now the usual ones are the others");
        assert_eq!(read(), RereadView { read: 6, found: 0, lost: 0 });
        let whole = examine(&own, &Cancel::default(), &Progress::default()).unwrap();
        assert!(whole.is_ok(), "{whole:?}");
    }

    #[test]
    fn what_arrives_by_other_patterns_leaves_the_store_mixed_until_all_are_read_again() {
        let (world, own) = stage();
        crate::ops::import::traces(&own, of_json(vec![json!({"id": "new", "input": "q", "output": "a"})]))
            .unwrap();
        let usual = world.as_reviewer("ann");
        assert!(is_behind(&own).unwrap() && is_behind(&usual).unwrap());
        reread(&usual, &Cancel::default(), &Progress::default()).unwrap();
        assert!(is_behind(&own).unwrap() && !is_behind(&usual).unwrap());
    }

    #[test]
    fn an_empty_store_is_never_behind_and_begins_with_its_own_patterns() {
        let world = World::at(NOW.parse().unwrap());
        let own = world.as_reviewer("ann").with_fallback(Fallback::new(&["a colleague will"]).unwrap());
        assert!(!is_behind(&own).unwrap());
        crate::ops::import::traces(&own, of_json(vec![json!({"id": "new", "input": "q", "output": "a"})]))
            .unwrap();
        assert!(!is_behind(&own).unwrap() && is_behind(&world.as_reviewer("ann")).unwrap());
    }

    #[test]
    fn what_is_stopped_goes_on_to_say_that_patterns_differ() {
        let (_world, own) = stage();
        let cancel = Cancel::default();
        cancel.cancel();
        assert!(reread(&own, &cancel, &Progress::default()).is_err());
        assert!(is_behind(&own).unwrap());
    }
}
