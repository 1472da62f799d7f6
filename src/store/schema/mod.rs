//! Migrations of both files, applied in order and counted in `user_version`.
//!
//! Fifteen lines here instead of `rusqlite_migration`: its newest release pins a SQLite three
//! releases behind the one that the store is tuned on.

use std::collections::BTreeSet;

use rusqlite::{Connection, TransactionBehavior};

use crate::domain::{Error, Result};
use crate::task::{Cancel, Progress};

/// One of the two files of a store.
pub(super) struct Schema {
    /// In `application_id`, so that a stranger's SQLite file is not taken for a store.
    pub application_id: i32,
    /// What the file is called in messages.
    pub noun: &'static str,
    /// In the order in which they came.
    pub migrations: &'static [Migration],
}

/// One step from a layout to the next.
pub(super) struct Migration {
    /// The SQL scripts that it runs.
    pub scripts: &'static [&'static str],
    /// What SQL alone cannot work out, done after all scripts: it is worked out as the newest layout has it.
    pub fills: &'static [Fill],
}

/// Something that is made of what is stored, in the order in which one needs the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fill {
    /// The languages of the newest traces, from their bodies.
    Languages,
    /// The columns, from the rows.
    Columns,
    /// The hourly figures, from the columns.
    Figures,
}

impl Fill {
    fn run(self, db: &Connection, upkeep: &Upkeep<'_>) -> rusqlite::Result<()> {
        match self {
            Self::Languages => super::languages::fill(db, upkeep),
            Self::Columns => super::blocks::rebuild(db),
            Self::Figures => super::languages::figures(db, upkeep),
        }
    }
}

/// Who waits while a store is brought up to date.
pub(super) struct Upkeep<'a> {
    pub cancel: &'a Cancel,
    pub progress: &'a Progress,
}

impl Upkeep<'_> {
    /// Begins a part of the work, over so many traces.
    pub(super) fn begin(&self, phase: &'static str, traces: u64) {
        self.progress.phase(phase);
        self.progress.set_total(traces);
        self.progress.set_done(0);
    }

    /// So many more traces are done. Errors where the person wants it to stop: then nothing is changed.
    pub(super) fn done(&self, traces: usize) -> rusqlite::Result<()> {
        self.progress.add(traces as u64);
        if !self.cancel.is_cancelled() {
            return Ok(());
        }
        Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_INTERRUPT), None))
    }
}

/// The traces file; the id reads `TUES`.
pub(super) const TRACES: Schema = Schema {
    application_id: 0x5455_4553,
    noun: "store",
    migrations: &[
        Migration { scripts: &[include_str!("traces_0001.sql")], fills: &[] },
        Migration { scripts: &[include_str!("traces_0002.sql")], fills: &[Fill::Columns, Fill::Figures] },
        Migration { scripts: &[include_str!("traces_0003.sql")], fills: &[] },
        Migration { scripts: &[include_str!("traces_0004.sql")], fills: &[Fill::Languages, Fill::Figures] },
        Migration { scripts: &[include_str!("traces_0005_block_time.sql")], fills: &[] },
    ],
};

/// The work file; the id reads `TUEW`.
pub(super) const WORK: Schema = Schema {
    application_id: 0x5455_4557,
    noun: "work file of the store",
    migrations: &[
        Migration {
            scripts: &[
                include_str!("work_0001_labels.sql"),
                include_str!("work_0001_samples.sql"),
                include_str!("work_0001_cases.sql"),
                include_str!("work_0001_incidents.sql"),
            ],
            fills: &[],
        },
        Migration { scripts: &[include_str!("work_0002_evaluation.sql")], fills: &[] },
        Migration {
            scripts: &[include_str!("work_0003_trace_score.sql"), include_str!("work_0003_run_figures.sql")],
            fills: &[],
        },
        Migration { scripts: &[include_str!("work_0004_monitors.sql")], fills: &[] },
        Migration { scripts: &[include_str!("work_0005_switches.sql")], fills: &[] },
        Migration { scripts: &[include_str!("work_0006_judged.sql")], fills: &[] },
        Migration { scripts: &[include_str!("work_0007_notices.sql")], fills: &[] },
        Migration { scripts: &[include_str!("work_0008_marks.sql")], fills: &[] },
        Migration { scripts: &[include_str!("work_0009_incident_lease.sql")], fills: &[] },
        Migration { scripts: &[include_str!("work_0010_drills.sql")], fills: &[] },
        Migration { scripts: &[include_str!("work_0011_judge_sample.sql")], fills: &[] },
    ],
};

impl Schema {
    /// The layout that this program writes.
    pub(super) fn newest(&self) -> i64 {
        i64::try_from(self.migrations.len()).unwrap_or(i64::MAX)
    }

    /// Brings a file to the newest version. Errors when it is no store, or from a newer program.
    pub(super) fn migrate(&self, db: &mut Connection, name: &str, upkeep: &Upkeep<'_>) -> Result<()> {
        let sql = |e: rusqlite::Error| super::open::explain(e, name);
        let version: i64 = db.pragma_query_value(None, "user_version", |r| r.get(0)).map_err(sql)?;
        self.check(db, name)?;
        if version == self.newest() {
            return Ok(());
        }
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
        // Another process may have migrated while this one waited for the lock.
        let version: i64 = tx.pragma_query_value(None, "user_version", |r| r.get(0)).map_err(sql)?;
        let mut fills: BTreeSet<Fill> = BTreeSet::new();
        for migration in self.migrations.iter().skip(usize::try_from(version).unwrap_or(0)) {
            for script in migration.scripts {
                tx.execute_batch(script).map_err(sql)?;
            }
            fills.extend(migration.fills);
        }
        for fill in fills {
            fill.run(&tx, upkeep).map_err(sql)?;
        }
        tx.pragma_update(None, "application_id", self.application_id).map_err(sql)?;
        tx.pragma_update(None, "user_version", self.newest()).map_err(sql)?;
        tx.commit().map_err(sql)
    }

    /// Whether a file is a store of an older layout. One that cannot be read is not: opening it says why.
    pub(super) fn is_behind(&self, path: &std::path::Path) -> bool {
        let version = || -> rusqlite::Result<(i32, i64)> {
            let db = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            let version = db.pragma_query_value(None, "user_version", |r| r.get(0))?;
            Ok((db.pragma_query_value(None, "application_id", |r| r.get(0))?, version))
        };
        version().is_ok_and(|(id, version)| id == self.application_id && version < self.newest())
    }

    /// Refuses a file that is not ours or newer than this program; changes nothing.
    pub(super) fn check(&self, db: &Connection, name: &str) -> Result<()> {
        self.check_attached(db, "main", name)
    }

    /// The same for a file that is attached under this name.
    pub(super) fn check_attached(&self, db: &Connection, attached: &str, name: &str) -> Result<()> {
        let sql = |e: rusqlite::Error| super::open::explain(e, name);
        let id: i32 = db.pragma_query_value(Some(attached), "application_id", |r| r.get(0)).map_err(sql)?;
        let version: i64 =
            db.pragma_query_value(Some(attached), "user_version", |r| r.get(0)).map_err(sql)?;
        let tables: i64 = db
            .query_row(&format!("SELECT count(*) FROM {attached}.sqlite_schema"), [], |r| r.get(0))
            .map_err(sql)?;
        if id != self.application_id && (id != 0 || version != 0 || tables != 0) {
            return Err(Error::failed(format!("{name} is an SQLite file, but not a tuesday {}.", self.noun))
                .hint("Name another file with --store, or a new one to make a store."));
        }
        if version > self.newest() {
            return Err(Error::failed(format!(
                "{name} was written by a newer tuesday (layout {version}; this program knows up to {}).",
                self.newest()
            ))
            .hint("Install the newer tuesday, or open a copy made by this one."));
        }
        Ok(())
    }
}
