//! A handful of recent responses: the failures and complaints first, then the newest of all.

use std::collections::BTreeSet;

use serde::Serialize;

use super::scope::{Chosen, Only, Scope};
use crate::domain::query::{Term, TimeBound, TimeRange};
use crate::domain::{Query, Result, Status, TraceRow};
use crate::ops::Ctx;
use crate::ops::browse::{Cursor, Direction, page};
use crate::store::{Detail, HOUR_MS};
use crate::task::Cancel;

/// At most so many troubled ones, so that there is room for the usual.
const TROUBLED: usize = 3;

/// A recent response.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recent {
    /// Whether it failed or was complained of.
    pub troubled: bool,
    /// The row.
    #[serde(flatten)]
    pub row: TraceRow,
}

/// At most `limit` recent responses of the traffic that is wanted: failures and complaints of the last day
/// first, then the newest. Only hours that had trouble are looked through for it.
pub fn recent(ctx: &Ctx, scope: &Scope, only: &Only, limit: usize, cancel: &Cancel) -> Result<Vec<Recent>> {
    let chosen = Chosen::find(ctx, scope, only, &[])?;
    let base = chosen.ever();
    let now = ctx.clock.now().as_millisecond();
    let current = now.div_euclid(HOUR_MS);
    let mut hours = BTreeSet::new();
    ctx.store.each_hour(Detail::Whole, chosen.cut, (current - 24, current), |hour| {
        let counted = hour.counted();
        if counted.errors() + counted.downs + counted.reports > 0 {
            hours.insert(hour.hour);
        }
    })?;
    let trouble = Query::parse("status:error or feedback:down,report")?;
    let mut found: Vec<Recent> = Vec::new();
    for hour in hours.into_iter().rev() {
        let most = TROUBLED.min(limit) - found.len();
        if most == 0 {
            break;
        }
        let within = TimeRange::Within(
            TimeBound::At(super::instant(hour * HOUR_MS)),
            TimeBound::At(super::instant((hour + 1) * HOUR_MS)),
        );
        let query = base.clone().with(Term::Time(within)).and(trouble.clone());
        let page = page(ctx, &query, Cursor::Newest, Direction::Older, most, cancel)?;
        found.extend(page.rows.into_iter().map(|row| Recent { troubled: true, row }));
    }
    let newest = page(ctx, base, Cursor::Newest, Direction::Older, limit, cancel)?;
    for row in newest.rows {
        if found.len() == limit {
            break;
        }
        if found.iter().all(|other| other.row.seq != row.seq) {
            let troubled = row.status == Status::Error || row.down || row.report;
            found.push(Recent { troubled, row });
        }
    }
    Ok(found)
}
