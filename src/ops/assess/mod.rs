//! What an incident knows of the traffic it is about: how bad it is, how many users were hit, since when, who
//! fails, what changed about then.
//!
//! [`assess`] reads the requests of the incident's feature once for the onset and once for the rest; the arithmetic
//! is [`figures`], which takes requests from anywhere, so that a bench can plant faults. What counts as failing is
//! a [`Measure`].

mod detect;
mod figures;
mod gather;
mod measure;
mod near;
mod onset;
mod read;
mod remedy;
mod slices;
#[cfg(test)]
mod tests;
pub mod trial;
mod words;

use jiff::Timestamp;

pub use detect::{Detection, ExampleView, MeterCheck, detect};
pub use figures::Assessment;
pub use measure::Measure;
pub use onset::OnsetVerdict;
pub use read::{AssessRequest, assess};
pub use remedy::{Containment, VersionRow, Versions, contain, versions};
pub use slices::SliceView;
pub use words::{SLICE_HEADINGS, rows, slice_rows, slices_said};

/// What stands for no name, as in alerts.
const NONE: &str = "none";

/// An instant, from milliseconds since the epoch.
fn instant(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}
