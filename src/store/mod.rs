//! The only SQL. A store is two SQLite files in WAL mode:
//!
//! - `FILE`: traces, their text, columns, roll-ups, text index. Written in batches by one importer.
//! - `FILE-work`: what people did: labels, samples, taxonomy, eval cases, runs, words of evaluators,
//!   incidents. Each act is one durable commit (`synchronous=FULL`) on a connection of its own that no
//!   import can hold up.
//!
//! Readers see both: `main` is the traces file and `work` is attached. One file here a subject; its
//! queries are methods on [`Store`]. Nothing outside this room holds a connection.
//!
//! A schema change is a new migration at the end of the list in [`schema`], never an edit of one
//! that has shipped.

mod around;
pub mod bench;
mod bench_find;
pub mod bench_work;
mod blocks;
mod body;
mod cases;
mod changes;
mod check;
mod column;
mod demonstration;
mod draw;
mod drills;
mod early;
mod embeddings;
mod fallbacks;
mod filter;
pub mod flags;
mod functions;
mod gate;
mod id_map;
mod ids;
mod import_lock;
mod incidents;
mod indexes;
mod judge_sample;
mod judged;
mod labels;
mod languages;
mod leases;
mod lookup;
mod marks;
mod monitors;
mod names;
mod normalise;
mod open;
mod pages;
mod prepare;
mod prompts;
mod requests;
mod rewrite;
mod rollup;
mod run_totals;
mod runs;
mod samples;
mod schema;
mod slice;
mod sums;
mod switches;
mod taxonomy;
pub mod text_index;
mod touched;
mod trace_scores;
mod traces;
mod update;
mod write;

pub use body::Dictionary;
pub use cases::{CaseTx, EvalFileRow};
pub use changes::{Changes, Watch};
pub use draw::{Candidate, DrawFrame};
pub use early::{Said, SaidOutcome};
pub use ids::id_hash;
pub use import_lock::Lock;
pub use incidents::{IncidentFile, IncidentRef, IncidentRow, Stamp};
pub use judge_sample::{Arrival, Asked, Pick, PickState};
pub use judged::{JudgedRow, JudgedSet};
pub use labels::{Act, LabelRow, Within, Written};
pub use leases::{LEASE_BEAT, LeaseRow};
pub use marks::MarkRow;
pub use monitors::{
    Against, Example, NewAlert, Outgoing, PassWrite, Resumption, Sent, SessionCost, SliceCount, Tally, Toll,
};
pub use names::NameKind;
pub use open::{Access, Store};
pub use pages::{Direction, Key, Keys};
pub use prepare::{Prepared, Preparer};
pub use prompts::Served;
pub use requests::{Beside, Judgement, RequestRow};
pub use rewrite::Joined;
pub use run_totals::RunTotals;
pub use runs::{AnswerKey, RunWrite};
pub use samples::SampleRow;
pub use slice::{Cut, Detail, Slice};
pub use sums::{FeatureTraffic, HOUR_MS, HourRow, HourSums, Sums};
pub use touched::Touched;
pub use trace_scores::TraceScoreRow;
pub use write::{Loader, Outcome};
