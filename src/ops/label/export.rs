//! The present labels, one after the other, for files.

use super::LabelView;
use crate::domain::Result;
use crate::ops::{Ctx, sample};

/// Which labels are wanted.
#[derive(Debug, Clone, Default)]
pub struct LabelFilter {
    /// Only labels of this sample's traces.
    pub sample: Option<String>,
    /// Only labels of this reviewer.
    pub reviewer: Option<String>,
}

/// Hands every present label that has a verdict to `each`, oldest first. Drafts are left out: they are no
/// labels yet.
pub fn each_label(ctx: &Ctx, filter: &LabelFilter, mut each: impl FnMut(LabelView)) -> Result<()> {
    if let Some(name) = &filter.sample {
        sample::head(ctx, name)?;
    }
    ctx.store.each_label(filter.sample.as_deref(), filter.reviewer.as_deref(), |row| each(row.into()))
}
