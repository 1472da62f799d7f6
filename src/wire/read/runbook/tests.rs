use super::*;
use crate::domain::Error;
use crate::domain::runbook::would;

const FULL: &str = r#"
schema = 1
name = "quality drop"
feature = "customer_support"
severity = { sev1 = "users >= 0.20 or unsafe >= 1", sev2 = "users >= 0.05", sev3 = "users >= 0.01" }
update_every = { sev1 = "20m", sev2 = "30m", sev3 = "2h" }
secrets = ["UNLEASH_TOKEN"]
[[step]]
id = "fresh"
phase = "detect"
kind = "check"
title = "Data is fresh"
metric = "ingest_lag"
must = "< 10m"
[[step]]
id = "hypothesis"
phase = "assess"
kind = "ask"
title = "What do we believe?"
choices = ["prompt", "model or provider", "unknown"]
box = "10m"
[[step]]
id = "off"
phase = "contain"
kind = "flag"
title = "Switch the AI answer off"
flag = "support-ai"
to = "off"
confirm = "type"
confirm_effect = { metric = "model_answered", must = "== 0", for = "5m", min_expected = 20 }
undo = "on"
[[step]]
id = "page-human"
phase = "contain"
kind = "command"
title = "Open the human queue"
run = ["./ops/queue", "open", "--reason", "{{incident.id}}"]
dry_run = ["./ops/queue", "open", "--check"]
timeout = "20s"
idempotent = true
env = ["PATH", "QUEUE_URL"]
[[step]]
id = "tell"
phase = "contain"
kind = "http"
title = "Tell the status page"
method = "POST"
url = "https://status.example.com/api/incidents"
header = { Authorization = "env:STATUS_TOKEN" }
json = { title = "Support assistant limited", id = "{{incident.id}}" }
expect = [200, 201]
timeout = "10s"
[[step]]
id = "back"
phase = "fix"
kind = "rollback"
title = "Prompt back to the last known good"
prompt = "customer_support"
to = "last_known_good"
confirm = "key"
approve = { by = "other", within = "5m", break_glass = true }
[[step]]
id = "manual-de"
phase = "fix"
kind = "manual"
title = "Ask the German team to read five answers"
owner = "liaison"
box = "15m"
say = """Use `v` to open the sample **inc-7-de**; note the verdict here."""
[[step]]
id = "watch"
phase = "verify"
kind = "monitor"
title = "One clean hour"
for = "60m"
every = "1m"
stages = [10, 50, 100]
must = [
  { metric = "fail_share", op = "<", value = 0.125, prove = 0.95 },
  { metric = "fail_share", op = "<", value = "halfway" },
  { metric = "prompt_share", version = "guilty", op = "<", value = 0.01, prove = 0.95 },
]
[[step]]
id = "gate"
phase = "verify"
kind = "gate"
title = "The checklist"
checklist = "gates/support.toml"
"#;

#[test]
fn every_kind_of_step_reads_and_says_what_it_would_do() {
    let pinned = runbook("full.toml", FULL).unwrap();
    let kinds: Vec<&str> = pinned.book.steps.iter().map(|step| step.kind.name()).collect();
    assert_eq!(kinds, ["check", "ask", "flag", "command", "http", "rollback", "manual", "monitor", "gate"]);
    let say = |id: &str| {
        let step = &pinned.book.steps[pinned.book.find(id).unwrap()];
        would(step).map(|words| words.into_raw()).unwrap_or_default()
    };
    assert_eq!(
        say("off"),
        "Would set flag support-ai to off; counts as done when the traces show model_answered == 0 for 5m \
         (with at least 20 requests expected); on takes it back. Confirmed by typing the feature's name."
    );
    assert_eq!(
        say("back"),
        "Would put prompt customer_support back to its last known good version. Confirmed by a key, and by \
         a second person."
    );
    assert!(
        say("page-human").contains("`./ops/queue open --reason {{incident.id}}`"),
        "{}",
        say("page-human")
    );
    assert!(say("tell").contains("POST https://status.example.com/api/incidents and expect 200 or 201"));
    assert!(say("watch").contains("10 %, 50 %, 100 %") && say("watch").contains("halfway"));
    assert_eq!(say("manual-de"), "");
    // What is pinned into a record reads back as it was.
    let kept = serde_json::to_string(&pinned).unwrap();
    assert_eq!(serde_json::from_str::<Pinned>(&kept).unwrap(), pinned);
}

#[test]
fn the_runbooks_that_come_along_cover_every_phase() {
    for (name, _) in SHIPPED {
        let book = shipped(name).unwrap().unwrap().book;
        assert_eq!((book.name.raw(), book.severity.len(), book.update_every_ms.len()), (name, 3, 3));
        for phase in Phase::ALL {
            let steps = book.steps_of(phase).count();
            assert!((3..=6).contains(&steps), "{name}: {phase:?} has {steps} steps");
        }
        for step in &book.steps {
            let whole = step.say.is_some() && step.box_ms.is_some();
            assert!(whole, "{name}: {} says nothing or has no time box", step.id);
            let longest =
                step.say.iter().flat_map(|say| say.raw().lines()).map(|line| line.chars().count()).max();
            assert!(longest.is_some_and(|chars| chars <= 110), "{name}: a line of {} is long", step.id);
        }
        for section in
            [Section::Summary, Section::Why, Section::Detection, Section::WentWell, Section::Prevention]
        {
            let fills = book.steps.iter().any(|step| step.fills == Some(section));
            assert!(fills, "{name}: nothing fills {section:?}");
        }
    }
    assert_eq!(shipped("none").unwrap(), None);
    let book = default_runbook().unwrap().book;
    assert_eq!(book.suggest(|name| (name == "users").then_some(0.07)), Some(Severity::Sev2));
}

fn refused(change: impl Fn(&str) -> String) -> Error {
    let text = change(FULL);
    assert_ne!(text, FULL, "the test's change found nothing to change");
    runbook("books/x.toml", &text).unwrap_err()
}

#[test]
fn mistakes_are_named_with_line_and_the_right_name() {
    let cases: &[(&str, &str, &str, &str)] = &[
        ("confirm = \"type\"", "confrim = \"type\"", "Step “off” has no key `confrim`", "`confirm`"),
        ("timeout = \"20s\"", "timout = \"20s\"", "no key `timout`", "env, fills, id, idempotent, kind"),
        ("kind = \"flag\"", "kind = \"flga\"", "cannot be “flga”", "“flag”"),
        ("phase = \"fix\"", "phase = \"fixx\"", "cannot be “fixx”", "“fix”"),
        ("secrets", "secret", "The runbook has no key `secret`", "`secrets`"),
        ("must = \"< 10m\"", "must = \"soon\"", "must be a limit", "< 10m"),
        ("box = \"10m\"", "box = 10", "must be a duration", "\"10m\""),
        ("timeout = \"20s\"", "timeout = \"20 bananas\"", "must be a duration", "20s"),
        ("sev2 = \"users", "sev9 = \"users", "no key `sev9`", "sev"),
        ("within = \"5m\"", "wihtin = \"5m\"", "no key `wihtin`", "`within`"),
        ("op = \"<\", value = 0.125", "op = \"!\", value = 0.125", "cannot be “!”", "<="),
        ("expect = [200, 201]", "expect = [200, 20]", "list of whole numbers", "100 to 599"),
        ("id = \"tell\"", "id = \"off\"", "two steps have the id “off”", "of its own"),
        ("id = \"fresh\"", "id = \"12\"", "not digits alone", "id"),
        (
            "[[step]]\nid = \"fresh\"\nphase = \"detect\"\nkind = \"check\"\ntitle = \"Data is fresh\"\n",
            "[[step]]\nid = \"fresh\"\nphase = \"detect\"\nkind = \"check\"\n",
            "step “fresh” needs the key `title`",
            "title",
        ),
        ("url = \"https:", "url = \"ftp:", "https://", "http"),
        ("metric = \"ingest_lag\"", "metric = ", "not TOML", ""),
        ("schema = 1", "schema = 2", "another schema", "schema = 1"),
        ("timeout = \"20s\"", "shell = true", "a shell may do anything", "confirm = \"type\""),
        ("timeout = \"10s\"", "check = \"GET\"", "`check` of step “tell”", "check"),
        ("timeout = \"10s\"", "check = { method = \"POST\" }", "cannot be “POST”", "GET"),
        (
            "timeout = \"10s\"",
            "check = { url = \"https://elsewhere.example.com/\" }",
            "the step's own host: its keys go nowhere else",
            "",
        ),
    ];
    for (was, is, what, hint) in cases {
        let line = 1 + FULL[..FULL.find(was).unwrap()].matches('\n').count();
        let error = refused(|text| text.replacen(was, is, 1));
        assert!(
            error.what.starts_with(&format!("books/x.toml, line {line}: ")) && error.what.contains(what),
            "{is}: {}",
            error.what
        );
        assert!(error.hints.iter().any(|text| text.contains(hint)), "{is}: {:?}", error.hints);
    }
    let empty = runbook("e.toml", "schema = 1\nname = \"x\"").unwrap_err();
    assert!(empty.what.contains("no steps"), "{}", empty.what);
}

#[test]
fn steps_stand_in_the_order_of_their_phases() {
    let text = FULL.replacen("phase = \"detect\"", "phase = \"postmortem\"", 1);
    let book = runbook("x", &text).unwrap().book;
    assert_eq!(book.steps.last().unwrap().id, "fresh");
}

#[test]
fn a_missing_or_huge_file_says_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.toml");
    assert!(runbook_file(&path).unwrap_err().hints[0].contains("tuesday init"));
    std::fs::write(&path, "#".repeat(1024 * 1024 + 1)).unwrap();
    assert!(runbook_file(&path).unwrap_err().what.contains("too large"));
    std::fs::write(&path, SHIPPED[0].1).unwrap();
    assert_eq!(runbook_file(&path).unwrap(), default_runbook().unwrap());
}

/// A step through a shell: `run`, and what comes before it.
fn shell_step(rest: &str) -> String {
    format!(
        "schema = 1\nname = \"x\"\n[[step]]\nid = \"dump\"\nphase = \"contain\"\nkind = \"command\"\n\
         title = \"Dump\"\nconfirm = \"type\"\nshell = true\n{rest}\n"
    )
}

#[test]
fn the_text_of_a_shell_is_never_filled_and_strict_refuses_it_by_line() {
    let text = shell_step("run = [\"./dump | gzip > \\\"$1\\\"\", \"{{incident.id}}\"]");
    let pinned = runbook("books/x.toml", &text).unwrap();
    let said = would(&pinned.book.steps[0]).unwrap().into_raw();
    assert!(said.contains("THROUGH a shell") && said.contains("typing the feature's name"), "{said}");
    let error = without_shell("books/x.toml", &pinned).unwrap_err();
    assert!(
        error.what.starts_with("books/x.toml, line 9: step “dump” goes through a shell"),
        "{}",
        error.what
    );
    without_shell("full.toml", &runbook("full.toml", FULL).unwrap()).unwrap();
    for (words, line) in [
        ("run = [\"./dump {{incident.id}}\"]", 10),
        ("run = [\"{{incident.id}}\"]", 10),
        ("run = [\"./dump\"]\ndry_run = [\"./dump -n {{feature}}\"]", 11),
    ] {
        let error = runbook("books/x.toml", &shell_step(words)).unwrap_err();
        assert!(error.what.starts_with(&format!("books/x.toml, line {line}: ")), "{}", error.what);
        assert!(error.what.contains("the text of a shell is never filled"), "{}", error.what);
        assert!(error.hints[0].contains("\"$1\""), "{:?}", error.hints);
    }
    let error = runbook("x", &shell_step("run = [\"./dump\", \"id={{incident.id}}\"]")).unwrap_err();
    assert!(error.what.contains("fills a whole argument"), "{}", error.what);
}
