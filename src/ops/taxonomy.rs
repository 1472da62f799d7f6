//! The failure taxonomy: shown, added to, renamed, retired.

use super::{Ctx, label};
use crate::domain::taxonomy::checked_name;
use crate::domain::{FailureMode, LabelBody, ModeId, Result, Taxonomy, TaxonomyChange, Untrusted, Verdict};

/// A mode that is to be added.
#[derive(Debug, Clone, Default)]
pub struct ModeSpec {
    /// Its name on screen.
    pub name: String,
    /// How to tell it; may be empty.
    pub description: String,
    /// What usually helps; may be empty.
    pub fix: String,
    /// The note that it is made of.
    pub from_note: Option<Untrusted>,
}

/// The taxonomy as it stands.
pub fn show(ctx: &Ctx) -> Result<Taxonomy> {
    ctx.store.taxonomy()
}

/// The mode that a person means by an id, a key or a part of a name. Errors name the nearest.
pub fn find(ctx: &Ctx, wanted: &str) -> Result<FailureMode> {
    ctx.store.taxonomy()?.find(wanted).cloned()
}

/// Adds a mode and gives it a key. Errors with `NotSo` when there is one of that name.
pub fn add(ctx: &Ctx, spec: &ModeSpec) -> Result<FailureMode> {
    change(ctx, |taxonomy| {
        let (id, _) = taxonomy.plan(&spec.name)?;
        let name = checked_name(&spec.name)?.into();
        let description = spec.description.trim().into();
        let fix = spec.fix.trim().into();
        Ok((id, TaxonomyChange::Add { name, description, fix, from_note: spec.from_note.clone() }))
    })
}

/// Makes a mode of my note on a trace, and says in my label that the trace fails by it. The note is what
/// the mode's description starts as.
pub fn add_from_note(
    ctx: &Ctx,
    trace: &Untrusted,
    sample: Option<&str>,
    name: &str,
) -> Result<(FailureMode, label::LabelReceipt)> {
    ctx.store.require_trace(trace)?;
    let reviewer = label::reviewer(ctx)?;
    let note = ctx
        .store
        .labels_of(trace)?
        .into_iter()
        .find(|row| row.reviewer.raw() == reviewer)
        .and_then(|row| row.body.note);
    let description = note.as_ref().map(|n| n.raw().to_owned()).unwrap_or_default();
    let mode =
        add(ctx, &ModeSpec { name: name.to_owned(), description, fix: String::new(), from_note: note })?;
    let receipt = label::amend(ctx, trace, sample, |now| {
        Ok(LabelBody { verdict: Some(Verdict::Fail), mode: Some(mode.id.clone()), ..now })
    })?;
    Ok((mode, receipt))
}

/// Gives a mode another name; its id and key stay.
pub fn rename(ctx: &Ctx, mode: &str, name: &str) -> Result<FailureMode> {
    change(ctx, |taxonomy| {
        let id = taxonomy.find(mode)?.id.clone();
        let name = checked_name(name)?;
        // A new name of the mode's own is no clash: spelling is what is most often changed.
        let others = taxonomy.all().iter().filter(|m| m.id != id);
        let clash = others.into_iter().find(|m| ModeId::from_name(m.name.raw()) == ModeId::from_name(&name));
        if let Some(other) = clash {
            return Err(crate::domain::Error::not_so(format!(
                "{:?} is the name of another mode.",
                other.name.raw()
            ))
            .hint("Choose another name, or retire that mode first."));
        }
        Ok((id, TaxonomyChange::Rename { name: name.into() }))
    })
}

/// Says anew how to tell a mode and what usually helps; `None` keeps what there is.
pub fn describe(ctx: &Ctx, mode: &str, description: Option<&str>, fix: Option<&str>) -> Result<FailureMode> {
    change(ctx, |taxonomy| {
        let held = taxonomy.find(mode)?;
        let new =
            |text: Option<&str>, held: &Untrusted| text.map_or_else(|| held.clone(), |t| t.trim().into());
        let description = new(description, &held.description);
        let fix = new(fix, &held.fix);
        Ok((held.id.clone(), TaxonomyChange::Describe { description, fix }))
    })
}

/// Offers a mode no longer. Labels that name it keep it.
pub fn retire(ctx: &Ctx, mode: &str) -> Result<FailureMode> {
    change(ctx, |taxonomy| Ok((taxonomy.find(mode)?.id.clone(), TaxonomyChange::Retire)))
}

/// Offers a retired mode again.
pub fn restore(ctx: &Ctx, mode: &str) -> Result<FailureMode> {
    change(ctx, |taxonomy| Ok((taxonomy.find(mode)?.id.clone(), TaxonomyChange::Restore)))
}

fn change(
    ctx: &Ctx,
    plan: impl FnOnce(&Taxonomy) -> Result<(ModeId, TaxonomyChange)>,
) -> Result<FailureMode> {
    let mut changed = None;
    let taxonomy = ctx.store.change_taxonomy(label::reviewer(ctx)?, ctx.clock.now(), |taxonomy| {
        let (mode, change) = plan(taxonomy)?;
        changed = Some(mode.clone());
        Ok((mode, change))
    })?;
    let mode = changed.and_then(|id| taxonomy.get(&id).cloned());
    mode.ok_or_else(|| crate::domain::Error::failed("The taxonomy lost the mode that was just changed."))
}
