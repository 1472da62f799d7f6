//! Parts that screens and overlays are made of. They draw clean text only and hold no IO.

pub mod area;
pub mod ascii;
pub mod chart;
pub mod input;
pub mod list;
pub mod scroll;
pub mod talk;
