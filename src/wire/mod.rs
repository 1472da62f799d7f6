//! The outside: formats read and written, and files of the team's repository. Knows no store.

pub mod embed;
pub mod fault_server;
pub mod flag;
pub mod git;
pub mod hook;
pub mod http;
pub mod notify;
pub mod otlp;
pub mod program;
pub mod prompt_switch;
pub mod prompts_dir;
pub mod read;
pub mod receive;
pub mod target;
pub mod write;
