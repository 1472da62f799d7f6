//! A handful of recent responses: the failures and complaints first, then the newest of all.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::domain::query::{NameField, Term, TimeBound, TimeRange, Word};
use crate::domain::{Query, Result, Status, TraceRow, Untrusted};
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

/// At most `limit` recent responses of a feature, or of all traffic for `None`: failures and complaints of
/// the last day first, then the newest. Only hours that had trouble are looked through for it.
pub fn recent(ctx: &Ctx, feature: Option<&Untrusted>, limit: usize, cancel: &Cancel) -> Result<Vec<Recent>> {
    let base = match feature {
        None => Query::all(),
        Some(name) => {
            let any = vec![Word::exact(name.raw())];
            Query::all().with(Term::Name { field: NameField::Feature, any })
        }
    };
    let id = match feature {
        None => None,
        Some(name) => Some(ctx.store.feature_id(name.raw())?.unwrap_or(-1)),
    };
    let now = ctx.clock.now().as_millisecond();
    let current = now.div_euclid(HOUR_MS);
    let mut hours = BTreeSet::new();
    ctx.store.each_hour(Detail::Features, id, (current - 24, current), |hour| {
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
    let newest = page(ctx, &base, Cursor::Newest, Direction::Older, limit, cancel)?;
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
