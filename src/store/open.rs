//! Opening and sharing connections, and what SQLite's errors mean to a person.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use super::body::Dictionaries;
use super::filter::text::TailCache;
use super::names::Names;
use super::schema::{TRACES, Upkeep, WORK};
use crate::domain::{Error, Result};
use crate::task::{Cancel, Progress};

/// How long a writer waits for another process's transaction before it gives up.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// Memory a reader keeps of the file's pages, in KiB. Little, for there are as many readers as queries at a
/// time, and the system keeps the file's pages for all of them.
const READER_CACHE_KIB: i64 = 2 * 1024;
/// Readers kept open while nobody asks: a burst of keys makes more, and they would keep their pages.
const IDLE_READERS: usize = 4;

/// How a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read and write; the files are made when they are missing.
    Create,
    /// Read and write; the store must exist.
    Existing,
    /// Read only.
    ReadOnly,
}

/// A store of traces and of people's work on them. Cloning shares the connections.
#[derive(Clone)]
pub struct Store(pub(super) Arc<Inner>);

pub(super) struct Inner {
    path: PathBuf,
    writable: bool,
    // Before the writers, for fields are closed in this order: the last connection to a file takes its log
    // in, and a reader cannot. Without that, people's work would lie beside the file that they back up.
    readers: Mutex<Vec<Connection>>,
    traces: Mutex<Option<Connection>>,
    work: Mutex<Option<Connection>>,
    pub(super) dictionaries: Dictionaries,
    pub(super) names: Names,
    pub(super) text_tail: TailCache,
}

impl Store {
    /// Opens the store at `path` and brings its layout up to date.
    pub fn open(path: &Path, access: Access) -> Result<Self> {
        Self::open_watched(path, access, &Cancel::default(), &Progress::default())
    }

    /// Whether opening the store brings its layout up to date first, which takes a while for a large one.
    pub fn is_behind(path: &Path) -> bool {
        TRACES.is_behind(path)
    }

    /// The same as [`open`](Self::open) where somebody watches how far it is and may stop it: then the store
    /// stays as it was.
    pub fn open_watched(path: &Path, access: Access, cancel: &Cancel, progress: &Progress) -> Result<Self> {
        let exists = path.exists();
        if access != Access::Create && !exists {
            return Err(Error::not_so(format!("There is no store at {}.", path.display())).hint(
                "Make one with `tuesday import FILE`, try the demo with `tuesday demo`, or name one with --store.",
            ));
        }
        if let (Access::Create, Some(folder)) = (access, path.parent())
            && !folder.as_os_str().is_empty()
        {
            std::fs::create_dir_all(folder).map_err(|e| {
                Error::failed(format!("Cannot make the folder {} for the store.", folder.display()))
                    .because(e)
            })?;
        }
        let store = Self(Arc::new(Inner {
            path: path.to_owned(),
            writable: access != Access::ReadOnly,
            traces: Mutex::new(None),
            work: Mutex::new(None),
            readers: Mutex::new(Vec::new()),
            dictionaries: Dictionaries::default(),
            names: Names::default(),
            text_tail: TailCache::default(),
        }));
        if !store.0.writable && (TRACES.is_behind(path) || WORK.is_behind(&store.work_path())) {
            // A reader cannot bring it up to date; where nobody can, opening says so.
            Self::open_watched(path, Access::Existing, cancel, progress)?;
        }
        if store.0.writable {
            let upkeep = Upkeep { cancel, progress };
            *lock(&store.0.traces) = Some(store.open_writer(path, &TRACES, "NORMAL", &upkeep)?);
            *lock(&store.0.work) = Some(store.open_writer(&store.work_path(), &WORK, "FULL", &upkeep)?);
        }
        let reader = store.open_reader()?;
        lock(&store.0.readers).push(reader);
        Ok(store)
    }

    /// The traces file.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The work file beside it.
    pub fn work_path(&self) -> PathBuf {
        let mut name = self.0.path.clone().into_os_string();
        name.push("-work");
        PathBuf::from(name)
    }

    /// Whether this store was opened for writing.
    pub fn is_writable(&self) -> bool {
        self.0.writable
    }

    fn open_writer(
        &self,
        path: &Path,
        schema: &super::schema::Schema,
        synchronous: &str,
        upkeep: &Upkeep<'_>,
    ) -> Result<Connection> {
        let name = path.display().to_string();
        let sql = |e: rusqlite::Error| explain(e, &name);
        let mut db = Connection::open(path).map_err(sql)?;
        db.busy_timeout(BUSY).map_err(sql)?;
        schema.check(&db, &name)?;
        // Texts of a kilobyte waste a tenth of pages of 4 KiB. No effect on a file that has pages already.
        db.pragma_update(None, "page_size", 8192).map_err(sql)?;
        db.pragma_update(None, "journal_mode", "WAL").map_err(sql)?;
        db.pragma_update(None, "synchronous", synchronous).map_err(sql)?;
        db.pragma_update(None, "foreign_keys", true).map_err(sql)?;
        schema.migrate(&mut db, &name, upkeep)?;
        Ok(db)
    }

    pub(super) fn open_reader(&self) -> Result<Connection> {
        let name = self.0.path.display().to_string();
        let sql = |e: rusqlite::Error| explain(e, &name);
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = |query: &str| -> rusqlite::Result<Connection> {
            let db = Connection::open_with_flags(uri(&self.0.path, query), flags)?;
            db.busy_timeout(BUSY)?;
            db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            db.execute("ATTACH ? AS work", [uri(&self.work_path(), query)])?;
            Ok(db)
        };
        // A read-only folder cannot hold WAL's shared memory: then the files cannot change either.
        let db = match open("mode=ro") {
            Err(e) if !self.0.writable && e.sqlite_error_code() == Some(ErrorCode::CannotOpen) => {
                open("mode=ro&immutable=1")
            }
            other => other,
        }
        .map_err(sql)?;
        TRACES.check(&db, &name)?;
        WORK.check_attached(&db, "work", &self.work_path().display().to_string())?;
        db.pragma_update(None, "cache_size", -READER_CACHE_KIB).map_err(sql)?;
        db.pragma_update(None, "query_only", true).map_err(sql)?;
        Ok(db)
    }

    /// Runs a query on a reader: `main` is the traces file, `work` the work file.
    pub(super) fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.read_until(&Cancel::default(), query)
    }

    /// Like [`read`](Self::read), and stops inside the running statement when cancelled.
    pub(super) fn read_until<T>(
        &self,
        cancel: &Cancel,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let pooled = lock(&self.0.readers).pop();
        let mut db = match pooled {
            Some(db) => db,
            None => self.open_reader()?,
        };
        let watch = cancel.clone();
        db.progress_handler(10_000, Some(move || watch.is_cancelled()))
            .map_err(|e| explain(e, &self.0.path.display().to_string()))?;
        let result = query(&db);
        let mut idle = lock(&self.0.readers);
        if idle.len() < IDLE_READERS {
            idle.push(db);
        } else {
            // Closing takes a while, and others wait for the pool.
            drop(idle);
            drop(db);
        }
        cancel.check()?;
        result.map_err(|e| explain(e, &self.0.path.display().to_string()))
    }

    /// Runs one act of a person as one durable transaction on the work file.
    /// When it returns `Ok`, the act has reached the disk.
    pub(super) fn write_work<T>(&self, act: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let name = self.work_path().display().to_string();
        let mut guard = lock(&self.0.work);
        let db = guard.as_mut().ok_or_else(|| self.read_only())?;
        let tx =
            db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|e| explain(e, &name))?;
        let value = act(&tx)?;
        tx.commit().map_err(|e| explain(e, &name))?;
        Ok(value)
    }

    /// The one writing connection of the traces file, for importers and the text index.
    pub(super) fn traces_writer(&self) -> Result<TracesWriter<'_>> {
        let guard = lock(&self.0.traces);
        if guard.is_none() {
            return Err(self.read_only());
        }
        Ok(TracesWriter(guard))
    }

    /// Turns an SQLite error into a sentence that names this store.
    pub(super) fn explain(&self, error: rusqlite::Error) -> Error {
        explain(error, &self.0.path.display().to_string())
    }

    fn read_only(&self) -> Error {
        Error::not_so(format!("The store {} is open for reading only.", self.0.path.display()))
            .hint("Give write permission to the file and its folder, or work on a copy with --store.")
    }
}

/// The locked writing connection of the traces file.
pub(super) struct TracesWriter<'a>(MutexGuard<'a, Option<Connection>>);

impl TracesWriter<'_> {
    /// The connection.
    pub(super) fn db(&mut self) -> &mut Connection {
        self.0.as_mut().expect("checked when the guard was made")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A `file:` URI for a path, with the characters that URIs reserve escaped.
fn uri(path: &Path, query: &str) -> String {
    let escaped = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{escaped}?{query}")
}

/// What an SQLite error means to a person, and the way out.
pub(super) fn explain(error: rusqlite::Error, name: &str) -> Error {
    let story = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            Error::failed(format!("{name} is not a tuesday store (not an SQLite file)."))
                .hint("Name another file with --store. If these are traces, use `tuesday import FILE`.")
        }
        Some(ErrorCode::DiskFull) => Error::failed(format!("The disk that holds {name} is full."))
            .hint("Free some space and run the same command again: what was acknowledged is kept."),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Error::failed(format!("{name} is locked by another program."))
                .hint("Wait for the other program to finish its write, then try again.")
        }
        Some(ErrorCode::ReadOnly) => Error::failed(format!("{name} cannot be written."))
            .hint("Give write permission to the file and its folder, or work on a copy with --store."),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            Error::failed(format!("{name} cannot be opened."))
                .hint("Check that the folder exists and that you may read and write it.")
        }
        Some(ErrorCode::DatabaseCorrupt) => Error::failed(format!("{name} is damaged."))
            .hint("Run `tuesday doctor` for the details; restore the file from a backup."),
        Some(ErrorCode::OperationInterrupted) => Error::cancelled(),
        _ => Error::failed(format!("The store {name} refused a statement.")),
    };
    story.because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_twice_and_refuses_strangers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b?#%.db");
        drop(Store::open(&path, Access::Create).unwrap());
        assert!(Store::open(&path, Access::Existing).unwrap().is_writable());
        let text = folder.path().join("text.db");
        std::fs::write(&text, "this is not a database, it only has its name").unwrap();
        assert!(Store::open(&text, Access::Existing).err().unwrap().what.contains("not a tuesday store"));
        let other = folder.path().join("other.db");
        Connection::open(&other).unwrap().execute_batch("CREATE TABLE t(x)").unwrap();
        assert!(Store::open(&other, Access::Existing).err().unwrap().what.contains("not a tuesday store"));
        let newer = folder.path().join("newer.db");
        drop(Store::open(&newer, Access::Create).unwrap());
        Connection::open(&newer).unwrap().pragma_update(None, "user_version", 999).unwrap();
        assert!(Store::open(&newer, Access::Existing).err().unwrap().what.contains("newer"));
    }

    #[test]
    fn a_closed_store_is_whole_in_its_two_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let store = Store::open(&path, Access::Create).unwrap();
        let watch = store.watch().unwrap();
        store
            .write_work(|tx| {
                tx.execute_batch("CREATE TABLE x AS SELECT 1").unwrap();
                Ok(())
            })
            .unwrap();
        assert!(folder.path().join("t.db-work-wal").exists());
        store.read(|db| db.query_row("SELECT 1 FROM work.x", [], |_| Ok(()))).unwrap();
        drop(store);
        drop(watch);
        let mut left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["t.db", "t.db-work"]);
        // Reading makes the logs anew, and finds all there is.
        let store = Store::open(&path, Access::ReadOnly).unwrap();
        store.read(|db| db.query_row("SELECT 1 FROM work.x", [], |_| Ok(()))).unwrap();
    }

    #[test]
    fn a_missing_store_is_named_with_the_way_out() {
        let error = Store::open(Path::new("/nowhere/x.db"), Access::Existing).err().unwrap();
        assert!(error.what.contains("/nowhere/x.db") && !error.hints.is_empty());
    }
}
