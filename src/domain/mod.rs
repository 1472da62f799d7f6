//! The product's words as types and rules. Pure: no IO, no clock, no SQL, no terminal.
//!
//! One file a word. Text that came from outside (a model, a user, a file) is [`Untrusted`] here and
//! becomes printable only through `text::clean`.

mod check;
mod commit;
mod content;
pub mod drill;
mod error;
mod eval;
mod eval_merge;
mod evaluate;
pub mod gate;
pub mod incident;
mod judge_sample;
mod judged;
mod key_order;
pub mod label;
mod language;
pub mod monitor;
pub mod prompt;
pub mod query;
mod run;
pub mod runbook;
pub mod sample;
pub mod switch;
mod target;
pub mod taxonomy;
mod trace;
mod trace_check;
mod trace_read;
mod trace_row;
mod untrusted;

pub use check::{Check, kinds as check_kinds};
pub use commit::Commit;
pub use error::{Error, ErrorKind, Result};
pub use eval::{
    CATEGORIES, CaseBody, CaseEvent, CaseEventKind, CaseId, EvalCase, EvalSet, ExpectedKind, SetName,
    category, some_text,
};
pub use eval_merge::{CaseConflict, FileCase, Kept, Merge, merge};
pub use evaluate::{Assessment, Evaluator, Outcome, Score, Subject};
pub use judge_sample::JudgeSample;
pub use judged::{Judge, JudgeWord, Says, Verdicts, judges_changed, speaking};
pub use label::{LabelAct, LabelBody, LabelEvent, Severity, Verdict};
pub use language::{TraceLanguage, stated_language};
pub use query::{Query, QueryError, nearest};
pub use run::{Answered, CaseResult, Run, RunHead, RunName};
pub use sample::{Dimension, Member, Method, Sample, SampleRule};
pub use target::{
    Answer, Ask, AskError, AskErrorKind, EmbedderSpec, EvalConfig, HttpSpec, ModelSpec, Price, TargetKind,
    TargetLimits, TargetSpec,
};
pub use taxonomy::{FailureMode, ModeId, Origin, Taxonomy, TaxonomyChange, TaxonomyEvent};
pub use trace::{
    ChatMessage, Content, FailureKind, Feedback, FeedbackKind, FunctionCall, Span, Status, Thumbs, ToolCall,
    Trace,
};
pub use trace_check::{AHEAD, DEEPEST, HIGHEST_COST, LONGEST_MS, LONGEST_NAME, MOST_TOKENS, Oddity};
pub use trace_row::TraceRow;
pub use untrusted::Untrusted;
