//! The state of monitors, alerts and silences.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::outbox::{Outgoing, post};
use super::{group_text, instant, json, text};
use crate::domain::monitor::{Alert, Evidence, Group, Life, Silence, Urgency, alert_name};
use crate::domain::{Error, Result};
use crate::store::ids::new_id;
use crate::store::open::Store;

/// An alert to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAlert {
    /// The rule.
    pub rule: String,
    /// The group.
    pub group: Group,
    /// How urgent.
    pub severity: Urgency,
    /// When it was raised.
    pub fired_at: Timestamp,
    /// When it was over, where it is already.
    pub resolved_at: Option<Timestamp>,
    /// What it stands on.
    pub evidence: Evidence,
}

/// What a pass over the rules found, kept as one.
#[derive(Debug, Clone, Default)]
pub struct PassWrite {
    /// The state of each rule on each group.
    pub lives: Vec<(String, Group, Life)>,
    /// Alerts that were raised.
    pub fired: Vec<NewAlert>,
    /// Rules and groups whose alert is over, and since when.
    pub resolved: Vec<(String, Group, Timestamp)>,
    /// Rules and groups that are watched no longer: their state is forgotten.
    pub gone: Vec<(String, Group)>,
}

const ALERT: &str = "number, id, rule, grp, severity, fired_at, resolved_at, evidence, incident";

impl Store {
    /// The state of each rule on each group.
    pub fn monitor_lives(&self) -> Result<Vec<(String, Group, Life)>> {
        self.read(|db| {
            db.prepare_cached("SELECT rule, grp, body FROM work.monitor_life")?
                .query_map([], |row| Ok((row.get(0)?, json(row, 1)?, json(row, 2)?)))?
                .collect()
        })
    }

    /// Keeps what a pass found, with what is to be told of it: `tell` says that of each alert that was raised
    /// (`true`) or is over. All of it or nothing. Gives the alerts that changed,
    /// and the numbers of the messages.
    pub fn keep_pass(
        &self,
        pass: &PassWrite,
        now: Timestamp,
        mut tell: impl FnMut(&Alert, bool) -> Vec<Outgoing>,
    ) -> Result<(Vec<Alert>, BTreeSet<i64>)> {
        self.write_work(|tx| {
            let mut messages = BTreeSet::new();
            let sql = |e| self.explain_work(e);
            for (rule, group, life) in &pass.lives {
                let values = params![rule, group_text(group)?, text(life)?];
                tx.prepare_cached("INSERT OR REPLACE INTO monitor_life(rule, grp, body) VALUES (?, ?, ?)")
                    .and_then(|mut put| put.execute(values))
                    .map_err(sql)?;
            }
            for (rule, group) in &pass.gone {
                tx.execute(
                    "DELETE FROM monitor_life WHERE rule = ? AND grp = ?",
                    [rule, &group_text(group)?],
                )
                .map_err(sql)?;
            }
            let mut changed = Vec::new();
            for (rule, group, at) in &pass.resolved {
                let out = out(tx, rule, &group_text(group)?).map_err(sql)?;
                let Some(mut alert) = out else { continue };
                alert.resolved_at = Some(*at);
                tx.execute(
                    "UPDATE alert SET resolved_at = ? WHERE number = ?",
                    params![at.as_millisecond(), alert.number],
                )
                .map_err(sql)?;
                for message in tell(&alert, false) {
                    messages.extend(post(tx, &message, now).map_err(sql)?);
                }
                changed.push(alert);
            }
            for new in &pass.fired {
                let group = group_text(&new.group)?;
                if new.resolved_at.is_none() && out(tx, &new.rule, &group).map_err(sql)?.is_some() {
                    // Another program raised it meanwhile.
                    continue;
                }
                let alert = insert(tx, new, &group, &text(&new.evidence)?).map_err(sql)?;
                if alert.resolved_at.is_none() {
                    for message in tell(&alert, true) {
                        messages.extend(post(tx, &message, now).map_err(sql)?);
                    }
                }
                changed.push(alert);
            }
            Ok((changed, messages))
        })
    }

    /// Alerts, newest first: those that are out, or all of the last so many.
    pub fn alerts(&self, out_only: bool, most: usize) -> Result<Vec<Alert>> {
        self.read(|db| {
            let only = if out_only { "WHERE resolved_at IS NULL" } else { "" };
            db.prepare_cached(&format!(
                "SELECT {ALERT} FROM work.alert {only} ORDER BY resolved_at IS NOT NULL, number DESC LIMIT ?"
            ))?
            .query_map([most.cast_signed()], alert_row)?
            .collect()
        })
    }

    /// The alert of this number. `NotSo` when there is none.
    pub fn alert(&self, number: i64) -> Result<Alert> {
        let found = self.read(|db| {
            db.prepare_cached(&format!("SELECT {ALERT} FROM work.alert WHERE number = ?"))?
                .query_row([number], alert_row)
                .optional()
        })?;
        found.ok_or_else(|| {
            Error::not_so(format!("There is no alert {}.", alert_name(number)))
                .hint("`tuesday alert list` shows them.")
        })
    }

    /// Notes which incident was opened for an alert.
    pub fn alert_has_incident(&self, number: i64, incident: &str) -> Result<()> {
        self.write_work(|tx| {
            tx.execute("UPDATE alert SET incident = ? WHERE number = ?", params![incident, number])
                .map_err(|e| self.explain_work(e))?;
            Ok(())
        })
    }

    /// Keeps a silence; its number is given here.
    pub fn add_silence(&self, silence: &Silence) -> Result<Silence> {
        self.write_work(|tx| {
            tx.execute(
                "INSERT INTO alert_silence(rule, grp, reason, \"by\", since, until) VALUES (?, ?, ?, ?, ?, ?)",
                params![
                    silence.rule,
                    group_text(&silence.group)?,
                    silence.reason.raw(),
                    silence.by.raw(),
                    silence.from.as_millisecond(),
                    silence.until.as_millisecond()
                ],
            )
            .map_err(|e| self.explain_work(e))?;
            Ok(Silence { number: tx.last_insert_rowid(), ..silence.clone() })
        })
    }

    /// Silences that are not over at this time.
    pub fn silences(&self, now: Timestamp) -> Result<Vec<Silence>> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT number, rule, grp, reason, \"by\", since, until FROM work.alert_silence WHERE until > ? \
                 ORDER BY number",
            )?
            .query_map([now.as_millisecond()], |row| {
                Ok(Silence {
                    number: row.get(0)?,
                    rule: row.get(1)?,
                    group: json(row, 2)?,
                    reason: row.get::<_, String>(3)?.into(),
                    by: row.get::<_, String>(4)?.into(),
                    from: instant(row.get(5)?),
                    until: instant(row.get(6)?),
                })
            })?
            .collect()
        })
    }
}

/// The alert of a rule on a group that is out.
fn out(tx: &Transaction<'_>, rule: &str, group: &str) -> rusqlite::Result<Option<Alert>> {
    tx.prepare_cached(&format!(
        "SELECT {ALERT} FROM alert WHERE rule = ? AND grp = ? AND resolved_at IS NULL"
    ))?
    .query_row([rule, group], alert_row)
    .optional()
}

fn insert(tx: &Transaction<'_>, new: &NewAlert, group: &str, evidence: &str) -> rusqlite::Result<Alert> {
    let last: Option<String> = tx.query_row("SELECT max(id) FROM alert", [], |row| row.get(0))?;
    let id = new_id(new.fired_at, last.as_deref());
    tx.execute(
        "INSERT INTO alert(id, rule, grp, severity, fired_at, resolved_at, evidence) VALUES (?, ?, ?, ?, ?, ?, ?)",
        params![
            id,
            new.rule,
            group,
            new.severity.name(),
            new.fired_at.as_millisecond(),
            new.resolved_at.map(Timestamp::as_millisecond),
            evidence
        ],
    )?;
    Ok(Alert {
        id,
        number: tx.last_insert_rowid(),
        rule: new.rule.clone(),
        group: new.group.clone(),
        severity: new.severity,
        fired_at: new.fired_at,
        resolved_at: new.resolved_at,
        evidence: new.evidence.clone(),
        incident: None,
    })
}

fn alert_row(row: &Row<'_>) -> rusqlite::Result<Alert> {
    let severity = row.get_ref(4)?.as_str()?;
    Ok(Alert {
        number: row.get(0)?,
        id: row.get(1)?,
        rule: row.get(2)?,
        group: json::<Group>(row, 3)?,
        severity: if severity == Urgency::Page.name() { Urgency::Page } else { Urgency::Ticket },
        fired_at: instant(row.get(5)?),
        resolved_at: row.get::<_, Option<i64>>(6)?.map(instant),
        evidence: json::<Evidence>(row, 7)?,
        incident: row.get(8)?,
    })
}
