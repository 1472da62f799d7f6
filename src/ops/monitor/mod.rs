//! Monitors: rules brought up to now, replayed over the past, and watched; their alerts, and who is told.
//!
//! A look is a pure function of the figures and the state before it, at times that are whole multiples of a
//! rule's step, so that a rule that is evaluated every minute, by two programs, or over the past has the same
//! looks and the same false alarms. To add a metric or test: its file here, an arm in `look.rs` and `price.rs`.

mod advance;
mod alerts;
mod evidence;
mod fold;
mod instance;
#[cfg(test)]
pub mod judged_tests;
mod latency;
mod look;
mod money;
mod pass;
mod pin;
mod price;
mod quality;
mod replay;
mod resume;
mod script;
mod send;
mod share;
mod silence;
mod span;
mod tape;
mod tell;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_told;
mod trial;
mod tuning;
mod view;
mod watching;
mod world;

pub use alerts::{AlertView, alert, alerts, open_incident, silence, snooze};
pub use pass::{PassView, Watcher, pass};
pub use replay::{ReplayView, replay};
pub use resume::{ResumeView, Trust, resume};
pub use script::{CheckView, check};
pub use send::{Sender, TestView, test};
pub use span::span_ms;
pub use trial::{Health, delay, judgements, quiet_month};
pub use tuning::{Tuning, TuningRequest, tune};
pub use view::{GroupView, MonitorDetail, MonitorList, MonitorView, group_words, list, show};
pub use watching::{Watched, quietly, watching};
