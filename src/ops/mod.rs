//! One use case, one file, one request and one answer. Both faces call only this.
//!
//! Ops are plain blocking functions that take a [`Ctx`] first; a face runs them on whatever thread
//! it likes. An answer is a `…View`: plain data that serialises to the documented `--json` shape.

pub mod assess;
pub mod bench;
pub mod browse;
pub mod compare;
mod ctx;
pub mod daily_sample;
pub mod demo;
pub mod doctor;
pub mod drill;
pub mod feature;
pub mod figures;
pub mod gate;
pub mod health;
pub mod import;
pub mod incident;
pub mod index;
pub mod init;
pub mod judged;
pub mod label;
pub mod mark;
pub mod measure;
pub mod monitor;
pub mod promote;
pub mod prompt;
pub mod reread;
pub mod review;
pub mod run;
pub mod runbook;
pub mod sample;
pub mod score;
pub mod serve;
mod spans;
pub mod taxonomy;
#[cfg(test)]
pub mod testing;
pub mod watch;

pub use ctx::Ctx;

/// How a store is opened; faces name it without knowing the store.
pub use crate::store::Access;
