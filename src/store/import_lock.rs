//! One import at a time, one program at a run: a lock that the system lets go of however the process ends.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use super::open::Store;
use crate::domain::{Error, Result};

/// Held by the one that does the work. The lock is on a small file beside the store, since a second
/// lock on SQLite's own file would undo SQLite's.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    _file: File,
}

impl Store {
    /// Takes the lock, or `None` while another import holds it.
    pub fn lock_import(&self) -> Result<Option<Lock>> {
        self.lock_beside("-import", "an import")
    }

    pub(super) fn lock_beside(&self, suffix: &str, what: &str) -> Result<Option<Lock>> {
        let mut path = self.path().to_owned().into_os_string();
        path.push(suffix);
        let path = PathBuf::from(path);
        let failed = |e: std::io::Error| {
            Error::failed(format!("Cannot lock {} for {what}.", self.path().display()))
                .because(e)
                .hint("Give write permission to the folder of the store.")
        };
        loop {
            let file = File::create(&path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(e)) => return Err(failed(e)),
            }
            // Its last holder may have taken the file away between the two steps.
            if is_at(&file, &path) {
                return Ok(Some(Lock { path, _file: file }));
            }
        }
    }

    /// Whether an import holds the lock now, in this process or another.
    pub fn import_runs(&self) -> bool {
        self.is_locked_beside("-import")
    }

    /// Whether somebody holds this lock now.
    pub(super) fn is_locked_beside(&self, suffix: &str) -> bool {
        let mut path = self.path().to_owned().into_os_string();
        path.push(suffix);
        let Ok(file) = File::open(PathBuf::from(path)) else { return false };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        std::fs::remove_file(&self.path).ok();
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(held), Ok(there)) => (held.dev(), held.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Elsewhere a file that is open cannot be taken away.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use crate::store::{Access, Store};

    #[test]
    fn one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("t.db"), Access::Create).unwrap();
        let held = store.lock_import().unwrap().unwrap();
        assert!(store.lock_import().unwrap().is_none());
        drop(held);
        assert!(store.lock_import().unwrap().is_some());
    }
}
