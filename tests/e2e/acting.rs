//! Steps of incidents that act, on real files, programs and requests: killed in the middle, pressed twice, lied to.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::flag_server::{FlagServer, Manner};
use crate::pty::Terminal;
use crate::support::{run, run_json, run_to, store_with, tuesday, tuesday_as};

const ENTER: &str = "\r";

/// A store and an incident, whose feature is switched in `flags.json` and whose runbook has these steps.
fn world(steps: &str) -> (tempfile::TempDir, PathBuf) {
    let (folder, store) = store_with(30);
    let home = folder.path();
    std::fs::write(home.join("flags.json"), "{\"ai\": true}\n").expect("written");
    std::fs::create_dir_all(home.join("prompts/customer_support")).expect("made");
    for file in ["v3.txt", "v4_current.txt"] {
        std::fs::write(home.join("prompts/customer_support").join(file), file).expect("written");
    }
    let config = "runbook = 'book.toml'\n[features.customer_support]\nprompts = 'prompts/customer_support'\n\
                  switch = { kind = 'flag_file', path = 'flags.json', pointer = '/ai' }\n";
    std::fs::write(home.join("tuesday.toml"), config).expect("written");
    let book = format!("schema = 1\nname = \"ours\"\nfeature = \"customer_support\"\n{steps}");
    std::fs::write(home.join("book.toml"), book).expect("written");
    run_to(0, &store, &["incident", "open", "Bad advice"]);
    (folder, store)
}

fn script(folder: &Path, name: &str, body: &str) {
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("allowed");
}

fn step(id: &str, kind: &str, rest: &str) -> String {
    format!("[[step]]\nid = \"{id}\"\nphase = \"contain\"\nkind = \"{kind}\"\ntitle = \"{id}\"\n{rest}\n")
}

fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

fn acting(store: &Path, at: usize) -> Value {
    let view = run_json(store, &["incident", "show", "1", "--json"]);
    view["phases"][2]["steps"][at]["acting"].clone()
}

/// Starts a step and kills the program after `delay`.
fn killed(store: &Path, id: &str, delay: Duration) {
    let mut child = tuesday(store)
        .args(["incident", "step", "1", id, "--yes"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    std::thread::sleep(delay);
    let _ = child.kill();
    child.wait().expect("reaped");
}

/// Moments spread over the length of a step, the same in every run: a Weyl sequence.
fn moments(longest: Duration) -> impl Iterator<Item = Duration> {
    (1u32..).map(move |i| longest.mul_f64(f64::from(i) * 0.618_033_988_749_894_9 % 1.0))
}

#[test]
fn a_command_killed_at_any_moment_is_never_run_twice_by_itself() {
    let ids: Vec<String> = (0..24).map(|n| format!("act{n}")).collect();
    let steps: String = ids
        .iter()
        .map(|id| step(id, "command", &format!("run = [\"./act\", \"{id}\"]\nenv = [\"PATH\"]")))
        .collect();
    let (folder, store) = world(&steps);
    script(folder.path(), "act", "echo $1 >> count; sleep 0.1");
    let began = std::time::Instant::now();
    run_to(0, &store, &["incident", "step", "1", "act0", "--yes"]);
    let longest = began.elapsed().mul_f64(1.1);
    for (id, moment) in ids.iter().skip(1).zip(moments(longest)) {
        killed(&store, id, moment);
        // Whoever comes next: it runs what was never begun, and asks about the rest.
        for _ in 0..2 {
            run(&store, &["incident", "step", "1", id, "--yes"]);
        }
    }
    // One that was started before the kill goes on by itself.
    std::thread::sleep(Duration::from_millis(300));
    let count = std::fs::read_to_string(folder.path().join("count")).expect("counted");
    for (at, id) in ids.iter().enumerate() {
        let times = count.lines().filter(|line| line == id).count();
        let state = acting(&store, at)["state"].as_str().unwrap_or("none").to_owned();
        match state.as_str() {
            "done" => assert_eq!(times, 1, "{id} is done"),
            "unknown" => assert!(times <= 1, "{id} was run {times} times"),
            other => panic!("{id} is {other}"),
        }
    }
    let view = run_json(&store, &["incident", "show", "1", "--json"]);
    assert_eq!(view["record"]["whole"], true);
    assert_eq!(run_json(&store, &["doctor", "--json"])["store"]["integrity"], "ok");
}

#[test]
fn a_switch_and_a_rollback_killed_at_any_moment_come_to_their_end() {
    let both = step("off", "flag", "to = \"off\"") + &step("back", "rollback", "to = \"v3\"");
    let (folder, store) = world(&both);
    let began = std::time::Instant::now();
    run_to(0, &store, &["incident", "step", "1", "off", "--yes"]);
    let longest = began.elapsed().mul_f64(1.1);
    run_to(0, &store, &["incident", "step", "1", "back", "--yes"]);
    let prompts = folder.path().join("prompts/customer_support");
    for moment in moments(longest).take(12) {
        run_to(0, &store, &["feature", "on", "customer_support", "--yes"]);
        run_to(0, &store, &["prompt", "use", "customer_support", "v4", "--yes"]);
        for id in ["off", "back"] {
            run_to(0, &store, &["incident", "step", "1", id, "reopen"]);
            killed(&store, id, moment);
            // A flag file is never half a file, and some version is always the current one.
            let flags: Value = serde_json::from_str(
                &std::fs::read_to_string(folder.path().join("flags.json")).expect("a file"),
            )
            .expect("whole");
            assert!(flags["ai"].is_boolean());
            let current = std::fs::read_dir(&prompts)
                .expect("readable")
                .filter(|entry| {
                    entry.as_ref().expect("an entry").file_name().to_string_lossy().contains("_current")
                })
                .count();
            assert!((1..=2).contains(&current), "{current} are current");
            let view = run_json(&store, &["incident", "show", "1", "--json"]);
            let settled = view["phases"][2]["steps"]
                .as_array()
                .expect("steps")
                .iter()
                .any(|step| step["id"] == id && step["state"] == "done");
            if !settled {
                run_to(0, &store, &["incident", "step", "1", id, "--yes"]);
            }
        }
        assert_eq!(
            std::fs::read_to_string(folder.path().join("flags.json")).expect("a file"),
            "{\"ai\": false}\n"
        );
        assert!(prompts.join("v3_current.txt").exists() && prompts.join("v4.txt").exists());
    }
    assert_eq!(run_json(&store, &["incident", "show", "1", "--json"])["record"]["whole"], true);
}

#[test]
fn two_commanders_who_press_contain_at_once_switch_once() {
    let (folder, store) = world(&step("off", "command", "run = [\"./act\"]\nenv = [\"PATH\"]"));
    script(folder.path(), "act", "echo x >> count; sleep 0.2");
    let children: Vec<_> = ["ann", "jo", "mira", "kim"]
        .iter()
        .map(|who| {
            tuesday_as(&store, who)
                .args(["incident", "contain", "1", "--yes"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("starts")
        })
        .collect();
    let outputs: Vec<_> =
        children.into_iter().map(|child| child.wait_with_output().expect("it ends")).collect();
    let done = outputs.iter().filter(|output| output.status.success()).count();
    assert_eq!((done, lines(&folder.path().join("count"))), (1, 1));
    for output in outputs.iter().filter(|output| !output.status.success()) {
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(
            ["carries out", "carried out", "is open", "was done by"].iter().any(|words| told.contains(words)),
            "{told}"
        );
    }
}

#[test]
fn without_a_yes_and_without_a_terminal_nothing_acts() {
    let (folder, store) = world(&step("off", "flag", "to = \"off\"\nconfirm = \"type\""));
    for args in [&["incident", "contain", "1"][..], &["incident", "step", "1", "off"]] {
        let output = run(&store, args);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains("there is no terminal to ask on"));
    }
    assert!(std::fs::read_to_string(folder.path().join("flags.json")).expect("a file").contains("true"));
    assert_eq!(acting(&store, 0), Value::Null);
}

#[test]
fn a_read_only_folder_and_a_broken_flag_file_are_found_before_anything_is_done() {
    let both = step("off", "flag", "to = \"off\"") + &step("back", "rollback", "to = \"v9\"");
    let (folder, store) = world(&both);
    std::fs::write(folder.path().join("flags.json"), "{\"ai\": ").expect("written");
    let told =
        String::from_utf8(run(&store, &["incident", "step", "1", "off", "--yes"]).stderr).expect("UTF-8");
    assert!(told.contains("would fail") && told.contains("not JSON"), "{told}");
    let told =
        String::from_utf8(run(&store, &["incident", "step", "1", "back", "--yes"]).stderr).expect("UTF-8");
    assert!(told.contains("no version v9"), "{told}");
    assert_eq!((acting(&store, 0), acting(&store, 1)), (Value::Null, Value::Null));
    let checked = run(&store, &["runbook", "check", "--json"]);
    let view: Value = serde_json::from_slice(&checked.stdout).expect("JSON");
    assert_eq!((checked.status.code(), &view["fail"]), (Some(1), &2.into()), "{view}");
}

#[test]
fn a_request_is_sent_once_with_its_key_and_what_it_says_is_believed_only_where_it_can_be() {
    let server = FlagServer::start();
    let url = server.url();
    let put = |rest: &str| {
        format!(
            "method = \"PUT\"\nurl = \"{url}/flags/support\"\nheader = {{ Authorization = \"env:HOOK_KEY\" }}\n\
             expect = [204]\ntimeout = \"400ms\"\njson = {{ enabled = false, id = \"{{{{incident.id}}}}\" }}\n{rest}"
        )
    };
    let steps = step("good", "http", &put(""))
        + &step("lies", "http", &put(""))
        + &step("fails", "http", &put("idempotent = false"))
        + &step("echoes", "http", &put(""))
        + &step("hangs", "http", &put(""))
        + &step("nobody", "http", "url = \"http://127.0.0.1:9/x\"\n")
        + &step("keyless", "http", &put("").replace("HOOK_KEY", "NO_SUCH_KEY"));
    let (_folder, store) = world(&steps);
    let go = |id: &str, manner: Manner, more: &[&str]| {
        server.behave(manner);
        let output = tuesday(&store)
            .env("HOOK_KEY", "never-to-be-seen-4711")
            .args(["incident", "step", "1", id, "--yes", "--json"])
            .args(more)
            .output()
            .expect("the program starts");
        let told =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!told.contains("never-to-be-seen"), "the key is shown: {told}");
        told
    };
    assert!(go("good", Manner::Well, &[]).contains("\"done\""));
    assert!(!server.is_on());
    let sent = &server.acts()[0];
    assert_eq!(
        (&sent.headers["authorization"], sent.body.contains("INC-1")),
        (&"never-to-be-seen-4711".parse().expect("a value"), true)
    );
    assert_eq!(sent.headers["idempotency-key"], acting_id(&store, "good"), "the act's own id");
    assert!(go("good", Manner::Well, &[]).contains("was done"), "once is enough");
    assert_eq!(server.acts().len(), 1);
    // A hook has nothing to be read back from: what it answers is what is known.
    assert!(go("lies", Manner::Lies, &[]).contains("\"done\""));
    assert!(go("fails", Manner::FailsAfter, &[]).contains("\"unknown\""), "500 may have been done");
    assert!(go("fails", Manner::Well, &[]).contains("is not known"), "and is not sent again by itself");
    assert!(go("fails", Manner::Well, &["--again"]).contains("is not known"), "nor because somebody asks");
    let told = go("echoes", Manner::Echoes, &[]);
    assert!(told.contains("\"failed\"") && told.contains("400"), "{told}");
    assert!(go("hangs", Manner::Hangs, &[]).contains("\"unknown\""));
    assert!(go("hangs", Manner::Well, &["--again"]).contains("\"done\""), "PUT does no harm twice");
    assert!(go("nobody", Manner::Well, &[]).contains("\"failed\""), "refused is known not to have been done");
    assert!(go("keyless", Manner::Well, &[]).contains("NO_SUCH_KEY"));
    assert_eq!(server.acts().len(), 6);
    let shown = run_to(0, &store, &["incident", "show", "1", "--json"]);
    assert!(!shown.contains("never-to-be-seen"));
}

/// The id of the act of this step, as the record has it.
fn acting_id(store: &Path, step: &str) -> String {
    let db = store.with_file_name("t.db-work");
    let bytes = std::fs::read(db).expect("the work file");
    let wal = std::fs::read(store.with_file_name("t.db-work-wal")).unwrap_or_default();
    let text = String::from_utf8_lossy(&[bytes, wal].concat()).into_owned();
    let key = format!("{{\"step\":\"{step}\",\"act\":\"");
    let at = text.find(&key).expect("the act is in the record") + key.len();
    text[at..].chars().take_while(|c| *c != '"').collect()
}

#[test]
fn a_weekday_check_asks_with_the_real_key_and_sends_nothing() {
    let server = FlagServer::start();
    let url = server.url();
    let http = |id: &str, rest: &str| {
        let rest = format!(
            "method = \"PUT\"\nurl = \"{url}/flags/support\"\nheader = {{ Authorization = \"env:HOOK_KEY\" }}\n\
             timeout = \"2s\"\n{rest}"
        );
        step(id, "http", &rest)
    };
    let health = format!("check = {{ url = \"{url}/api/v2/flags/support/support-ai\", expect = [200] }}");
    let steps = http("usual", "")
        + &http("own", &health)
        + &http("head", "check = { method = \"OPTIONS\", expect = [404] }")
        + &http("never", "check = false")
        + &http("dead", "").replace(&url, "http://127.0.0.1:9");
    let (_folder, store) = world(&steps);
    let check = |manner: Manner| -> Vec<(String, String)> {
        server.behave(manner);
        let output = tuesday(&store)
            .env("HOOK_KEY", "never-to-be-seen-4711")
            .args(["runbook", "check", "--json"])
            .output()
            .expect("the program starts");
        let told = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(!told.contains("never-to-be-seen"), "the key is shown: {told}");
        assert_eq!(output.status.code(), Some(1), "one of them is always dead");
        let view: Value = serde_json::from_str(&told).expect("JSON");
        view["steps"]
            .as_array()
            .expect("steps")
            .iter()
            .map(|step| {
                let words = [&step["fails"], &step["notes"]].map(|of| of.to_string()).concat();
                (step["state"].as_str().expect("a state").to_owned(), words)
            })
            .collect()
    };
    let is = |found: &(String, String), state: &str, words: &str| {
        assert!(found.0 == state && found.1.contains(words), "{state}, {words}: {found:?}");
    };
    let found = check(Manner::Wants("never-to-be-seen-4711"));
    is(&found[0], "ok", "GET");
    is(&found[0], "ok", "answers 200");
    is(&found[1], "ok", "answers 200");
    is(&found[2], "ok", "OPTIONS");
    is(&found[3], "ok", "its check is switched off");
    is(&found[4], "fails", "127.0.0.1");
    let found = check(Manner::Wants("another key"));
    is(&found[0], "fails", "answers 401: it does not take the key of HOOK_KEY");
    is(&found[1], "fails", "does not take the key");
    is(&found[3], "ok", "");
    // Many a hook says so to a GET: it is there, and that is all that is known.
    let found = check(Manner::ActsOnly);
    is(&found[0], "ok", "answers 405: it is there; whether the key is right is not known");
    is(&found[1], "fails", "answers 405");
    is(&check(Manner::Down)[0], "fails", "answers 503");
    assert_eq!(server.acts().iter().filter(|seen| seen.method != "OPTIONS").count(), 0, "nothing is sent");
    assert!(server.is_on());
    let seen = server.seen();
    assert!(seen.iter().all(|seen| !seen.headers.contains_key("idempotency-key") && seen.body.is_empty()));
    assert!(seen.iter().all(|seen| seen.headers["authorization"] == "never-to-be-seen-4711"));
}

#[test]
fn a_shipped_runbook_is_taken_by_name_and_a_strict_team_takes_no_shell() {
    let shell = step(
        "dump",
        "command",
        "confirm = \"type\"\nshell = true\nrun = [\"echo $1 >> count\", \"{{incident.id}}\"]",
    );
    let (folder, store) = world(&shell);
    let opened = run_json(&store, &["incident", "open", "Slow", "--runbook", "outage", "--json"]);
    assert_eq!(opened["runbook"]["name"], "outage", "{opened}");
    let told = run_to(0, &store, &["runbook", "show", "cost"]);
    assert!(told.contains("# Runbook: cost") && told.contains("Find the slice that spends it"), "{told}");
    run_to(0, &store, &["runbook", "check", "ours"]);
    for args in [
        &["runbook", "check", "ours", "--strict"][..],
        &["incident", "open", "x", "--runbook", "ours", "--strict"],
        &["incident", "rebase", "2", "--strict"],
    ] {
        let output = run(&store, args);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("book.toml, line 10: step “dump” goes through a shell"), "{told}");
    }
    run_to(0, &store, &["incident", "step", "1", "dump", "--yes"]);
    assert_eq!(std::fs::read_to_string(folder.path().join("count")).expect("run"), "INC-1\n");
    // The configuration says it for everybody; an incident is opened all the same.
    let file = folder.path().join("tuesday.toml");
    let text = std::fs::read_to_string(&file).expect("read") + "[incidents]\nstrict = true\n";
    std::fs::write(&file, text).expect("written");
    let opened = run_json(&store, &["incident", "open", "Bad", "--json"]);
    assert_eq!(opened["runbook"]["name"], "default", "{opened}");
    assert!(opened["timeline"].to_string().contains("goes through a shell"), "{opened}");
    assert_eq!(run(&store, &["runbook", "check"]).status.code(), Some(1));
}

#[test]
fn the_runbooks_that_come_along_would_not_fail_on_the_demos_team() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("demo.db");
    run_to(0, &store, &["demo", "--no-open", "--traces", "6000"]);
    let config = folder.path().join("demo-team/tuesday.toml");
    for name in ["default", "outage", "cost"] {
        let args = ["--config", config.to_str().expect("UTF-8"), "runbook", "check", name, "--json"];
        let view: Value = serde_json::from_str(&run_to(0, &store, &args)).expect("JSON");
        assert_eq!((&view["fail"], &view["name"]), (&0.into(), &name.into()), "{view}");
    }
}

/// A step that begins and does not end by itself; `began` is there once it has begun, `ended` once it was ended.
fn endless() -> (tempfile::TempDir, PathBuf) {
    let (folder, store) =
        world(&step("page", "command", "run = [\"./page\"]\nenv = [\"PATH\"]\ntimeout = \"10m\""));
    let body = "trap 'touch ended; exit 1' TERM\ntouch began\nwhile :; do sleep 0.05; done";
    script(folder.path(), "page", body);
    (folder, store)
}

fn wait_for(path: &Path) {
    let began = std::time::Instant::now();
    while !path.exists() {
        assert!(began.elapsed() < Duration::from_secs(60), "{} does not come", path.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn leaving_while_a_step_acts_asks_and_its_outcome_is_not_known_then() {
    let (folder, store) = endless();
    let began = folder.path().join("began");
    let open = || {
        let terminal = Terminal::start(&store, &[], 80, 24);
        terminal.wait_for("Health");
        terminal.type_and_see("I", "Stop the harm first");
        terminal
    };
    let mut terminal = open();
    // What stands only in the dry run.
    terminal.type_and_see("x", "in the team's repository");
    terminal.keys(ENTER);
    wait_for(&began);
    terminal.type_and_see("q", "“page” is being carried out");
    terminal.keys("n");
    terminal.wait_until("the question is gone", |screen| !screen.contains("is being carried out"));
    assert!(!folder.path().join("ended").exists());
    terminal.type_and_see("\u{3}", "“page” is being carried out");
    terminal.keys("y");
    assert_eq!(terminal.exit_code(), 0);
    assert!(folder.path().join("ended").exists(), "it is not left to run by itself");
    assert_eq!(acting(&store, 0)["state"], "unknown");
    // Whoever comes back is asked.
    let mut terminal = open();
    terminal.type_and_see("x", "NOT KNOWN: what ");
    terminal.type_and_see("n", "taken up again");
    terminal.keys("q");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn a_signal_while_a_step_acts_ends_it_and_its_outcome_is_not_known_then() {
    // The screen.
    let (folder, store) = endless();
    let began = folder.path().join("began");
    let ended = folder.path().join("ended");
    let mut terminal = Terminal::start(&store, &[], 80, 24);
    terminal.wait_for("Health");
    terminal.type_and_see("I", "Stop the harm first");
    // What stands only in the dry run.
    terminal.type_and_see("x", "in the team's repository");
    terminal.keys(ENTER);
    wait_for(&began);
    terminal.signal("TERM");
    assert_eq!(terminal.exit_code(), 143);
    assert!(ended.exists());
    assert_eq!(acting(&store, 0)["state"], "unknown");
    // The command.
    for signal in ["INT", "TERM"] {
        run_to(0, &store, &["incident", "step", "1", "page", "reopen"]);
        for file in [&began, &ended] {
            std::fs::remove_file(file).expect("taken away");
        }
        let child = tuesday(&store)
            .args(["incident", "step", "1", "page", "--yes"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        wait_for(&began);
        let sent = std::process::Command::new("sh")
            .args(["-c", &format!("kill -{signal} {}", child.id())])
            .status()
            .expect("sh starts");
        assert!(sent.success());
        let output = child.wait_with_output().expect("it ends");
        let told = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("NOT KNOWN") && told.contains("it was stopped on the way"), "{told}");
        assert!(ended.exists());
        assert_eq!(acting(&store, 0)["state"], "unknown");
    }
}

#[test]
fn contain_is_pressed_on_the_screen_and_typed_by_name() {
    let (folder, store) = world(&step("off", "flag", "to = \"off\"\nconfirm = \"type\""));
    let mut terminal = Terminal::start(&store, &[], 80, 24);
    terminal.wait_for("Health");
    // The header says the phase on every screen.
    terminal.type_and_see("I", "Stop the harm first");
    terminal.type_and_see("x", "type customer_support to do it:");
    terminal.keys(&format!("support{ENTER}"));
    terminal.wait_for("customer_support to do it:");
    assert!(std::fs::read_to_string(folder.path().join("flags.json")).expect("a file").contains("true"));
    terminal.keys("\u{15}");
    terminal.keys(&format!("customer_support{ENTER}"));
    terminal.wait_for("done: read back: it is off");
    assert_eq!(
        std::fs::read_to_string(folder.path().join("flags.json")).expect("a file"),
        "{\"ai\": false}\n"
    );
    terminal.keys("q");
    assert_eq!(terminal.exit_code(), 0);
    assert_eq!(acting(&store, 0)["state"], "done");
}
