//! The demo store: 28 days of a fictional bank's support bot, ending now, the same for the same seed.
//!
//! `calendar` says how much happens when; `session` decides who asks what and what becomes of each
//! answer (the hidden truth); `question`, `answer` and `summary` put words to it from the templates in
//! `fixtures/demo`; `dialog` makes traces of it. To add topics, edit the templates: see `book`.

mod answer;
mod book;
mod calendar;
mod case;
mod dialog;
mod dice;
mod feedback;
mod figures;
mod live;
mod make;
mod phrase;
mod question;
mod runs;
mod session;
mod summary;
mod team;
mod tools;
mod truth;
mod user;
mod words;
mod work;

#[cfg(test)]
mod in_store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::Trace;
use calendar::{Calendar, HOURS};
pub use dice::Dice;
pub use live::{Fault, HISTORY_HOURS, Live, Served, by_rules, history};
pub use make::{DemoView, discard, make, place};
pub use team::{folder as team_folder, write as write_team};
pub use truth::{Cause, Truth, Verdict, Version};
#[cfg(test)]
pub use truth::{Kind, Mode};

/// What to make.
#[derive(Debug, Clone, Copy)]
pub struct DemoSpec {
    /// How many traces.
    pub traces: u64,
    /// Same seed, same time, same demo.
    pub seed: u64,
    /// The time at which it ends.
    pub now: Timestamp,
}

impl DemoSpec {
    /// The time at which it begins.
    pub fn from(&self) -> Timestamp {
        let start = Calendar::new(self.now, self.traces).hour_start_ms(0);
        Timestamp::from_millisecond(start).unwrap_or(self.now)
    }
}

/// Makes the traces of the demo, oldest first, an hour at a time: memory does not grow with their number.
pub struct Generator {
    spec: DemoSpec,
    calendar: Calendar,
    next_hour: u64,
    /// Made and not yet due, by time and place.
    made: BTreeMap<(i64, u64, usize), (Trace, Truth)>,
    due_until: i64,
}

impl Generator {
    /// Starts at the beginning of the 28 days.
    pub fn new(spec: DemoSpec) -> Self {
        let calendar = Calendar::new(spec.now, spec.traces);
        Self { spec, calendar, next_hour: 0, made: BTreeMap::new(), due_until: i64::MIN }
    }

    /// What was planted in the trace with this id; `None` for a trace that is not of this demo.
    pub fn truth(&self, id: &str) -> Option<Truth> {
        let (session, turn) = self.planned(id)?;
        Some(session.turns[turn].truth)
    }

    /// What a reviewer would need to know to judge the trace with this id.
    fn facts(&self, id: &str) -> Option<dialog::Facts> {
        let (session, turn) = self.planned(id)?;
        Some(dialog::facts(session, turn, self.spec.seed, &self.calendar))
    }

    /// What a version of the prompt answers where the trace with this id stands, with the judge's word.
    fn answered_by(&self, id: &str, version: truth::Version) -> Option<(Trace, feedback::Judgement)> {
        let (session, turn) = self.planned(id)?;
        Some(dialog::answered_by(session, turn, version, self.spec.seed, &self.calendar))
    }

    /// The conversation in which a trace stands, and its turn.
    fn planned(&self, id: &str) -> Option<(session::Session, usize)> {
        let (hour, place, turn) = session::place_of(self.spec.seed, id)?;
        if hour >= HOURS {
            return None;
        }
        let sessions = session::sessions_of(&self.calendar, self.spec.seed, hour);
        let session = sessions.into_iter().find(|s| s.place == place)?;
        (turn < session.turns.len()).then_some((session, turn))
    }
}

impl Iterator for Generator {
    type Item = (Trace, Truth);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(first) = self.made.first_entry()
                && (first.key().0 < self.due_until || self.next_hour == HOURS)
            {
                return Some(first.remove());
            }
            if self.next_hour == HOURS {
                return None;
            }
            let hour = self.next_hour;
            for session in session::sessions_of(&self.calendar, self.spec.seed, hour) {
                let traces = dialog::traces(&session, self.spec.seed, &self.calendar);
                for (turn, (planned, made)) in session.turns.iter().zip(traces).enumerate() {
                    self.made.insert((planned.at_ms, session.place, turn), made);
                }
            }
            self.next_hour += 1;
            // Later hours cannot begin before they begin.
            self.due_until = self.calendar.hour_start_ms(self.next_hour);
        }
    }
}
