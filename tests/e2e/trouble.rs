//! Stores in trouble: each a sentence and a way out, and nothing that was acknowledged is lost.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::{run, run_json, run_to, store_with, traces};

/// Runs the program and demands a failure that names the store and a way out.
fn refused(output: &Output, says: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for word in says {
        assert!(said.contains(word), "{word:?} in\n{said}");
    }
    assert!(said.contains('→'), "a way out in\n{said}");
    assert!(!said.contains("panicked"), "{said}");
}

/// Runs a shell script where it may mount file systems of its own; `None` where the machine forbids that.
fn in_own_mounts(script: &str, args: &[&str]) -> Option<Output> {
    let probe = Command::new("unshare").args(["-rm", "true"]).output();
    if !probe.is_ok_and(|p| p.status.success()) {
        println!("skipped: this machine allows no mount namespaces (unshare -rm)");
        return None;
    }
    Some(Command::new("unshare").args(["-rm", "sh", "-euc", script, "sh"]).args(args).output().expect("runs"))
}

#[test]
fn a_file_that_is_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(
        &path,
        "Dear diary, this is not a database but it is long enough to look at.\n".repeat(20),
    )
    .unwrap();
    refused(&run(&path, &["health"]), &["notes.txt", "not a tuesday store"]);
    refused(&run(&path, &["label", "t-1", "pass"]), &["notes.txt"]);
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("Dear diary"));
}

#[test]
fn a_store_from_a_newer_version() {
    for suffix in ["", "-work"] {
        let (_folder, store) = store_with(3);
        let file = format!("{}{suffix}", store.display());
        rusqlite::Connection::open(&file).unwrap().pragma_update(None, "user_version", 4_000).unwrap();
        refused(&run(&store, &["label", "t-1", "pass"]), &["newer"]);
        refused(&run(&store, &["trace", "list"]), &["newer"]);
    }
}

#[test]
fn a_locked_store() {
    let (_folder, store) = store_with(3);
    let work = format!("{}-work", store.display());
    let other = rusqlite::Connection::open(work).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    refused(&run(&store, &["label", "t-1", "pass"]), &["locked"]);
    run_to(0, &store, &["trace", "list"]);
    other.execute_batch("ROLLBACK").unwrap();
    run_to(0, &store, &["label", "t-1", "pass"]);
}

#[test]
fn a_read_only_store_can_be_read() {
    let (folder, store) = store_with(30);
    let script = r#"
        mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"
        cd /; export HOME=/nonexistent LANG=C.UTF-8
        "$2" --store "$3" trace list --limit 3 >&2 && "$2" --store "$3" health >&2 || exit 90
        "$2" --store "$3" label t-1 pass
    "#;
    let program = env!("CARGO_BIN_EXE_tuesday");
    let Some(output) =
        in_own_mounts(script, &[folder.path().to_str().unwrap(), program, store.to_str().unwrap()])
    else {
        return;
    };
    assert_ne!(output.status.code(), Some(90), "{}", String::from_utf8_lossy(&output.stderr));
    refused(&output, &["t.db"]);
}

#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let small = folder.path().join("small");
    std::fs::create_dir(&small).unwrap();
    let (first, second) = (folder.path().join("a.jsonl"), folder.path().join("b.jsonl"));
    std::fs::write(&first, traces(0, 50)).unwrap();
    std::fs::write(&second, traces(50, 40_000)).unwrap();
    let script = r#"
        mount -t tmpfs -o size=4m none "$1"; cd "$1"; export HOME="$1" LANG=C.UTF-8
        "$2" --store "$1/t.db" import "$3" --json >&2
        "$2" --store "$1/t.db" --reviewer ann label t-1 pass >&2
        code=0; "$2" --store "$1/t.db" import "$4" --json || code=$?
        mkdir "$5"; cp "$1"/t.db* "$5"; exit $code
    "#;
    let copy = folder.path().join("copy");
    let arg = |p: &Path| p.to_str().unwrap().to_owned();
    let program = env!("CARGO_BIN_EXE_tuesday").to_owned();
    let args = [arg(&small), program, arg(&first), arg(&second), arg(&copy)];
    let Some(output) = in_own_mounts(script, &args.each_ref().map(String::as_str)) else { return };
    refused(&output, &["full"]);
    let store = copy.join("t.db");
    assert_eq!(run_json(&store, &["doctor", "--json"])["store"]["integrity"], "ok");
    assert!(run_to(0, &store, &["labels", "export", "--format", "jsonl"]).contains("t-1"));
    run_to(0, &store, &["trace", "show", "t-49"]);
    // With room again, the same command goes on.
    let report = run_json(&store, &["import", second.to_str().unwrap(), "--json"]);
    assert_eq!(report["added"].as_u64().unwrap() + report["unchanged"].as_u64().unwrap(), 40_000);
}
