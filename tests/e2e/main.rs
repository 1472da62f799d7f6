//! The built program from outside: its command line, its terminal, and what a kill leaves behind.
//!
//! One crate, so that it links once. `support` runs commands, `pty` types into the real program.

#![allow(clippy::print_stdout)]

mod contract;
mod flows;
mod hostile;
mod json;
mod kill;
mod labelling;
mod local_model;
mod picture;
mod pictures;
mod pty;
mod support;
mod terminal;
mod trouble;
