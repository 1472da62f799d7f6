//! The built program from outside: its command line, its terminal, and what a kill leaves behind.
//!
//! One crate, so that it links once. `support` runs commands, `pty` types into the real program.

#![allow(clippy::print_stdout)]

mod acting;
mod contract;
mod daily_sample;
mod drills;
mod feature;
mod flag_server;
mod flows;
mod gate;
mod hostile;
mod json;
mod json_eval;
mod json_incident;
mod json_prompt;
mod json_runbook;
mod json_shape;
mod kill;
mod labelling;
// Used by the program's own tests too; neither needs all of it.
#[allow(dead_code)]
#[path = "../support/llm_server.rs"]
mod llm_server;
mod local_model;
mod monitors;
mod pages;
mod picture;
mod pictures;
mod prompt;
mod pty;
mod runs;
mod sdks;
mod serve;
mod support;
mod terminal;
mod trouble;
