//! What a person at the keyboard waits for: a page at any depth, a search. They are held against the plain
//! statement over the same file plus what a person does not notice.

use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;

use super::work::{filled, ms, quantile};
use super::{BenchData, Measured};
use crate::domain::{Error, Query, Result};
use crate::ops::browse::{Cursor, Direction, count, key, page};
use crate::ops::{Ctx, index};
use crate::task::{Cancel, Clock, Progress};

/// Rows of a page: a tall screen.
const ROWS: usize = 50;
/// Milliseconds beside the plain statement that a page may take: half a frame.
const PAGE_MS: f64 = 8.0;
/// Milliseconds that a search may take.
const SEARCH_MS: f64 = 10.0;

/// Pages at three depths, forward and back, and through a filter.
pub fn pages(data: &BenchData, folder: &Path, rounds: usize, progress: &Progress) -> Result<Vec<Measured>> {
    let ctx = at_end(filled(data, folder, progress)?)?;
    progress.phase("paging");
    let (cancel, all) = (Cancel::default(), Query::all());
    let filter = Query::parse("feedback:down version:v3")?;
    let count = ctx.store.trace_count()?;
    let mut lines = Vec::new();
    for (what, filtered, depth) in [
        ("page at the top, 99 of 100", "filtered page at the top, 99 of 100", 0.0),
        ("page half-way down, 99 of 100", "filtered page half-way down, 99 of 100", 0.5),
        ("page nine tenths down, 99 of 100", "filtered page nine tenths down, 99 of 100", 0.9),
    ] {
        let seq = count - (count as f64 * depth) as i64;
        let place = ctx.store.rows(&[seq])?.first().map(key).ok_or_else(nothing)?;
        let (mut plain, mut ours, mut through) = (Vec::new(), Vec::new(), Vec::new());
        let mut cursors = [Cursor::Beside(place); 2];
        let mut before = place;
        for round in 0..rounds.max(20) {
            let direction = if round % 4 == 3 { Direction::Newer } else { Direction::Older };
            let begun = Instant::now();
            ctx.store.plain_page(before)?;
            plain.push(ms(begun));
            for (cursor, (query, took)) in
                cursors.iter_mut().zip([(&all, &mut ours), (&filter, &mut through)])
            {
                let begun = Instant::now();
                let page = page(&ctx, query, *cursor, direction, ROWS, &cancel)?;
                took.push(ms(begun));
                *cursor = match (direction, page.rows.first(), page.rows.last()) {
                    (Direction::Older, _, Some(row)) | (Direction::Newer, Some(row), _) => {
                        Cursor::beside(row)
                    }
                    _ => Cursor::Beside(place),
                };
            }
            if let Cursor::Beside(at) = cursors[0] {
                before = at;
            }
        }
        let raw = quantile(&plain, 0.99);
        for (what, took) in [(what, ours), (filtered, through)] {
            lines.push(Measured::less(what, "ms", raw, quantile(&took, 0.99), raw / (raw + PAGE_MS)));
        }
    }
    Ok(lines)
}

/// First hits of a rare word, a common word and a phrase, newest first, warm.
pub fn search(data: &BenchData, folder: &Path, rounds: usize, progress: &Progress) -> Result<Vec<Measured>> {
    let ctx = at_end(filled(data, folder, progress)?)?;
    let cancel = Cancel::default();
    index::catch_up(&ctx, &cancel, progress)?;
    progress.phase("searching");
    let mut lines = Vec::new();
    let (rare, common, phrase) = words(&ctx, &cancel)?;
    for (what, counted, text) in [
        ("first hits of a rare word", "count of a rare word", rare),
        ("first hits of a common word", "count of a common word", common),
        ("first hits of a phrase", "count of a phrase", phrase),
    ] {
        let quoted = format!("\"{text}\"");
        let query = Query::parse(&quoted)?;
        let (mut plain, mut ours, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds.max(9) {
            let begun = Instant::now();
            ctx.store.plain_search(&quoted)?;
            plain.push(ms(begun));
            let begun = Instant::now();
            page(&ctx, &query, Cursor::Newest, Direction::Older, ROWS, &cancel)?;
            ours.push(ms(begun));
            let begun = Instant::now();
            count(&ctx, &query, &cancel)?;
            counts.push(ms(begun));
        }
        let raw = quantile(&plain, 0.5);
        lines.push(Measured::less(what, "ms", raw, quantile(&ours, 0.5), raw / (raw + SEARCH_MS)));
        lines.push(Measured::less(counted, "ms", raw, quantile(&counts, 0.5), raw / (raw + SEARCH_MS)));
    }
    Ok(lines)
}

/// The store with the clock at half an hour after its last trace was made: data end in the past.
pub(super) fn at_end(ctx: Ctx) -> Result<Ctx> {
    let last =
        ctx.store.rows(&[ctx.store.trace_count()?])?.first().map(|row| row.time).ok_or_else(nothing)?;
    let now = Timestamp::from_second(last.as_second() / 3600 * 3600 + 1800).unwrap_or(last);
    Ok(Ctx { clock: Clock::fixed(now), ..ctx })
}

/// A word that few traces have, one that many have, and two words beside each other, from the traces.
fn words(ctx: &Ctx, cancel: &Cancel) -> Result<(String, String, String)> {
    let last = ctx.store.trace_count()?;
    let said = ctx.store.words((last / 2).max(1), (last / 2 + 3).min(last))?;
    let all: Vec<&str> =
        said.iter().flat_map(|words| words.output.split(' ')).filter(|w| w.len() > 1).collect();
    let mut counted = Vec::new();
    for word in &all {
        counted.push((count(ctx, &Query::parse(&format!("\"{word}\""))?, cancel)?, *word));
    }
    let rare = counted.iter().min().ok_or_else(nothing)?.1.to_owned();
    let common = counted.iter().max().ok_or_else(nothing)?.1.to_owned();
    let phrase = all.get(3..5).ok_or_else(nothing)?.join(" ");
    Ok((rare, common, phrase))
}

fn nothing() -> Error {
    Error::failed("The data of the measurement hold too little.")
}
