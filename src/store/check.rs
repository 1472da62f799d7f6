//! Whether a store is whole: SQLite's own check of both files and of the search index, then what is
//! kept twice against each other: roll-ups and columns against rows.

use std::collections::HashMap;

use rusqlite::Connection;

use super::blocks::{BLOCK, Block, Cells, cell_names};
use super::open::Store;
use super::rollup::{self, COUNTS, Figures, RollupKey, Summed, Table};
use super::{indexes, text_index};
use crate::domain::Result;
use crate::task::{Cancel, Progress};

/// Problems of one file that are told; further ones are as bad.
const MOST_TOLD: usize = 20;

/// What a check found.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// What is wrong with the traces file. Empty when it is whole.
    pub traces: Vec<String>,
    /// What is wrong with the work file.
    pub work: Vec<String>,
}

/// Figures about a store.
#[derive(Debug, Clone, Default)]
pub struct StoreFacts {
    /// Traces.
    pub traces: i64,
    /// Layout versions of the traces file and the work file.
    pub versions: (i64, i64),
    /// Bytes on the disk, with the logs.
    pub sizes: (u64, u64),
    /// Indexes that a killed import left out.
    pub missing_indexes: Vec<&'static str>,
    /// The last trace that the search index knows.
    pub indexed: i64,
    /// The version of SQLite.
    pub sqlite: &'static str,
}

impl Store {
    /// Figures about the store.
    pub fn facts(&self) -> Result<StoreFacts> {
        let size = |path: &std::path::Path| {
            ["", "-wal"]
                .iter()
                .filter_map(|end| {
                    let mut name = path.as_os_str().to_owned();
                    name.push(end);
                    std::fs::metadata(name).ok()
                })
                .map(|about| about.len())
                .sum()
        };
        let sizes = (size(self.path()), size(&self.work_path()));
        self.read(|db| {
            let version = |file: &str| db.query_row(&format!("PRAGMA {file}.user_version"), [], |r| r.get(0));
            Ok(StoreFacts {
                traces: db.query_row("SELECT coalesce(max(seq), 0) FROM main.trace", [], |r| r.get(0))?,
                versions: (version("main")?, version("work")?),
                sizes,
                missing_indexes: indexes::missing(db)?,
                indexed: text_index::watermark(db)?,
                sqlite: rusqlite::version(),
            })
        })
    }

    /// Checks everything. Reads the whole store: minutes for a very large one.
    pub fn check(&self, cancel: &Cancel, progress: &Progress) -> Result<Checked> {
        let mut checked = Checked::default();
        progress.phase("checking the files");
        // The search index is checked with the file that it is in.
        checked.traces = self.read_until(cancel, |db| Ok(sqlite_check(db, "main")))?;
        checked.work = self.read_until(cancel, |db| Ok(sqlite_check(db, "work")))?;
        progress.phase("checking the figures");
        if checked.traces.is_empty() {
            checked.traces = self.read_until(cancel, |db| {
                // One transaction, so that an import meanwhile does not look like damage.
                let tx = db.unchecked_transaction()?;
                let told = match rows_check(&tx, progress) {
                    Ok(told) => told,
                    Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) => {
                        return Err(e);
                    }
                    Err(e) => vec![e.to_string()],
                };
                tx.finish()?;
                Ok(told)
            })?;
        }
        Ok(checked)
    }
}

fn sqlite_check(db: &Connection, file: &str) -> Vec<String> {
    let told = (|| {
        db.prepare(&format!("PRAGMA {file}.integrity_check({MOST_TOLD})"))?
            .query_map([], |r| r.get::<_, String>(0))?
            .collect::<rusqlite::Result<Vec<_>>>()
    })();
    match told {
        Ok(told) if told == ["ok"] => Vec::new(),
        Ok(told) => told,
        Err(e) => vec![e.to_string()],
    }
}

/// Goes through the rows once and compares what is made of them.
fn rows_check(db: &Connection, progress: &Progress) -> rusqlite::Result<Vec<String>> {
    let mut told = Vec::new();
    let rows: i64 = db.query_row("SELECT count(*) FROM main.trace", [], |r| r.get(0))?;
    let last: i64 = db.query_row("SELECT coalesce(max(seq), 0) FROM main.trace", [], |r| r.get(0))?;
    let bodies: i64 = db.query_row("SELECT count(*) FROM main.body", [], |r| r.get(0))?;
    progress.set_total(rows.unsigned_abs());
    if rows != last {
        told.push(format!("{rows} traces, but the last is number {last}"));
    }
    if bodies != rows {
        told.push(format!("{rows} traces, but {bodies} bodies"));
    }
    let orphans: i64 = db.query_row("SELECT count(*) FROM main.spans WHERE seq > ?", [last], |r| r.get(0))?;
    if orphans > 0 {
        told.push(format!("spans of {orphans} traces that are not there"));
    }
    let indexed = text_index::watermark(db)?;
    if indexed > last {
        told.push(format!("the search index knows trace {indexed}, but the last is {last}"));
    }
    let mut figures: HashMap<RollupKey, Figures> = HashMap::new();
    let mut block = Block::empty(-1);
    let mut query =
        db.prepare(&format!("SELECT seq, ts, id_hash, {} FROM main.trace ORDER BY seq", cell_names()))?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (seq, ts, id_hash): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let cells = Cells::of_row(row, 3)?;
        // Only counts are compared, so the sketch is fed no values: `timed` counts them.
        figures.entry(RollupKey::of(ts, &cells)).or_default().count(&cells.counted());
        let n = (seq - 1).div_euclid(BLOCK);
        if block.n != n {
            block = Block::read(db, n)?.unwrap_or(Block::empty(n));
            progress.set_done(seq.unsigned_abs());
        }
        let at = usize::try_from(seq - block.first_seq()).unwrap_or(usize::MAX);
        let held = (block.ts.get(at), block.id_hash.get(at), block.cells(at));
        if held != (Some(&ts), Some(&id_hash), cells) && told.len() < MOST_TOLD {
            told.push(format!("the columns of trace {seq} are not those of its row"));
        }
    }
    rollups_check(db, figures, &mut told)?;
    sums_check(db, &mut told)?;
    Ok(told)
}

fn rollups_check(
    db: &Connection,
    mut figures: HashMap<RollupKey, Figures>,
    told: &mut Vec<String>,
) -> rusqlite::Result<()> {
    let mut wrong = 0;
    rollup::each_stored(db, |key, stored| {
        let counted = figures.remove(&key).unwrap_or_default();
        let timed = stored.counts[COUNTS.len() - 1];
        if stored.counts != counted.counts || stored.latency.count() != timed.unsigned_abs() {
            wrong += 1;
        }
    })?;
    if wrong > 0 {
        told.push(format!("{wrong} hourly figures do not agree with the rows"));
    }
    if !figures.is_empty() {
        told.push(format!("{} hourly figures are missing", figures.len()));
    }
    Ok(())
}

/// Holds the coarser sums against what they are the sums of, and the first hours of models and versions.
fn sums_check(db: &Connection, told: &mut Vec<String>) -> rusqlite::Result<()> {
    let mut wrong = 0;
    for (table, sums) in rollup::sums_of_stored(db)? {
        wrong += wrong_sums(db, &table, sums)?;
    }
    if wrong > 0 {
        told.push(format!("{wrong} hourly sums do not agree with their parts"));
    }
    let late: i64 = db.query_row(
        "SELECT count(*) FROM (SELECT feature, prompt, version, min(hour) AS hour FROM main.rollup_version \
         WHERE requests > 0 AND (prompt, version) <> (0, 0) GROUP BY feature, prompt, version) seen \
         WHERE NOT EXISTS (SELECT 1 FROM main.debut d WHERE d.feature = seen.feature AND d.kind = 2 \
           AND d.a = seen.prompt AND d.b = seen.version AND d.hour <= seen.hour)",
        [],
        |r| r.get(0),
    )?;
    if late > 0 {
        told.push(format!("the first hours of {late} prompt versions are missing or too late"));
    }
    Ok(())
}

/// How many rows of a table of sums are not as they must be.
fn wrong_sums(db: &Connection, table: &Table, mut wanted: Summed) -> rusqlite::Result<usize> {
    let mut query = db.prepare(&format!(
        "SELECT {}, {}, latency FROM main.{}",
        table.key_names(),
        COUNTS.join(", "),
        table.name
    ))?;
    let mut rows = query.query([])?;
    let mut wrong = 0;
    while let Some(row) = rows.next()? {
        let key = (0..table.keys.len()).map(|n| row.get(n)).collect::<rusqlite::Result<Vec<i64>>>()?;
        let (stored, sums) =
            (rollup::of_row(row, table.keys.len())?, wanted.remove(&key).unwrap_or_default());
        if stored.counts != sums.counts || stored.latency.count() != sums.latency.count() {
            wrong += 1;
        }
    }
    Ok(wrong + wanted.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::blocks::Cell;
    use crate::store::{Access, Prepared, Preparer};

    /// Traces made ready, every third with this thumb.
    fn traces(numbers: std::ops::Range<i64>, thumb: &str) -> Vec<Prepared> {
        let mut preparer = Preparer::new(None).unwrap();
        numbers
            .map(|n| {
                let feedback = format!(r#","feedback":[{{"kind":"thumbs","value":"{thumb}"}}]"#);
                let json = format!(
                    r#"{{"id":"t{n}","feature":"f{}","model":"m{}","prompt":"p{}",
                        "prompt_version":"v1","metadata":{{"locale":"de-DE"}},"input":"words {n}","output":"more",
                        "latency_ms":{n},"cost_usd":0.5{}}}"#,
                    n % 2,
                    n % 3,
                    n % 4,
                    if n % 3 == 0 { feedback } else { String::new() }
                );
                let at = jiff::Timestamp::from_second(1_700_000_000 + n * 60).unwrap();
                preparer.prepare(serde_json::from_str(&json).unwrap(), at).unwrap()
            })
            .collect()
    }

    fn write(store: &Store, mut batch: Vec<Prepared>) {
        let mut loader = store.loader(0).unwrap();
        loader.write(&mut batch).unwrap();
        loader.finish().unwrap();
    }

    /// A store of a few thousand traces.
    fn filled(folder: &tempfile::TempDir) -> Store {
        let store = Store::open(&folder.path().join("t.db"), Access::Create).unwrap();
        write(&store, traces(0..5000, "up"));
        let words = store.words(1, 5000).unwrap();
        assert!(store.index_words(0, &words).unwrap());
        store
    }

    fn check(store: &Store) -> Checked {
        store.check(&Cancel::default(), &Progress::default()).unwrap()
    }

    /// What the check of a store tells after a deed.
    fn told_after(deed: &str) -> Checked {
        let folder = tempfile::tempdir().unwrap();
        let store = filled(&folder);
        store.traces_writer().unwrap().db().execute_batch(deed).unwrap();
        check(&store)
    }

    #[test]
    fn feedback_that_came_later_is_in_rows_columns_and_sums() {
        let folder = tempfile::tempdir().unwrap();
        let store = filled(&folder);
        let other = Store::open(store.path(), Access::Existing).unwrap();
        // Of both blocks, from another process in between, and once more with new traces.
        write(&other, traces(4090..4110, "down"));
        write(&store, traces(0..20, "down"));
        write(&store, traces(4990..5100, "down"));
        assert_eq!(check(&store).traces, Vec::<String>::new());
        let downs: i64 = store
            .read(|db| db.query_row("SELECT sum(downs) FROM main.rollup_version", [], |r| r.get(0)))
            .unwrap();
        assert!(downs > 40, "{downs}");
    }

    #[test]
    fn a_store_of_the_first_layout_is_brought_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let store = filled(&folder);
        let undo: String =
            Cell::ALL.map(|cell| format!("ALTER TABLE block DROP COLUMN {};", cell.name())).concat();
        let undo = format!(
            "{undo} DROP INDEX block_time; ALTER TABLE trace DROP COLUMN language; DROP TABLE rollup_version; DROP TABLE rollup_feature; \
             DROP TABLE rollup_model; DROP TABLE rollup_language; DROP TABLE debut; \
             DROP TABLE spans; DROP TABLE rewritten; DROP TABLE early_feedback; \
             UPDATE rollup SET latency = x'00'; PRAGMA user_version = 1"
        );
        store.traces_writer().unwrap().db().execute_batch(&undo).unwrap();
        let path = store.path().to_owned();
        drop(store);
        // Whoever only reads would not find the new tables.
        assert_eq!(check(&Store::open(&path, Access::ReadOnly).unwrap()).traces, Vec::<String>::new());
    }

    #[test]
    fn languages_are_filled_in_and_who_stops_it_keeps_the_store_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let store = filled(&folder);
        let undo = "DROP INDEX block_time; ALTER TABLE block DROP COLUMN language; ALTER TABLE trace DROP COLUMN language; \
                    DROP TABLE rollup_model; DROP TABLE rollup_language; DROP TABLE debut; DELETE FROM rollup; \
                    DROP TABLE spans; DROP TABLE rewritten; DROP TABLE early_feedback; PRAGMA user_version = 2";
        store.traces_writer().unwrap().db().execute_batch(undo).unwrap();
        let path = store.path().to_owned();
        drop(store);
        let (stop, progress) = (Cancel::default(), Progress::default());
        stop.cancel();
        let stopped = Store::open_watched(&path, Access::Existing, &stop, &progress).err().unwrap();
        assert_eq!(stopped.kind, crate::domain::ErrorKind::Cancelled);
        assert!(Store::is_behind(&path));
        let store = Store::open_watched(&path, Access::Existing, &Cancel::default(), &progress).unwrap();
        let view = progress.view();
        assert_eq!((view.phase, view.done, view.total), ("adding up the hours", 5000, 5000));
        assert_eq!(check(&store).traces, Vec::<String>::new());
        let germans: i64 = store
            .read(|db| {
                let sql = "SELECT sum(r.requests) FROM main.rollup_language r JOIN main.name n ON n.id = r.language \
                           WHERE n.text = 'de'";
                db.query_row(sql, [], |r| r.get(0))
            })
            .unwrap();
        assert_eq!(germans, 5000);
    }

    #[test]
    fn fallbacks_are_found_among_the_traces_that_were_there() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("t.db"), Access::Create).unwrap();
        let mut preparer = Preparer::new(None).unwrap();
        let mut trace = |n: i64| {
            let answer = if n % 10 == 0 { "I do not know." } else { "It was a fee." };
            let said = n % 10 == 5;
            let json = format!(
                r#"{{"id":"t{n}","feature":"f","input":"words","output":"{answer}","fallback":{said}}}"#
            );
            let at = jiff::Timestamp::from_second(1_700_000_000 + n * 60).unwrap();
            preparer.prepare(serde_json::from_str(&json).unwrap(), at).unwrap()
        };
        write(&store, (0..5000).map(&mut trace).collect());
        let marked = |store: &Store| -> (i64, i64, i64) {
            let sql = "SELECT sum(flags & 32 <> 0), sum(flags & 65536 <> 0), \
                       (SELECT sum(fallbacks) FROM main.rollup_feature) FROM main.trace";
            store.read(|db| db.query_row(sql, [], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))).unwrap()
        };
        assert_eq!(marked(&store), (1000, 500, 1000));
        // As a program before left it.
        let undo = "UPDATE trace SET flags = flags & ~(32 | 65536) WHERE flags & 65536 <> 0; \
                    UPDATE rollup_feature SET fallbacks = 7; PRAGMA user_version = 5";
        store.traces_writer().unwrap().db().execute_batch(undo).unwrap();
        let path = store.path().to_owned();
        drop(store);
        let store = Store::open(&path, Access::Existing).unwrap();
        assert_eq!(marked(&store), (1000, 500, 1000));
        assert_eq!(check(&store).traces, Vec::<String>::new());
    }

    #[test]
    fn a_whole_store_is_whole() {
        let checked = told_after("");
        assert_eq!((checked.traces, checked.work), (vec![], vec![]));
    }

    #[test]
    fn what_does_not_agree_is_told() {
        for (deed, told) in [
            ("UPDATE rollup SET ups = ups + 1 WHERE hour = (SELECT min(hour) FROM rollup)", "hourly figures"),
            ("DELETE FROM rollup WHERE hour = (SELECT max(hour) FROM rollup)", "missing"),
            ("UPDATE rollup SET latency = x'00'", "hourly figures"),
            (
                "UPDATE rollup_version SET downs = 7 WHERE hour = (SELECT min(hour) FROM rollup)",
                "hourly sums",
            ),
            ("DELETE FROM rollup_version", "hourly sums"),
            ("DELETE FROM rollup_model", "hourly sums"),
            ("UPDATE rollup_language SET ups = ups + 1", "hourly sums"),
            ("DELETE FROM debut WHERE kind = 2", "first hours of 4 prompt versions"),
            ("DELETE FROM rollup_feature WHERE hour = (SELECT min(hour) FROM rollup)", "2 hourly sums"),
            ("UPDATE trace SET ts = ts + 1 WHERE seq = 77", "columns of trace 77"),
            ("UPDATE trace SET flags = flags | 1 WHERE seq = 77", "columns of trace 77"),
            ("DELETE FROM block WHERE n = 1", "columns of trace 4097"),
            ("DELETE FROM body WHERE seq = 5", "4999 bodies"),
            ("DELETE FROM trace WHERE seq = 5", "4999 traces"),
            ("INSERT INTO spans VALUES (5001, x'00')", "spans of 1 traces that are not there"),
            ("UPDATE meta SET value = 9999 WHERE key = 'text_indexed'", "search index"),
            ("DELETE FROM text_index_data WHERE id > 10", "text_index"),
        ] {
            let found = told_after(deed).traces.join("; ");
            assert!(found.contains(told), "{deed}: {found}");
        }
    }
}
