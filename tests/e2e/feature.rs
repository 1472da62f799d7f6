//! Features switched off and on: by files that another process reads, by programs, and by flag services over real
//! HTTP.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::flag_server::{FlagServer, Manner};
use crate::pty::Terminal;
use crate::support::{run, run_json, run_to, store_with, tuesday};

const KEY: &str = "*:production.never-to-be-seen-4711";

/// A store, and a configuration whose feature has this switch.
fn world(switch: &str) -> (tempfile::TempDir, PathBuf) {
    let (folder, store) = store_with(20);
    let config =
        format!("[features.customer_support]\n[features.customer_support.switch]\n{switch}\nsettle = '2s'\n");
    std::fs::write(folder.path().join("tuesday.toml"), config).expect("written");
    (folder, store)
}

fn feature(store: &Path, args: &[&str]) -> Output {
    let mut command = tuesday(store);
    for name in ["FLAG_KEY", "PUBLIC_KEY"] {
        command.env(name, KEY);
    }
    command.arg("feature").args(args).output().expect("the program starts")
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", told(output)))
}

/// Switches it, and demands that this is proved.
fn proved(store: &Path, to: &str) -> Value {
    let output = feature(store, &[to, "customer_support", "--yes", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let view = json_of(&output);
    assert_eq!((&view["proof"], &view["to"]), (&"proved".into(), &to.into()), "{view}");
    assert!(!told(&output).contains(KEY), "the key is shown");
    view
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

fn unleash(server: &FlagServer) -> String {
    format!(
        "kind = 'unleash'\nurl = '{}'\nflag = 'support-ai'\nenvironment = 'production'\ntoken_env = 'FLAG_KEY'",
        server.url()
    )
}

#[test]
fn each_service_is_spoken_to_in_its_own_words_read_back_and_switched_back() {
    let server = FlagServer::start();
    let url = server.url();
    let presets = [
        (
            unleash(&server),
            "POST /api/admin/projects/default/features/support-ai/environments/production/off",
        ),
        (
            format!("{}\nofrep = {{ url = '{url}' }}", unleash(&server)),
            "POST /api/admin/projects/default/features/support-ai/environments/production/off",
        ),
        (
            format!(
                "kind = 'launchdarkly'\nurl = '{url}'\nproject = 'support'\nflag = 'support-ai'\n\
                 environment = 'production'\ntoken_env = 'FLAG_KEY'"
            ),
            "PATCH /api/v2/flags/support/support-ai",
        ),
        (
            format!(
                "kind = 'langfuse_label'\nurl = '{url}'\nprompt = 'support'\non = 4\noff = 3\n\
                 public_key_env = 'PUBLIC_KEY'\nsecret_key_env = 'FLAG_KEY'"
            ),
            "PATCH /api/public/v2/prompts/support/versions/3",
        ),
        (
            format!(
                "kind = 'http'\nmethod = 'PUT'\nurl = '{url}/flags/support'\n\
                 headers = {{ Authorization = 'env:FLAG_KEY' }}\nexpect = [204]\n\
                 body = '{{\"enabled\": {{{{ enabled }}}}, \"by\": {{{{ fallback | tojson }}}}}}'\n\
                 read = {{ url = '{url}/flags/support', pointer = '/state/enabled' }}"
            ),
            "PUT /flags/support",
        ),
    ];
    for (switch, act) in presets {
        let (folder, store) = world(&switch);
        let before = server.acts().len();
        let dry = feature(&store, &["off", "customer_support", "--dry-run"]);
        assert_eq!(dry.status.code(), Some(0), "{}", told(&dry));
        let (method, path) = act.split_once(' ').expect("two words");
        assert!(told(&dry).contains(&format!("{method} {url}{path}")), "{}", told(&dry));
        assert!(told(&dry).contains("FLAG_KEY") && !told(&dry).contains(KEY), "{}", told(&dry));
        assert_eq!(server.acts().len(), before, "a dry run asks nothing to be changed");
        let off = proved(&store, "off");
        assert_eq!(off["from"], "on", "{off}");
        let seen = server.acts();
        let sent = seen.last().expect("a request");
        assert_eq!((sent.method.as_str(), sent.path.as_str()), (method, path));
        assert_eq!(seen.len(), before + 1, "asked once");
        if switch.contains("'http'") {
            assert_eq!(sent.body, "{\"enabled\": false, \"by\": null}");
        }
        if !switch.contains("langfuse") {
            // The raw token, without `Bearer`.
            assert_eq!(sent.headers["authorization"], KEY);
            assert!(!server.is_on());
        } else {
            assert!(sent.headers["authorization"].to_str().expect("text").starts_with("Basic "));
            assert_eq!(server.version(), 3);
        }
        proved(&store, "on");
        assert!(server.is_on() && server.version() == 4);
        assert_eq!(holding_the_key(folder.path()), Vec::<PathBuf>::new(), "{switch}");
    }
}

#[test]
fn a_service_that_lies_fails_or_refuses_has_an_outcome() {
    let server = FlagServer::start();
    let (folder, store) = world(&format!("{}\ntimeout = '1s'", unleash(&server)));
    let off = |code: i32, told_of: &str| {
        let output = feature(&store, &["off", "customer_support", "--yes"]);
        let told = told(&output);
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(told.contains(told_of), "{told_of:?} is not in {told}");
        assert!(!told.contains(KEY), "{told}");
    };
    server.behave(Manner::Lies);
    off(1, "switch reads on");
    server.behave(Manner::Forbids);
    off(1, "change request");
    server.behave(Manner::Echoes);
    off(1, "bad token [key]");
    server.behave(Manner::Hangs);
    off(1, "is not known");
    let before = server.acts().len();
    server.behave(Manner::FailsAfter);
    // It was done all the same: reading back tells, and it is not asked twice.
    off(0, "read back: it took");
    assert_eq!((server.acts().len(), server.is_on()), (before + 1, false));
    let rows = json_of(&feature(&store, &["list", "--json"]));
    assert_eq!((&rows[0]["state"], &rows[0]["last"]["stage"]), (&"off".into(), &"done".into()), "{rows}");
    assert_eq!(holding_the_key(folder.path()), Vec::<PathBuf>::new());
}

#[test]
fn a_missing_key_and_a_missing_service_are_named() {
    let server = FlagServer::start();
    let (_folder, store) = world(&unleash(&server));
    let output =
        tuesday(&store).args(["feature", "off", "customer_support", "--dry-run"]).output().expect("starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(told(&output).contains("`FLAG_KEY`, which is not set"), "{}", told(&output));
    drop(server);
    let output = feature(&store, &["off", "customer_support", "--yes"]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("could not be reached"), "{}", told(&output));
}

/// A file that another process reads, as an application would.
fn grep(file: &Path, wanted: &str) -> bool {
    let found = std::process::Command::new("grep").arg("-q").arg("--").arg(wanted).arg(file).status();
    found.expect("grep starts").success()
}

#[test]
fn a_flag_file_is_switched_for_another_process_and_keeps_its_comments() {
    let (folder, store) = world("kind = 'flag_file'\npath = 'flags.toml'\npointer = '/ai/enabled'");
    let file = folder.path().join("flags.toml");
    std::fs::write(&file, "# who may answer\n[ai]\nenabled = true  # the switch\n").expect("written");
    std::os::unix::fs::symlink("flags.toml", folder.path().join("link.toml")).expect("linked");
    proved(&store, "off");
    assert!(grep(&file, "^enabled = false  # the switch$") && grep(&file, "^# who may answer$"));
    proved(&store, "on");
    assert!(grep(&file, "^enabled = true  # the switch$"));
    // Somebody else switches it: the list tells.
    std::fs::write(&file, "[ai]\nenabled = false\n").expect("written");
    let list = feature(&store, &["list"]);
    assert!(told(&list).contains("somebody else switched it"), "{}", told(&list));
    std::fs::write(&file, "[ai]\n").expect("written");
    let output = feature(&store, &["off", "customer_support", "--dry-run"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("/ai/enabled"), "{}", told(&output));
}

#[test]
fn flagds_file_is_switched_by_its_default_variant_and_its_targeting_comes_back() {
    let (folder, store) =
        world("kind = 'flagd'\npath = 'flags.json'\nflag = 'support-ai'\nfallbacks = { human = 'human' }");
    let file = folder.path().join("flags.json");
    let text = r#"{"flags": {"support-ai": {"state": "ENABLED", "variants": {"on": true, "off": false, "human": false},
  "defaultVariant": "on", "targeting": {"if": [true, "on", "off"]}}}}"#;
    std::fs::write(&file, text).expect("written");
    let off = feature(&store, &["off", "customer_support", "--fallback", "human", "--yes"]);
    assert_eq!(off.status.code(), Some(0), "{}", told(&off));
    assert!(grep(&file, "\"defaultVariant\": \"human\", \"targeting\": {}") && grep(&file, "ENABLED"));
    proved(&store, "on");
    let after: Value = serde_json::from_slice(&std::fs::read(&file).expect("read")).expect("JSON");
    assert_eq!(after, serde_json::from_str::<Value>(text).expect("JSON"));
}

#[test]
fn without_yes_and_without_a_terminal_nothing_is_switched() {
    let (folder, store) = world("kind = 'flag_file'\npath = 'f.json'\npointer = '/on'");
    let file = folder.path().join("f.json");
    std::fs::write(&file, "{\"on\": true}").expect("written");
    let output = run(&store, &["feature", "off", "customer_support"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(told(&output).contains("--yes") && told(&output).contains("--dry-run"), "{}", told(&output));
    assert!(grep(&file, "true"));
    // On a terminal it is the feature's name that confirms.
    let terminal = Terminal::start(&store, &["feature", "off", "customer_support"], 100, 24);
    terminal.wait_for("Type its name");
    terminal.keys("yes\r");
    terminal.wait_for("Nothing was changed.");
    drop(terminal);
    assert!(grep(&file, "true"));
    let terminal = Terminal::start(&store, &["feature", "off", "customer_support"], 100, 24);
    terminal.wait_for("Type its name");
    terminal.type_and_see("customer_support\r", "read back: it took");
    drop(terminal);
    assert!(grep(&file, "false"));
}

#[test]
fn on_the_screen_a_feature_is_switched_by_its_name_and_another_process_reads_it() {
    let (folder, store) = world("kind = 'flag_file'\npath = 'f.json'\npointer = '/on'");
    let file = folder.path().join("f.json");
    std::fs::write(&file, "{\"on\": true}").expect("written");
    let terminal = Terminal::start(&store, &[], 100, 30);
    terminal.wait_for("Health");
    terminal.keys("gf");
    terminal.wait_for("customer_support is on");
    terminal.keys("x");
    // The dry run stands over the question.
    let asked = terminal.wait_for("f.json /on: true → false");
    assert!(asked.contains("type customer_support to switch it off"), "{asked}");
    terminal.keys("\r");
    terminal.wait_for("That is not its name");
    assert!(grep(&file, "true"));
    terminal.type_and_see("customer_support\r", "customer_support is off · read back: it took");
    terminal.wait_for("customer_support is off");
    assert!(grep(&file, "false"));
    let rows = run_json(&store, &["feature", "list", "--json"]);
    let row = rows.as_array().and_then(|rows| rows.iter().find(|row| row["feature"] == "customer_support"));
    let row = row.expect("the feature");
    assert_eq!((&row["state"], &row["effect"]["to"]), (&"off".into(), &"off".into()), "{row:#}");
    assert_eq!(row["effect"]["verdict"], "not_yet", "nothing came in that could prove it: {row:#}");
    terminal.keys("q");
}

#[test]
fn what_is_wrong_in_the_configuration_is_named_by_file_and_line() {
    let (_folder, store) = world("kind = 'unleahs'");
    let output = run(&store, &["feature", "list"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        told(&output).contains("tuesday.toml:3:8: there is no kind of switch `unleahs`"),
        "{}",
        told(&output)
    );
    let (folder, store) = store_with(1);
    std::fs::write(folder.path().join("tuesday.toml"), "reviewer = 'ann'\n[features.support]\n")
        .expect("written");
    let output = run(&store, &["feature", "off", "support", "--yes"]);
    assert!(told(&output).contains("tuesday.toml:2: the feature support has no switch"), "{}", told(&output));
    run_to(0, &store, &["feature", "list"]);
    assert!(run_json(&store, &["feature", "list", "--json"]).is_array());
}
