//! The case that a trace would make: what promotion fills in before a person has a say.

use std::collections::BTreeSet;

use serde::Serialize;

use super::duplicates::{Inputs, Resembles, words_of};
use super::view::CaseView;
use crate::domain::{
    CATEGORIES, CaseBody, CaseId, Content, Error, ErrorKind, ExpectedKind, Result, SetName, Trace, Untrusted,
    Verdict, category,
};
use crate::ops::Ctx;
use crate::store::LabelRow;
use crate::task::Cancel;

/// A case that is not in its set yet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseDraft {
    /// The set it would join.
    pub set: SetName,
    /// The id it would get.
    pub id: CaseId,
    /// What it would say.
    #[serde(flatten)]
    pub body: CaseBody,
    /// The label that it was made from; null when nobody has labelled the trace.
    pub from: Option<DraftLabel>,
    /// The case that the trace has in the set already.
    pub already: Option<CaseView>,
    /// The cases that its input resembles.
    pub resembles: Vec<Resembles>,
}

/// The label behind a draft.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DraftLabel {
    /// Who gave it.
    pub reviewer: Untrusted,
    /// The verdict; null for notes without one.
    pub verdict: Option<Verdict>,
    /// The failure mode.
    pub mode: Option<Untrusted>,
}

/// Makes the cases that traces would become in a set; changes nothing. A trace that is not there is left
/// out; an error of kind `NotSo` when none is.
///
/// - *input*: the trace's input.
/// - *expected*: the reviewer's corrected output; for a pass without one, the output that passed.
/// - *reasoning*: the reviewer's note.
/// - *category*: see [`guess`].
pub fn drafts(ctx: &Ctx, traces: &[Untrusted], set: &SetName, cancel: &Cancel) -> Result<Vec<CaseDraft>> {
    let inputs = Inputs::of(&ctx.store.eval_set(set)?.cases);
    let mut made = Vec::new();
    let mut missing = None;
    for trace in traces {
        cancel.check()?;
        match draft_with(ctx, trace.raw(), set, &inputs, &BTreeSet::new()) {
            Ok(draft) => made.push(draft),
            Err(error) if error.kind == ErrorKind::NotSo => missing = Some(error),
            Err(error) => return Err(error),
        }
    }
    match missing {
        Some(error) if made.is_empty() => Err(error),
        _ => Ok(made),
    }
}

/// One of the [`drafts`], with the inputs of the set at hand, and ids that are given away already.
pub(super) fn draft_with(
    ctx: &Ctx,
    trace: &str,
    set: &SetName,
    inputs: &Inputs,
    taken: &BTreeSet<CaseId>,
) -> Result<CaseDraft> {
    let stored = ctx.store.trace_by_id(trace)?.ok_or_else(|| {
        Error::not_so(format!("There is no trace {trace}.")).hint("List traces with `tuesday trace list`.")
    })?;
    let trace = stored.trace;
    let label = chosen(ctx.store.labels_of(&trace.id)?, ctx.reviewer.trim());
    let said = label.as_ref().map(|row| &row.body);
    let passed = said.is_some_and(|body| body.verdict == Some(Verdict::Pass));
    let body = CaseBody {
        expected: said
            .and_then(|body| body.corrected.clone())
            .or_else(|| answer(&trace.output).filter(|_| passed)),
        expected_kind: ExpectedKind::Output,
        reasoning: said.and_then(|body| body.note.clone()),
        category: guess(&trace),
        checks: Vec::new(),
        label: label.as_ref().map(|row| Untrusted::from(row.event.as_str())),
        trace: Some(trace.id.clone()),
        input: trace.input,
    };
    let id = free_id(ctx, set, &body, taken)?;
    Ok(CaseDraft {
        resembles: inputs.resembling(&body.input, Some(&id)),
        already: ctx.store.eval_case(set, &id)?.map(CaseView::from),
        from: label.map(|row| DraftLabel {
            reviewer: row.reviewer,
            verdict: row.body.verdict,
            mode: row.body.mode.map(|mode| Untrusted::from(mode.as_str())),
        }),
        set: set.clone(),
        id,
        body,
    })
}

/// The id of a case: the one that its trace has in the set, or a free one.
fn free_id(ctx: &Ctx, set: &SetName, body: &CaseBody, taken: &BTreeSet<CaseId>) -> Result<CaseId> {
    if let Some(trace) = &body.trace
        && let Some((_, id)) = ctx.store.cases_of_trace(trace.raw())?.into_iter().find(|(of, _)| of == set)
    {
        return Ok(id);
    }
    CaseId::derive_free(body.trace.as_ref(), &body.input, |id| {
        // An id with the history of another case is not free, retired or not.
        let events = ctx.store.case_history(set, id)?;
        let other = events.iter().rev().find_map(|event| event.body.as_ref());
        Ok(taken.contains(id) || other.is_some_and(|other| !same_origin(other, body)))
    })
}

/// Whether two cases were made of the same thing.
pub(super) fn same_origin(a: &CaseBody, b: &CaseBody) -> bool {
    match (&a.trace, &b.trace) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a.input == b.input,
        _ => false,
    }
}

/// The label that counts for a case: the person's own; else the newest with a corrected output; else
/// the newest.
fn chosen(mut labels: Vec<LabelRow>, me: &str) -> Option<LabelRow> {
    labels.sort_by_key(|row| (row.reviewer.raw() == me, row.body.corrected.is_some(), row.at));
    labels.pop()
}

/// The text of an answer: the text, or what the assistant said last.
pub(super) fn answer(output: &Content) -> Option<Untrusted> {
    let text = match output {
        Content::Text(text) => text.raw().to_owned(),
        Content::Messages(messages) => {
            let last = messages.iter().rev().find(|m| m.role.raw() == "assistant" && !m.content.is_null())?;
            words_of(&Content::Messages(vec![last.clone()]))
        }
    };
    crate::domain::some_text(text)
}

/// The category, where it is obvious:
///
/// 1. a tag, or `category`, `kind` or `edge_case` in the metadata, that is one of the offered words;
/// 2. `multilingual`, when `language` in the metadata is not English, or when most letters of what
///    the user wrote are not Latin;
/// 3. else `plain`.
fn guess(trace: &Trace) -> Untrusted {
    let metadata = |key: &str| trace.metadata.get(key).and_then(serde_json::Value::as_str);
    let said = trace
        .tags
        .iter()
        .map(Untrusted::raw)
        .chain(["category", "kind", "edge_case"].into_iter().filter_map(metadata));
    for word in said {
        let word = category(word);
        if word.raw() != "plain" && CATEGORIES.contains(&word.raw()) {
            return word;
        }
    }
    let foreign = metadata("language").is_some_and(|language| {
        let language = language.to_lowercase();
        !language.is_empty() && !language.starts_with("en")
    });
    let words = words_of(&trace.input);
    let (latin, other) = words.chars().filter(|c| c.is_alphabetic()).fold((0, 0), |(latin, other), c| {
        // Latin letters end with the extensions at U+024F; U+1E00 to U+1EFF are Latin with marks.
        if c <= '\u{24f}' || ('\u{1e00}'..='\u{1eff}').contains(&c) {
            (latin + 1, other)
        } else {
            (latin, other + 1)
        }
    });
    Untrusted::from(if foreign || other > latin { "multilingual" } else { "plain" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(value: serde_json::Value) -> Trace {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_category_is_guessed_only_when_it_is_obvious() {
        let guessed = |value| guess(&trace(value)).into_raw();
        let json = |value: serde_json::Value| value;
        assert_eq!(guessed(json(serde_json::json!({"input":"hi","output":""}))), "plain");
        assert_eq!(
            guessed(serde_json::json!({"input":"hi","output":"","tags":["vip","Jailbreak"]})),
            "jailbreak"
        );
        assert_eq!(
            guessed(serde_json::json!({"input":"hi","output":"","metadata":{"kind":"out of domain"}})),
            "out_of_domain"
        );
        assert_eq!(
            guessed(serde_json::json!({"input":"hi","output":"","metadata":{"kind":"balance"}})),
            "plain"
        );
        assert_eq!(
            guessed(serde_json::json!({"input":"hola","output":"","metadata":{"language":"es"}})),
            "multilingual"
        );
        assert_eq!(guessed(serde_json::json!({"input":"Où est ma carte ?","output":""})), "plain");
        assert_eq!(guessed(serde_json::json!({"input":"Где моя карта?","output":""})), "multilingual");
        assert_eq!(guessed(serde_json::json!({"input":"12345 ???","output":""})), "plain");
    }

    #[test]
    fn the_answer_is_what_the_assistant_said_last() {
        let output: Content = serde_json::from_value(serde_json::json!([
            {"role":"assistant","content":null,"tool_calls":[]},
            {"role":"tool","content":"{}"},
            {"role":"assistant","content":[{"type":"text","text":"Done."}]}
        ]))
        .unwrap();
        assert_eq!(answer(&output).unwrap().raw(), "Done.");
        assert_eq!(answer(&Content::default()), None);
    }
}
