//! The terminal is lent: whatever ends, stops or interrupts the program, it is given back as it was.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::pty::{Terminal, picture};
use crate::support::{run_json, run_to, store_with};

/// A store with a sample to review, and the program on it.
fn reviewing(env: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf, Terminal) {
    let (folder, store) = store_with(60);
    run_to(0, &store, &["sample", "draw", "week", "--size", "20"]);
    let terminal = Terminal::start_with(&store, &["review", "week"], 80, 24, env);
    (folder, store, terminal)
}

/// Waits for the end of a program that shall leave the terminal whole, and gives its exit code.
fn ended(terminal: &mut Terminal, when: &str) -> u32 {
    let code = terminal.exit_code();
    terminal.wait_for_end();
    terminal.assert_given_back(when);
    code
}

/// The fault reports in a folder.
fn reports(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let named = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.starts_with("tuesday-fault-") && name.ends_with(".txt")
    };
    paths.filter(named).map(|path| std::fs::read_to_string(path).expect("a report")).collect()
}

/// Starts the program so that it has a fault there, with its reports in the store's folder.
#[cfg(debug_assertions)]
fn faulty(place: &str) -> (tempfile::TempDir, PathBuf, Terminal) {
    let (folder, store) = store_with(60);
    run_to(0, &store, &["sample", "draw", "week", "--size", "20"]);
    let temporary = folder.path().to_str().expect("UTF-8").to_owned();
    let env = [("TUESDAY_FAULT", place), ("TMPDIR", &temporary)];
    let terminal = Terminal::start_with(&store, &["review", "week"], 80, 24, &env);
    (folder, store, terminal)
}

/// Fails unless the text names the one report, and the report the fault.
#[cfg(debug_assertions)]
fn assert_reported(said: &str, folder: &Path, place: &str) {
    let reports = reports(folder);
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(reports[0].contains(&format!("TUESDAY_FAULT={place}")), "{}", reports[0]);
    // The path may be broken over lines.
    let said: String = said.split_whitespace().collect();
    assert!(said.contains("/tuesday-fault-"), "where the report is, in\n{said}");
    assert!(said.contains(folder.file_name().expect("a name").to_str().expect("UTF-8")), "{said}");
}

#[cfg(debug_assertions)]
#[test]
fn a_fault_gives_the_terminal_back_and_says_where_its_report_is() {
    for place in ["key", "draw"] {
        let (folder, store, mut terminal) = faulty(place);
        if place == "key" {
            terminal.wait_for("0 of 20");
            terminal.keys("p");
        }
        assert_ne!(ended(&mut terminal, &format!("after a fault in {place}")), 0);
        let said = terminal.screen();
        assert!(said.contains("the program has a fault"), "{said}");
        assert_reported(&said, folder.path(), place);
        assert_eq!(run_json(&store, &["doctor", "--json"])["store"]["integrity"], "ok");
    }
}

#[cfg(debug_assertions)]
#[test]
fn a_fault_while_the_store_is_opened_says_where_its_report_is() {
    let (folder, _store, mut terminal) = faulty("open");
    assert_eq!(ended(&mut terminal, "after a fault while the store was opened"), 1);
    assert_reported(&terminal.screen(), folder.path(), "open");
}

#[cfg(debug_assertions)]
#[test]
fn a_fault_beside_the_screen_leaves_the_screen_standing() {
    let (folder, _store, mut terminal) = faulty("watch");
    let said = terminal.wait_for("The program has a fault");
    assert_reported(&said, folder.path(), "watch");
    terminal.keys("\x1b");
    terminal.wait_until("the queue again", |screen| {
        !screen.contains("has a fault") && screen.contains("0 of 20")
    });
    terminal.type_and_see("p", "✓ 1 pass");
    terminal.keys("q");
    assert_eq!(ended(&mut terminal, "after q"), 0);
}

#[cfg(debug_assertions)]
#[test]
fn a_fault_in_a_job_ends_the_job_alone() {
    let (folder, _store, mut terminal) = faulty("job");
    terminal.wait_for("The program has a fault: this one thing could not be done.");
    let reports = reports(folder.path());
    assert!(
        !reports.is_empty() && reports.iter().all(|report| report.contains("TUESDAY_FAULT=job")),
        "{reports:?}"
    );
    // The jobs that begin with the screen each have a page of their own, and come when they come.
    for _ in 0..100 {
        terminal.settle();
        let screen = terminal.screen();
        if screen.contains("┌─ Keys") {
            break;
        }
        terminal.keys(if screen.contains("That did not work") { "\x1b" } else { "?" });
    }
    terminal.wait_for("┌─ Keys");
    terminal.keys("q");
    terminal.wait_until("the screen again", |screen| !screen.contains("┌─ Keys"));
    terminal.keys("q");
    assert_eq!(ended(&mut terminal, "after q"), 0);
}

#[test]
fn signals_that_end_the_program_give_the_terminal_back() {
    for (signal, code) in [("TERM", 143), ("HUP", 129), ("INT", 130)] {
        let (_folder, store, mut terminal) = reviewing(&[]);
        terminal.wait_for("0 of 20");
        assert!(terminal.is_raw() && terminal.look().alternate_screen());
        terminal.type_and_see("p", "✓ 1 pass");
        // In the midst of something: a question is open and half answered.
        terminal.type_and_see("n", "Note: why");
        terminal.keys("half a th");
        terminal.signal(signal);
        assert_eq!(ended(&mut terminal, signal), code);
        assert_eq!(run_to(0, &store, &["labels", "export"]).lines().count(), 1);
    }
}

#[test]
fn a_signal_at_any_moment_of_the_start_gives_the_terminal_back() {
    let (_folder, store) = store_with(60);
    for moment in 0..40 {
        let mut terminal = Terminal::start(&store, &[], 80, 24);
        std::thread::sleep(Duration::from_millis(3 * moment));
        terminal.signal("TERM");
        ended(&mut terminal, &format!("{} ms after the start", 3 * moment));
    }
}

#[test]
fn ctrl_z_stops_the_program_and_it_comes_back() {
    let (_folder, _store, mut terminal) = reviewing(&[]);
    terminal.wait_for("0 of 20");
    terminal.type_and_see("p", "✓ 1 pass");
    for how in ["ctrl-z", "SIGTSTP"] {
        if how == "ctrl-z" {
            terminal.keys("\x1a");
        } else {
            terminal.signal("TSTP");
        }
        terminal.wait_until_stopped();
        terminal.assert_given_back(how);
        // The shell's prompt is written meanwhile, and the window made smaller.
        terminal.resize(60, 20);
        terminal.signal("CONT");
        terminal.wait_until("the queue again", |screen| {
            screen.lines().count() == 20 && screen.contains("1 of 20") && screen.contains("p pass")
        });
        assert!(terminal.is_raw() && terminal.look().alternate_screen());
        terminal.resize(80, 24);
        terminal.wait_until("the queue at its size", |screen| {
            screen.lines().count() == 24 && screen.contains("? all")
        });
    }
    terminal.type_and_see("p", "✓ 2 pass");
    terminal.keys("q");
    assert_eq!(ended(&mut terminal, "after q"), 0);
}

#[test]
fn a_burst_of_keys_is_taken_in_whole() {
    let (_folder, _store, mut terminal) = reviewing(&[]);
    terminal.wait_for("0 of 20");
    // As when something is pasted into a terminal that does not mark it as pasted.
    terminal.keys_beside("l".repeat(50_000));
    terminal.wait_for("this is the last one");
    terminal.keys("q");
    assert_eq!(ended(&mut terminal, "after q"), 0);
}

/// A program of a person's own that stands in for their editor; gives the `EDITOR` that starts it.
fn editor(folder: &Path, script: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("editor.sh");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("may be run");
    path.to_str().expect("UTF-8").to_owned()
}

/// A store with a sample, and the program on it with that editor.
fn reviewing_with_editor(script: &str) -> (tempfile::TempDir, PathBuf, Terminal) {
    let (folder, store) = store_with(60);
    run_to(0, &store, &["sample", "draw", "week", "--size", "20"]);
    let editor = editor(folder.path(), script);
    let terminal = Terminal::start_with(&store, &["review", "week"], 80, 24, &[("EDITOR", &editor)]);
    terminal.wait_for("0 of 20");
    (folder, store, terminal)
}

#[test]
fn the_persons_own_editor_gets_the_terminal_and_its_text_comes_back() {
    let script = r#"stty -a > stty.txt
        cat "$1" >> given.txt
        echo >> times.txt
        printf 'line %s> ' "$(wc -l < times.txt)"
        read -r line
        printf ' and %s' "$line" >> "$1""#;
    let (folder, store, mut terminal) = reviewing_with_editor(script);
    terminal.type_and_see("p", "✓ 1 pass");
    terminal.keys("h");
    terminal.wait_for("you: ✓ pass");
    // What the first time left on the shell's screen shows again at the second: each has its own number.
    for (time, (key, title, line)) in
        [("n", "Note: why", "noted there"), ("c", "What it should have been", "corrected there")]
            .into_iter()
            .enumerate()
    {
        terminal.type_and_see(key, title);
        terminal.keys("Typed here");
        terminal.wait_for("Typed here");
        terminal.type_and_see("\x05", &format!("line {}>", time + 1));
        terminal.assert_given_back("in the editor");
        // Meanwhile the window changes, and what is typed is the editor's: `q` would have ended us.
        terminal.resize(100, 30);
        terminal.keys(&format!("{line} q\n"));
        terminal.wait_until("the editor's text in ours", |screen| {
            screen.contains(title) && screen.contains(&format!("{line} q")) && screen.lines().count() == 30
        });
        assert!(terminal.is_raw() && terminal.look().alternate_screen());
        terminal.keys("\x13");
        terminal.wait_until("the queue again", |screen| !screen.contains(title));
        terminal.resize(80, 24);
    }
    terminal.wait_for("with a corrected output");
    terminal.keys("q");
    assert_eq!(ended(&mut terminal, "after q"), 0);
    let label: serde_json::Value =
        serde_json::from_str(&run_to(0, &store, &["labels", "export", "--format", "jsonl"]))
            .expect("one label");
    assert_eq!(label["note"], "Typed here and noted there q");
    let corrected = label["corrected"].as_str().expect("a correction");
    assert!(
        corrected.starts_with("Fee ") && corrected.ends_with("Typed here and corrected there q"),
        "{corrected}"
    );
    let given = std::fs::read_to_string(folder.path().join("given.txt")).expect("what the editor was given");
    assert!(given.starts_with("Typed here") && given.contains("waived the same day.Typed here"), "{given}");
    let modes = std::fs::read_to_string(folder.path().join("stty.txt")).expect("the line discipline");
    assert!(modes.contains(" icanon") && modes.contains(" echo "), "{modes}");
}

#[test]
fn an_editor_that_fails_leaves_the_text_as_it_was() {
    let (_folder, store, mut terminal) = reviewing_with_editor("echo rubbish >> \"$1\"; exit 3");
    terminal.type_and_see("p", "✓ 1 pass");
    terminal.keys("h");
    terminal.wait_for("you: ✓ pass");
    terminal.type_and_see("n", "Note: why");
    terminal.keys("Typed here");
    terminal.wait_for("Typed here");
    terminal.keys("\x05");
    let screen = terminal.wait_for("exit status: 3");
    assert!(screen.contains("Typed here") && !screen.contains("rubbish"), "{screen}");
    terminal.keys(", and gone on");
    terminal.wait_for("Typed here, and gone on");
    terminal.type_and_see("\x13", "with a note");
    terminal.keys("q");
    assert_eq!(ended(&mut terminal, "after q"), 0);
    assert!(run_to(0, &store, &["labels", "export"]).contains("\"Typed here, and gone on\""));
}

#[test]
fn an_editor_that_is_not_there_is_told_with_a_way_out() {
    let (_folder, store) = store_with(60);
    run_to(0, &store, &["sample", "draw", "week", "--size", "20"]);
    let env = [("EDITOR", "/nowhere/editor --wait")];
    let mut terminal = Terminal::start_with(&store, &["review", "week"], 80, 24, &env);
    terminal.wait_for("0 of 20");
    terminal.type_and_see("n", "Note: why");
    terminal.keys("\x05");
    let screen = terminal.wait_for("/nowhere/editor cannot be started");
    assert!(screen.contains("$EDITOR"), "{screen}");
    terminal.signal("TERM");
    assert_eq!(ended(&mut terminal, "after SIGTERM"), 143);
}

#[test]
fn a_signal_while_the_editor_is_open_ends_the_program_after_it() {
    let (_folder, _store, mut terminal) = reviewing_with_editor("printf 'your line> '; read -r line");
    terminal.type_and_see("n", "Note: why");
    terminal.type_and_see("\x05", "your line>");
    terminal.signal("TERM");
    terminal.keys("bye\n");
    assert_eq!(ended(&mut terminal, "after SIGTERM"), 143);
}

/// Sizes from the smallest to larger than any screen, the same in every run.
fn sizes() -> impl Iterator<Item = (u16, u16)> {
    use rand::{RngExt as _, SeedableRng as _};
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(24);
    let small = [(1, 1), (1, 100), (300, 1), (2, 2), (300, 100), (80, 3), (10, 24)];
    small.into_iter().chain(std::iter::from_fn(move || {
        let most = if rng.random_range(0..3) == 0 { (24, 8) } else { (300, 100) };
        Some((rng.random_range(1..=most.0), rng.random_range(1..=most.1)))
    }))
}

#[test]
fn a_resize_at_any_moment_leaves_the_layout_right() {
    let (_folder, store) = store_with(400);
    run_to(0, &store, &["sample", "draw", "week", "--size", "20"]);
    run_to(0, &store, &["label", "t-2", "fail", "--mode", "1", "--note", "Wrong fee"]);
    run_to(0, &store, &["evals", "promote", "t-2", "--set", "support", "--expected", "Waived the same day"]);
    // Closed, so that no clock runs on the screen.
    run_to(0, &store, &["incident", "open", "Bad advice on fees"]);
    run_to(0, &store, &["incident", "close", "1"]);
    let mut sizes = sizes();
    // The way to each kind of screen and overlay: keys, and what stands there then.
    const TRACES: (&str, &str) = ("gt", "1 of 400");
    const QUEUE: [(&str, &str); 2] = [("gr", "of traces"), ("\r", "fee number")];
    const INCIDENT: [(&str, &str); 2] = [("gi", "0 open of 1"), ("\r", "Acknowledge")];
    let ways: [Vec<(&str, &str)>; 12] = [
        vec![TRACES],
        vec![TRACES, ("\r", "t-399")],
        vec![TRACES, ("?", "┌─ Keys")],
        vec![TRACES, (":", "┌─ Commands")],
        vec![TRACES, ("/", "filter")],
        [&QUEUE[..], &[("h", "first one")]].concat(),
        [&QUEUE[..], &[("n", "Note: why")]].concat(),
        [&QUEUE[..], &[("e", "Promote t-")]].concat(),
        vec![("gr", "of traces"), ("D", "Draw a sample")],
        vec![("ge", "1 case")],
        INCIDENT.to_vec(),
        [&INCIDENT[..], &[("p", "Post-mortem INC-1")]].concat(),
    ];
    for way in ways {
        let arrive = || {
            let terminal = Terminal::start(&store, &[], 80, 24);
            terminal.wait_for("Health");
            for (keys, there) in &way {
                terminal.type_and_see(keys, there);
            }
            terminal.settle();
            terminal
        };
        let still = arrive();
        // As far as the other goes: a step that was moved to shows its text.
        still.keys("\x1b[B\x1b[A");
        still.settle();
        let moved = arrive();
        for (n, (cols, rows)) in sizes.by_ref().take(24).enumerate() {
            moved.resize(cols, rows);
            // Down and up again. Not waited for: the next size comes before, within and after the frame for
            // this one.
            moved.keys(["\x1b[B", "\x1b[A"][n % 2]);
            std::thread::sleep(Duration::from_micros(u64::from(rows) * 100));
        }
        moved.resize(80, 24);
        moved.wait_for_picture(&format!("{way:?} as it was"), &picture(&still.look()));
    }
}
