//! Taking up again a rule that is paused since its judge changed.

use jiff::Timestamp;
use serde::Serialize;

use super::advance::advance;
use super::pin::{ENOUGH_JUDGED, present, told_by};
use super::view::rule;
use crate::domain::monitor::{Group, Monitors, Test};
use crate::domain::{Error, Judge, Result, Untrusted};
use crate::ops::{Ctx, label};
use crate::store::Resumption;
use crate::text::figures::{percent, plural, thousands};

/// What is well with the new judge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Trust {
    /// What the rule says, as before: its target.
    #[default]
    Target,
    /// The share that fails with it so far, of at least [`ENOUGH_JUDGED`] judged traces.
    Judged,
}

/// A rule that was taken up again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResumeView {
    /// The rule.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Untrusted,
    /// On which groups.
    pub groups: Vec<ResumedGroup>,
}

/// One group of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResumedGroup {
    /// The group.
    pub group: Group,
    /// The judges that are trusted now: evaluator and model.
    pub judges: Vec<String>,
    /// The share of failures that is well.
    pub baseline: Option<f64>,
    /// Whether it was measured with the new judge; else it is the target of the rule.
    pub measured: bool,
    /// Traces that the new judges judged so far.
    pub judged: u64,
    /// The share of them that fail.
    pub failing: Option<f64>,
}

/// Takes up again a rule on all groups on which it is paused, or on that of one feature; recorded with the name of
/// who asks. `NotSo` when it is not paused, or when too few are judged to measure what is well.
pub fn resume(
    ctx: &Ctx,
    monitors: &Monitors,
    id: &str,
    feature: Option<&str>,
    trust: Trust,
) -> Result<ResumeView> {
    let rule = rule(monitors, id)?;
    let by: Untrusted = label::reviewer(ctx)?.into();
    let at = ctx.clock.now();
    let advanced = advance(ctx, monitors)?;
    let of_feature = |group: &Group| {
        feature.is_none_or(|name| group.get("feature").is_some_and(|known| known.raw() == name))
    };
    let paused = advanced
        .all
        .iter()
        .filter(|one| one.of.rule.id == rule.id && one.life.paused.is_some() && of_feature(&one.of.group));
    let (mut groups, mut rows) = (Vec::new(), Vec::new());
    for one in paused {
        let judges = present(&one.of, &advanced.world, i64::MAX);
        let (n, k) = told_by(&one.of, &advanced.world, &judges);
        let failing = (n > 0).then(|| k as f64 / n as f64);
        let measured = match (trust, failing) {
            (Trust::Target, _) => None,
            (Trust::Judged, Some(share)) if n >= ENOUGH_JUDGED => Some(share),
            (Trust::Judged, _) => return Err(too_few(&rule.id, n)),
        };
        let target = match rule.test {
            Test::Cusum { p0, .. } => Some(p0),
            _ => None,
        };
        groups.push(ResumedGroup {
            group: one.of.group.clone(),
            judges: judges.iter().map(Judge::words).collect(),
            baseline: measured.or(target),
            measured: measured.is_some(),
            judged: n,
            failing,
        });
        rows.push(Resumption {
            seq: 0,
            at,
            by: by.clone(),
            rule: rule.id.clone(),
            group: one.of.group.clone(),
            judges,
            baseline: measured,
            judged: n,
        });
    }
    if rows.is_empty() {
        let whose = feature.map_or_else(String::new, |name| format!(" on {name}"));
        return Err(Error::not_so(format!("{}{whose} is not paused.", rule.id))
            .hint("`tuesday monitor list` shows how the monitors stand."));
    }
    ctx.store.add_resumptions(&rows)?;
    Ok(ResumeView { id: rule.id.clone(), at, by, groups })
}

fn too_few(id: &str, n: u64) -> Error {
    let number = |n: u64| thousands(n.cast_signed());
    Error::not_so(format!(
        "{id} is measured from {} judged traces on; there are {}.",
        number(ENOUGH_JUDGED),
        number(n)
    ))
    .hint(format!("`tuesday monitor resume {id}` goes on with the target of the rule."))
}

impl ResumedGroup {
    /// What is well now, in words: `well up to 10 %, the target; 12.4 % of 1,130 judged fail so far`.
    pub fn words(&self) -> String {
        let source = if self.measured { "measured with it" } else { "the target" };
        let well = self.baseline.map(|share| format!("well at {}, {source}", percent(share)));
        let judged = plural(usize::try_from(self.judged).unwrap_or(usize::MAX), "judged trace");
        let failing = self.failing.map(|share| format!("{} of {judged} fail so far", percent(share)));
        [well, failing].into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}
