//! Signing an item.

use jiff::{SignedDuration, Timestamp};

use super::candidate::Candidate;
use super::signed::plan_sha256;
use super::{GateOf, ItemView, check};
use crate::domain::gate::{Item, Proof};
use crate::domain::{Error, EvalConfig, Result, Untrusted};
use crate::ops::Ctx;
use crate::task::Cancel;
use crate::text::figures::duration;
use crate::wire::git::{Written, written};

/// What is signed, by whom.
#[derive(Debug, Clone, PartialEq)]
pub struct SignSpec {
    /// The item.
    pub item: Item,
    /// Who signs: a record, not a proof of who sits there.
    pub by: String,
    /// What they say.
    pub note: Option<String>,
    /// Of a duty: who is on call, where that is another.
    pub on_call: Option<String>,
    /// Of a duty: how to reach them.
    pub contact: Option<String>,
    /// Of a duty: from when; now where it is not said.
    pub from: Option<Timestamp>,
    /// Of a duty: until when; a day later where it is not said.
    pub until: Option<Timestamp>,
}

/// Signs an item of a candidate, on its text as it is.
///
/// # Errors
/// `Usage` for an item that data proves, or where something is not said; `NotSo` where this person may not sign.
pub fn sign(ctx: &Ctx, config: &EvalConfig, of: &GateOf, spec: &SignSpec) -> Result<ItemView> {
    let cancel = Cancel::default();
    let candidate = Candidate::find(ctx, config, of, &cancel)?;
    let item = spec.item;
    if !item.is_signed() {
        let signed: Vec<&str> =
            Item::ALL.into_iter().filter(|item| item.is_signed()).map(Item::name).collect();
        return Err(Error::usage(format!("{} is proved by data: nobody signs it.", item.name()))
            .hint(format!("These are signed: {}.", signed.join(", "))));
    }
    let text = |text: &Option<String>| {
        text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(Untrusted::from)
    };
    let who = spec.by.trim();
    if who.is_empty() {
        return Err(Error::usage("A signature needs a name.").hint("Say who signs: --by NAME"));
    }
    let mut commit = None;
    let (mut stages, mut plan) = (Vec::new(), None);
    let (mut on_call, mut contact, mut from, mut until) = (None, None, None, None);
    match item {
        Item::PeerReview => commit = Some(reviewed(&candidate, who)?),
        Item::Rollout => {
            stages.clone_from(&candidate.spec.rollout.stages);
            plan = plan_sha256(&candidate)?;
        }
        _ => {
            let planned = &candidate.spec.oncall;
            on_call = text(&spec.on_call).or_else(|| planned.who.clone()).or_else(|| Some(who.into()));
            contact = text(&spec.contact).or_else(|| planned.contact.clone());
            if contact.is_none() {
                return Err(Error::usage("How whoever is on call is reached is not said.")
                    .hint("Say it: --contact CONTACT, or [item.oncall] contact in the gate file."));
            }
            let least = SignedDuration::from_millis(i64::try_from(planned.least_ms).unwrap_or(i64::MAX));
            let begin = spec.from.unwrap_or(candidate.now);
            let end =
                spec.until.or(planned.until).unwrap_or_else(|| begin.saturating_add(least).unwrap_or(begin));
            if end.duration_since(begin) < least {
                return Err(Error::usage(format!(
                    "A duty from {begin} to {end} is shorter than {}.",
                    duration(planned.least_ms as f64)
                ))
                .hint("Say a later end: --until TIME"));
            }
            (from, until) = (Some(begin), Some(end));
        }
    }
    candidate.keep(
        Some(item),
        Proof::Signed {
            who: who.into(),
            note: text(&spec.note),
            commit,
            stages,
            plan_sha256: plan,
            on_call,
            contact,
            from,
            until,
        },
    )?;
    let view = check(ctx, config, of, &cancel)?;
    view.items.into_iter().find(|view| view.item == item).ok_or_else(Error::cancelled)
}

/// The commit that is read; its author may not sign it.
fn reviewed(candidate: &Candidate<'_>, who: &str) -> Result<crate::domain::Commit> {
    let path = candidate.prompt.path.display();
    match written(&candidate.prompt.path, candidate.cancel)? {
        Written::In(commit) if commit.is_by(who) => Err(Error::not_so(format!(
            "{who} wrote {path} in {}: a review is another person's.",
            commit.short()
        ))
        .hint("Ask somebody else to read it and sign.")),
        Written::In(commit) => Ok(commit),
        Written::Uncommitted => Err(Error::not_so(format!("The text of {path} is in no commit."))
            .hint("Commit it first: a review is of a commit, by another than its author.")),
        Written::Unknown(why) => Err(Error::not_so(format!("Who wrote {path} is not known: {why}."))
            .hint("A review is of a prompt under version control, by another than its author.")),
    }
}
