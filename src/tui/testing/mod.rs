//! Tests of screens without a terminal: [`Story`] types keys into the whole program on a real store and
//! does its work at once; [`print`] shows a frame with its styles, for snapshots.
//!
//! ```ignore
//! let mut story = Story::new(ctx, ScreenId::Review);
//! story.press("j enter").type_text("overdraft").press("enter");
//! insta::assert_snapshot!(story.snapshot());          // 80×24
//! insta::assert_snapshot!(story.snapshot_at(200, 50));
//! assert!(story.text().contains("37 of 100"));
//! ```

mod every_command;
mod print;
mod story;
pub mod traffic;

pub use print::symbols;
pub use story::Story;
