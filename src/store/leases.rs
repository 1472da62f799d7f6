//! Who carries out a step of an incident: one at a time, known by a sign of life.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, Row, params};

use super::import_lock::Lock;
use super::open::Store;
use crate::domain::{Result, Untrusted};

/// How often a holder gives a sign of life.
pub const LEASE_BEAT: std::time::Duration = std::time::Duration::from_secs(10);
/// After so long without one, the lease is nobody's.
pub const LEASE_EXPIRY: SignedDuration = SignedDuration::from_secs(60);

/// A lease, as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// The person.
    pub holder: Untrusted,
    /// The name of this taking.
    pub program: String,
    /// The step that is carried out.
    pub step: String,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// The last sign of life.
    pub beat_at: Timestamp,
}

impl LeaseRow {
    /// Whether its holder was heard of lately.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now.duration_since(self.beat_at) < LEASE_EXPIRY
    }
}

impl Store {
    /// Takes the lease of an incident for a step, unless somebody holds it: then their lease comes back. The lock
    /// beside it is let go of by the system however a holder ends, so that a dead one is known at once.
    pub fn take_act_lease(
        &self,
        incident: &str,
        wanted: &LeaseRow,
        by_force: bool,
    ) -> Result<std::result::Result<Option<Lock>, LeaseRow>> {
        let lock = self.lock_beside(&format!("-act-{incident}"), "an act")?;
        let taken = self.write_work(|tx| {
            let sql = |e| self.explain(e);
            let held = tx
                .query_row(&format!("{SELECT} main.incident_lease WHERE incident = ?"), [incident], lease)
                .optional()
                .map_err(sql)?;
            if let Some(held) = held
                && lock.is_none()
                && held.is_fresh(wanted.beat_at)
                && !by_force
            {
                return Ok(Err(held));
            }
            tx.execute(
                "INSERT INTO incident_lease(incident, holder, program, step, taken_at, beat_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (incident) DO UPDATE SET \
                 holder = ?2, program = ?3, step = ?4, taken_at = ?5, beat_at = ?6",
                params![
                    incident,
                    wanted.holder.raw(),
                    wanted.program,
                    wanted.step,
                    wanted.taken_at.as_millisecond(),
                    wanted.beat_at.as_millisecond(),
                ],
            )
            .map_err(sql)?;
            Ok(Ok(()))
        })?;
        Ok(taken.map(|()| lock))
    }

    /// Gives a sign of life; false when somebody else has taken the lease.
    pub fn beat_act_lease(&self, incident: &str, program: &str, now: Timestamp) -> Result<bool> {
        self.write_work(|tx| {
            let beat = "UPDATE incident_lease SET beat_at = ? WHERE incident = ? AND program = ?";
            let rows = tx.execute(beat, params![now.as_millisecond(), incident, program]);
            rows.map(|rows| rows == 1).map_err(|e| self.explain(e))
        })
    }

    /// Lets go of a lease; nothing where somebody else has it.
    pub fn drop_act_lease(&self, incident: &str, program: &str) -> Result<()> {
        self.write_work(|tx| {
            let drop = "DELETE FROM incident_lease WHERE incident = ? AND program = ?";
            tx.execute(drop, params![incident, program]).map(|_| ()).map_err(|e| self.explain(e))
        })
    }

    /// Who carries out a step of an incident at this time: whoever holds the lease, lives and was heard of lately.
    pub fn act_lease(&self, incident: &str, now: Timestamp) -> Result<Option<LeaseRow>> {
        let held = self.read(|db| {
            db.query_row(&format!("{SELECT} work.incident_lease WHERE incident = ?"), [incident], lease)
                .optional()
        })?;
        Ok(held.filter(|held| held.is_fresh(now) && self.is_locked_beside(&format!("-act-{incident}"))))
    }
}

const SELECT: &str = "SELECT holder, program, step, taken_at, beat_at FROM";

fn lease(row: &Row<'_>) -> rusqlite::Result<LeaseRow> {
    let time = |ms| Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(LeaseRow {
        holder: row.get::<_, String>(0)?.into(),
        program: row.get(1)?,
        step: row.get(2)?,
        taken_at: time(row.get(3)?),
        beat_at: time(row.get(4)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Access;

    #[test]
    fn one_holds_it_until_it_is_dead_silent_or_overruled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let open = || Store::open(&path, Access::Create).unwrap();
        let (store, other) = (open(), open());
        let at = |second: i64| Timestamp::from_second(1_700_000_000 + second).unwrap();
        let insert = "INSERT INTO incident(id, number, opened_at, title, phase, commander, settled, steps, updated) \
                      VALUES ('i', 1, 0, '', 'detect', '', 0, 0, 0)";
        store.write_work(|tx| tx.execute(insert, []).map(drop).map_err(|e| store.explain(e))).unwrap();
        let row = |holder: &str, second: i64| LeaseRow {
            holder: holder.into(),
            program: holder.to_owned(),
            step: "off".into(),
            taken_at: at(second),
            beat_at: at(second),
        };
        let held = store.take_act_lease("i", &row("mira", 0), false).unwrap().unwrap();
        assert!(held.is_some());
        assert_eq!(
            other.take_act_lease("i", &row("jo", 59), false).unwrap().unwrap_err().holder.raw(),
            "mira"
        );
        assert_eq!(other.act_lease("i", at(59)).unwrap().unwrap().step, "off");
        assert!(store.beat_act_lease("i", "mira", at(50)).unwrap());
        assert!(other.take_act_lease("i", &row("jo", 109), false).unwrap().is_err());
        // Silent for a minute.
        assert!(other.take_act_lease("i", &row("jo", 110), false).unwrap().is_ok());
        assert!(!store.beat_act_lease("i", "mira", at(111)).unwrap());
        // Overruled.
        assert!(store.take_act_lease("i", &row("mira", 112), true).unwrap().is_ok());
        // Dead: its lock is free at once.
        drop(held);
        assert_eq!(other.act_lease("i", at(113)).unwrap(), None);
        assert!(other.take_act_lease("i", &row("jo", 113), false).unwrap().unwrap().is_some());
        other.drop_act_lease("i", "jo").unwrap();
        assert_eq!(store.act_lease("i", at(114)).unwrap(), None);
    }
}
