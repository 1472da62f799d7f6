//! Taking an edited eval-set file back: the three-way rule, pure.
//!
//! *base* is what was last written to the file, *store* is the set now, *file* is what the file
//! says. What changed on one side only is taken from that side. What changed on both is a conflict:
//! it is named with all three values, the file's value stands (the person has it in hand), and the
//! store's stays in the case's history, so that neither is lost. A case that one side removed and
//! the other changed stays.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

use super::eval::{CaseBody, CaseId};

/// A readable line of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileCase {
    /// Where it stands, from 1.
    pub line: u64,
    /// The id, unless the line is new and leaves naming to the program.
    pub id: Option<CaseId>,
    /// What it says.
    pub body: CaseBody,
}

/// Which side stands after a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// The file's value.
    File,
    /// The store's value.
    Store,
}

/// Something that both sides changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseConflict {
    /// The case.
    pub case: CaseId,
    /// The field; `case` when one side removed the whole case.
    pub field: &'static str,
    /// What was last written; null when the case was not in it.
    pub base: Value,
    /// What the store said before; null for a retired case.
    pub store: Value,
    /// What the file says; null for a removed line.
    pub file: Value,
    /// Which stands now.
    pub kept: Kept,
}

/// What the set must do to take a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Merge {
    /// Cases to add, with what they say, in the file's order.
    pub add: Vec<(CaseId, CaseBody)>,
    /// Cases to change, with what they say after it and the fields that the file changed.
    pub edit: Vec<(CaseId, CaseBody, Vec<&'static str>)>,
    /// Cases to retire.
    pub retire: Vec<CaseId>,
    /// Cases that the file lacks and that stay, because they joined the set after the file was
    /// written, or because it is not known that the file ever held them.
    pub kept: Vec<CaseId>,
    /// What both sides changed.
    pub conflicts: Vec<CaseConflict>,
    /// How many lines say what the store says already.
    pub unchanged: u64,
}

/// Compares the three. `base` is `None` when it is not known what the file was written from: then
/// nothing is retired. `complete` says that every line of the file could be read: otherwise a
/// missing case may be on one of the bad lines, and nothing is retired either.
pub fn merge(
    base: Option<&BTreeMap<CaseId, CaseBody>>,
    store: &BTreeMap<CaseId, CaseBody>,
    file: &[(CaseId, CaseBody)],
    complete: bool,
) -> Merge {
    let mut out = Merge::default();
    let was = |id: &CaseId| base.and_then(|base| base.get(id));
    let named: BTreeSet<&CaseId> = file.iter().map(|(id, _)| id).collect();
    for (id, theirs) in file {
        match (was(id), store.get(id)) {
            (_, Some(ours)) if ours == theirs => out.unchanged += 1,
            (was, Some(ours)) => both(&mut out, id, was, ours, theirs),
            (None, None) => out.add.push((id.clone(), theirs.clone())),
            // Retired in the store since, and not touched in the file: the file is only behind.
            (Some(was), None) if was == theirs => {}
            (Some(was), None) => {
                out.conflicts.push(CaseConflict {
                    case: id.clone(),
                    field: "case",
                    base: whole(was),
                    store: Value::Null,
                    file: whole(theirs),
                    kept: Kept::File,
                });
                out.add.push((id.clone(), theirs.clone()));
            }
        }
    }
    for (id, ours) in store.iter().filter(|(id, _)| !named.contains(id)) {
        match was(id) {
            Some(was) if complete && was == ours => out.retire.push(id.clone()),
            Some(was) if complete => {
                out.conflicts.push(CaseConflict {
                    case: id.clone(),
                    field: "case",
                    base: whole(was),
                    store: whole(ours),
                    file: Value::Null,
                    kept: Kept::Store,
                });
                out.kept.push(id.clone());
            }
            _ => out.kept.push(id.clone()),
        }
    }
    out
}

/// A case that both sides have, and that differs.
fn both(out: &mut Merge, id: &CaseId, was: Option<&CaseBody>, ours: &CaseBody, theirs: &CaseBody) {
    let was = was.map(fields);
    let (ours_now, theirs_now) = (fields(ours), fields(theirs));
    let mut merged = Map::new();
    let mut taken = Vec::new();
    for ((name, mine), (_, other)) in ours_now.into_iter().zip(theirs_now) {
        let before = was.as_ref().and_then(|was| was.iter().find(|(n, _)| *n == name)).map(|(_, v)| v);
        let value = if mine == other || before == Some(&other) {
            mine
        } else {
            taken.push(name);
            if before != Some(&mine) {
                out.conflicts.push(CaseConflict {
                    case: id.clone(),
                    field: name,
                    base: before.cloned().unwrap_or(Value::Null),
                    store: mine,
                    file: other.clone(),
                    kept: Kept::File,
                });
            }
            other
        };
        merged.insert(name.to_owned(), value);
    }
    if taken.is_empty() {
        out.unchanged += 1;
        return;
    }
    // The values came out of two bodies, so they make a body.
    if let Ok(body) = serde_json::from_value(Value::Object(merged)) {
        out.edit.push((id.clone(), body, taken));
    }
}

/// The fields of a body, each compared and taken on its own.
fn fields(body: &CaseBody) -> [(&'static str, Value); 8] {
    [
        ("input", json(&body.input)),
        ("expected", json(&body.expected)),
        ("expected_kind", json(&body.expected_kind)),
        ("reasoning", json(&body.reasoning)),
        ("category", json(&body.category)),
        ("checks", json(&body.checks)),
        ("trace", json(&body.trace)),
        ("label", json(&body.label)),
    ]
}

fn whole(body: &CaseBody) -> Value {
    json(body)
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Content, Untrusted};

    fn id(text: &str) -> CaseId {
        CaseId::parse(text).unwrap()
    }

    fn case(name: &str, expected: &str, reasoning: &str) -> (CaseId, CaseBody) {
        let body = CaseBody {
            input: Content::Text(name.into()),
            expected: Some(Untrusted::from(expected)),
            reasoning: Some(Untrusted::from(reasoning)),
            ..CaseBody::default()
        };
        (id(name), body)
    }

    fn map(cases: &[(CaseId, CaseBody)]) -> BTreeMap<CaseId, CaseBody> {
        cases.iter().cloned().collect()
    }

    #[test]
    fn what_one_side_changed_is_taken_from_that_side() {
        let base = map(&[case("a", "1", "r"), case("b", "1", "r"), case("c", "1", "r")]);
        let store =
            map(&[case("a", "1", "store"), case("b", "1", "r"), case("c", "1", "r"), case("d", "1", "r")]);
        let file = [case("a", "file", "r"), case("b", "1", "r"), case("e", "1", "r")];
        let out = merge(Some(&base), &store, &file, true);
        assert_eq!(out.conflicts, []);
        assert_eq!(out.edit, [(id("a"), case("a", "file", "store").1, vec!["expected"])]);
        assert_eq!(out.retire, [id("c")]);
        assert_eq!(out.kept, [id("d")]);
        assert_eq!(out.add, [case("e", "1", "r")]);
        assert_eq!(out.unchanged, 1);
    }

    #[test]
    fn what_both_changed_is_named_with_all_three_values() {
        let base = map(&[case("a", "1", "r")]);
        let store = map(&[case("a", "store", "r")]);
        let out = merge(Some(&base), &store, &[case("a", "file", "r")], true);
        let [conflict] = &out.conflicts[..] else { panic!("{out:?}") };
        assert_eq!((conflict.field, conflict.kept), ("expected", Kept::File));
        assert_eq!(
            (&conflict.base, &conflict.store, &conflict.file),
            (&"1".into(), &"store".into(), &"file".into())
        );
        assert_eq!(out.edit[0].1, case("a", "file", "r").1);
    }

    #[test]
    fn a_change_outlives_a_removal() {
        let base = map(&[case("a", "1", "r"), case("b", "1", "r")]);
        let store = map(&[case("a", "store", "r")]);
        let out = merge(Some(&base), &store, &[case("b", "file", "r")], true);
        assert_eq!(out.retire, []);
        assert_eq!(out.kept, [id("a")]);
        assert_eq!(out.add, [case("b", "file", "r")]);
        assert_eq!(
            out.conflicts.iter().map(|c| (c.case.clone(), c.kept)).collect::<Vec<_>>(),
            [(id("b"), Kept::File), (id("a"), Kept::Store)]
        );
    }

    #[test]
    fn nothing_is_retired_from_a_broken_or_unknown_file() {
        let store = map(&[case("a", "1", "r")]);
        assert_eq!(merge(Some(&store), &store, &[], false).retire, []);
        assert_eq!(merge(None, &store, &[], true).kept, [id("a")]);
    }

    #[test]
    fn a_file_that_is_only_behind_changes_nothing() {
        let base = map(&[case("a", "1", "r"), case("b", "1", "r")]);
        let store = map(&[case("a", "2", "r")]);
        let file: Vec<_> = base.clone().into_iter().collect();
        let out = merge(Some(&base), &store, &file, true);
        assert_eq!((out.add.len(), out.edit.len(), out.retire.len(), out.conflicts.len()), (0, 0, 0, 0));
    }
}
