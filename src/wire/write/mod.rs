//! Formats that go out. One file a format.

pub mod eval_set;
