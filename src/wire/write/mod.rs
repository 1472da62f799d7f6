//! Formats that go out. One file a format.

pub mod eval_set;
pub mod new_file;
