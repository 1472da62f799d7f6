//! Watching the store for what other programs do to it. A face polls [`Watch::poll`] a few times a second
//! and, when the work file changed, calls [`review::refresh`](super::review::refresh) and its like.

use super::Ctx;
use crate::domain::Result;

pub use crate::store::{Changes, Watch};

/// Starts to watch from now on.
pub fn watch(ctx: &Ctx) -> Result<Watch> {
    ctx.store.watch()
}
