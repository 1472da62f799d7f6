//! The notation in which `tuesday help json` describes answers, read, and answers held against it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The topic of all answers but those of evaluating.
pub const JSON: &str = include_str!("../../fixtures/help/json.txt");
/// The topic of evaluating.
pub const JSON_EVAL: &str = include_str!("../../fixtures/help/json-eval.txt");

/// The topic of monitors and alerts.
pub const JSON_MONITOR: &str = include_str!("../../fixtures/help/json-monitor.txt");

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
fn entries(topic: &str) -> Vec<(String, Shape)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    for line in topic.lines() {
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

pub struct Topic {
    commands: BTreeMap<String, Shape>,
    shapes: BTreeMap<String, Shape>,
    /// Shapes that another topic describes.
    lent: BTreeSet<String>,
    /// Keys that an answer had, as `shape: path`.
    seen: RefCell<BTreeSet<String>>,
}

impl Topic {
    /// Reads a topic, with the shapes that stand in others and may be named.
    pub fn of(own: &str, others: &[&str]) -> Self {
        let (mut commands, mut shapes, mut lent) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        let all = std::iter::once(own).chain(others.iter().copied()).enumerate();
        for (topic, (title, shape)) in
            all.flat_map(|(n, text)| entries(text).into_iter().map(move |e| (n, e)))
        {
            let name = title.split([',', ';']).next().unwrap_or_default().to_owned();
            if name.chars().all(char::is_uppercase) {
                if topic > 0 {
                    lent.insert(name.clone());
                }
                assert!(shapes.insert(name, shape).is_none(), "{title} stands there twice");
            } else if topic == 0 {
                assert!(commands.insert(title.clone(), shape).is_none(), "{title} stands there twice");
            }
        }
        Self { commands, shapes, lent, seen: RefCell::default() }
    }

    /// Fails where the answer of a command has another shape than its entry of this title.
    pub fn check_answer(&self, title: &str, value: &Value) {
        let shape = self.commands.get(title).unwrap_or_else(|| panic!("{title:?} is not described"));
        self.check(title, shape, value);
    }

    /// Fails where an entry was never asked for, or a key that is described was in no answer.
    pub fn is_whole(&self, asked: &BTreeSet<String>) {
        let never: Vec<&String> = self.commands.keys().filter(|title| !asked.contains(*title)).collect();
        assert!(never.is_empty(), "described, but never asked here: {never:#?}");
        let seen = self.seen.borrow();
        let missing: Vec<String> = self.described().into_iter().filter(|key| !seen.contains(key)).collect();
        assert!(missing.is_empty(), "described, but in no answer: {missing:#?}");
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
        let own = self.shapes.iter().filter(|(name, _)| !self.lent.contains(*name));
        for (place, shape) in self.commands.iter().chain(own) {
            walk(self, place, shape, &mut all);
        }
        all
    }
}

/// The beginning of a value, for a message.
fn short(value: &Value) -> String {
    value.to_string().chars().take(300).collect()
}
