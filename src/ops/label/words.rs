//! What was done to a label, in words: for the status line, the receipts and the history.

use crate::domain::{LabelAct, LabelBody, LabelEvent, ModeId, Taxonomy, Untrusted};

/// `fail: wrong tone, high`, `pass`, `a note and a corrected output` (for a draft).
pub(in crate::ops) fn body_words(body: &LabelBody, taxonomy: &Taxonomy) -> Untrusted {
    let Some(verdict) = body.verdict else {
        return match (&body.note, &body.corrected) {
            (Some(_), Some(_)) => "a note and a corrected output",
            (Some(_), None) => "a note",
            (None, Some(_)) => "a corrected output",
            (None, None) if body.mode.is_some() || body.severity.is_some() => "a draft",
            (None, None) => "no label",
        }
        .into();
    };
    let mut text = verdict.word().to_owned();
    if let Some(mode) = &body.mode {
        text.push_str(": ");
        text.push_str(mode_name(mode, taxonomy));
    }
    if let Some(severity) = body.severity {
        text.push_str(", ");
        text.push_str(severity.word());
    }
    text.into()
}

/// What an event did, on its own.
pub(in crate::ops) fn act_words(event: &LabelEvent, taxonomy: &Taxonomy) -> Untrusted {
    match &event.act {
        LabelAct::Set(body) => body_words(body, taxonomy),
        LabelAct::Skip => "skipped".into(),
        LabelAct::Undo { .. } => "took it back".into(),
    }
}

/// What setting a label did: the label as it is now and, where only what stands beside the verdict was
/// changed, that too, for the verdict alone would look like the act before.
pub(super) fn set_words(before: Option<&LabelBody>, now: &LabelBody, taxonomy: &Taxonomy) -> Untrusted {
    let words = body_words(now, taxonomy);
    let same = |before: &&LabelBody| {
        before.verdict.is_some()
            && (before.verdict, &before.mode, before.severity) == (now.verdict, &now.mode, now.severity)
    };
    let Some(before) = before.filter(same) else { return words };
    let mut text = words.into_raw();
    for (was, is, what) in
        [(&before.note, &now.note, "note"), (&before.corrected, &now.corrected, "corrected output")]
    {
        match is {
            _ if was == is => {}
            Some(_) => text.push_str(&format!(", with a {what}")),
            None => text.push_str(&format!(", without its {what}")),
        }
    }
    text.into()
}

/// What an undo took away, given what stands without it: only the part that differs.
pub(super) fn undone_words(undone: &LabelEvent, now: Option<&LabelBody>, taxonomy: &Taxonomy) -> Untrusted {
    let (LabelAct::Set(was), Some(now)) = (&undone.act, now) else { return act_words(undone, taxonomy) };
    if (was.verdict, &was.mode) != (now.verdict, &now.mode) {
        return body_words(was, taxonomy);
    }
    let mut parts = Vec::new();
    if was.severity != now.severity {
        parts.push(match was.severity {
            Some(severity) => format!("severity {}", severity.word()),
            None => "taking away the severity".to_owned(),
        });
    }
    for (was, now, what) in
        [(&was.note, &now.note, "note"), (&was.corrected, &now.corrected, "corrected output")]
    {
        match (was, now) {
            (was, now) if was == now => {}
            (Some(_), None) => parts.push(format!("the {what}")),
            (Some(_), Some(_)) => parts.push(format!("the change of the {what}")),
            (None, _) => parts.push(format!("taking away the {what}")),
        }
    }
    if parts.is_empty() { body_words(was, taxonomy) } else { parts.join(" and ").into() }
}

/// The name of a mode; its id when another machine's mode is not known here.
fn mode_name<'a>(id: &'a ModeId, taxonomy: &'a Taxonomy) -> &'a str {
    taxonomy.get(id).map_or(id.as_str(), |mode| mode.name.raw())
}
