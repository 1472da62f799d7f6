//! Formats that go out. One file a format.
