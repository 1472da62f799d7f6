//! The forms of a message: Slack's incoming webhook, Alertmanager's webhook version 4, PagerDuty's Events API
//! version 2. Figures, names and ids; names are from outside and are cut and put on one line.

use serde_json::{Map, Value, json};

use crate::domain::monitor::{Group, Message, Notice, Urgency, What};
use crate::text::clean_line;

/// Traces that a message names.
const TRACES: usize = 5;
/// PagerDuty takes so many characters of a summary.
const SUMMARY: usize = 1024;

/// `{"text": …}`, as Slack, Mattermost and Discord's /slack take it: an alert a paragraph.
pub fn slack(notice: &Notice) -> Value {
    let mut parts = Vec::new();
    if notice.alerts.len() > 1 {
        let firing = notice.alerts.iter().filter(|one| one.what != What::Resolved).count();
        let words = match (firing, notice.alerts.len() - firing) {
            (0, over) => format!("{over} resolved"),
            (firing, 0) => format!("{firing} firing"),
            (firing, over) => format!("{firing} firing, {over} resolved"),
        };
        let of = values(&notice.group);
        parts.push(format!("*{}* {words}", escape(if of.is_empty() { "all traffic" } else { &of })));
    }
    parts.extend(notice.alerts.iter().map(paragraph));
    json!({ "text": parts.join("\n\n") })
}

fn paragraph(message: &Message) -> String {
    let head = match message.what {
        What::Firing => "FIRING",
        What::Repeat => "STILL FIRING",
        What::Resolved => "RESOLVED",
        What::Test => "TEST",
    };
    let mut text = format!("*{head}* {}", escape(&name(message)));
    text.push_str(&format!("\n{}", escape(&message.summary)));
    if !message.traces.is_empty() {
        let ids: Vec<String> = message
            .traces
            .iter()
            .take(TRACES)
            .map(|id| format!("`{}`", escape(clean_line(id.raw()).as_str())))
            .collect();
        text.push_str(&format!("\ntraces: {}", ids.join(" ")));
    }
    if let Some(runbook) = &message.runbook {
        text.push_str(&format!("\nrunbook: {}", escape(runbook)));
    }
    text
}

/// `customer_support, timeout`.
fn values(group: &Group) -> String {
    let values: Vec<String> = group.values().map(|value| clean_line(value.raw()).into_string()).collect();
    values.join(", ")
}

/// Slack's three control characters; without them a name could ping a channel.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `page errors (customer_support, timeout) A-7`.
fn name(message: &Message) -> String {
    let group = values(&message.group);
    let group = if group.is_empty() { group } else { format!(" ({group})") };
    let alert = message.alert.as_ref().map_or_else(String::new, |name| format!(" {name}"));
    format!("{} {}{group}{alert}", message.severity.name(), message.rule)
}

/// Alertmanager's webhook, version 4: the alerts of a group.
pub fn alertmanager(notice: &Notice) -> Value {
    let status = |over: bool| if over { "resolved" } else { "firing" };
    let mut group_labels = Map::new();
    for (key, value) in &notice.group {
        group_labels.insert(key.clone(), json!(clean_line(value.raw()).as_str()));
    }
    let key: Vec<String> = group_labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let is_over = |message: &Message| message.what == What::Resolved;
    let each: Vec<Value> = notice
        .alerts
        .iter()
        .map(|message| {
            // The zero time of Go stands for "not yet".
            let ends =
                message.resolved_at.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |at| at.to_string());
            json!({
                "status": status(is_over(message)),
                "labels": labels(message),
                "annotations": annotations(message),
                "startsAt": message.fired_at.to_string(),
                "endsAt": ends,
                "generatorURL": "",
                "fingerprint": message.fingerprint.0.get(..16),
            })
        })
        .collect();
    json!({
        "version": "4",
        "groupKey": format!("{{}}:{{{}}}", key.join(", ")),
        "truncatedAlerts": 0,
        "status": status(notice.alerts.iter().all(is_over)),
        "receiver": "tuesday",
        "groupLabels": group_labels,
        "commonLabels": common(notice.alerts.iter().map(labels)),
        "commonAnnotations": common(notice.alerts.iter().map(annotations)),
        "externalURL": "",
        "alerts": each,
    })
}

fn labels(message: &Message) -> Map<String, Value> {
    let mut labels = Map::new();
    labels.insert("alertname".to_owned(), json!(message.rule));
    for (key, value) in &message.group {
        labels.insert(key.clone(), json!(clean_line(value.raw()).as_str()));
    }
    labels.insert("severity".to_owned(), json!(message.severity.name()));
    if message.what == What::Test {
        labels.insert("test".to_owned(), json!("true"));
    }
    labels
}

fn annotations(message: &Message) -> Map<String, Value> {
    let mut annotations = Map::new();
    annotations.insert("summary".to_owned(), json!(message.summary));
    if !message.query.is_empty() {
        annotations.insert("query".to_owned(), json!(message.query));
    }
    if let Some(runbook) = &message.runbook {
        annotations.insert("runbook_url".to_owned(), json!(runbook));
    }
    annotations
}

/// What all of these say alike.
fn common(mut all: impl Iterator<Item = Map<String, Value>>) -> Map<String, Value> {
    let mut common = all.next().unwrap_or_default();
    for one in all {
        common.retain(|key, value| one.get(key) == Some(value));
    }
    common
}

/// PagerDuty's Events API, version 2: one event, of one alert; it gathers them by their keys itself. `None` of an
/// empty notice.
pub fn pagerduty(notice: &Notice, routing_key: &str) -> Option<Value> {
    notice.alerts.first().map(|message| event(message, routing_key))
}

fn event(message: &Message, routing_key: &str) -> Value {
    let action = if message.what == What::Resolved { "resolve" } else { "trigger" };
    let severity = match (message.what, message.severity) {
        (What::Test, _) => "info",
        (_, Urgency::Page) => "critical",
        (_, Urgency::Ticket) => "warning",
    };
    let summary: String = format!("{}: {}", name(message), message.summary).chars().take(SUMMARY).collect();
    let source = message
        .group
        .get("feature")
        .map_or("tuesday".to_owned(), |name| clean_line(name.raw()).into_string());
    let slices: Vec<Value> = message
        .slices
        .iter()
        .map(|one| {
            let of: Map<String, Value> = one
                .slice
                .iter()
                .map(|(key, value)| (key.clone(), json!(clean_line(value.raw()).as_str())))
                .collect();
            json!({ "slice": of, "n": one.n, "count": one.count, "excess": one.excess })
        })
        .collect();
    let traces: Vec<&str> = message.traces.iter().take(TRACES).map(|id| id.raw()).collect();
    json!({
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": message.fingerprint.0,
        "client": "tuesday",
        "payload": {
            "summary": summary,
            "source": source,
            "severity": severity,
            "timestamp": message.fired_at.to_string(),
            "component": message.rule,
            "group": name(message),
            "class": message.rule,
            "custom_details": {
                "alert": message.alert,
                "value": message.value,
                "interval": message.interval,
                "usual": message.usual,
                "n": message.n,
                "slices": slices,
                "traces": traces,
                "query": message.query,
                "runbook": message.runbook,
                "test": message.what == What::Test,
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Untrusted;
    use crate::domain::monitor::{Group, SliceShare};

    fn message(what: What) -> Message {
        let at = "2026-03-10T02:55:00Z".parse().unwrap();
        let group = Group::from([("feature".to_owned(), Untrusted::from("support <!channel>\u{1b}[2J"))]);
        Message {
            what,
            alert: Some("A-7".into()),
            summary: "9.8 % [8.4, 11.4] of 1,512 in 24 h, usually 4.1 %".into(),
            value: Some(0.098),
            interval: Some([0.084, 0.114]),
            usual: Some(0.041),
            n: 1512,
            slices: vec![SliceShare {
                slice: vec![("prompt".into(), "support@v4".into()), ("topic".into(), "fees".into())],
                n: 260,
                count: 104,
                excess: 31.0,
                share: 0.91,
                rate_outside: 0.084,
            }],
            traces: vec!["t-1".into(), "t-2".into()],
            query: "feature:support feedback:down".into(),
            runbook: Some("runbooks/quality.toml".into()),
            resolved_at: (what == What::Resolved).then_some(at),
            ..Message::test("negative-feedback", group, Urgency::Page, at)
        }
    }

    #[test]
    fn forms_are_as_the_receivers_document_them() {
        let mut all = String::new();
        for what in [What::Firing, What::Resolved, What::Test] {
            let message = message(what);
            let notice = Notice::of(message);
            for body in [slack(&notice), alertmanager(&notice), pagerduty(&notice, "R0UT1NG").unwrap()] {
                all.push_str(&serde_json::to_string_pretty(&body).unwrap());
                all.push('\n');
            }
        }
        insta::assert_snapshot!(all);
    }

    #[test]
    fn alerts_of_a_group_are_one_message() {
        let mut notice = Notice::of(message(What::Firing));
        let other = message(What::Resolved);
        notice.add(Message { alert: Some("A-8".into()), rule: "latency".into(), ..other });
        let mut all = serde_json::to_string_pretty(&slack(&notice)).unwrap() + "\n";
        let manager = alertmanager(&notice);
        assert_eq!((&manager["status"], manager["alerts"].as_array().unwrap().len()), (&json!("firing"), 2));
        all.push_str(&serde_json::to_string_pretty(&manager).unwrap());
        insta::assert_snapshot!(all);
    }

    #[test]
    fn what_others_named_neither_pings_a_channel_nor_moves_a_cursor() {
        let body = slack(&Notice::of(message(What::Firing))).to_string();
        assert!(!body.contains("<!channel>") && !body.contains("\\u001b"), "{body}");
    }
}
