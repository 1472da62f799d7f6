//! Promotion of traces into eval sets, and all that a person does with the sets.
//!
//! A change is first durable in the store and then written to the set's file, `evals/<set>.jsonl`
//! in the team's repository, when a directory is in force ([`Ctx::evals_dir`](super::Ctx)). The
//! store is the truth; the file is for git and for editing by hand. What a person changed in the
//! file is taken back before the file is written again, so that nobody's words are overwritten:
//! see [`mod@files`].
//!
//! To add a field of a case: `domain::CaseBody`, the line in `wire/write` and `wire/read`, the
//! comparison in `domain::eval_merge`.

mod draft;
mod duplicates;
mod files;
mod import;
mod save;
mod sets;
mod view;

pub use draft::{CaseDraft, drafts};
#[cfg(test)]
pub use duplicates::NEAR;
pub use duplicates::Resembles;
pub use files::{FileReport, Taken, take_edits};
pub use import::{ImportReport, ImportRequest, import};
pub use save::{
    CaseFields, Outcome, PromoteReport, PromoteRequest, SaveReport, edit, promote, restore, retire,
};
pub use sets::{cases, export, list, show, show_case, usual_set};
pub use view::{CaseHistoryView, CaseLineView, CaseListView, CaseView, EvalSetRowView};

#[cfg(test)]
mod tests;
