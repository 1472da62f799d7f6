//! The JSON Schema, the examples and the reader say the same.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::Value;

use super::{Format, Mapping, Reader};
use crate::domain::{Content, Trace};

fn schema() -> Validator {
    let schema: Value = serde_json::from_str(include_str!("../../../fixtures/trace.schema.json")).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

fn read(line: &str) -> Result<Trace, String> {
    let found = Reader::new(Format::Tuesday, Mapping::default()).read(line.as_bytes())?;
    found.trace.check("2026-03-01T00:00:00Z".parse().unwrap())?;
    Ok(found.trace)
}

#[test]
fn the_examples_are_valid_and_are_read() {
    let schema = schema();
    let lines: Vec<&str> = include_str!("../../../fixtures/examples/traces.jsonl").lines().collect();
    assert!(lines.len() >= 5);
    for line in lines {
        let errors: Vec<String> =
            schema.iter_errors(&serde_json::from_str(line).unwrap()).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
        let trace = read(line).unwrap();
        // What we write of it is valid too, and means the same.
        let written = serde_json::to_string(&trace).unwrap();
        assert!(schema.is_valid(&serde_json::from_str(&written).unwrap()), "{written}");
        assert_eq!(read(&written).unwrap(), trace);
    }
}

#[test]
fn what_the_schema_refuses_the_reader_refuses() {
    let schema = schema();
    for line in include_str!("../../../fixtures/examples/refused.jsonl").lines() {
        assert!(!schema.is_valid(&serde_json::from_str(line).unwrap()), "{line}");
        assert!(read(line).is_err(), "{line}");
    }
}

#[test]
fn every_field_of_a_trace_is_in_the_schema() {
    let full = include_str!("../../../fixtures/examples/traces.jsonl").lines().flat_map(|line| {
        let Value::Object(fields) = serde_json::to_value(read(line).unwrap()).unwrap() else { panic!() };
        fields.into_iter().map(|(name, _)| name)
    });
    let schema: Value = serde_json::from_str(include_str!("../../../fixtures/trace.schema.json")).unwrap();
    let known = schema["properties"].as_object().unwrap();
    let used: BTreeSet<String> = full.collect();
    assert_eq!(used, known.keys().cloned().collect());
}

#[test]
fn the_example_of_a_mapping_reads_the_example_of_a_chat() {
    let mut mapping = Mapping::default();
    mapping.parse_file(include_str!("../../../fixtures/examples/chat-map.toml"), "chat-map.toml").unwrap();
    let reader = Reader::new(Format::Chat, mapping);
    let traces: Vec<Trace> = include_str!("../../../fixtures/examples/chat.jsonl")
        .lines()
        .map(|line| reader.read(line.as_bytes()).unwrap().trace)
        .collect();
    let first = &traces[0];
    assert_eq!((first.id.raw(), first.model.as_ref().unwrap().raw()), ("t-1", "gpt-4o"));
    assert_eq!(first.score["solved"], 1.0);
    assert_eq!(first.metadata["agent"], "flights");
    let Content::Messages(output) = &first.output else { panic!("no talk") };
    assert_eq!(output.len(), 3);
    assert_eq!(traces[1].feedback.len(), 1);
}
