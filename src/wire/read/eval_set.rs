//! Reads `evals/<set>.jsonl` as a person may have edited it.
//!
//! Every line stands for itself: a bad one is named with its line and the reason, and the rest is
//! read. What the lines mean for the set is the three-way merge's matter (`domain`).

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Map, Value};

use crate::domain::{
    CaseBody, CaseId, Check, Content, Error, ExpectedKind, FileCase, Result, Untrusted, category, some_text,
};

/// A file as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct EvalFile {
    /// The lines that could be read, in order.
    pub cases: Vec<FileCase>,
    /// The lines that could not.
    pub rejected: Vec<BadLine>,
    /// A digest of the bytes: see [`digest`].
    pub digest: String,
}

/// A line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Where it stands, from 1.
    pub line: u64,
    /// What is wrong with it. May quote the file: clean before printing.
    pub reason: String,
}

/// Names the bytes of a file, to see whether somebody else has changed it.
pub fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Reads a file. `None` when there is none.
pub fn read_eval_set(path: &Path) -> Result<Option<EvalFile>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(parse(&bytes))),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::failed(format!("Cannot read {}.", path.display())).because(e)),
    }
}

fn parse(bytes: &[u8]) -> EvalFile {
    let mut file = EvalFile { cases: Vec::new(), rejected: Vec::new(), digest: digest(bytes) };
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut seen: HashMap<CaseId, usize> = HashMap::new();
    for (line, number) in text.split(|b| *b == b'\n').zip(1..) {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let mut bad = |reason: String| file.rejected.push(BadLine { line: number, reason });
        match case(line) {
            Err(reason) => bad(reason),
            Ok((Some(id), body)) => match seen.get(&id).map(|place| &file.cases[*place]) {
                // A union merge leaves a line twice: one is enough.
                Some(first) if first.body == body => {}
                Some(first) => {
                    bad(format!("the id {id} stands on line {} already, with other words", first.line))
                }
                None => {
                    seen.insert(id.clone(), file.cases.len());
                    file.cases.push(FileCase { line: number, id: Some(id), body });
                }
            },
            Ok((None, body)) => file.cases.push(FileCase { line: number, id: None, body }),
        }
    }
    file
}

const KEYS: &[&str] =
    &["id", "input", "expected", "expected_kind", "reasoning", "category", "checks", "trace", "label"];

/// One line, or what is wrong with it.
fn case(line: &[u8]) -> std::result::Result<(Option<CaseId>, CaseBody), String> {
    if [&b"<<<<<<<"[..], b"=======", b">>>>>>>", b"|||||||"].iter().any(|mark| line.starts_with(mark)) {
        return Err("a mark of an unfinished merge: resolve the conflict in git first".into());
    }
    let line =
        std::str::from_utf8(line).map_err(|e| format!("not UTF-8 from byte {}", e.valid_up_to() + 1))?;
    let mut map: Map<String, Value> = serde_json::from_str(line).map_err(|e| {
        let what = e.to_string();
        let what = what.split(" at line ").next().unwrap_or_default();
        format!("not a JSON object: {what} (column {})", e.column())
    })?;
    if let Some(key) = map.keys().find(|key| !KEYS.contains(&key.as_str())) {
        let near = KEYS
            .iter()
            .map(|right| (strsim::jaro_winkler(key, right), right))
            .filter(|(near, _)| *near > 0.75)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, right)| format!(" (did you mean `{right}`?)"))
            .unwrap_or_default();
        return Err(format!("unknown key `{key}`{near}"));
    }
    let id = match map.remove("id").unwrap_or_default() {
        Value::Null => None,
        Value::String(id) if id.is_empty() => None,
        Value::String(id) => Some(CaseId::parse(&id).map_err(|e| e.what)?),
        _ => return Err("`id` must be text".into()),
    };
    let mut text = |key: &str| match map.remove(key).unwrap_or_default() {
        Value::Null => Ok(None),
        Value::String(text) => Ok(some_text(text)),
        Value::Object(_) | Value::Array(_) => {
            Err(format!("`{key}` must be text: write JSON inside a string"))
        }
        _ => Err(format!("`{key}` must be text: put it in quotes")),
    };
    let (expected, reasoning) = (text("expected")?, text("reasoning")?);
    let (trace, label) = (text("trace")?, text("label")?);
    let kind = text("expected_kind")?;
    let category = category(text("category")?.as_ref().map_or("", Untrusted::raw));
    let expected_kind = match &kind {
        None => ExpectedKind::Output,
        Some(word) => ExpectedKind::parse(word.raw())
            .ok_or_else(|| "`expected_kind` must be `output` or `behaviour`".to_owned())?,
    };
    let input = match map.remove("input").unwrap_or_default() {
        Value::Null => return Err("there is no `input`".into()),
        Value::String(text) if text.trim().is_empty() => return Err("`input` is empty".into()),
        Value::String(text) => Content::Text(text.into()),
        list @ Value::Array(_) => Content::Messages(
            serde_json::from_value(list).map_err(|e| format!("`input` holds no messages: {e}"))?,
        ),
        _ => return Err("`input` must be text or a list of messages".into()),
    };
    let checks = match map.remove("checks").unwrap_or_default() {
        Value::Null => Vec::new(),
        Value::Array(list) => list
            .into_iter()
            .map(|check| Check::from_value(check).map_err(|e| e.what))
            .collect::<std::result::Result<_, _>>()?,
        _ => return Err("`checks` must be a list".into()),
    };
    Ok((id, CaseBody { input, expected, expected_kind, reasoning, category, checks, trace, label }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::write::eval_set::case_text;

    fn reasons(text: &[u8]) -> Vec<(u64, String)> {
        parse(text).rejected.into_iter().map(|bad| (bad.line, bad.reason)).collect()
    }

    #[test]
    fn what_was_written_is_read_back_the_same() {
        let id = CaseId::parse("c-1").unwrap();
        let messages = serde_json::json!([
            {"role":"user","content":[{"type":"text","text":"hi"}]},
            {"role":"assistant","content":null,"refusal":"no","tool_calls":[
                {"id":"1","type":"function","function":{"name":"get","arguments":"{}"}}]}
        ]);
        for body in [
            CaseBody { input: Content::Text("a\u{1b}[31m\u{202e}\n b".into()), ..CaseBody::default() },
            CaseBody {
                input: serde_json::from_value(messages).unwrap(),
                expected: Some("asks first".into()),
                expected_kind: ExpectedKind::Behaviour,
                reasoning: Some("why".into()),
                category: "jailbreak".into(),
                checks: vec![Check::parse("length: 1..2").unwrap()],
                trace: Some("t".into()),
                label: Some("l".into()),
            },
        ] {
            let file = parse(format!("\u{feff}{}\r\n\n", case_text(&id, &body)).as_bytes());
            assert_eq!(file.rejected, []);
            assert_eq!(file.cases, [FileCase { line: 1, id: Some(id.clone()), body }]);
        }
    }

    #[test]
    fn a_new_line_needs_an_input_and_no_more() {
        let file = parse(b"{\"input\":\"hello\",\"category\":\"Out of Domain\"}");
        assert_eq!(file.cases[0].id, None);
        assert_eq!(file.cases[0].body.category.raw(), "out_of_domain");
    }

    #[test]
    fn a_bad_line_is_named_and_the_rest_is_read() {
        let text = [
            &b"{\"id\":\"a\",\"input\":\"x\"}"[..],
            b"{\"id\":\"b\",\"input\":",
            b"{\"id\":\"c\",\"input\":\"x\",\"expectd\":\"y\"}",
            b"{\"id\":\"d\",\"input\":\"\xff\"}",
            b"<<<<<<< HEAD",
            b"{\"id\":\"a\",\"input\":\"other\"}",
            b"{\"id\":\"a\",\"input\":\"x\"}",
            b"{\"id\":\"../e\",\"input\":\"x\"}",
            b"{\"id\":\"f\"}",
            b"{\"id\":\"g\",\"input\":\"x\",\"expected\":{\"a\":1}}",
            b"{\"id\":\"h\",\"input\":\"x\",\"checks\":[{\"kind\":\"contain\"}]}",
            b"[1]",
            b"{\"id\":\"i\",\"input\":\"x\",\"expected_kind\":\"mood\"}",
            b"{\"id\":\"j\",\"input\":\"last\"}",
        ]
        .join(&b'\n');
        let lines: Vec<u64> = reasons(&text).iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13]);
        let all = reasons(&text).into_iter().map(|(_, reason)| reason).collect::<Vec<_>>().join("\n");
        for part in [
            "not a JSON object",
            "did you mean `expected`",
            "not UTF-8 from byte 20",
            "unfinished merge",
            "line 1 already",
            "cannot be the id",
            "no `input`",
            "inside a string",
            "did you mean `contains`",
            "output",
        ] {
            assert!(all.contains(part), "{part} is not in:\n{all}");
        }
        let read: Vec<_> = parse(&text).cases.into_iter().filter_map(|case| case.id).collect();
        assert_eq!(read.iter().map(CaseId::as_str).collect::<Vec<_>>(), ["a", "j"]);
    }
}
