//! Eval cases: append-only events, and the present state that they make.
//!
//! Every change goes through [`Store::change_cases`]: one durable transaction that sees the set as
//! it is, so that two programs that promote at once cannot both believe that they were first.

mod change;

pub use self::change::CaseTx;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::ids::id_hash;
use super::open::Store;
use crate::domain::{
    CaseBody, CaseEvent, CaseEventKind, CaseId, EvalCase, EvalSet, Result, SetName, Untrusted,
};

/// A set in the list of sets.
#[derive(Debug, Clone, PartialEq)]
pub struct EvalSetRow {
    /// Its name.
    pub name: SetName,
    /// How many events it has.
    pub version: u64,
    /// Live cases by category, most first.
    pub categories: Vec<(Untrusted, u64)>,
    /// How many cases were retired.
    pub retired: u64,
    /// The last event.
    pub updated: Timestamp,
}

impl EvalSetRow {
    /// How many live cases it has.
    pub fn cases(&self) -> u64 {
        self.categories.iter().map(|(_, n)| n).sum()
    }
}

/// What was last written to a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvalFileRow {
    /// The version of the set that was written.
    pub version: u64,
    /// A digest of the bytes.
    pub digest: String,
}

impl Store {
    /// All sets that ever had a case, by name.
    pub fn eval_sets(&self) -> Result<Vec<EvalSetRow>> {
        self.read(|db| {
            let mut sets = db
                .prepare(
                    "SELECT set_name, count(*), max(at) FROM work.case_events GROUP BY set_name ORDER BY set_name",
                )?
                .query_map([], |row| {
                    Ok(EvalSetRow {
                        name: set_name(row.get(0)?)?,
                        version: count(row, 1)?,
                        categories: Vec::new(),
                        retired: 0,
                        updated: time(row.get(2)?),
                    })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            let mut counts = db.prepare(
                "SELECT live, category, count(*) FROM work.cases WHERE set_name = ?
                 GROUP BY live, category ORDER BY count(*) DESC, category",
            )?;
            for set in &mut sets {
                let mut rows = counts.query([set.name.as_str()])?;
                while let Some(row) = rows.next()? {
                    if row.get(0)? {
                        set.categories.push((Untrusted::new(row.get::<_, String>(1)?), count(row, 2)?));
                    } else {
                        set.retired += count(row, 2)?;
                    }
                }
            }
            Ok(sets)
        })
    }

    /// The live cases of a set, in order of first addition. A set without events is empty at version 0.
    pub fn eval_set(&self, set: &SetName) -> Result<EvalSet> {
        self.read(|db| present_in(&*db.unchecked_transaction()?, "work.", set))
    }

    /// A set as it was at a former version. `None` when it never came that far.
    pub fn eval_set_at(&self, set: &SetName, version: u64) -> Result<Option<EvalSet>> {
        self.read(|db| {
            let mut cases: Vec<(EvalCase, bool)> = Vec::new();
            let mut place = std::collections::HashMap::new();
            let mut events = db.prepare(
                "SELECT case_id, kind, body, at, by FROM work.case_events
                 WHERE set_name = ?1 ORDER BY seq LIMIT ?2",
            )?;
            let mut rows = events.query(params![set.as_str(), i64::try_from(version).unwrap_or(i64::MAX)])?;
            let mut seen = 0;
            while let Some(row) = rows.next()? {
                seen += 1;
                let id = case_id(row.get(0)?)?;
                let (at, by) = (time(row.get(3)?), Untrusted::new(row.get::<_, String>(4)?));
                let at_place = *place.entry(id.clone()).or_insert(cases.len());
                match (row.get::<_, Option<String>>(2)?, cases.get_mut(at_place)) {
                    (Some(text), Some((case, live))) => {
                        (case.body, case.updated, case.by, *live) = (body(&text)?, at, by, true);
                    }
                    (None, Some((_, live))) => *live = false,
                    (Some(text), None) => {
                        let (set, body) = (set.clone(), body(&text)?);
                        cases.push((EvalCase { id, set, body, created: at, updated: at, by }, true));
                    }
                    (None, None) => {
                        place.remove(&id);
                    }
                }
            }
            let cases = cases.into_iter().filter_map(|(case, live)| live.then_some(case)).collect();
            Ok((seen == version).then(|| EvalSet { name: set.clone(), version, cases }))
        })
    }

    /// A live case.
    pub fn eval_case(&self, set: &SetName, id: &CaseId) -> Result<Option<EvalCase>> {
        self.read(|db| find(db, "work.cases", set, id))
            .map(|found| found.filter(|(_, live)| *live).map(|(case, _)| case))
    }

    /// All that happened to a case, oldest first.
    pub fn case_history(&self, set: &SetName, id: &CaseId) -> Result<Vec<CaseEvent>> {
        self.read(|db| {
            db.prepare(
                "SELECT (SELECT count(*) FROM work.case_events b WHERE b.set_name = a.set_name AND b.seq <= a.seq),
                        kind, body, at, by
                 FROM work.case_events a WHERE set_name = ? AND case_id = ? ORDER BY seq",
            )?
            .query_map([set.as_str(), id.as_str()], |row| {
                Ok(CaseEvent {
                    version: count(row, 0)?,
                    case: id.clone(),
                    kind: CaseEventKind::parse(&row.get::<_, String>(1)?).unwrap_or(CaseEventKind::Edit),
                    body: row.get::<_, Option<String>>(2)?.as_deref().map(body).transpose()?,
                    at: time(row.get(3)?),
                    by: Untrusted::new(row.get::<_, String>(4)?),
                })
            })?
            .collect()
        })
    }

    /// The live cases that came from a trace: the set and the id of each.
    pub fn cases_of_trace(&self, trace: &str) -> Result<Vec<(SetName, CaseId)>> {
        self.read(|db| {
            db.prepare(
                "SELECT set_name, case_id FROM work.cases
                 WHERE trace_hash = ? AND trace_id = ? AND live ORDER BY set_name, case_id",
            )?
            .query_map(params![id_hash(trace), trace], |row| {
                Ok((set_name(row.get(0)?)?, case_id(row.get(1)?)?))
            })?
            .collect()
        })
    }

    /// Changes a set in one durable transaction. `act` sees the set as it is inside it.
    pub fn change_cases<T>(
        &self,
        set: &SetName,
        at: Timestamp,
        by: &str,
        act: impl FnOnce(&CaseTx<'_>) -> Result<T>,
    ) -> Result<T> {
        self.write_work(|tx| act(&CaseTx { store: self, tx, set, at, by }))
    }

    /// What was last written to this place; the empty path stands for standard output.
    pub fn eval_file(&self, set: &SetName, path: &str) -> Result<Option<EvalFileRow>> {
        self.read(|db| {
            db.prepare("SELECT version, digest FROM work.eval_files WHERE set_name = ? AND path = ?")?
                .query_row([set.as_str(), path], |row| {
                    Ok(EvalFileRow { version: count(row, 0)?, digest: row.get(1)? })
                })
                .optional()
        })
    }

    /// The newest version that was written anywhere.
    pub fn eval_file_newest(&self, set: &SetName) -> Result<Option<u64>> {
        self.read(|db| {
            db.prepare("SELECT version FROM work.eval_files WHERE set_name = ? ORDER BY at DESC, version DESC LIMIT 1")?
                .query_row([set.as_str()], |row| count(row, 0))
                .optional()
        })
    }

    /// Remembers what was written to a place.
    pub fn set_eval_file(&self, set: &SetName, path: &str, file: &EvalFileRow, at: Timestamp) -> Result<()> {
        self.write_work(|tx| {
            tx.execute(
                "INSERT INTO eval_files (set_name, path, version, digest, at) VALUES (?, ?, ?, ?, ?)
                 ON CONFLICT DO UPDATE SET version = excluded.version, digest = excluded.digest, at = excluded.at",
                params![set.as_str(), path, i64::try_from(file.version).unwrap_or(i64::MAX), file.digest, at.as_millisecond()],
            )
            .map(drop)
            .map_err(|e| self.explain_work(e))
        })
    }
}

/// `schema` is `work.` on a reader and empty on the work file's own connection.
fn present_in(db: &Connection, schema: &str, set: &SetName) -> rusqlite::Result<EvalSet> {
    let cases = db
        .prepare(&format!(
            "SELECT case_id, body, created, updated, by FROM {schema}cases
             WHERE set_name = ? AND live ORDER BY first_seq, case_id"
        ))?
        .query_map([set.as_str()], |row| case(set, row))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(EvalSet { name: set.clone(), version: version(db, schema, set)?, cases })
}

fn version(db: &Connection, schema: &str, set: &SetName) -> rusqlite::Result<u64> {
    db.prepare(&format!("SELECT count(*) FROM {schema}case_events WHERE set_name = ?"))?
        .query_row([set.as_str()], |row| count(row, 0))
}

fn find(
    db: &Connection,
    table: &str,
    set: &SetName,
    id: &CaseId,
) -> rusqlite::Result<Option<(EvalCase, bool)>> {
    db.prepare(&format!(
        "SELECT case_id, body, created, updated, by, live FROM {table} WHERE set_name = ? AND case_id = ?"
    ))?
    .query_row([set.as_str(), id.as_str()], |row| Ok((case(set, row)?, row.get(5)?)))
    .optional()
}

fn case(set: &SetName, row: &Row<'_>) -> rusqlite::Result<EvalCase> {
    Ok(EvalCase {
        id: case_id(row.get(0)?)?,
        set: set.clone(),
        body: body(&row.get::<_, String>(1)?)?,
        created: time(row.get(2)?),
        updated: time(row.get(3)?),
        by: Untrusted::new(row.get::<_, String>(4)?),
    })
}

fn body(text: &str) -> rusqlite::Result<CaseBody> {
    serde_json::from_str(text).map_err(|e| unreadable(e.into()))
}

fn set_name(text: String) -> rusqlite::Result<SetName> {
    SetName::parse(&text).map_err(|e| unreadable(e.into()))
}

fn case_id(text: String) -> rusqlite::Result<CaseId> {
    CaseId::parse(&text).map_err(|e| unreadable(e.into()))
}

fn unreadable(why: Box<dyn std::error::Error + Send + Sync>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, why)
}

/// A number that is never negative.
fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)?.unsigned_abs())
}

fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Content;
    use crate::store::Access;

    fn store(folder: &tempfile::TempDir) -> Store {
        Store::open(&folder.path().join("t.db"), Access::Create).unwrap()
    }

    fn set() -> SetName {
        SetName::parse("support").unwrap()
    }

    fn id(text: &str) -> CaseId {
        CaseId::parse(text).unwrap()
    }

    fn says(input: &str, expected: &str) -> CaseBody {
        CaseBody {
            input: Content::Text(input.into()),
            expected: Some(expected.into()),
            trace: Some(Untrusted::new(format!("trace of {input}"))),
            ..CaseBody::default()
        }
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    fn change<T>(store: &Store, ms: i64, act: impl FnOnce(&CaseTx<'_>) -> Result<T>) -> T {
        store.change_cases(&set(), at(ms), "ann", act).unwrap()
    }

    #[test]
    fn every_change_is_a_version_and_former_ones_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        assert_eq!(store.eval_set(&set()).unwrap().version, 0);
        assert_eq!(change(&store, 1, |tx| tx.put(&id("b"), &says("b", "1"))), Some(CaseEventKind::Add));
        change(&store, 2, |tx| tx.put(&id("a"), &says("a", "1")));
        assert_eq!(change(&store, 3, |tx| tx.put(&id("b"), &says("b", "1"))), None);
        assert_eq!(change(&store, 3, |tx| tx.put(&id("b"), &says("b", "2"))), Some(CaseEventKind::Edit));
        assert!(change(&store, 4, |tx| tx.retire(&id("b"))));
        assert!(!change(&store, 4, |tx| tx.retire(&id("b"))));
        assert_eq!(change(&store, 5, |tx| tx.put(&id("b"), &says("b", "3"))), Some(CaseEventKind::Add));

        let now = store.eval_set(&set()).unwrap();
        assert_eq!(now.version, 5);
        let said = |set: &EvalSet| -> Vec<(String, String)> {
            let expected = |c: &EvalCase| c.body.expected.clone().unwrap().into_raw();
            set.cases.iter().map(|c| (c.id.to_string(), expected(c))).collect()
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(said(&now), [pair("b", "3"), pair("a", "1")], "a case that comes back has its old place");
        assert_eq!(store.eval_set_at(&set(), 5).unwrap().unwrap(), now);
        let then = |version| said(&store.eval_set_at(&set(), version).unwrap().unwrap());
        assert_eq!(then(1), [pair("b", "1")]);
        assert_eq!(then(3), [pair("b", "2"), pair("a", "1")]);
        assert_eq!(then(4), [pair("a", "1")]);
        assert_eq!(then(0), []);
        assert_eq!(store.eval_set_at(&set(), 6).unwrap(), None);

        let history = store.case_history(&set(), &id("b")).unwrap();
        assert_eq!(
            history.iter().map(|e| (e.version, e.kind.word())).collect::<Vec<_>>(),
            [(1, "add"), (3, "edit"), (4, "retire"), (5, "add")]
        );
        let [row] = &store.eval_sets().unwrap()[..] else { panic!() };
        assert_eq!((row.version, row.cases(), row.retired, row.updated), (5, 2, 0, at(5)));
    }

    #[test]
    fn a_failed_change_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let failed = store.change_cases(&set(), at(1), "ann", |tx| {
            tx.put(&id("a"), &says("a", "1"))?;
            Err::<(), _>(crate::domain::Error::not_so("no"))
        });
        assert!(failed.is_err());
        assert_eq!(store.eval_sets().unwrap(), []);
    }

    #[test]
    fn a_trace_knows_its_cases_and_a_place_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        change(&store, 1, |tx| tx.put(&id("a"), &says("a", "1")));
        assert_eq!(store.cases_of_trace("trace of a").unwrap(), [(set(), id("a"))]);
        change(&store, 2, |tx| tx.retire(&id("a")));
        assert_eq!(store.cases_of_trace("trace of a").unwrap(), []);
        assert_eq!(store.eval_file(&set(), "/x").unwrap(), None);
        let row = |version, digest: &str| EvalFileRow { version, digest: digest.to_owned() };
        store.set_eval_file(&set(), "/x", &row(1, "d1"), at(1)).unwrap();
        store.set_eval_file(&set(), "/x", &row(2, "d2"), at(2)).unwrap();
        store.set_eval_file(&set(), "", &row(1, "d1"), at(3)).unwrap();
        assert_eq!(store.eval_file(&set(), "/x").unwrap(), Some(row(2, "d2")));
        assert_eq!(store.eval_file_newest(&set()).unwrap(), Some(1));
    }

    #[test]
    fn two_programs_on_one_store_make_one_history() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (store(&folder), store(&folder));
        std::thread::scope(|scope| {
            for (store, name) in [(&one, "x"), (&two, "y")] {
                scope.spawn(move || {
                    for n in 0..20 {
                        change(store, n, |tx| tx.put(&id(&format!("{name}{n}")), &says("q", "a")));
                        change(store, n, |tx| tx.put(&id(&format!("both{n}")), &says("q", "a")));
                    }
                });
            }
        });
        let set = one.eval_set(&set()).unwrap();
        assert_eq!((set.version, set.cases.len()), (60, 60));
    }
}
