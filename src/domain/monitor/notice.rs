//! One message to a receiver: of one alert, or of several of a group that came together.
//!
//! The words and their usual lengths are those of Prometheus' Alertmanager: `group_wait`, `group_interval`.

use serde::{Deserialize, Serialize};

use super::{Group, MINUTE_MS, Message, What};

/// How alerts of a group are gathered into messages. Those of one feature are a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grouping {
    /// How long the first message of a group waits for others of it, in milliseconds.
    pub wait: i64,
    /// How long after a message of a group the next one is sent, at the earliest, in milliseconds.
    pub interval: i64,
}

impl Default for Grouping {
    fn default() -> Self {
        Self { wait: 30_000, interval: 5 * MINUTE_MS }
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// What its alerts share: the feature.
    pub group: Group,
    /// What is said of each alert; at least one.
    pub alerts: Vec<Message>,
}

impl Notice {
    /// A message of one alert, in the group of its feature.
    pub fn of(message: Message) -> Self {
        Self { group: feature_of(&message.group), alerts: vec![message] }
    }

    /// Says one more thing: of an alert that it speaks of already the newer word counts. What was raised and is
    /// over before anybody was told is not told at all.
    pub fn add(&mut self, message: Message) {
        let known = self.alerts.iter().position(|one| one.alert == message.alert);
        match known.map(|at| (at, self.alerts[at].what, message.what)) {
            None => self.alerts.push(message),
            Some((at, What::Firing, What::Resolved)) => drop(self.alerts.remove(at)),
            Some((_, What::Firing, What::Repeat)) => {}
            Some((at, ..)) => self.alerts[at] = message,
        }
    }

    /// The most urgent thing first: what fires before what is over, pages before tickets, old before new.
    pub fn sorted(mut self) -> Self {
        self.alerts.sort_by(|a, b| {
            let over = |one: &Message| one.what == What::Resolved;
            (over(a).cmp(&over(b))).then(b.severity.cmp(&a.severity)).then(a.fired_at.cmp(&b.fired_at))
        });
        self
    }
}

/// The group of a notice: the feature, where an alert has one.
pub fn feature_of(group: &Group) -> Group {
    group.iter().filter(|(name, _)| *name == "feature").map(|(name, of)| (name.clone(), of.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::monitor::Urgency;

    fn message(alert: &str, what: What, severity: Urgency) -> Message {
        let at = "2026-03-10T02:55:00Z".parse().unwrap();
        Message { what, alert: Some(alert.into()), ..Message::test("errors", Group::new(), severity, at) }
    }

    fn said(notice: &Notice) -> Vec<(&str, What)> {
        notice.alerts.iter().map(|one| (one.alert.as_deref().unwrap(), one.what)).collect()
    }

    #[test]
    fn of_one_alert_the_newest_word_counts_and_what_nobody_heard_of_is_not_over() {
        let page = |alert, what| message(alert, what, Urgency::Page);
        let mut notice = Notice::of(page("A-1", What::Firing));
        notice.add(page("A-2", What::Firing));
        notice.add(page("A-1", What::Repeat));
        assert_eq!(said(&notice), [("A-1", What::Firing), ("A-2", What::Firing)]);
        notice.add(page("A-1", What::Resolved));
        assert_eq!(said(&notice), [("A-2", What::Firing)]);
        let mut repeat = Notice::of(page("A-1", What::Repeat));
        repeat.add(page("A-1", What::Resolved));
        assert_eq!(said(&repeat), [("A-1", What::Resolved)]);
    }

    #[test]
    fn what_is_most_urgent_stands_first() {
        let mut notice = Notice::of(message("A-1", What::Resolved, Urgency::Page));
        notice.add(message("A-2", What::Firing, Urgency::Ticket));
        notice.add(message("A-3", What::Firing, Urgency::Page));
        let sorted = notice.sorted();
        let names: Vec<&str> = said(&sorted).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["A-3", "A-2", "A-1"]);
    }
}
