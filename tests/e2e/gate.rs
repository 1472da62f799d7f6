//! The gate over the built program: every exit code, evidence that goes stale, signatures, waivers, the rollback
//! drill, and the exercise against a server that fails.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::llm_server::LlmServer;
use crate::support::{run, run_json, run_to, store_with};

const GATE: [&str; 3] = ["gate", "customer_support", "v4"];

/// An application in a few lines: it asks its model where it is told, waits a second, and falls back.
const APP: &str = r#"#!/bin/bash
cat >/dev/null
at=${OPENAI_BASE_URL#http://}; at=${at%%/*}
if exec 3<>"/dev/tcp/${at%:*}/${at#*:}"; then
  printf 'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n' >&3
  if read -r -t 1 line <&3 && [[ $line == *" 200 "* ]]; then echo "A real answer."; exit; fi
fi 2>/dev/null
echo "Sorry, a colleague will get back to you."
"#;

/// A gate of which all items but the monitors are asked for, in figures that forty cases can reach.
const FILE: &str = r#"schema = 1
feature = "customer_support"
[item.monitors]
off = true
[item.cost]
max_usd = 0.01
[item.latency]
need = "point"
min_requests = 20
[item.rollback]
command = ["./back", "{{to}}"]
limit = "5s"
[item.failure_modes]
fallback = ["(?i)a colleague will"]
limit = "20s"
"#;

struct Team {
    folder: tempfile::TempDir,
    store: PathBuf,
    _server: LlmServer,
}

impl Team {
    /// A team's repository with two versions of a prompt, each with its run over forty cases of all kinds.
    fn new() -> Self {
        let server = LlmServer::start();
        let (folder, store) = store_with(60);
        let team = Self { folder, store, _server: server };
        team.write("prompts/customer_support/v3.txt", "Be kind.\n");
        team.write("prompts/customer_support/v4_current.txt", "Be kind and short.\n");
        team.write("gates/customer_support.toml", FILE);
        for (name, text) in [("app", APP), ("back", "#!/bin/sh\necho \"back to $1 $2\"\n")] {
            team.write(name, text);
            let path = team.path(name);
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("executable");
        }
        team.git(&["init", "-q"]);
        team.commit("Ann Lee");
        let model = |prompt: &str| {
            let url = team._server.url("/v1");
            format!("kind = 'openai'\nbase_url = '{url}'\nmodel = 'small'\nattempts = 1\n{prompt}\n")
        };
        let config = format!(
            "[prices.small]\ninput = 1\noutput = 2\n[targets.old]\n{}[targets.new]\n{}[targets.model]\n{}\
             [targets.app]\nkind = 'command'\ncommand = ['./app']\n\
             [[evaluator]]\nname = 'short'\nkind = 'length'\nmax = 10000\n",
            model("prompt = 'customer_support@v3'"),
            model("prompt = 'customer_support@v4'"),
            model(""),
        );
        team.write("tuesday.toml", &config);
        let kinds = ["ambiguous", "harmful", "out_of_domain", "multilingual", "jailbreak"];
        let failures = ["timeout", "rate_limit", "empty_context", "too_long"];
        let edges = kinds.iter().flat_map(|kind| std::iter::repeat_n(*kind, 4));
        let plain = std::iter::repeat_n("plain", 16);
        let all: Vec<&str> = edges.chain(failures).chain(plain).collect();
        for (kind, ids) in kinds.iter().chain(&failures).chain(&["plain"]).map(|kind| {
            let ids = (0..all.len()).filter(|n| all[*n] == *kind).map(|n| format!("t-{n}"));
            (*kind, ids.collect::<Vec<_>>())
        }) {
            let mut promote =
                vec!["evals", "promote", "--set", "support", "--expected", "x", "--category", kind];
            promote.extend(ids.iter().map(String::as_str));
            run_to(0, &team.store, &promote);
        }
        for (target, name) in [("old", "old"), ("new", "new")] {
            run_to(0, &team.store, &["eval", "run", "--set", "support", "--target", target, "--name", name]);
        }
        team
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    fn git(&self, arguments: &[&str]) {
        let done = Command::new("git").current_dir(self.folder.path()).args(arguments).output().expect("git");
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    fn commit(&self, author: &str) {
        self.git(&["add", "prompts"]);
        let name = format!("user.name={author}");
        self.git(&["-c", &name, "-c", "user.email=ann@example.com", "commit", "-q", "-m", "prompts"]);
    }

    /// Everything that people and drills have to do.
    fn prepare(&self) {
        let edges = run_json(&self.store, &["gate", "edges", "customer_support", "v4", "--json"]);
        let edges = edges.as_array().expect("a list");
        assert_eq!(edges.len(), 20);
        for edge in edges {
            let case = edge["case"].as_str().expect("a case");
            run_to(0, &self.store, &["gate", "label", "customer_support", "v4", case, "pass"]);
        }
        run_to(0, &self.store, &["gate", "drill", "customer_support", "v4"]);
        run_to(0, &self.store, &["gate", "exercise", "customer_support", "v4", "--target", "app"]);
        for more in [
            &["peer_review", "--by", "jo"][..],
            &["rollout", "--by", "jo"],
            &["oncall", "--by", "mira", "--contact", "+49 30 1234"],
        ] {
            run_to(0, &self.store, &[&["gate", "sign", "customer_support", "v4"], more].concat());
        }
    }

    /// The gate, with this exit code.
    fn gate(&self, code: i32) -> Value {
        let out = run_to(code, &self.store, &[&GATE[..], &["--json"]].concat());
        let view: Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!(view["exit_code"], code);
        view
    }
}

fn of<'v>(view: &'v Value, item: &str) -> &'v Value {
    let items = view["items"].as_array().expect("items");
    items.iter().find(|one| one["item"] == item).unwrap_or_else(|| panic!("no {item} in {view}"))
}

/// The items with this verdict.
fn with<'v>(view: &'v Value, verdict: &str) -> Vec<&'v str> {
    let items = view["items"].as_array().expect("items").iter().filter(|item| item["verdict"] == verdict);
    items.map(|item| item["item"].as_str().expect("a name")).collect()
}

#[test]
fn from_nothing_to_met_and_stale_by_one_byte() {
    let team = Team::new();
    let view = team.gate(2);
    assert_eq!(with(&view, "not_met"), Vec::<&str>::new(), "{view:#}");
    assert_eq!(with(&view, "not_enough_data"), ["edge_cases", "rollback", "failure_modes"], "{view:#}");
    assert_eq!(with(&view, "unsigned"), ["peer_review", "rollout", "oncall"]);
    assert_eq!(with(&view, "off"), ["monitors"]);
    // 40 of 40 are met and prove 90 %; 0 of 40 over 3 s are met and prove nothing.
    let (eval, latency) = (of(&view, "eval"), of(&view, "latency"));
    assert_eq!((&eval["verdict"], &eval["proven"]), (&"met".into(), &true.into()), "{eval:#}");
    assert_eq!((&latency["verdict"], &latency["proven"]), (&"met".into(), &false.into()), "{latency:#}");
    assert!(latency["warnings"][0].as_str().expect("a warning").contains("not production"), "{latency:#}");
    assert_eq!(eval["evidence"]["run"], "new");
    assert_eq!(eval["evidence"]["prompt_sha256"], view["prompt_sha256"]);
    assert!(eval["interval"]["lower"].as_f64().expect("a bound") > 0.9, "{eval:#}");
    team.prepare();
    let view = team.gate(0);
    assert_eq!(view["decision"], "met", "{view:#}");
    // Looked at again, nothing new is kept.
    assert_eq!(team.gate(0)["items"], view["items"]);
    let text = run_to(0, &team.store, &GATE);
    assert!(text.contains("customer_support@v4 · MET: 9 met, 1 off"), "{text}");

    team.write("prompts/customer_support/v4_current.txt", "Be kind and short!\n");
    let stale = team.gate(2);
    let wanted = ["eval", "edge_cases", "cost", "latency", "failure_modes", "peer_review"];
    assert_eq!(with(&stale, "stale"), wanted, "{stale:#}");
    assert_eq!(with(&stale, "met"), ["rollback", "rollout", "oncall"]);
    // The evidence is of a text, not of a moment: the old text has it still.
    team.write("prompts/customer_support/v4_current.txt", "Be kind and short.\n");
    assert_eq!(with(&team.gate(0), "stale"), Vec::<&str>::new());
    // A set that has grown is another set.
    run_to(0, &team.store, &["evals", "promote", "t-59", "--set", "support", "--expected", "x"]);
    assert!(with(&team.gate(2), "stale").contains(&"eval"));
}

#[test]
fn a_signature_is_another_persons_and_on_a_commit() {
    let team = Team::new();
    let sign =
        |more: &[&str]| run(&team.store, &[&["gate", "sign", "customer_support", "v4"], more].concat());
    let refused = |more: &[&str], why: &str| {
        let output = sign(more);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{more:?}: {error}");
        assert!(error.contains(why), "{more:?}: {error}");
    };
    refused(&["peer_review", "--by", "Ann Lee"], "Ann Lee wrote");
    refused(&["peer_review", "--by", "ann@example.com"], "another person's");
    // The person at the keyboard is Ann, whose address it is.
    refused(&["peer_review"], "ann wrote");
    refused(&["eval", "--by", "jo"], "eval is proved by data");
    refused(&["oncall", "--by", "mira"], "How whoever is on call is reached");
    refused(&["oncall", "--by", "mira", "--contact", "x", "--until", "2020-01-01"], "shorter than 24 h");
    let signed = sign(&["peer_review", "--by", "jo", "--json"]);
    let item: Value = serde_json::from_slice(&signed.stdout).expect("JSON");
    assert_eq!(item["verdict"], "met", "{item:#}");
    assert!(item["figure"].as_str().expect("words").starts_with("jo read "), "{item:#}");
    team.write("prompts/customer_support/v4_current.txt", "Be brief.\n");
    refused(&["peer_review", "--by", "jo"], "in no commit");
}

#[test]
fn a_waiver_stands_in_until_it_expires_and_is_told_after_an_incident() {
    let team = Team::new();
    team.prepare();
    let waived = |expires: &str| {
        let waive =
            format!("[waive]\nmonitors = {{ reason = 'a trial', by = 'jo', expires = '{expires}' }}\n");
        team.write(
            "gates/customer_support.toml",
            &(FILE.replace("[item.monitors]\noff = true\n", "") + &waive),
        );
    };
    team.write("gates/customer_support.toml", &FILE.replace("[item.monitors]\noff = true\n", ""));
    assert_eq!(with(&team.gate(2), "not_enough_data"), ["monitors"]);
    waived("2999-01-01");
    let view = team.gate(0);
    assert_eq!(with(&view, "waived"), ["monitors"]);
    assert_eq!(of(&view, "monitors")["waiver"]["by"], "jo");
    waived("2020-01-01");
    let view = team.gate(2);
    assert_eq!(with(&view, "not_enough_data"), ["monitors"]);
    assert!(of(&view, "monitors")["warnings"].to_string().contains("has expired"), "{view:#}");
    run_to(0, &team.store, &["incident", "open", "wrong advice", "--feature", "customer_support"]);
    let story = run_to(0, &team.store, &["incident", "postmortem", "INC-1"]);
    assert!(story.contains("- v4, monitors (not enough data): a trial; by jo"), "{story}");
}

#[test]
fn what_cannot_be_looked_at_is_no_verdict() {
    let team = Team::new();
    let error = |args: &[&str]| {
        let output = run(&team.store, args);
        assert_eq!(output.status.code(), Some(3), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(error(&["gate", "customer_support", "v9"]).contains("has no version `v9`"));
    assert!(error(&["gate", "nothing", "v1"]).contains("There is no prompt `nothing`"));
    assert!(error(&["gate", "../x", "v1"]).contains("cannot be the name"));
    team.write("gates/customer_support.toml", "schema = 1\n[item.eval]\nmin = 90\n");
    assert!(error(&GATE).contains("customer_support.toml, line 3: `min`"), "{}", error(&GATE));
    let list = run_json(&team.store, &["gate", "list", "--json"]);
    assert_eq!((&list[0]["version"], &list[0]["is_current"]), (&"v4".into(), &true.into()), "{list}");
}

#[test]
fn a_drill_is_timed_and_a_rollback_that_fails_is_seen() {
    let team = Team::new();
    let drill = ["gate", "drill", "customer_support", "v4", "--json"];
    let done = run_json(&team.store, &drill);
    assert_eq!((&done["to"], &done["met"], &done["code"]), (&"v3".into(), &true.into(), &0.into()), "{done}");
    assert!(done["why"].as_str().expect("a reason").contains("its run old passes 100 % of 40"), "{done}");
    // The dry run's word is put behind the command, and the version to go back to into it.
    assert_eq!(done["said"], "back to v3 --dry-run");
    assert_eq!(of(&team.gate(2), "rollback")["verdict"], "met");
    team.write("back", "#!/bin/sh\necho 'no such host' >&2\nexit 7\n");
    let failed: Value = serde_json::from_str(&run_to(1, &team.store, &drill)).expect("JSON");
    assert_eq!((&failed["code"], &failed["said"]), (&7.into(), &"no such host".into()));
    assert_eq!(of(&team.gate(1), "rollback")["verdict"], "not_met");
    team.write("back", "#!/bin/sh\nsleep 600\n");
    team.write("gates/customer_support.toml", &FILE.replace("limit = \"5s\"", "limit = \"200ms\""));
    let late: Value = serde_json::from_str(&run_to(1, &team.store, &drill)).expect("JSON");
    assert_eq!(late["timed_out"], true);
    // Another command was practised than the one that would be run.
    team.write("gates/customer_support.toml", &FILE.replace("\"./back\"", "\"./back\", \"{{feature}}\""));
    assert_eq!(of(&team.gate(2), "rollback")["verdict"], "stale");
    std::fs::remove_file(team.path("back")).expect("removed");
    run_to(3, &team.store, &drill);
}

#[test]
fn an_exercise_sees_the_fallback_of_an_application_and_says_what_a_model_is() {
    let team = Team::new();
    let exercise = |target: &str, code: i32| -> Value {
        let args = ["gate", "exercise", "customer_support", "v4", "--target", target, "--json"];
        serde_json::from_str(&run_to(code, &team.store, &args)).expect("JSON")
    };
    let seen = |view: &Value| -> Vec<String> {
        let sights = view["sights"].as_array().expect("sights").iter();
        sights.map(|sight| format!("{} {}", sight["fault"], sight["seen"]).replace('"', "")).collect()
    };
    let app = exercise("app", 0);
    assert_eq!(seen(&app), ["outage fallback", "timeout fallback", "rate_limit fallback"], "{app:#}");
    assert_eq!(app["sights"][2]["requests"], 1, "{app:#}");
    assert_eq!(of(&team.gate(2), "failure_modes")["verdict"], "met");
    // A model has no fallback: that is said, and is not taken for one.
    team.write("gates/customer_support.toml", &FILE.replace("limit = \"20s\"", "limit = \"1s\""));
    let model = exercise("model", 1);
    assert_eq!(seen(&model), ["outage told", "timeout told", "rate_limit told"], "{model:#}");
    assert_eq!(of(&team.gate(2), "failure_modes")["verdict"], "not_enough_data");
    let client = FILE.replace("limit = \"20s\"", "limit = \"1s\"\naccept = \"client\"");
    team.write("gates/customer_support.toml", &client);
    assert_eq!(of(&team.gate(2), "failure_modes")["verdict"], "met");
    // One that answers without asking where it was told has not been tried.
    team.write("gates/customer_support.toml", FILE);
    team.write("app", "#!/bin/sh\necho 'Sorry, a colleague will get back to you.'\n");
    let deaf = exercise("app", 1);
    assert_eq!(seen(&deaf)[1..], ["timeout nothing", "rate_limit nothing"], "{deaf:#}");
    team.write("app", "#!/bin/sh\necho 'Internal error'\n");
    assert_eq!(seen(&exercise("app", 1))[0], "outage nothing");
    assert_eq!(of(&team.gate(1), "failure_modes")["verdict"], "not_met");
    run_to(3, &team.store, &["gate", "exercise", "customer_support", "v4", "--target", "recorded"]);
}

/// A folder that is in no repository has no author, and nothing breaks.
#[test]
fn without_git_a_review_cannot_be_signed() {
    let team = Team::new();
    std::fs::remove_dir_all(team.path(".git")).expect("removed");
    let item = team.gate(2);
    assert_eq!(of(&item, "peer_review")["verdict"], "unsigned");
    run_to(3, &team.store, &["gate", "sign", "customer_support", "v4", "peer_review", "--by", "jo"]);
    assert!(Path::new(&team.store).exists());
}

#[test]
fn monitors_are_met_once_each_was_test_fired_and_heard_and_the_data_is_fresh() {
    let (folder, store) = store_with(20);
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    write("prompts/customer_support/v4.txt", "Be kind.\n");
    let notify = |command: &str| format!("[[notify]]\nkind = 'command'\ncommand = ['{command}']\n");
    write("tuesday.toml", &notify("false"));
    let item = || {
        let out = run(&store, &[&GATE[..], &["--json"]].concat());
        let view: Value = serde_json::from_slice(&out.stdout).expect("JSON");
        of(&view, "monitors").clone()
    };
    // On by themselves, and nobody has seen one of them reach anybody.
    let untested = item();
    assert_eq!(untested["verdict"], "not_enough_data", "{untested}");
    let rules = run_json(&store, &["monitor", "list", "--json"]);
    let rules = rules["monitors"].as_array().unwrap_or_else(|| rules.as_array().expect("rules")).clone();
    let mut ids: Vec<&str> = rules.iter().filter_map(|rule| rule["id"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let fire = |code: i32| ids.iter().for_each(|id| drop(run_to(code, &store, &["monitor", "test", id])));
    fire(1);
    assert_eq!(item()["verdict"], "not_met", "a receiver that fails heard nothing");
    write("tuesday.toml", &notify("true"));
    fire(0);
    let stale = item();
    assert_eq!(stale["verdict"], "not_met", "{stale}");
    assert!(
        stale["figure"].as_str().is_some_and(|figure| figure.contains("no trace in the last")),
        "{stale}"
    );
    let now = jiff::Timestamp::now();
    let fresh =
        format!("{{\"feature\":\"customer_support\",\"time\":\"{now}\",\"input\":\"x\",\"output\":\"y\"}}\n");
    write("fresh.jsonl", &fresh);
    let file = folder.path().join("fresh.jsonl");
    run_json(&store, &["import", file.to_str().expect("UTF-8"), "--json"]);
    assert_eq!(item()["verdict"], "met");
}
