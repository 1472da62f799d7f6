//! `evals/<set>.jsonl`: one case a line, for a team's repository.
//!
//! Owns the bytes and how they reach the disk. The order of the cases is the caller's; the order of
//! the keys is fixed here, so that git shows a promotion as one added line.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::new_file::{folder_of, written_beside};
use crate::domain::{CaseBody, CaseId, Check, Content, Error, ExpectedKind, Result, SetName, Untrusted};
use crate::text::json_out;

/// What the names of temporary files begin with.
const PREFIX: &str = ".evals-";

/// The keys of a line, in their order. `expected_kind` and `checks` stand only where they say
/// something: a behaviour, at least one check.
#[derive(Serialize)]
pub struct CaseLine<'a> {
    id: &'a CaseId,
    input: &'a Content,
    expected: Option<&'a Untrusted>,
    #[serde(skip_serializing_if = "is_output")]
    expected_kind: ExpectedKind,
    reasoning: Option<&'a Untrusted>,
    category: &'a Untrusted,
    #[serde(skip_serializing_if = "<[Check]>::is_empty")]
    checks: &'a [Check],
    trace: Option<&'a Untrusted>,
    label: Option<&'a Untrusted>,
}

fn is_output(kind: &ExpectedKind) -> bool {
    *kind == ExpectedKind::Output
}

/// The line of a case, as a value.
pub fn case_line<'a>(id: &'a CaseId, body: &'a CaseBody) -> CaseLine<'a> {
    CaseLine {
        id,
        input: &body.input,
        expected: body.expected.as_ref(),
        expected_kind: body.expected_kind,
        reasoning: body.reasoning.as_ref(),
        category: &body.category,
        checks: &body.checks,
        trace: body.trace.as_ref(),
        label: body.label.as_ref(),
    }
}

/// The line of a case, as text without the line break: JSON in which whatever could move a
/// terminal's cursor or reorder its text is escaped, so that `cat` and `git diff` are safe.
pub fn case_text(id: &CaseId, body: &CaseBody) -> String {
    json_out::to_string(&case_line(id, body)).unwrap_or_default()
}

/// Where the file of a set is.
pub fn eval_set_path(dir: &Path, set: &SetName) -> PathBuf {
    dir.join(format!("{set}.jsonl"))
}

/// Puts `text` in the place of the file at `path`, whole or not at all: a temporary file beside it,
/// `fsync`, rename, `fsync` of the folder. The folder is made when it is missing. A symbolic link is
/// followed, not replaced.
pub fn write_eval_set(path: &Path, text: &str) -> Result<()> {
    let failed = |what: String, why: std::io::Error| Error::failed(what).because(why);
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = folder_of(path);
    std::fs::create_dir_all(folder)
        .map_err(|e| failed(format!("Cannot make the folder {} for eval sets.", folder.display()), e))?;
    let cannot = |e| {
        failed(format!("Cannot write {}.", path.display()), e).hint(
        "The cases are safe in the store: write the file with `tuesday evals export` when the place can be written.",
    )
    };
    let file = written_beside(path, PREFIX, text).map_err(cannot)?;
    sweep(folder, file.path());
    file.persist(path).map_err(|e| cannot(e.error))?;
    // A folder cannot be opened for syncing everywhere; where it can, the rename is made durable.
    if let Ok(folder) = std::fs::File::open(folder) {
        folder.sync_all().ok();
    }
    Ok(())
}

/// Removes what killed writers left: temporary files a minute older than `mine`.
fn sweep(folder: &Path, mine: &Path) {
    let age = |path: &Path| std::fs::metadata(path).and_then(|m| m.modified()).ok();
    let Some(now) = age(mine) else { return };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if name.starts_with(PREFIX)
            && name.ends_with(".tmp")
            && age(&path).and_then(|then| now.duration_since(then).ok()).is_some_and(|old| old.as_secs() > 60)
        {
            std::fs::remove_file(path).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body() -> CaseBody {
        CaseBody {
            input: Content::Text("take \u{202e}it\u{9b}31m back".into()),
            expected: Some("We waive it.".into()),
            trace: Some("t-1".into()),
            ..CaseBody::default()
        }
    }

    #[test]
    fn keys_have_one_order_and_say_only_what_matters() {
        let id = CaseId::parse("c-1").unwrap();
        let line = case_text(&id, &body());
        assert_eq!(
            line,
            r#"{"id":"c-1","input":"take \u202eit\u009b31m back","expected":"We waive it.","reasoning":null,"category":"plain","trace":"t-1","label":null}"#
        );
        let whole = CaseBody {
            expected_kind: ExpectedKind::Behaviour,
            checks: vec![Check::parse("forbidden: x").unwrap()],
            ..body()
        };
        let line = case_text(&id, &whole);
        let keys =
            ["id", "input", "expected", "expected_kind", "reasoning", "category", "checks", "trace", "label"];
        let places: Vec<_> = keys.iter().map(|key| line.find(&format!("\"{key}\":")).unwrap()).collect();
        assert!(places.is_sorted(), "{line}");
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = eval_set_path(&folder.path().join("evals"), &SetName::parse("s").unwrap());
        write_eval_set(&path, "one\n").unwrap();
        write_eval_set(&path, "two\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two\n");
        assert_eq!(std::fs::read_dir(folder.path().join("evals")).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_writer_left_is_swept_and_a_living_ones_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let [old, young] = [".evals-old.tmp", ".evals-young.tmp"].map(|name| folder.path().join(name));
        for path in [&old, &young] {
            std::fs::write(path, "half a li").unwrap();
        }
        let then = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
        std::fs::File::options().write(true).open(&old).unwrap().set_modified(then).unwrap();
        write_eval_set(&folder.path().join("s.jsonl"), "x").unwrap();
        assert!(!old.exists() && young.exists());
    }

    #[cfg(unix)]
    #[test]
    fn the_mode_and_a_link_stay() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        std::fs::write(&real, "x").unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write_eval_set(&link, "y").unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read_to_string(&real).unwrap(), "y");
        assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("evals");
        std::fs::write(&file, "not a folder").unwrap();
        let error = write_eval_set(&file.join("s.jsonl"), "x").unwrap_err();
        assert!(error.what.contains("evals"), "{}", error.what);
    }
}
