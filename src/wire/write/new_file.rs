//! Small text files for people: whole or not at all, and never over somebody's work by accident.

use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::domain::{Error, Result};

/// Writes a file beside its place and moves it there. `false` when one is there already and `replace`
/// does not allow to replace it. The folder is made when it is missing.
pub fn write_text(path: &Path, text: &str, replace: bool) -> Result<bool> {
    let folder = folder_of(path);
    let cannot = |e: std::io::Error| {
        Error::failed(format!("Cannot write {}.", path.display()))
            .because(e)
            .hint("Name a place where you may write.")
    };
    if !replace && path.symlink_metadata().is_ok() {
        return Ok(false);
    }
    std::fs::create_dir_all(folder).map_err(cannot)?;
    let file = written_beside(path, ".tuesday-", text).map_err(cannot)?;
    if replace {
        // Through a link, to what it names.
        let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        file.persist(target).map_err(|e| cannot(e.error))?;
        return Ok(true);
    }
    match file.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(e) if e.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(cannot(e.error)),
    }
}

/// Puts `text` in the place of a file, whole or not at all, and durably: a temporary file beside it, `fsync`,
/// rename, `fsync` of the folder. A link is followed, the file's permissions are kept.
pub fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let file = written_beside(path, ".tuesday-", text)?;
    if let Ok(there) = std::fs::metadata(path) {
        file.as_file().set_permissions(there.permissions())?;
    }
    file.persist(path).map_err(|e| e.error)?;
    // A folder cannot be opened for syncing everywhere; where it can, the rename is made durable.
    if let Ok(folder) = std::fs::File::open(folder_of(path)) {
        folder.sync_all().ok();
    }
    Ok(())
}

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A temporary file beside `path` that holds the text and has reached the disk, ready to take its place.
pub(super) fn written_beside(path: &Path, prefix: &str, text: &str) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As a new file would get it: the umask is applied to this. A file that stands keeps its own.
        let mode = std::fs::metadata(path).map_or(0o666, |m| m.permissions().mode());
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    let mut file = builder.tempfile_in(folder_of(path))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_over_unless_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.md");
        assert!(write_text(&path, "one", false).unwrap());
        assert!(!write_text(&path, "two", false).unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
        assert!(write_text(&path, "two", true).unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no leftovers");
        assert!(write_text(Path::new("/proc/none/x"), "x", false).is_err());
    }
}
