//! The prompts that there are, a line each.

use jiff::Timestamp;
use serde::Serialize;

use super::figures::{Span, hour_start, traffic};
use super::{homes, named};
use crate::domain::Result;
use crate::domain::prompt::TeamConfig;
use crate::ops::Ctx;
use crate::task::Cancel;

/// One prompt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PromptRow {
    /// Its name.
    pub prompt: String,
    /// The feature that it belongs to.
    pub feature: Option<String>,
    /// Its folder.
    pub folder: String,
    /// Its versions, by number.
    pub versions: Vec<String>,
    /// The current one.
    pub current: Option<String>,
    /// The hour of the current version's first request.
    pub current_since: Option<Timestamp>,
    /// Requests of all versions, in the time that was asked for.
    pub requests: u64,
    /// Those of the current one.
    pub current_requests: u64,
    /// What is not as it should be in the folder.
    pub oddities: Vec<String>,
}

/// The prompts, with requests from `since` on.
pub fn list(ctx: &Ctx, team: &TeamConfig, since: Timestamp, cancel: &Cancel) -> Result<Vec<PromptRow>> {
    let mut rows = Vec::new();
    for home in homes(team) {
        cancel.check()?;
        let folder = home.look();
        let (versions, current, oddities) = match folder {
            Ok(folder) => (
                folder.versions.iter().map(|version| version.version.clone()).collect(),
                folder.current().map(|version| version.version.clone()),
                folder.oddities,
            ),
            Err(error) => (Vec::new(), None, vec![error.what]),
        };
        let traffic = traffic(ctx, &home, Span::new(since, ctx.clock.now(), 1))?;
        let requests = |n: i64| n.max(0).cast_unsigned();
        let of_current = current.as_ref().and_then(|current| traffic.get(current));
        rows.push(PromptRow {
            folder: named(team, &home.folder),
            prompt: home.name,
            feature: home.feature,
            versions,
            current_since: of_current.map(|traffic| hour_start(traffic.served.first)),
            current_requests: of_current.map_or(0, |traffic| requests(traffic.sums.requests)),
            requests: traffic.values().map(|traffic| requests(traffic.sums.requests)).sum(),
            current,
            oddities,
        });
    }
    Ok(rows)
}
