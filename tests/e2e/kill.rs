//! `kill -9` at random moments: what was acknowledged is there, and the store is whole.

use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::pty::Terminal;
use crate::support::{run_json, run_to, store_with, traces, tuesday};

/// Starts the command, kills it after `delay` unless it ended, and says whether it acknowledged its act.
fn kill_after(delay: Duration, store: &Path, args: &[&str]) -> bool {
    let mut child =
        tuesday(store).args(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts");
    std::thread::sleep(delay);
    let _ = child.kill();
    let status = child.wait().expect("reaped");
    let mut out = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut out).expect("UTF-8");
    status.success() || serde_json::from_str::<Value>(&out).is_ok()
}

/// Moments spread over the length of the command, the same in every run: a Weyl sequence.
fn moments(longest: Duration) -> impl Iterator<Item = Duration> {
    (1u32..).map(move |i| longest.mul_f64(f64::from(i) * 0.618_033_988_749_894_9 % 1.0))
}

/// How long the command takes when nobody kills it, times a little more.
fn length(store: &Path, args: &[&str]) -> Duration {
    let started = std::time::Instant::now();
    run_to(0, store, args);
    started.elapsed().mul_f64(1.2)
}

fn whole(store: &Path) {
    assert_eq!(run_json(store, &["doctor", "--json"])["store"]["integrity"], "ok");
}

#[test]
fn labels_survive_sixty_kills() {
    let (_folder, store) = store_with(70);
    let longest = length(&store, &["label", "t-69", "pass", "--json"]);
    let mut acknowledged = vec!["t-69".to_owned()];
    for (i, moment) in moments(longest).take(60).enumerate() {
        let id = format!("t-{i}");
        if kill_after(moment, &store, &["label", &id, "fail", "--mode", "1", "--json"]) {
            acknowledged.push(id);
        }
    }
    let kept = run_to(0, &store, &["labels", "export", "--format", "jsonl"]);
    for id in &acknowledged {
        assert!(kept.contains(&format!("\"{id}\"")), "{id} was acknowledged and is gone");
    }
    assert!(
        acknowledged.len() > 1 && acknowledged.len() < 61,
        "kills fell on both sides: {}",
        acknowledged.len()
    );
    whole(&store);
}

#[test]
fn promotions_survive_sixty_kills() {
    let (folder, store) = store_with(70);
    let longest = length(&store, &["evals", "promote", "t-69", "--set", "s", "--expected", "x", "--json"]);
    let mut acknowledged = vec!["t-69".to_owned()];
    for (i, moment) in moments(longest).take(60).enumerate() {
        let id = format!("t-{i}");
        if kill_after(moment, &store, &["evals", "promote", &id, "--set", "s", "--expected", "x", "--json"]) {
            acknowledged.push(id);
        }
    }
    let kept = run_to(0, &store, &["evals", "export", "--set", "s"]);
    for id in &acknowledged {
        assert!(kept.contains(&format!("\"{id}\"")), "{id} was acknowledged and is gone");
    }
    let file = std::fs::read_to_string(folder.path().join("evals/s.jsonl")).expect("the set's file");
    for line in file.lines() {
        serde_json::from_str::<Value>(line).expect("never half a line");
    }
    whole(&store);
}

#[test]
fn notes_of_an_incident_survive_sixty_kills() {
    let (_folder, store) = store_with(5);
    let opened = run_json(&store, &["incident", "open", "Killed often", "--json"]);
    let id = opened["id"].as_str().expect("an id").to_owned();
    let longest = length(&store, &["incident", "note", &id, "note number zero.", "--json"]);
    let mut acknowledged = Vec::new();
    for (i, moment) in moments(longest).take(60).enumerate() {
        let text = format!("note number {i}.");
        if kill_after(moment, &store, &["incident", "note", &id, &text, "--json"]) {
            acknowledged.push(text);
        }
    }
    let kept = run_to(0, &store, &["incident", "show", &id, "--json"]);
    for text in &acknowledged {
        assert!(kept.contains(text), "{text} was acknowledged and is gone");
    }
    whole(&store);
}

#[test]
fn steps_survive_sixty_kills() {
    let (_folder, store) = store_with(5);
    let opened = run_json(&store, &["incident", "open", "Killed often", "--json"]);
    let id = opened["id"].as_str().expect("an id").to_owned();
    let steps: Vec<String> = opened["phases"]
        .as_array()
        .expect("phases")
        .iter()
        .flat_map(|phase| phase["steps"].as_array().expect("steps"))
        .map(|step| step["id"].as_str().expect("an id").to_owned())
        .collect();
    let longest = length(&store, &["incident", "step", &id, &steps[0], "done", "--note", "first", "--json"]);
    let mut acknowledged = 0;
    for (i, moment) in moments(longest).take(60).enumerate() {
        let step = &steps[i % steps.len()];
        let before = run_json(&store, &["incident", "show", &id, "--json"]);
        let open = state_of(&before, step) == "todo";
        // Done where it is open, and taken up again where it is done.
        let what = if open { "done" } else { "reopen" };
        let note = format!("round {i}.");
        if kill_after(moment, &store, &["incident", "step", &id, step, what, "--note", &note, "--json"]) {
            acknowledged += 1;
            let after = run_json(&store, &["incident", "show", &id, "--json"]);
            assert_eq!(state_of(&after, step), if open { "done" } else { "todo" }, "{step} in round {i}");
            assert!(after.to_string().contains(&note), "{note} was acknowledged and is gone");
        }
    }
    assert!(acknowledged > 0 && acknowledged < 60, "kills fell on both sides: {acknowledged}");
    let shown = run_json(&store, &["incident", "show", &id, "--json"]);
    assert_eq!(shown["record"]["whole"], true, "{shown}");
    whole(&store);
}

fn state_of(incident: &Value, step: &str) -> String {
    let phases = incident["phases"].as_array().expect("phases");
    let mut steps = phases.iter().flat_map(|phase| phase["steps"].as_array().expect("steps"));
    let step = steps.find(|known| known["id"] == step).expect("the step");
    step["state"].as_str().expect("a state").to_owned()
}

#[test]
fn closing_survives_forty_kills() {
    let (_folder, store) = store_with(5);
    let open = |n: usize| {
        let opened = run_json(&store, &["incident", "open", &format!("Number {n}"), "--json"]);
        opened["id"].as_str().expect("an id").to_owned()
    };
    let longest = length(&store, &["incident", "close", &open(0), "--note", "All of it is over.", "--json"]);
    let mut acknowledged = 0;
    for (i, moment) in moments(longest).take(40).enumerate() {
        let id = open(i + 1);
        let closed =
            kill_after(moment, &store, &["incident", "close", &id, "--note", "All of it is over.", "--json"]);
        acknowledged += usize::from(closed);
        let shown = run_json(&store, &["incident", "show", &id, "--json"]);
        if closed {
            assert_eq!(shown["state"], "closed", "{id} was acknowledged");
        }
        // Closed wholly or not at all, and nothing else of it was lost.
        let markdown = run_to(0, &store, &["incident", "postmortem", &id]);
        assert_eq!(markdown.contains("All of it is over."), shown["state"] == "closed", "{markdown}");
        assert_eq!(shown["record"]["whole"], true, "{shown}");
    }
    assert!(acknowledged > 0 && acknowledged < 40, "kills fell on both sides: {acknowledged}");
    whole(&store);
}

#[test]
fn the_screen_acknowledges_only_what_survives_a_kill() {
    let (_folder, store) = store_with(600);
    let size = 500;
    run_to(0, &store, &["sample", "draw", "all", "--size", &size.to_string()]);
    let members = run_json(&store, &["sample", "show", "all", "--json"]);
    let members: Vec<String> = members["members"]
        .as_array()
        .expect("members")
        .iter()
        .map(|member| member["trace"].as_str().expect("a trace").to_owned())
        .collect();
    let mut acknowledged = 0;
    for moment in moments(Duration::from_millis(400)).take(16) {
        let mut terminal = Terminal::start(&store, &["review", "all"], 80, 24);
        terminal.wait_for(&format!("of {size}"));
        let typing = std::time::Instant::now();
        // A pass and a failure in turn, as fast as they are taken.
        while typing.elapsed() < moment {
            terminal.keys("pf2");
            std::thread::sleep(Duration::from_millis(3));
        }
        terminal.kill();
        terminal.wait_for_end();
        // The last frame that was drawn whole says up to which place verdicts are kept.
        let frame = terminal.last_frame();
        let said = frame.lines().find_map(|line| {
            let (place, verdict) = line.trim().strip_prefix(['✓', '✗'])?.trim().split_once(' ')?;
            verdict.starts_with(['p', 'f']).then(|| place.parse::<usize>().ok()).flatten()
        });
        let kept = run_to(0, &store, &["labels", "export", "--format", "jsonl"]);
        let kept: std::collections::HashSet<String> = kept
            .lines()
            .map(|line| {
                serde_json::from_str::<Value>(line).expect("JSON")["trace"]
                    .as_str()
                    .expect("a trace")
                    .to_owned()
            })
            .collect();
        // Places go up: who says the tenth has said the nine before.
        acknowledged = said.unwrap_or(acknowledged).max(acknowledged);
        for trace in &members[..acknowledged] {
            assert!(kept.contains(trace), "{trace} was acknowledged and is gone; the screen was\n{frame}");
        }
        whole(&store);
    }
    assert!(acknowledged > 10, "only {acknowledged} were acknowledged");
}

#[test]
fn imports_survive_forty_kills() {
    let (folder, store) = store_with(0);
    let file = folder.path().join("big.jsonl");
    let per_round = 3_000;
    std::fs::write(&file, traces(0, per_round)).expect("written");
    let path = file.to_str().expect("UTF-8").to_owned();
    let longest = length(&store, &["import", &path, "--json"]);
    let mut moments = moments(longest);
    let mut acknowledged = per_round as u64;
    let mut kills = 0;
    for round in 1..=10 {
        std::fs::write(&file, traces(round * per_round, per_round)).expect("written");
        for moment in moments.by_ref().take(4) {
            kills += 1;
            kill_after(moment, &store, &["import", &path, "--json"]);
        }
        let report = run_json(&store, &["import", &path, "--json"]);
        let seen = report["added"].as_u64().zip(report["unchanged"].as_u64()).expect("counts");
        assert_eq!(seen.0 + seen.1, per_round as u64, "{report}");
        acknowledged += per_round as u64;
        whole(&store);
    }
    assert_eq!(kills, 40);
    let health = run_json(&store, &["doctor", "--json"]);
    assert_eq!(health["store"]["traces"].as_u64(), Some(acknowledged));
}
