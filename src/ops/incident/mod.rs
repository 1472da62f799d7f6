//! Incidents: open, see, act, take figures, tell the story.
//!
//! Every act goes through [`act()`]: what may happen is the step machine's to say
//! ([`Incident::handle`](crate::domain::incident::Incident::handle)). To add an act, add it there; a face
//! then only has to make it.

mod act;
mod figures;
mod head;
mod header;
mod links;
mod list;
mod markdown;
mod postmortem;
mod replay;
pub mod step;
#[cfg(test)]
mod tests;
mod update;
mod view;

pub use crate::domain::incident::Act;
pub use act::{OpenRequest, act, acts, attach, attach_to_open, open};
pub use figures::{FiguresNow, FiguresRequest, TallyWords, close, figures_now, keep_figures};
pub use header::{Header, header, header_of};
pub use list::{IncidentLine, list, of_trace};
pub use postmortem::{Configured, Form, Place, PostmortemView, postmortem, postmortem_page, save_postmortem};
pub use replay::{ReplayAsk, ReplayView, replay, replay_targets};
pub use update::{draft_update, update};
pub use view::{ActingState, IncidentView, LineView, PhaseState, PhaseView, StepView, show};
