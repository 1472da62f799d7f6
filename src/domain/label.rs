//! A label: one reviewer's verdict on one trace. Labels are append-only events; the present label is
//! what remains when the events are folded. Knows nothing of how events are kept.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Error, ModeId, Result, Untrusted};

/// What a reviewer thinks of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Good enough to stand.
    Pass,
    /// Not good enough.
    Fail,
    /// The reviewer cannot tell; somebody else should look.
    Unsure,
}

impl Verdict {
    /// All verdicts, in the order they are offered.
    pub const ALL: [Self; 3] = [Self::Pass, Self::Fail, Self::Unsure];

    /// The word for it, as stored, printed and typed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unsure => "unsure",
        }
    }

    /// The verdict that a word names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.word() == word)
    }
}

/// How bad a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A blemish.
    Low,
    /// The user is not helped.
    Medium,
    /// The user is misled or put off.
    High,
    /// The user or the business comes to harm.
    Critical,
}

impl Severity {
    /// All severities, mildest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word for it, as stored, printed and typed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity that a word names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }
}

/// What a label says. One without a verdict is a draft: a note or a corrected output written before
/// the reviewer has decided. A draft is kept like any label, but the trace counts as unreviewed. One that
/// says nothing is no label: it takes the former one away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelBody {
    /// The verdict; `None` for a draft.
    pub verdict: Option<Verdict>,
    /// The failure mode; never with a pass.
    pub mode: Option<ModeId>,
    /// How bad it is; never with a pass.
    pub severity: Option<Severity>,
    /// Why, in the reviewer's words.
    pub note: Option<Untrusted>,
    /// What the response should have been.
    pub corrected: Option<Untrusted>,
}

impl LabelBody {
    /// A label that says only this.
    pub fn verdict(verdict: Verdict) -> Self {
        Self { verdict: Some(verdict), ..Self::default() }
    }

    /// A failure of this mode.
    pub fn fail(mode: Option<ModeId>) -> Self {
        Self { verdict: Some(Verdict::Fail), mode, ..Self::default() }
    }

    /// Whether it says nothing at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Drops texts that are empty, and refuses what makes no sense: a pass that names a failure mode or
    /// a severity.
    pub fn checked(mut self) -> Result<Self> {
        self.note = self.note.filter(|text| !text.raw().trim().is_empty());
        self.corrected = self.corrected.filter(|text| !text.raw().trim().is_empty());
        if self.verdict == Some(Verdict::Pass) && self.mode.is_some() {
            return Err(Error::usage("A pass has no failure mode.")
                .hint("Label it `fail` with the mode, or `pass` without one."));
        }
        if self.verdict == Some(Verdict::Pass) && self.severity.is_some() {
            return Err(Error::usage("A pass has no severity.")
                .hint("Severity says how bad a failure is: label it `fail`, or leave the severity out."));
        }
        Ok(self)
    }
}

/// One act of a reviewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelEvent {
    /// UUID v7. Ids sort in the order of the acts.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Whose act.
    pub reviewer: Untrusted,
    /// The version of the program that recorded it.
    pub program_version: String,
    /// The trace.
    pub trace: Untrusted,
    /// The sample whose queue it was done in; `None` outside of a queue.
    pub sample: Option<String>,
    /// What was done.
    pub act: LabelAct,
}

/// What a reviewer did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum LabelAct {
    /// Gave the trace this label, in place of the one it may have had.
    Set(LabelBody),
    /// Passed over the trace for now.
    Skip,
    /// Took back an earlier act of the same reviewer.
    Undo {
        /// The event taken back.
        of: String,
    },
}

/// What the events leave for one reviewer and one trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing<'a> {
    /// The event that gave the present label, if there is one.
    pub label: Option<&'a LabelEvent>,
    /// Whether the reviewer skipped it, and that was not taken back.
    pub skipped: bool,
}

/// Folds events into what stands, by trace and reviewer. The order of the slice does not matter: events
/// are taken in the order of their ids, so that two machines that hold the same events agree.
pub fn fold(events: &[LabelEvent]) -> BTreeMap<(&Untrusted, &Untrusted), Standing<'_>> {
    let undone = undone(events);
    let mut ordered: Vec<&LabelEvent> = events.iter().collect();
    ordered.sort_by(|a, b| a.id.cmp(&b.id));
    let mut standing = BTreeMap::new();
    for event in ordered {
        if undone.contains(event.id.as_str()) {
            continue;
        }
        let of = standing
            .entry((&event.trace, &event.reviewer))
            .or_insert(Standing { label: None, skipped: false });
        match event.act {
            LabelAct::Set(ref body) => of.label = Some(event).filter(|_| !body.is_empty()),
            LabelAct::Skip => of.skipped = true,
            LabelAct::Undo { .. } => {}
        }
    }
    standing.retain(|_, s: &mut Standing<'_>| s.label.is_some() || s.skipped);
    standing
}

/// The reviewer's last act that is not undone: what an undo takes back. The store asks its index; this is
/// the plain rule that it is held to.
#[cfg(test)]
pub fn last_act<'a>(events: &'a [LabelEvent], reviewer: &Untrusted) -> Option<&'a LabelEvent> {
    let undone = undone(events);
    events
        .iter()
        .filter(|e| e.reviewer == *reviewer && !matches!(e.act, LabelAct::Undo { .. }))
        .filter(|e| !undone.contains(e.id.as_str()))
        .max_by(|a, b| a.id.cmp(&b.id))
}

/// The ids of the events that later ones took back.
pub fn undone(events: &[LabelEvent]) -> BTreeSet<&str> {
    events
        .iter()
        .filter_map(|e| match &e.act {
            LabelAct::Undo { of } => Some(of.as_str()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Set(u8, u8, u8),
        Skip(u8, u8),
        Undo(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..2u8, 0..3u8, 0..5u8).prop_map(|(who, trace, what)| Step::Set(who, trace, what)),
            1 => (0..2u8, 0..3u8).prop_map(|(who, trace)| Step::Skip(who, trace)),
            3 => (0..2u8).prop_map(Step::Undo),
        ]
    }

    fn body(what: u8) -> LabelBody {
        match what {
            0 => LabelBody::verdict(Verdict::Pass),
            1 => LabelBody::fail(Some(ModeId::new("wrong_tone"))),
            2 => LabelBody::verdict(Verdict::Unsure),
            3 => LabelBody::default(),
            _ => LabelBody { note: Some("first thoughts".into()), ..LabelBody::default() },
        }
    }

    fn event(n: usize, who: u8, trace: u8, act: LabelAct) -> LabelEvent {
        LabelEvent {
            id: format!("{n:06}"),
            at: Timestamp::UNIX_EPOCH,
            reviewer: format!("reviewer {who}").into(),
            program_version: "1".to_owned(),
            trace: format!("trace {trace}").into(),
            sample: None,
            act,
        }
    }

    proptest! {
        /// The model: every reviewer has one stack of acts; undo pops it; the present label of a trace
        /// is the topmost label on the stack that is about it; a label that says nothing is none.
        #[test]
        fn folding_is_a_stack_for_every_reviewer(
            steps in proptest::collection::vec(step(), 0..60),
            shuffle in any::<u64>(),
        ) {
            let mut stacks: [Vec<(u8, Option<u8>)>; 2] = [Vec::new(), Vec::new()];
            let mut events: Vec<LabelEvent> = Vec::new();
            for step in steps {
                let n = events.len();
                match step {
                    Step::Set(who, trace, what) => {
                        stacks[usize::from(who)].push((trace, Some(what)));
                        events.push(event(n, who, trace, LabelAct::Set(body(what))));
                    }
                    Step::Skip(who, trace) => {
                        stacks[usize::from(who)].push((trace, None));
                        events.push(event(n, who, trace, LabelAct::Skip));
                    }
                    Step::Undo(who) => {
                        let popped = stacks[usize::from(who)].pop();
                        let last = last_act(&events, &format!("reviewer {who}").into()).cloned();
                        prop_assert_eq!(popped.is_some(), last.is_some());
                        if let Some(last) = last {
                            let trace = popped.map_or(0, |(trace, _)| trace);
                            prop_assert_eq!(&last.trace, &Untrusted::from(format!("trace {trace}")));
                            events.push(event(n, who, trace, LabelAct::Undo { of: last.id }));
                        }
                    }
                }
            }
            let split = if events.is_empty() { 0 } else { (shuffle % events.len() as u64) as usize };
            events.rotate_left(split);
            let folded = fold(&events);
            for who in 0..2u8 {
                for trace in 0..3u8 {
                    let on = stacks[usize::from(who)].iter().filter(|(t, _)| *t == trace);
                    let label = on.clone().filter_map(|(_, what)| *what).next_back().map(body).filter(|b| !b.is_empty());
                    let skipped = on.clone().any(|(_, what)| what.is_none());
                    let key = (&format!("trace {trace}").into(), &format!("reviewer {who}").into());
                    let found = folded.get(&key);
                    let found_label = found.and_then(|s| s.label).map(|e| match &e.act {
                        LabelAct::Set(body) => body.clone(),
                        other => panic!("{other:?} is no label"),
                    });
                    prop_assert_eq!(found_label, label);
                    prop_assert_eq!(found.is_some_and(|s| s.skipped), skipped);
                }
            }
        }
    }

    #[test]
    fn a_pass_has_neither_mode_nor_severity() {
        let pass = LabelBody::verdict(Verdict::Pass);
        assert!(pass.clone().checked().is_ok());
        let mode = LabelBody { mode: Some(ModeId::new("wrong_tone")), ..pass.clone() };
        assert!(mode.checked().is_err());
        let severity = LabelBody { severity: Some(Severity::Low), ..pass };
        assert!(severity.checked().is_err());
    }

    #[test]
    fn blank_texts_are_no_texts() {
        let body = LabelBody { note: Some(" \n".into()), ..LabelBody::verdict(Verdict::Fail) };
        assert_eq!(body.checked().unwrap().note, None);
    }
}
