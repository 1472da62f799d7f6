//! Items 8 to 10: what a person signs, and whether the signature still holds.

use sha2::{Digest, Sha256};

use super::candidate::Candidate;
use super::said::Said;
use crate::domain::gate::{Item, Proof, Verdict};
use crate::domain::{Error, Result};
use crate::text::figures::plural;
use crate::wire::git::{Written, written};

fn is_signature(proof: &Proof) -> bool {
    matches!(proof, Proof::Signed { .. })
}

/// Item 8: a second person read the text as it is.
pub(super) fn peer_review(candidate: &Candidate<'_>) -> Result<Said> {
    let author = written(&candidate.prompt.path, candidate.cancel)?;
    let next =
        format!("tuesday gate sign {} peer_review --by NAME, by another than its author", candidate.words());
    let Some(row) = candidate.newest(Item::PeerReview, is_signature) else {
        let (figure, words) = match &author {
            Written::In(commit) => (
                format!("by {} in {}, not read", commit.author.raw(), commit.short()),
                format!("{} wrote it in {}; nobody else has signed it.", commit.author.raw(), commit.short()),
            ),
            Written::Uncommitted => (
                "not committed".to_owned(),
                "The prompt's text is in no commit: it has no author to differ from.".to_owned(),
            ),
            Written::Unknown(why) => {
                ("its author is not known".to_owned(), format!("Who wrote it is not known: {why}."))
            }
        };
        return Ok(Said::new(Verdict::Unsigned, figure, words).next(next));
    };
    let Proof::Signed { who, commit: Some(read), .. } = &row.evidence.proof else {
        return Ok(Said::new(Verdict::Unsigned, "not read", "Nobody has signed it.").next(next));
    };
    let (who, wrote) = (who.raw(), read.author.raw());
    let said = if !candidate.is_of_this_text(row) {
        Said::new(
            Verdict::Stale,
            format!("{who} read another text"),
            format!("The prompt has changed since {who} signed it."),
        )
    } else if matches!(&author, Written::In(commit) if commit.is_by(who)) || read.is_by(who) {
        Said::new(Verdict::NotMet, format!("{who} is its author"), format!("{who} signed what {who} wrote."))
    } else {
        let words = format!("{who} read {} by {wrote}.", read.short());
        Said::new(Verdict::Met, format!("{who} read {} by {wrote}", read.short()), words)
    };
    Ok(said.by(row).next(next))
}

/// SHA-256 of the roll-out's plan, where the gate names one.
pub(super) fn plan_sha256(candidate: &Candidate<'_>) -> Result<Option<String>> {
    let Some(plan) = &candidate.spec.rollout.plan else { return Ok(None) };
    let path = candidate.config.home.join(plan);
    let bytes = std::fs::read(&path).map_err(|e| {
        Error::not_so(format!("The plan of the roll-out {} cannot be read.", path.display())).because(e)
    })?;
    Ok(Some(format!("{:x}", Sha256::digest(&bytes))))
}

/// `10 → 50 → 100 %`.
pub(super) fn stages_words(stages: &[i64]) -> String {
    let stages: Vec<String> = stages.iter().map(i64::to_string).collect();
    format!("{} %", stages.join(" → "))
}

/// Item 9: the start of the staged roll-out is signed.
pub(super) fn rollout(candidate: &Candidate<'_>) -> Result<Said> {
    let stages = stages_words(&candidate.spec.rollout.stages);
    let next = format!("tuesday gate sign {} rollout --by NAME", candidate.words());
    let plan = match plan_sha256(candidate) {
        Ok(plan) => plan,
        Err(error) => return Ok(Said::new(Verdict::NotMet, "its plan cannot be read", error.what).next(next)),
    };
    let Some(row) = candidate.newest(Item::Rollout, is_signature) else {
        let words = format!("The plan is {stages}; nobody has signed its start.");
        return Ok(Said::new(Verdict::Unsigned, format!("{stages}, not signed"), words).next(next));
    };
    let Proof::Signed { who, stages: signed, plan_sha256, .. } = &row.evidence.proof else {
        return Ok(Said::new(Verdict::Unsigned, "not signed", "Nobody has signed it.").next(next));
    };
    let who = who.raw();
    let said = if *signed != candidate.spec.rollout.stages || *plan_sha256 != plan {
        let words = format!("The plan has changed since {who} signed it: it is {stages} now.");
        Said::new(Verdict::Stale, "the plan has changed", words)
    } else {
        Said::new(
            Verdict::Met,
            format!("{stages}, signed by {who}"),
            format!("{who} signed the start: {stages}."),
        )
    };
    Ok(said.by(row).next(next))
}

/// Item 10: somebody is on call for the first day.
pub(super) fn oncall(candidate: &Candidate<'_>) -> Result<Said> {
    let least = candidate.spec.oncall.least_ms / 3_600_000;
    let hours = plural(usize::try_from(least).unwrap_or(usize::MAX), "hour");
    let next = format!("tuesday gate sign {} oncall --by NAME --contact CONTACT", candidate.words());
    let Some(row) = candidate.newest(Item::Oncall, is_signature) else {
        let planned = candidate.spec.oncall.who.as_ref();
        let words = match planned {
            Some(who) => format!("{} is planned for the first {hours}, and has not signed.", who.raw()),
            None => format!("Nobody is on call for the first {hours}."),
        };
        let figure = planned.map_or_else(|| "nobody".to_owned(), |who| format!("{}, not signed", who.raw()));
        return Ok(Said::new(Verdict::Unsigned, figure, words).next(next));
    };
    let Proof::Signed { who, on_call, contact, from: Some(from), until: Some(until), .. } =
        &row.evidence.proof
    else {
        return Ok(Said::new(Verdict::Unsigned, "nobody", "Nobody has signed it.").next(next));
    };
    let person = on_call.as_ref().unwrap_or(who).raw();
    let contact = contact.as_ref().map_or("", |contact| contact.raw());
    let time = |at: &jiff::Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    let words = format!(
        "{person} ({contact}) is on call from {} to {}, signed by {}.",
        time(from),
        time(until),
        who.raw()
    );
    let said = if *until <= candidate.now {
        Said::new(Verdict::Stale, format!("{person}'s duty is over"), words)
    } else {
        Said::new(Verdict::Met, format!("{person}, until {}", time(until)), words)
    };
    Ok(said.by(row).next(next))
}
