//! Runs against a model's API over real HTTP: kills and resumption, a key that must never be seen, a server
//! that fails in every way.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::llm_server::{Fault, LlmServer};
use crate::pty::Terminal;
use crate::support::{run_json, run_to, store_with, tuesday};

const KEY: &str = "sk-never-to-be-seen-4711";

/// A store with an eval set of so many cases, and a configuration whose target is this server.
fn world(server: &LlmServer, cases: usize, more: &str) -> (tempfile::TempDir, PathBuf) {
    let (folder, store) = store_with(cases);
    let ids: Vec<String> = (0..cases).map(|n| format!("t-{n}")).collect();
    let mut promote = vec!["evals", "promote", "--set", "support", "--expected", "x"];
    promote.extend(ids.iter().map(String::as_str));
    run_to(0, &store, &promote);
    let config = format!(
        "[targets.api]\nkind = 'openai'\nbase_url = '{}'\nmodel = 'small'\napi_key_env = 'API_KEY'\n\
         attempts = 2\ntimeout = '5s'\nconcurrency = 4\n\
         [[evaluator]]\nname = 'short'\nkind = 'length'\nmax = 10000\n{more}",
        server.url("/v1")
    );
    std::fs::write(folder.path().join("tuesday.toml"), config).expect("written");
    (folder, store)
}

fn eval(store: &Path, args: &[&str]) -> std::process::Command {
    let mut command = tuesday(store);
    command.env("API_KEY", KEY).args(args);
    command
}

fn json_of(output: &std::process::Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Every file of a folder that holds the key.
fn holding_the_key(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(holding_the_key(&path));
        } else if std::fs::read(&path).is_ok_and(|b| b.windows(KEY.len()).any(|w| w == KEY.as_bytes())) {
            found.push(path);
        }
    }
    found
}

#[test]
fn a_run_killed_at_any_moment_goes_on_and_pays_for_no_case_twice() {
    let server = LlmServer::start();
    server.fault_model("small", Fault::Slow(Duration::from_millis(15)));
    let (folder, store) = world(&server, 24, "");
    for round in 0..12u32 {
        let name = format!("r{round}");
        let run = ["eval", "run", "--set", "support", "--target", "api", "--name", &name, "--no-cache"];
        let resume = [&run[..], &["--resume", "--json"]].concat();
        // Killed twice on its way, each time somewhere else.
        for kill in 0..2 {
            let args = if kill == 0 { &run[..] } else { &resume[..] };
            let mut child =
                eval(&store, args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
            let share = f64::from(round * 2 + kill + 1) * 0.618_033_988_749_894_9 % 1.0;
            std::thread::sleep(Duration::from_millis(40) + Duration::from_millis(250).mul_f64(share));
            let _ = child.kill();
            child.wait().expect("reaped");
        }
        let view = json_of(&eval(&store, &resume).output().expect("runs"));
        assert_eq!(view["cases"], 24, "{view}");
        let sum: u64 =
            ["passed", "failed", "errors"].iter().map(|n| view[n].as_u64().expect("a count")).sum();
        assert_eq!(sum, 24, "every case once: {view}");
        let shown = run_json(&store, &["eval", "show", &name, "--json"]);
        let mut cases: Vec<String> =
            shown["results"].as_array().expect("results").iter().map(|r| r["case"].to_string()).collect();
        cases.sort();
        cases.dedup();
        assert_eq!(cases.len(), 24);
    }
    let twice: Vec<_> = server.answered().into_iter().filter(|(_, times)| *times > 1).collect();
    assert_eq!(twice, [], "paid for twice");
    assert_eq!(run_json(&store, &["doctor", "--json"])["store"]["integrity"], "ok");
    assert_eq!(holding_the_key(folder.path()), Vec::<PathBuf>::new());
}

#[test]
fn a_failing_server_gives_error_results_and_never_shows_the_key() {
    let faults = [
        ("broken", Fault::broken()),
        ("cut", Fault::Cut),
        ("half", Fault::HalfJson),
        ("page", Fault::WrongType),
        ("endless", Fault::Endless),
        ("inside", Fault::ErrorInside),
        ("echo", Fault::EchoKey),
        ("answer", Fault::AnswerKey),
    ];
    for (name, fault) in faults {
        let server = LlmServer::start();
        server.fault_model("small", fault);
        let (folder, store) = world(&server, 2, "");
        let run = ["eval", "run", "--set", "support", "--target", "api", "--name", name, "--json"];
        let output = eval(&store, &run).output().expect("runs");
        let view = json_of(&output);
        let errors = if name == "answer" { 0 } else { 2 };
        assert_eq!((&view["cases"], &view["errors"]), (&2.into(), &errors.into()), "{name}: {view}");
        let mut said = [output.stdout, output.stderr].concat();
        for args in [
            &["eval", "show", name][..],
            &["eval", "show", name, "--json"],
            &["eval", "export", name, "--format", "html"],
            &["eval", "export", name, "--format", "junit"],
            &["eval", "export", name, "--format", "md"],
        ] {
            said.extend(run_to(0, &store, args).into_bytes());
        }
        assert!(!String::from_utf8_lossy(&said).contains(KEY), "{name} shows the key");
        assert_eq!(holding_the_key(folder.path()), Vec::<PathBuf>::new(), "{name}");
    }
}

#[test]
fn what_is_wrong_in_the_configuration_is_named_before_anything_is_asked() {
    let server = LlmServer::start();
    for (more, told) in [
        ("[[evaluator]]\nname = 'x'\nkind = 'regex'\npattern = '('\n", "tuesday.toml:13"),
        ("[[evaluator]]\nname = 'x'\nkind = 'json_schema'\nschema = 'none.json'\n", "none.json"),
        ("[[evaluator]]\nname = 'x'\nkind = 'similarity'\nthreshold = 85\n", "tuesday.toml:1"),
        ("[[evaluator]]\nname = 'x'\nkind = 'judge'\ntarget = 'nobody'\n", "nobody"),
    ] {
        let (_folder, store) = world(&server, 1, more);
        let run = ["eval", "run", "--set", "support", "--target", "api", "--json"];
        let output = eval(&store, &run).output().expect("runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{more}: {error}");
        assert!(error.contains(told), "{more}: {error}");
    }
    assert_eq!(server.seen().len(), 0);
}

/// A server that answers five requests and lets all others wait for ever, and a run of 24 cases against it,
/// four at a time.
fn hanging() -> (LlmServer, tempfile::TempDir, PathBuf) {
    let server = LlmServer::start();
    for _ in 0..5 {
        server.fault_next(Fault::Slow(Duration::from_millis(1)));
    }
    server.fault_model("small", Fault::Slow(Duration::from_secs(3600)));
    let (folder, store) = world(&server, 24, "");
    let config = folder.path().join("tuesday.toml");
    let text = std::fs::read_to_string(&config).expect("read").replace("'5s'", "'1h'");
    std::fs::write(&config, text).expect("written");
    (server, folder, store)
}

#[test]
fn a_run_is_started_stopped_and_gone_on_with_from_the_program() {
    let (server, folder, store) = hanging();
    let mut terminal = Terminal::start_with(&store, &[], 80, 24, &[("API_KEY", KEY)]);
    terminal.type_and_see("gu", "No run yet.");
    // What it would cost is said first; nothing has been asked for it.
    terminal.type_and_see("n", "asks       24 cases");
    assert_eq!(server.seen().len(), 0);
    terminal.keys("\r");
    terminal.wait_for(" 5 of 24 ·");
    // Other screens are used meanwhile, and leaving asks first.
    terminal.type_and_see("gi", "running the eval set");
    terminal.type_and_see("q", "stop it and leave");
    terminal.keys("n");
    terminal.type_and_see("gu", "x stop the run");
    terminal.type_and_see("x", "stopped by hand");
    assert_eq!(server.seen().len(), 9, "five landed, four were asked");
    server.fault_model("small", Fault::Slow(Duration::from_millis(1)));
    terminal.type_and_see("r", "Go on with support-api-1");
    terminal.wait_for("asks       15 cases");
    terminal.keys("\r");
    // The four that were being asked may have been paid for: they are asked again only when told so.
    terminal.wait_for("✓ support-api-1 is done: 100 % [83.9, 100.0] pass · 4 errors");
    terminal.type_and_see("r", "ask again");
    terminal.wait_for("asks       4 cases");
    terminal.keys("\r");
    terminal.wait_for("✓ support-api-1 is done: 100 % [86.2, 100.0] pass · $");
    assert!(server.answered().values().all(|times| *times == 1), "{:?}", server.answered());
    assert_eq!(server.answered().len(), 24);
    // The next one takes its answers from the cache, and is compared with the first by a key.
    terminal.type_and_see("n", "24 of them from the cache");
    terminal.keys("\r");
    terminal.wait_for("✓ support-api-2 is done: 100 %");
    terminal.type_and_see("c", "both pass 24");
    terminal.keys("\x1b");
    // What another program runs comes into the list as it lands.
    let beside = ["eval", "run", "--set", "support", "--target", "api", "--name", "beside", "--json"];
    json_of(&eval(&store, &beside).output().expect("runs"));
    terminal.wait_until("the run of another program", |screen| {
        screen.lines().any(|line| line.contains("beside") && line.contains("24 of 24"))
    });
    assert_eq!(server.answered().len(), 24);
    terminal.keys("q");
    assert_eq!(terminal.exit_code(), 0);
    assert!(!terminal.bytes().windows(KEY.len()).any(|w| w == KEY.as_bytes()), "the key was on the screen");
    assert_eq!(holding_the_key(folder.path()), Vec::<PathBuf>::new());
}

#[test]
fn leaving_stops_the_run_and_a_missing_key_is_named_by_file_and_line() {
    let (server, _folder, store) = hanging();
    let terminal = Terminal::start(&store, &[], 80, 24);
    terminal.type_and_see("gu", "No run yet.");
    let screen = terminal.type_and_see("n", "API_KEY");
    assert!(screen.contains("tuesday.toml:1:"), "{screen}");
    drop(terminal);

    let mut terminal = Terminal::start_with(&store, &[], 80, 24, &[("API_KEY", KEY)]);
    terminal.type_and_see("gu", "No run yet.");
    terminal.type_and_see("n", "asks       24 cases");
    terminal.keys("\r");
    terminal.wait_for(" 5 of 24 ·");
    terminal.type_and_see("q", "stop it and leave");
    terminal.keys("y");
    assert_eq!(terminal.exit_code(), 0);
    let runs = run_json(&store, &["eval", "list", "--json"]);
    assert_eq!(runs[0]["stopped"], "It was stopped by hand.", "{runs}");
    server.fault_model("small", Fault::Slow(Duration::from_millis(1)));
    let again = ["eval", "run", "--set", "support", "--target", "api", "--retry-errors", "--json"];
    let view = json_of(&eval(&store, &again).output().expect("runs"));
    assert_eq!((&view["done"], &view["errors"]), (&24.into(), &0.into()), "{view}");
    assert!(server.answered().values().all(|times| *times == 1), "{:?}", server.answered());
}
