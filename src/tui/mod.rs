//! The full-screen face: a pure core (`update`, `view`) and a runtime that carries effects out.
