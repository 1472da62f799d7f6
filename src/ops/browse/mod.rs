//! Finding traces: pages of what a query wants, how many there are, and one trace whole.

mod show;
#[cfg(test)]
mod tests;

use serde::Serialize;

use super::Ctx;
use crate::domain::{Query, Result, TraceRow, Untrusted};
use crate::store::{Key, Keys};
use crate::task::Cancel;

pub use show::{Neighbours, TraceView, trace};

/// Which way a page goes from its start.
pub use crate::store::Direction;

/// Where a page starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// At the newest trace; the page goes to older ones.
    Newest,
    /// At the oldest trace; the page goes to newer ones.
    Oldest,
    /// Beside this row, which is not on the page.
    Beside(Key),
}

impl Cursor {
    /// Beside a row of a list.
    pub fn beside(row: &TraceRow) -> Self {
        Self::Beside(key(row))
    }
}

/// The place of a row in the order of time.
pub fn key(row: &TraceRow) -> Key {
    (row.time.as_millisecond(), row.seq)
}

/// A page of a list, newest first whichever way it was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// The rows.
    #[serde(rename = "traces")]
    pub rows: Vec<TraceRow>,
    /// Whether no newer trace matches than the first row.
    pub at_start: bool,
    /// Whether no older trace matches than the last row.
    pub at_end: bool,
    /// What the person should know: a name that nothing has, a text index that is behind.
    pub notes: Vec<Untrusted>,
}

/// The page of at most `limit` rows from the cursor in a direction. `Newest` goes to older rows and
/// `Oldest` to newer ones, whatever the direction says.
pub fn page(
    ctx: &Ctx,
    query: &Query,
    cursor: Cursor,
    direction: Direction,
    limit: usize,
    cancel: &Cancel,
) -> Result<Page> {
    let now = ctx.clock.now();
    let direction = match cursor {
        Cursor::Newest => Direction::Older,
        Cursor::Oldest => Direction::Newer,
        Cursor::Beside(_) => direction,
    };
    let start = match cursor {
        Cursor::Newest | Cursor::Oldest => None,
        Cursor::Beside(key) => Some(key),
    };
    let keys = |start, direction, limit| ctx.store.page_keys(query, now, start, direction, limit, cancel);
    let Keys { keys: found, more, notes } = keys(start, direction, limit)?;
    let seqs: Vec<i64> = found.iter().map(|(_, seq)| *seq).collect();
    let rows = ctx.store.rows(&seqs)?;
    // On the side that the page came from there is at least the row it started beside.
    let behind = match (cursor, found.is_empty()) {
        (Cursor::Newest | Cursor::Oldest, _) => false,
        (Cursor::Beside(_), false) => true,
        (Cursor::Beside(start), true) => {
            let beside = match direction {
                Direction::Older => (start.0, start.1.saturating_sub(1)),
                Direction::Newer => (start.0, start.1.saturating_add(1)),
            };
            !keys(Some(beside), opposite(direction), 1)?.keys.is_empty()
        }
    };
    let (at_start, at_end) = match direction {
        Direction::Older => (!behind, !more),
        Direction::Newer => (!more, !behind),
    };
    Ok(Page { rows, at_start, at_end, notes })
}

/// How many traces a query wants, exactly. May read every row: cancel it when nobody waits any more.
pub fn count(ctx: &Ctx, query: &Query, cancel: &Cancel) -> Result<u64> {
    ctx.store.count_matches(query, ctx.clock.now(), cancel)
}

fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::Older => Direction::Newer,
        Direction::Newer => Direction::Older,
    }
}
