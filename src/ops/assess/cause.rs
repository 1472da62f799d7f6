//! The cause of an incident as its post-mortem tells it: who failed while people were exposed, which version is
//! guilty, and what in its text is other than in the one that was gone back to.

use jiff::Timestamp;
use serde::Serialize;

use super::figures::Assessment;
use super::read::{AssessRequest, Subject};
use super::remedy::{Verdict, home_of, versions_of};
use crate::domain::prompt::TeamConfig;
use crate::domain::{Result, Untrusted};
use crate::ops::prompt::DiffView;
use crate::ops::{Ctx, prompt};
use crate::task::Cancel;

/// What is wanted of a cause.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CauseRequest {
    /// When it was contained: what came later is no part of the harm. `None`: now, or when the incident was closed.
    pub until: Option<Timestamp>,
    /// The version that was gone back to by the record: `v3`.
    pub back_to: Option<Untrusted>,
}

/// Why it happened, by the traces and the team's prompts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cause {
    /// The assessment of the time in which people were exposed.
    pub assessment: Assessment,
    /// The version that the first slices name: `customer_support@v4`.
    pub guilty: Option<Untrusted>,
    /// The version that was gone back to by the record, else the last good one.
    pub good: Option<Untrusted>,
    /// What of the record says so, or why that version is good.
    pub good_why: String,
    /// Their difference, word by word, where the team's folder has both texts.
    pub difference: Option<DiffView>,
}

/// The cause of the incident of this name. Reads as much as an assessment, and the team's folder of prompts.
///
/// # Errors
/// As those of [`assess`](super::assess).
pub fn cause(
    ctx: &Ctx,
    team: &TeamConfig,
    name: &str,
    request: &CauseRequest,
    cancel: &Cancel,
) -> Result<Cause> {
    let subject = Subject::of(ctx, name, AssessRequest { until: request.until, ..AssessRequest::default() })?;
    let mut found = subject.find(ctx, cancel)?;
    let assessment = subject.assessment(ctx, &mut found)?;
    let versions = versions_of(ctx, team, (&subject, &found), &assessment, cancel)?;
    let guilty = versions.versions.iter().find(|row| row.verdict == Verdict::Guilty);
    let guilty = guilty.map(|row| row.version.clone());
    let prompt_name = guilty.as_ref().and_then(|name| name.raw().rsplit_once('@')).map(|(name, _)| name);
    let by_record = request.back_to.as_ref().zip(prompt_name);
    let (good, good_why) = match (by_record, versions.last_good) {
        (Some((version, prompt)), _) => {
            (Some(Untrusted::from(format!("{prompt}@{}", version.raw()))), "rolled back to".to_owned())
        }
        (None, Some(good)) => (Some(good.version), good.why),
        (None, None) => (None, String::new()),
    };
    let difference = || {
        let (home, to) = home_of(team, guilty.as_ref()?)?;
        let (_, from) = home_of(team, good.as_ref()?)?;
        // Without the texts there is nothing to compare; the figures stand all the same.
        prompt::diff(&home, &from, &to).ok().filter(|diff| diff.from != diff.to)
    };
    let difference = difference();
    Ok(Cause { assessment, guilty, good, good_why, difference })
}
