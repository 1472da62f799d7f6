//! Prompts in a real git repository: switched, committed, taken back; kills in the middle; folders that are not as
//! they should be.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::pty::Terminal;
use crate::support::{run, run_json, run_to, store_with, tuesday};

/// A store whose traces name v3 and v4, and a prompt with v2 to v4.
fn world() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let (folder, store) = store_with(60);
    let home = folder.path().join("prompts/customer_support");
    std::fs::create_dir_all(&home).expect("made");
    for (file, text) in [
        ("v2.txt", "You are Robin.\n"),
        ("v3.txt", "You are Robin. Never advise moving savings.\n"),
        ("v4_current.txt", "You are Robin. Give one concrete action.\n"),
    ] {
        std::fs::write(home.join(file), text).expect("written");
    }
    std::fs::write(folder.path().join("tuesday.toml"), "[features.customer_support]\n").expect("written");
    (folder, store, home)
}

fn git(folder: &Path, args: &[&str]) -> String {
    let done = Command::new("git").current_dir(folder).args(args).output().expect("git starts");
    assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("UTF-8")
}

fn repository(folder: &Path) {
    git(folder, &["init", "-q"]);
    git(folder, &["config", "user.name", "Jo Weber"]);
    git(folder, &["config", "user.email", "jo@example.com"]);
    git(folder, &["add", "prompts"]);
    git(folder, &["commit", "-q", "-m", "four versions of the prompt"]);
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("readable");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_version_is_used_committed_and_taken_back_by_the_same_command() {
    let (folder, store, home) = world();
    repository(folder.path());
    let shown = run_json(&store, &["prompt", "show", "customer_support", "--json"]);
    assert_eq!(shown["versions"][0]["author"], "Jo Weber", "{shown}");
    assert_eq!(shown["versions"][0]["commit"]["subject"], "four versions of the prompt");
    assert_eq!(
        (&shown["versions"][0]["requests"], &shown["versions"][1]["requests"]),
        (&20.into(), &40.into())
    );
    let used = run_json(&store, &["prompt", "use", "customer_support", "v3", "--yes", "--commit", "--json"]);
    assert_eq!(files(&home), ["v2.txt", "v3_current.txt", "v4.txt"]);
    assert_eq!(git(folder.path(), &["rev-parse", "HEAD"]).trim(), used["committed"]);
    assert_eq!(git(folder.path(), &["log", "-1", "--format=%s"]).trim(), "customer_support: use v3");
    assert_eq!(git(folder.path(), &["status", "--porcelain", "prompts"]), "");
    // A file that is only called otherwise now was written by who wrote it.
    let shown = run_json(&store, &["prompt", "show", "customer_support", "--json"]);
    assert_eq!(shown["versions"][1]["commit"]["subject"], "four versions of the prompt", "{shown}");
    let undo = used["undo"].as_str().expect("a command").split_once(' ').expect("two words").1;
    let undo: Vec<&str> = undo.split(' ').chain(["--yes"]).collect();
    run_to(0, &store, &undo);
    assert_eq!(files(&home), ["v2.txt", "v3.txt", "v4_current.txt"]);
    let record = run_json(&store, &["prompt", "show", "customer_support", "--json"])["switches"].clone();
    let stages: Vec<&str> =
        record.as_array().expect("a list").iter().filter_map(|s| s["stage"].as_str()).collect();
    assert_eq!(stages, ["begun", "done", "begun", "done"]);
}

#[test]
fn a_kill_leaves_the_old_version_or_the_new_one_and_the_next_use_goes_on() {
    let (_folder, store, home) = world();
    for round in 0..30u32 {
        let to = if round % 2 == 0 { "v3" } else { "v4" };
        let mut child = tuesday(&store)
            .args(["prompt", "use", "customer_support", to, "--yes"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let share = f64::from(round + 1) * 0.618_033_988_749_894_9 % 1.0;
        std::thread::sleep(Duration::from_millis(120).mul_f64(share));
        let _ = child.kill();
        child.wait().expect("reaped");
        let names = files(&home);
        let marked = names.iter().filter(|name| name.contains("_current")).count();
        assert!(marked >= 1, "none is current: {names:?}");
        let current = run_json(&store, &["prompt", "list", "--json"])[0]["current"].clone();
        assert!(current == "v3" || current == "v4", "{current} of {names:?}");
        // Whatever was left, the same command brings it to its end, with the texts whole.
        run_to(0, &store, &["prompt", "use", "customer_support", to, "--yes"]);
        let other = if to == "v3" { "v4" } else { "v3" };
        let mut wanted = ["v2.txt".to_owned(), format!("{to}_current.txt"), format!("{other}.txt")];
        wanted.sort();
        assert_eq!(files(&home), wanted);
    }
    let v3 = run_json(&store, &["prompt", "show", "customer_support@v3", "--json"]);
    assert_eq!(v3["text"], "You are Robin. Never advise moving savings.\n");
}

#[test]
fn two_renames_that_were_cut_off_in_between_have_one_current_version() {
    let (_folder, store, home) = world();
    std::fs::write(home.join(".current-is-changing"), "v3\n").expect("written");
    std::fs::rename(home.join("v3.txt"), home.join("v3_current.txt")).expect("renamed");
    let list = run_json(&store, &["prompt", "list", "--json"]);
    assert_eq!(list[0]["current"], "v3", "{list}");
    let lint = run(&store, &["prompt", "lint"]);
    assert_eq!(lint.status.code(), Some(1));
    assert!(told(&lint).contains("did not come to its end"), "{}", told(&lint));
    run_to(0, &store, &["prompt", "use", "customer_support", "v3", "--yes"]);
    assert_eq!(files(&home), ["v2.txt", "v3_current.txt", "v4.txt"]);
    run_to(0, &store, &["prompt", "lint"]);
}

#[test]
fn an_acting_command_asks_and_without_a_terminal_refuses() {
    let (_folder, store, home) = world();
    let before = files(&home);
    let refused = run(&store, &["prompt", "use", "customer_support", "v3"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(told(&refused).contains("--yes"), "{}", told(&refused));
    let dry = run_to(0, &store, &["prompt", "use", "customer_support", "v3", "--dry-run"]);
    assert!(dry.contains("v3.txt → v3_current.txt") && dry.contains("v4_current.txt → v4.txt"), "{dry}");
    assert_eq!(files(&home), before);
    let terminal = Terminal::start(&store, &["prompt", "use", "customer_support", "v3"], 80, 24);
    terminal.wait_for("[y/N]");
    terminal.type_and_see("y\r", "To take it back: tuesday prompt use customer_support v4");
    drop(terminal);
    assert_eq!(files(&home), ["v2.txt", "v3_current.txt", "v4.txt"]);
}

#[test]
fn a_rollback_without_a_known_good_version_says_why() {
    let (_folder, store, home) = world();
    let before = files(&home);
    let output = run(&store, &["prompt", "rollback", "customer_support", "--yes"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("v3: no gate, run or label"), "{}", told(&output));
    assert!(told(&output).contains("--to VERSION"), "{}", told(&output));
    assert_eq!(files(&home), before);
    run_to(
        0,
        &store,
        &["prompt", "rollback", "customer_support", "--to", "v2", "--yes", "--reason", "bad advice"],
    );
    assert_eq!(files(&home), ["v2_current.txt", "v3.txt", "v4.txt"]);
}

#[test]
fn what_is_not_as_it_should_be_in_a_folder_is_named_and_nothing_breaks() {
    let (folder, store, home) = world();
    std::fs::write(folder.path().join("secret.txt"), "the key\n").expect("written");
    std::os::unix::fs::symlink("../../secret.txt", home.join("v5.txt")).expect("linked");
    std::fs::write(home.join("v6.txt"), b"\xff\xfe").expect("written");
    std::fs::write(home.join("v7_current.txt"), "").expect("written");
    let lint = run(&store, &["prompt", "lint"]);
    assert_eq!(lint.status.code(), Some(1));
    for wanted in
        ["v5.txt is a link that leads out", "More than one version is marked", "not UTF-8", "is empty"]
    {
        assert!(told(&lint).contains(wanted), "{wanted:?} is not in {}", told(&lint));
    }
    let refused = run(&store, &["prompt", "use", "customer_support", "v5", "--yes"]);
    assert_eq!(refused.status.code(), Some(1), "{}", told(&refused));
    assert!(!run_to(0, &store, &["prompt", "show", "customer_support"]).contains("the key"));
    let refused = run(&store, &["prompt", "rollback", "customer_support", "--to", "v5", "--yes"]);
    assert_eq!(refused.status.code(), Some(1), "{}", told(&refused));
    // Of two current versions none is the one to go back from.
    let refused = run(&store, &["prompt", "rollback", "customer_support", "--yes"]);
    assert!(refused.status.code() == Some(1) && told(&refused).contains("current"), "{}", told(&refused));
    run_to(0, &store, &["prompt", "rollback", "customer_support", "--to", "v3", "--yes"]);
    assert_eq!(run_json(&store, &["prompt", "list", "--json"])[0]["current"], "v3");
    std::fs::rename(home.join("v7.txt"), home.join("v7_current.txt")).expect("marked again");
    // Naming one sets two marks right.
    run_to(0, &store, &["prompt", "use", "customer_support", "v4", "--yes"]);
    assert_eq!(run_json(&store, &["prompt", "list", "--json"])[0]["current"], "v4");
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_left_as_it_is() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, store, home) = world();
    // Who may do all is kept out by nothing.
    let mode = |mode| std::fs::set_permissions(&home, std::fs::Permissions::from_mode(mode)).expect("set");
    mode(0o555);
    if std::fs::write(home.join("probe"), "").is_ok() {
        std::fs::remove_file(home.join("probe")).expect("removed");
        mode(0o755);
        println!("skipped: this user may write everywhere");
        return;
    }
    let before = files(&home);
    let output = run(&store, &["prompt", "use", "customer_support", "v3", "--yes"]);
    mode(0o755);
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("cannot be changed"), "{}", told(&output));
    assert_eq!(files(&home), before);
}

#[test]
fn the_difference_is_told_word_by_word() {
    let (_folder, store, _home) = world();
    let out = run_to(0, &store, &["prompt", "diff", "customer_support", "v3", "v4"]);
    assert!(
        out.contains("You are Robin. [-Never advise moving savings.-]{+Give one concrete action.+}"),
        "{out}"
    );
    let same = run_json(&store, &["prompt", "diff", "customer_support", "v3", "3", "--json"]);
    assert_eq!((&same["removed"], &same["added"]), (&0.into(), &0.into()));
    let missing = run(&store, &["prompt", "show", "custmer_support"]);
    assert!(told(&missing).contains("Did you mean customer_support?"), "{}", told(&missing));
}
