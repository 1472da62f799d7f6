//! # The house
//!
//! `tuesday` is one package in layers. Imports run one way, left to right; a test
//! (`src/architecture.rs`) reads them and fails on one that runs uphill.
//!
//! ```text
//! main → cli, tui → config → command → ops → store, wire → task, text, stats → domain
//! ```
//!
//! | room | owns | must not know |
//! |---|---|---|
//! | [`domain`] | the product's words as types and rules; pure | IO, async, SQL, clap, terminal |
//! | [`stats`] | intervals and quantile sketches, thin over crates | where figures come from |
//! | [`text`] | hostile text made safe ([`domain::Untrusted`] → [`text::Clean`]), width, wrap, Markdown and JSON as styled lines | ratatui |
//! | [`task`] | cancel, progress, clock: the only home of "now" and of sleeping | everything above |
//! | [`store`] | the only SQL: two files (traces, and people's work), readers, writers, migrations, search | files, network |
//! | [`wire`] | the outside: formats read and written, files of the team's repository | the store |
//! | [`ops`] | one use case, one file; both faces call only this | which face calls |
//! | [`command`] | the one table of what a person can press; help, hints and palette are made of it | widgets |
//! | [`config`] | file, environment and flags resolved into one checked value | screens |
//! | [`cli`] | arguments → op → printed answer | `store`, `wire`, `tui` |
//! | [`tui`] | runtime loop; model, message, update, effect; screens, overlays, widgets | `store`, `wire`, `cli` |
//!
//! The library exports only [`main`]: modules are private so that the compiler's dead-code
//! warnings cover the whole house. Tests of behaviour inside a room stand in that room; `tests/`
//! drives the built program from outside, and `benches/` measures it there.
//!
//! ## Two files, one store
//!
//! A store is `FILE` (traces: large, machine-written) and `FILE-work` (labels, samples, eval cases,
//! incidents: small, people's). They are apart because SQLite has one writer a file: a reviewer's
//! key press must never wait for an import's transaction, and its `fsync` must not carry an
//! import's megabytes. It is also the cut along which traces can later live elsewhere.
//!
//! ## Where do I add …
//!
//! | to add | touch |
//! |---|---|
//! | a key or command | one row in `command/`, one arm in `tui/update` |
//! | an operation | one file in `ops/`, one command-line variant in `cli/` |
//! | a screen | one folder in `tui/screens/`, one enum variant, rows in the table |
//! | a format | one file in `wire/read/`, one enum arm, fixtures |
//! | an item of the gate | a variant of `domain::gate::Item`, its settings in `domain/gate/spec.rs` and `wire/read/gate.rs`, its proof in `ops/gate/` |
//! | an attribute of spans | one row in `wire/otlp/attributes.rs`; a form of messages in `wire/otlp/messages.rs` |
//! | a kind of runbook step | a variant of `domain::runbook::StepKind`, its keys in `wire/read/runbook`, its sentence in `would`, a file in `ops/incident/step/` with an arm in `carry` |
//! | a runbook that comes along | a file in `fixtures/runbooks`, a row of `SHIPPED` in `wire/read/runbook`, its metrics in `ops/runbook/books.rs` |
//! | a figure of runbooks | a variant of [`ops::measure::Metric`] and its arm in `counted` |
//! | a scenario of drills | a variant of [`domain::drill::Scenario`] with its name, its guilty version and the words of its cause; what it does to the traffic and who reports it in `ops/drill/scenario.rs`, what that does to a request in `ops/demo/live.rs` and `ops/drill/traffic.rs` |
//! | a dimension of assess | a name in `DIMENSIONS` of `ops/assess/gather.rs` and its place in the cell's key; in `BROUGHT` of `ops/assess/slices.rs` when users bring it |
//! | a figure of monitors | a variant of [`domain::monitor::Metric`], its word in `config/monitors/`, its counts and its evidence in `ops/monitor/` |
//! | a receiver of alerts | a variant of `domain::monitor::ReceiverKind`, its keys in `config/monitors/receiver.rs`, its form in `wire/notify/body.rs` |
//! | what the receiver takes | one route in `wire/receive/`, one arm in `ops/serve/intake.rs` |
//! | an evaluator | a row in `domain/check.rs`, a rule and an arm in `ops/score/` |
//! | a target | one file in `wire/target/`, one variant of `domain::TargetKind`, its keys in `config/targets.rs` |
//! | a cut of Health | a key and a table of sums in `store/rollup.rs`, `Cut` and `Detail` in `store/slice.rs`, a [`By`](ops::health::By) |
//! | a query | one method in `store/`, one test; a schema change is a new migration, never an edit |

// The page is read with `--document-private-items`: the whole house is private.
#![allow(rustdoc::private_intra_doc_links)]

mod cli;
mod command;
mod config;
mod domain;
mod ops;
mod stats;
mod store;
mod task;
mod text;
mod tui;
mod wire;

#[cfg(test)]
mod architecture;

/// Runs the program on the process's arguments and gives its exit code: 0 done, 1 the thing asked
/// is not so (or failed), 2 wrong usage, 3 the input was partly rejected.
pub fn main() -> std::process::ExitCode {
    cli::main()
}
