//! Every answer with `--json` has the shape that `tuesday help json` gives it: every key that is named there
//! and no other, values of the kinds named, and each key seen at least once.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{run_to, store_with};

const TOPIC: &str = include_str!("../../fixtures/help/json.txt");

#[derive(Debug, Clone)]
enum Shape {
    Number,
    Text,
    Time,
    Bool,
    Any,
    Words(Vec<String>),
    Named(String),
    OrNull(Box<Shape>),
    List(Box<Shape>),
    Exactly(Vec<Shape>),
    /// Keys of the caller's own.
    Map(Box<Shape>),
    Object(Vec<Field>),
}

#[derive(Debug, Clone)]
enum Field {
    Key {
        name: String,
        may_miss: bool,
        shape: Shape,
    },
    /// All keys of a named shape.
    Of(String),
}

/// Reads the notation of the topic.
struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn shape(&mut self) -> Shape {
        let mut shape = if self.eat("{") {
            self.object()
        } else if self.eat("[") {
            let first = self.shape();
            let mut all = vec![first];
            while self.eat(",") {
                all.push(self.shape());
            }
            self.must("]");
            if all.len() == 1 { Shape::List(Box::new(all.remove(0))) } else { Shape::Exactly(all) }
        } else if self.rest.starts_with('"') {
            let mut words = vec![self.quoted()];
            while self.eat("|") {
                words.push(self.quoted());
            }
            Shape::Words(words)
        } else {
            match self.word() {
                "n" => Shape::Number,
                "text" => Shape::Text,
                "time" => Shape::Time,
                "bool" => Shape::Bool,
                "any" => Shape::Any,
                name if name.chars().all(char::is_uppercase) => Shape::Named(name.to_owned()),
                other => panic!("no kind of value: {other:?} before {:?}", self.near()),
            }
        };
        if self.eat("?") {
            shape = Shape::OrNull(Box::new(shape));
        }
        shape
    }

    fn object(&mut self) -> Shape {
        let mut fields = Vec::new();
        loop {
            if self.eat("...") {
                fields.push(Field::Of(self.word().to_owned()));
            } else if self.rest.starts_with('"') {
                let name = self.quoted();
                let may_miss = self.eat("?");
                self.must(":");
                fields.push(Field::Key { name, may_miss, shape: self.shape() });
            } else {
                assert_eq!(self.word(), "text", "keys of one's own are text, at {:?}", self.near());
                self.must(":");
                let map = Shape::Map(Box::new(self.shape()));
                self.must("}");
                return map;
            }
            if !self.eat(",") {
                self.must("}");
                return Shape::Object(fields);
            }
        }
    }

    fn word(&mut self) -> &'a str {
        let end = self.rest.find(|c: char| !c.is_alphabetic()).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        word
    }

    fn quoted(&mut self) -> String {
        self.must("\"");
        let (text, rest) =
            self.rest.split_once('"').unwrap_or_else(|| panic!("an open quote: {:?}", self.rest));
        self.rest = rest.trim_start();
        text.to_owned()
    }

    fn eat(&mut self, sign: &str) -> bool {
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn must(&mut self, sign: &str) {
        assert!(self.eat(sign), "{sign:?} is missing before {:?}", self.near());
    }

    fn near(&self) -> &str {
        self.rest.get(..40).unwrap_or(self.rest)
    }
}

/// The topic's entries: a title at two columns, its shape at six.
fn entries() -> Vec<(String, Shape)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    for line in TOPIC.lines() {
        if let Some(shape) = line.strip_prefix("      ") {
            if let Some((_, text)) = entries.last_mut() {
                text.push_str(shape.trim_start());
                text.push(' ');
            }
        } else if let Some(title) = line.strip_prefix("  ") {
            match entries.last_mut() {
                // A title that goes on.
                Some((last, text)) if text.is_empty() => {
                    last.push(' ');
                    last.push_str(title);
                }
                _ => entries.push((title.to_owned(), String::new())),
            }
        } else if line.is_empty() {
            // What has no shape under it explains something.
            entries.retain(|(_, text)| !text.is_empty());
        }
    }
    entries.retain(|(_, text)| !text.is_empty());
    entries
        .into_iter()
        .map(|(title, text)| {
            let mut parser = Parser { rest: text.trim_start() };
            let shape = parser.shape();
            assert!(parser.rest.is_empty(), "{title}: {:?} follows the shape", parser.rest);
            (title, shape)
        })
        .collect()
}

struct Topic {
    commands: BTreeMap<String, Shape>,
    shapes: BTreeMap<String, Shape>,
    /// Keys that an answer had, as `shape: path`.
    seen: RefCell<BTreeSet<String>>,
}

impl Topic {
    fn read() -> Self {
        let (mut commands, mut shapes) = (BTreeMap::new(), BTreeMap::new());
        for (title, shape) in entries() {
            let name = title.split([',', ';']).next().unwrap_or_default().to_owned();
            if name.chars().all(char::is_uppercase) {
                assert!(shapes.insert(name, shape).is_none(), "{title} stands there twice");
            } else {
                assert!(commands.insert(title.clone(), shape).is_none(), "{title} stands there twice");
            }
        }
        Self { commands, shapes, seen: RefCell::default() }
    }

    fn named(&self, name: &str) -> &Shape {
        self.shapes.get(name).unwrap_or_else(|| panic!("the shape {name} is not described"))
    }

    /// The keys of an object, with the place that describes each.
    fn keys<'a>(&'a self, place: &str, fields: &'a [Field]) -> Vec<(String, &'a str, bool, &'a Shape)> {
        let mut keys = Vec::new();
        for field in fields {
            match field {
                Field::Key { name, may_miss, shape } => {
                    keys.push((format!("{place}.{name}"), name.as_str(), *may_miss, shape));
                }
                Field::Of(name) => match self.named(name) {
                    Shape::Object(fields) => keys.extend(self.keys(name, fields)),
                    other => panic!("{name} is no object: {other:?}"),
                },
            }
        }
        keys
    }

    /// Fails where a value has another shape than described at `place`.
    fn check(&self, place: &str, shape: &Shape, value: &Value) {
        let fits = match (shape, value) {
            (Shape::Any, _) | (Shape::OrNull(_), Value::Null) => true,
            (Shape::OrNull(inner), _) => return self.check(place, inner, value),
            (Shape::Named(name), _) => return self.check(name, self.named(name), value),
            (Shape::Number, Value::Number(_))
            | (Shape::Text, Value::String(_))
            | (Shape::Bool, Value::Bool(_)) => true,
            (Shape::Time, Value::String(text)) => {
                text.parse::<jiff::Timestamp>().is_ok() && text.ends_with('Z')
            }
            (Shape::Words(words), Value::String(text)) => words.contains(text),
            (Shape::List(inner), Value::Array(items)) => {
                items.iter().for_each(|item| self.check(&format!("{place}[]"), inner, item));
                true
            }
            (Shape::Exactly(shapes), Value::Array(items)) if shapes.len() == items.len() => {
                shapes
                    .iter()
                    .zip(items)
                    .for_each(|(shape, item)| self.check(&format!("{place}[]"), shape, item));
                true
            }
            (Shape::Map(inner), Value::Object(map)) => {
                map.values().for_each(|item| self.check(&format!("{place}{{}}"), inner, item));
                true
            }
            (Shape::Object(fields), Value::Object(map)) => {
                let keys = self.keys(place, fields);
                for (path, name, may_miss, shape) in &keys {
                    match map.get(*name) {
                        Some(value) => {
                            self.seen.borrow_mut().insert(path.clone());
                            self.check(path, shape, value);
                        }
                        None => assert!(may_miss, "{path} is missing in {}", short(value)),
                    }
                }
                let known: BTreeSet<&str> = keys.iter().map(|(_, name, ..)| *name).collect();
                for key in map.keys() {
                    assert!(
                        known.contains(key.as_str()),
                        "{place} has the key {key:?}, which is not described"
                    );
                }
                true
            }
            _ => false,
        };
        assert!(fits, "{place} is not {shape:?}: {}", short(value));
    }

    /// All keys that the topic describes.
    fn described(&self) -> BTreeSet<String> {
        fn walk(topic: &Topic, place: &str, shape: &Shape, all: &mut BTreeSet<String>) {
            match shape {
                Shape::OrNull(inner) => walk(topic, place, inner, all),
                Shape::List(inner) => walk(topic, &format!("{place}[]"), inner, all),
                Shape::Map(inner) => walk(topic, &format!("{place}{{}}"), inner, all),
                Shape::Exactly(shapes) => {
                    shapes.iter().for_each(|shape| walk(topic, &format!("{place}[]"), shape, all));
                }
                Shape::Object(fields) => {
                    for (path, _, _, shape) in topic.keys(place, fields) {
                        walk(topic, &path, shape, all);
                        all.insert(path);
                    }
                }
                _ => {}
            }
        }
        let mut all = BTreeSet::new();
        for (place, shape) in self.commands.iter().chain(&self.shapes) {
            walk(self, place, shape, &mut all);
        }
        all
    }
}

/// The beginning of a value, for a message.
fn short(value: &Value) -> String {
    value.to_string().chars().take(300).collect()
}

/// A trace with all there can be, at an age in hours.
fn trace(id: &str, hours: i64, more: Value) -> Value {
    let time = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours);
    let mut trace = json!({
        "id": id, "session": "s", "user": format!("u-{id}"), "time": time.to_string(), "feature": "support",
        "model": "gpt-4o", "prompt": "support", "prompt_version": "v4",
        "input": format!("Why was a fee taken, number {id}?"), "output": "It is waived.",
        "latency_ms": 900.5, "ttft_ms": 200.5, "tokens_in": 10, "tokens_out": 5, "cost_usd": 0.002,
        "experiment": "short", "arm": "B", "tags": ["vip"], "metadata": {"plan": {"name": "gold"}},
        "score": {"tone": 0.5}, "fallback": true,
        "feedback": [{"kind": "thumbs", "value": "down", "comment": "no", "time": time.to_string()}],
        "spans": [{"name": "look", "kind": "tool", "input": {"a": 1}, "output": [1]}],
    });
    for (key, value) in more.as_object().unwrap() {
        trace[key] = value.clone();
    }
    trace
}

#[test]
fn every_answer_is_as_the_help_says() {
    let topic = Topic::read();
    let (folder, store) = store_with(0);
    let asked = RefCell::new(BTreeSet::new());
    let ask_in = |store: &Path, code: i32, title: &str, args: &[&str]| -> Value {
        let shape = topic.commands.get(title).unwrap_or_else(|| panic!("{title:?} is not described"));
        let out = run_to(code, store, &[args, &["--json"]].concat());
        let value =
            serde_json::from_str(&out).unwrap_or_else(|e| panic!("{args:?} printed no JSON ({e}):\n{out}"));
        topic.check(title, shape, &value);
        asked.borrow_mut().insert(title.to_owned());
        value
    };
    let ask_to = |code: i32, title: &str, args: &[&str]| ask_in(&store, code, title, args);
    let ask = |title: &str, args: &[&str]| ask_to(0, title, args);
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };

    let failed = json!({"status": "error", "error_kind": "timeout", "output": "", "tags": []});
    let mut lines: Vec<String> = Vec::new();
    for (id, hours) in [("a", 1), ("b", 2), ("c", 3), ("d", 170)] {
        lines.push(trace(id, hours, json!({})).to_string());
    }
    lines.push(trace("e", 4, failed).to_string());
    lines.push("{\"input\": 3}".to_owned());
    let traces = file("traces.jsonl", &lines.join("\n"));
    ask_to(3, "import FILE…", &["import", &traces]);
    ask("trace list [QUERY]", &["trace", "list", "feedback:down model:gpt-5"]);
    ask("trace list [QUERY]", &["trace", "list"]);
    ask("trace list [QUERY] --count", &["trace", "list", "--count"]);
    ask("health", &["health"]);
    ask("health", &["health", "--feature", "support", "--window", "7d"]);

    ask("sample draw NAME", &["sample", "draw", "week", "--size", "4", "--since", "2d", "--strata", "model"]);
    ask("sample draw NAME", &["sample", "draw", "tenth", "--rate", "100%", "--where", "model:gpt-5,gpt-4o"]);
    ask("sample list", &["sample", "list"]);
    let label = |args: &[&str]| ask("label TRACE VERDICT", &[&["label"], args].concat());
    label(&["a", "pass"]);
    label(&["b", "pass", "--note", "fine"]);
    let corrected = ["--note", "wrong fee", "--corrected", "We waive it."];
    label(&[&["b", "fail", "--mode", "1", "--severity", "high"], &corrected[..]].concat());
    label(&["c", "unsure"]);
    ask("label undo", &["label", "undo"]);
    let jo = ["--store", store.to_str().unwrap(), "--reviewer", "jo", "label", "b", "pass"];
    assert!(Command::new(env!("CARGO_BIN_EXE_tuesday")).args(jo).output().unwrap().status.success());
    ask("labels export", &["labels", "export"]);
    ask("sample show NAME", &["sample", "show", "week"]);
    ask("taxonomy, taxonomy list", &["taxonomy"]);
    let modes = "taxonomy add NAME, rename, describe, retire, restore";
    ask(modes, &["taxonomy", "add", "too long"]);
    ask(modes, &["taxonomy", "retire", "too_long"]);

    let promote = "evals promote TRACE… --set SET";
    ask_to(3, promote, &["evals", "promote", "a", "b", "nowhere", "--set", "support"]);
    ask(promote, &["evals", "promote", "b", "--set", "support", "--check", "length: 1..200"]);
    let twin =
        file("twin.jsonl", &trace("f", 1, json!({"input": "Why was a fee taken, number b?"})).to_string());
    run_to(0, &store, &["import", &twin]);
    ask(promote, &["evals", "promote", "f", "--set", "support"]);
    ask(
        promote,
        &["evals", "promote", "f", "--set", "other", "--behaviour", "asks first", "--reasoning", "why"],
    );
    ask("evals list", &["evals", "list"]);
    let set = ask("evals show SET", &["evals", "show", "support"]);
    let case = |trace: &str| {
        let cases = set["cases"].as_array().unwrap();
        cases.iter().find(|case| case["trace"] == trace).unwrap()["id"].as_str().unwrap().to_owned()
    };
    ask("evals show SET CASE", &["evals", "show", "support", &case("b")]);
    ask("evals export --set SET", &["evals", "export", "--set", "support"]);
    ask("evals export --set SET", &["evals", "export", "--set", "other"]);
    // The set changes where the file does not follow; the file changes too, and has a broken line.
    let path = folder.path().join("evals/support.jsonl");
    let written = std::fs::read_to_string(&path).unwrap();
    let change = "evals edit CASE --set SET, retire, restore";
    let half = ["edit", &case("b"), "--set", "support", "--expected", "We waive half.", "--evals-dir", "x"];
    ask(change, &[&["evals"], &half[..]].concat());
    std::fs::write(&path, written.replace("We waive it.", "We waive it all.") + "{\"oops\"\n").unwrap();
    let (import, path) = ("evals import FILE --set SET", path.to_str().unwrap());
    ask_to(3, import, &["evals", "import", path, "--set", "support", "--dry-run"]);
    ask_to(3, import, &["evals", "import", path, "--set", "support"]);
    ask(change, &["evals", "retire", &case("a"), "--set", "support"]);

    let opened = ["--severity", "SEV2", "--feature", "support", "--began", "5h"];
    ask("incident open TITLE", &[&["incident", "open", "Bad advice"], &opened[..]].concat());
    let act =
        "incident step ID STEP WHAT, note, attach, severity, began, feature, phase, handover, close, reopen";
    for args in [
        &["step", "1", "1", "done", "--note", "real"][..],
        &["note", "1", "Saw it"],
        &["attach", "1", "b"],
        &["attach", "1", "--query", "feedback:down"],
        &["severity", "1", "SEV3"],
        &["began", "1", "6h"],
        &["feature", "1", "support"],
        &["phase", "1", "contain"],
        &["handover", "1", "jo"],
        &["close", "1", "--note", "over"],
        &["reopen", "1"],
    ] {
        ask(act, &[&["incident"], args].concat());
    }
    ask("incident figures ID", &["incident", "figures", "1"]);
    let parts = ["summary", "impact", "why", "detection", "went_well", "went_badly", "lucky", "prevention"];
    for part in parts {
        run_to(0, &store, &["incident", "postmortem", "1", "--set", &format!("{part}=x")]);
    }
    let action = ["--action", "watch it", "--owner", "jo", "--due", "2030-01-01"];
    let written = "incident postmortem ID, with --set PART=TEXT or --action TEXT";
    ask(written, &[&["incident", "postmortem", "1"], &action[..]].concat());
    ask("incident postmortem ID", &["incident", "postmortem", "1"]);
    ask("incident list", &["incident", "list"]);
    ask("incident show ID", &["incident", "show", "1"]);
    let shown = ask("trace show ID", &["trace", "show", "b"]);
    assert_eq!(shown["incidents"], json!(["INC-1"]));
    ask("trace show ID", &["trace", "show", "e"]);
    let spans = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/otlp");
    for document in ["langfuse", "genai-previous"] {
        run_to(0, &store, &["import", &format!("{spans}/{document}.json")]);
    }
    for id in ["5b8efff798038103d269b633813fc601", "5b8efff798038103d269b633813fc60d"] {
        ask("trace show ID", &["trace", "show", id]);
    }

    ask("doctor", &["doctor"]);
    ask("keys", &["keys"]);
    ask("init", &["init"]);
    ask_in(&folder.path().join("demo.db"), 0, "demo", &["demo", "--traces", "20"]);
    std::fs::write(&store, "no store any more").unwrap();
    ask_to(1, "doctor, where the store cannot be read", &["doctor"]);

    let asked = asked.into_inner();
    let never: Vec<&String> = topic.commands.keys().filter(|title| !asked.contains(*title)).collect();
    assert!(never.is_empty(), "described, but never asked here: {never:#?}");
    let seen = topic.seen.borrow();
    let missing: Vec<String> = topic.described().into_iter().filter(|key| !seen.contains(key)).collect();
    assert!(missing.is_empty(), "described, but in no answer: {missing:#?}");
}
