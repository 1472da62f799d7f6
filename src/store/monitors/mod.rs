//! What monitors read and keep: traffic in small sums, sessions and what they cost; and in the work file
//! their state, alerts, silences, resumptions, the outbox and the lease of the one who watches.

mod alerts;
mod apart;
mod cells;
mod outbox;
mod resume;
mod traffic;

pub use alerts::{NewAlert, PassWrite};
pub use cells::{Against, Cell as SliceCount, Example};
pub use outbox::{Outgoing, Sent, Toll};
pub use resume::Resumption;
pub use traffic::{SessionCost, Tally};

use crate::domain::monitor::Group;
use crate::domain::{Error, Result};

/// A group as it is stored; its keys are sorted, so that equal groups have equal texts.
fn group_text(group: &Group) -> Result<String> {
    text(group)
}

fn text(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|e| Error::failed("What a monitor found cannot be written.").because(e))
}

/// Reads JSON of a column.
fn json<T: serde::de::DeserializeOwned>(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?)
        .map_err(|e| rusqlite::types::FromSqlError::Other(Box::new(e)).into())
}

fn instant(ms: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(ms).unwrap_or_default()
}
