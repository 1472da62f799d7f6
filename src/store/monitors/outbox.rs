//! The outbox: what is to be told to whom, kept before it is sent; and the lease of the one who watches.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{instant, json};
use crate::domain::monitor::{
    Delivery, Grouping, MINUTE_MS, Message, Notice, RETRY_MINUTES, What, alert_name,
};
use crate::domain::{Result, Untrusted};
use crate::store::open::Store;

/// What is to be told of an alert to one receiver.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// `alert.number`; `None` of a test.
    pub alert: Option<i64>,
    /// The receiver's name.
    pub receiver: String,
    /// The receiver's kind.
    pub kind: &'static str,
    /// What is told to a receiver of one group is one message, as far as it comes together.
    pub group: String,
    /// How it is gathered with others of its group.
    pub grouping: Grouping,
    /// What is said.
    pub message: Message,
}

/// A message that is due.
#[derive(Debug, Clone, PartialEq)]
pub struct Toll {
    /// Its number in the outbox.
    pub seq: i64,
    /// The receiver's name.
    pub receiver: String,
    /// What is said.
    pub notice: Notice,
}

/// A message and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// Its number in the outbox.
    pub seq: i64,
    /// The receiver's name.
    pub receiver: String,
    /// The receiver's kind.
    pub kind: String,
    /// Why it is sent.
    pub what: What,
    /// How it stands.
    pub state: Delivery,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was written.
    pub at: Timestamp,
    /// When it was settled.
    pub ended_at: Option<Timestamp>,
    /// The HTTP status or exit code of the last answer.
    pub status: Option<i64>,
    /// Its first words, or why there was none.
    pub answer: Option<Untrusted>,
}

/// The columns of [`sent_row`]: of a whole message (`o`), or of what it says of one alert (`a`).
fn sent_columns(of: char) -> String {
    format!(
        "o.seq, o.receiver, o.kind, {of}.what, o.state, o.attempts, {of}.at, o.ended_at, o.status, o.answer"
    )
}

/// Puts what is to be told into the outbox: into the message of its group that waits and was not tried yet, or
/// into a new one. Gives the message's number; `None` where there is nothing left to be told.
pub(super) fn post(tx: &Transaction<'_>, out: &Outgoing, now: Timestamp) -> rusqlite::Result<Option<i64>> {
    let waiting: Option<(i64, Notice)> = tx
        .prepare_cached(
            "SELECT seq, message FROM outbox WHERE receiver = ? AND grp = ? AND state = 'waiting' AND attempts = 0 \
             AND what <> 'test'",
        )?
        .query_row([&out.receiver, &out.group], |row| Ok((row.get(0)?, json(row, 1)?)))
        .optional()?;
    let (seq, notice) = match waiting {
        Some((seq, mut notice)) => {
            notice.add(out.message.clone());
            (seq, notice)
        }
        None => (insert(tx, out, due(tx, out, now)?, now)?, Notice::of(out.message.clone())),
    };
    rewrite(tx, seq, notice, out.alert, now)
}

/// When a new message of a group may be sent.
fn due(tx: &Transaction<'_>, out: &Outgoing, now: Timestamp) -> rusqlite::Result<i64> {
    let last: Option<i64> = tx
        .prepare_cached(
            // One that is tried again was told, or nearly, when it was tried last.
            "SELECT max(min(due_at, ?3)) FROM outbox WHERE receiver = ?1 AND grp = ?2 AND what <> 'test'",
        )?
        .query_row(params![out.receiver, out.group, now.as_millisecond()], |row| row.get(0))?;
    let first = now.as_millisecond() + out.grouping.wait;
    Ok(last.map_or(first, |last| first.max(last + out.grouping.interval)))
}

fn insert(tx: &Transaction<'_>, out: &Outgoing, due: i64, now: Timestamp) -> rusqlite::Result<i64> {
    tx.execute(
        "INSERT INTO outbox(rule, receiver, kind, grp, what, message, state, attempts, due_at, at) \
         VALUES (?, ?, ?, ?, ?, ?, 'waiting', 0, ?, ?)",
        params![
            out.message.rule,
            out.receiver,
            out.kind,
            out.group,
            out.message.what.name(),
            notice_text(&Notice::of(out.message.clone()))?,
            due,
            now.as_millisecond()
        ],
    )?;
    Ok(tx.last_insert_rowid())
}

fn notice_text(notice: &Notice) -> rusqlite::Result<String> {
    serde_json::to_string(notice).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
}

/// Writes what a waiting message says now; of an alert of which it says nothing more, it was not told. A message that
/// says nothing is taken out.
fn rewrite(
    tx: &Transaction<'_>,
    seq: i64,
    notice: Notice,
    alert: Option<i64>,
    now: Timestamp,
) -> rusqlite::Result<Option<i64>> {
    let notice = notice.sorted();
    if let Some(number) = alert {
        let name = alert_name(number);
        match notice.alerts.iter().find(|one| one.alert.as_deref() == Some(name.as_str())) {
            Some(message) => tx.execute(
                "INSERT OR REPLACE INTO outbox_alert(alert, seq, what, at) VALUES (?, ?, ?, ?)",
                params![number, seq, message.what.name(), now.as_millisecond()],
            )?,
            None => tx.execute("DELETE FROM outbox_alert WHERE alert = ? AND seq = ?", [number, seq])?,
        };
    }
    let Some(first) = notice.alerts.first() else {
        tx.execute("DELETE FROM outbox WHERE seq = ?", [seq])?;
        return Ok(None);
    };
    tx.execute(
        "UPDATE outbox SET message = ?, rule = ?, what = ? WHERE seq = ?",
        params![notice_text(&notice)?, first.rule, first.what.name(), seq],
    )?;
    Ok(Some(seq))
}

impl Store {
    /// Puts messages into the outbox; gives their numbers.
    pub fn post(&self, messages: &[Outgoing], now: Timestamp) -> Result<Vec<i64>> {
        self.write_work(|tx| {
            let put = |one: &Outgoing| post(tx, one, now).map_err(|e| self.explain_work(e));
            messages.iter().filter_map(|one| put(one).transpose()).collect()
        })
    }

    /// Takes out of the messages that were not tried yet what they say of these alerts being out.
    pub fn withdraw(&self, alerts: &[i64], now: Timestamp) -> Result<()> {
        const WAITING: &str = "SELECT o.seq, o.message, a.alert FROM work.outbox o JOIN work.outbox_alert a USING (seq) \
             WHERE o.state = 'waiting' AND o.attempts = 0 AND a.what <> 'resolved' \
             AND a.alert IN (SELECT value FROM json_each(?)) LIMIT 1";
        let numbers = serde_json::Value::from(alerts).to_string();
        let any = self.read(|db| db.prepare_cached(WAITING)?.query_row([&numbers], |_| Ok(())).optional())?;
        if any.is_none() {
            return Ok(());
        }
        self.write_work(|tx| {
            let withdraw = || -> rusqlite::Result<()> {
                let mut find = tx.prepare_cached(&WAITING.replace("work.", ""))?;
                let mut next = || {
                    let row =
                        |row: &Row<'_>| Ok((row.get(0)?, json::<Notice>(row, 1)?, row.get::<_, i64>(2)?));
                    find.query_row([&numbers], row).optional()
                };
                while let Some((seq, mut notice, alert)) = next()? {
                    let name = alert_name(alert);
                    notice.alerts.retain(|one| one.alert.as_deref() != Some(name.as_str()));
                    rewrite(tx, seq, notice, Some(alert), now)?;
                }
                Ok(())
            };
            withdraw().map_err(|e| self.explain_work(e))
        })
    }

    /// Puts messages into the outbox that the caller sends itself, at once, each alone.
    pub fn post_taken(&self, messages: &[Outgoing], now: Timestamp) -> Result<Vec<Toll>> {
        self.write_work(|tx| {
            let take = |one: &Outgoing| -> rusqlite::Result<Toll> {
                let seq = insert(tx, one, now.as_millisecond(), now)?;
                tx.execute("UPDATE outbox SET state = 'sending', attempts = 1 WHERE seq = ?", [seq])?;
                Ok(Toll { seq, receiver: one.receiver.clone(), notice: Notice::of(one.message.clone()) })
            };
            messages.iter().map(|one| take(one).map_err(|e| self.explain_work(e))).collect()
        })
    }

    /// Takes what is due, oldest first, to send it; of what was not tried yet, what is due so many milliseconds
    /// later too. What is taken is marked as being sent before this returns, so that a program that ends in the
    /// middle does not send it twice.
    pub fn take_due(&self, now: Timestamp, ahead: i64) -> Result<Vec<Toll>> {
        const DUE: &str = "state = 'waiting' AND due_at <= ?1 + (CASE attempts WHEN 0 THEN ?2 ELSE 0 END)";
        let ms = now.as_millisecond();
        let due = self.read(|db| {
            db.prepare_cached(&format!("SELECT 1 FROM work.outbox WHERE {DUE} LIMIT 1"))?
                .query_row([ms, ahead], |_| Ok(()))
                .optional()
        })?;
        if due.is_none() {
            return Ok(Vec::new());
        }
        self.write_work(|tx| {
            let take = || -> rusqlite::Result<Vec<Toll>> {
                let due: Vec<Toll> = tx
                    .prepare_cached(&format!("SELECT seq, receiver, message FROM outbox WHERE {DUE} ORDER BY seq"))?
                    .query_map([ms, ahead], |row| {
                        Ok(Toll { seq: row.get(0)?, receiver: row.get(1)?, notice: json(row, 2)? })
                    })?
                    .collect::<rusqlite::Result<_>>()?;
                for toll in &due {
                    tx.execute(
                        "UPDATE outbox SET state = 'sending', attempts = attempts + 1, due_at = ? WHERE seq = ?",
                        params![ms, toll.seq],
                    )?;
                }
                Ok(due)
            };
            take().map_err(|e| self.explain_work(e))
        })
    }

    /// The receiver took a message, or will not: `again` sends it later, until it was tried often enough.
    pub fn settle(
        &self,
        seq: i64,
        state: Delivery,
        answer: (Option<i64>, &str),
        now: Timestamp,
    ) -> Result<Delivery> {
        let ms = now.as_millisecond();
        self.write_work(|tx| {
            let settle = || -> rusqlite::Result<Delivery> {
                let tried: i64 = tx.query_row("SELECT attempts FROM outbox WHERE seq = ?", [seq], |row| row.get(0))?;
                let wait = usize::try_from(tried - 1).ok().and_then(|at| RETRY_MINUTES.get(at));
                let state = match (state, wait) {
                    (Delivery::Waiting, None) => Delivery::Failed,
                    (state, _) => state,
                };
                let again = if state == Delivery::Waiting { wait.map(|minutes| ms + minutes * MINUTE_MS) } else { None };
                tx.execute(
                    "UPDATE outbox SET state = ?, due_at = ifnull(?, due_at), ended_at = ?, status = ?, answer = ? \
                     WHERE seq = ?",
                    params![state.name(), again, again.is_none().then_some(ms), answer.0, answer.1, seq],
                )?;
                Ok(state)
            };
            settle().map_err(|e| self.explain_work(e))
        })
    }

    /// Gives up those of these messages that wait to be sent again.
    pub fn give_up(&self, seqs: &[i64], now: Timestamp) -> Result<()> {
        self.write_work(|tx| {
            for seq in seqs {
                tx.execute(
                    "UPDATE outbox SET state = 'failed', ended_at = ? WHERE seq = ? AND state = 'waiting'",
                    [now.as_millisecond(), *seq],
                )
                .map_err(|e| self.explain_work(e))?;
            }
            Ok(())
        })
    }

    /// What was being sent a minute ago: the program that sent it has ended. A receiver that knows repeats (its kind is among
    /// `knows_repeats`) is told again; of the others nobody knows, and they are not told twice.
    pub fn recover_outbox(&self, knows_repeats: &[&str], now: Timestamp) -> Result<()> {
        let before = now.as_millisecond() - MINUTE_MS;
        let orphans = self.read(|db| {
            db.prepare_cached("SELECT 1 FROM work.outbox WHERE state = 'sending' AND due_at <= ? LIMIT 1")?
                .query_row([before], |_| Ok(()))
                .optional()
        })?;
        if orphans.is_none() {
            return Ok(());
        }
        let kinds = serde_json::Value::from(knows_repeats).to_string();
        self.write_work(|tx| {
            tx.execute(
                "UPDATE outbox SET state = 'waiting' WHERE state = 'sending' AND due_at <= ?1 \
                 AND kind IN (SELECT value FROM json_each(?2))",
                params![before, kinds],
            )
            .and_then(|_| {
                tx.execute(
                    "UPDATE outbox SET state = 'unknown', ended_at = ?1, \
                     answer = 'The program ended while it was sent.' WHERE state = 'sending' AND due_at <= ?2",
                    [now.as_millisecond(), before],
                )
            })
            .map_err(|e| self.explain_work(e))?;
            Ok(())
        })
    }

    /// What was told of an alert, oldest first.
    pub fn told_of_alert(&self, number: i64) -> Result<Vec<Sent>> {
        let columns = sent_columns('a');
        self.read(|db| {
            db.prepare_cached(&format!(
                "SELECT {columns} FROM work.outbox_alert a JOIN work.outbox o USING (seq) WHERE a.alert = ? ORDER BY a.seq"
            ))?
            .query_map([number], sent_row)?
            .collect()
        })
    }

    /// When an alert was told last as being out.
    pub fn last_told(&self, number: i64) -> Result<Option<Timestamp>> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT max(at) FROM work.outbox_alert WHERE alert = ? AND what IN ('firing', 'repeat')",
            )?
            .query_row([number], |row| Ok(row.get::<_, Option<i64>>(0)?.map(instant)))
        })
    }

    /// The newest test of each receiver of a rule.
    pub fn tests_of_rule(&self, rule: &str) -> Result<Vec<Sent>> {
        self.read(|db| {
            db.prepare_cached(&format!(
                "SELECT {} FROM work.outbox o WHERE seq IN (SELECT max(seq) FROM work.outbox \
                 WHERE rule = ? AND what = 'test' GROUP BY receiver) ORDER BY seq",
                sent_columns('o')
            ))?
            .query_map([rule], sent_row)?
            .collect()
        })
    }

    /// Takes or keeps the lease of this name until then. `false`: somebody else has it.
    pub fn take_lease(&self, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Result<bool> {
        self.write_work(|tx| {
            let taken = tx
                .execute(
                    "INSERT INTO lease(name, holder, until) VALUES (?1, ?2, ?3) ON CONFLICT(name) DO UPDATE \
                     SET holder = ?2, until = ?3 WHERE holder = ?2 OR until <= ?4",
                    params![name, holder, until.as_millisecond(), now.as_millisecond()],
                )
                .map_err(|e| self.explain_work(e))?;
            Ok(taken == 1)
        })
    }

    /// Whether anybody holds a lease.
    pub fn is_leased(&self, name: &str, now: Timestamp) -> Result<bool> {
        self.read(|db| {
            db.prepare_cached("SELECT 1 FROM work.lease WHERE name = ? AND until > ?")?
                .exists(params![name, now.as_millisecond()])
        })
    }

    /// Gives the lease back.
    pub fn drop_lease(&self, name: &str, holder: &str) -> Result<()> {
        self.write_work(|tx| {
            tx.execute("DELETE FROM lease WHERE name = ? AND holder = ?", [name, holder])
                .map_err(|e| self.explain_work(e))?;
            Ok(())
        })
    }
}

fn sent_row(row: &Row<'_>) -> rusqlite::Result<Sent> {
    Ok(Sent {
        seq: row.get(0)?,
        receiver: row.get(1)?,
        kind: row.get(2)?,
        what: What::from_name(row.get_ref(3)?.as_str()?).unwrap_or(What::Firing),
        state: Delivery::from_name(row.get_ref(4)?.as_str()?).unwrap_or(Delivery::Unknown),
        attempts: row.get(5)?,
        at: instant(row.get(6)?),
        ended_at: row.get::<_, Option<i64>>(7)?.map(instant),
        status: row.get(8)?,
        answer: row.get::<_, Option<String>>(9)?.map(Untrusted::from),
    })
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::domain::monitor::{Group, Urgency};
    use crate::store::schema::WORK;

    #[test]
    fn what_waited_in_an_older_outbox_is_told_all_the_same() {
        let db = Connection::open_in_memory().unwrap();
        let run = |migrations: &[crate::store::schema::Migration]| {
            migrations
                .iter()
                .flat_map(|one| one.scripts)
                .for_each(|script| db.execute_batch(script).unwrap());
        };
        run(&WORK.migrations[..6]);
        let at = "2026-03-10T02:55:00Z".parse().unwrap();
        let group = Group::from([("feature".to_owned(), Untrusted::from("support"))]);
        let old = Message {
            alert: Some("A-7".into()),
            what: What::Firing,
            ..Message::test("errors", group, Urgency::Page, at)
        };
        db.execute(
            "INSERT INTO outbox(alert, rule, receiver, kind, what, message, state, attempts, due_at, at) \
             VALUES (7, 'errors', 'chat', 'slack', 'firing', ?, 'waiting', 0, 1, 1)",
            [serde_json::to_string(&old).unwrap()],
        )
        .unwrap();
        run(&WORK.migrations[6..7]);
        let notice: Notice = db.query_row("SELECT message FROM outbox", [], |row| json(row, 0)).unwrap();
        assert_eq!(notice, Notice::of(old));
        let told =
            db.query_row("SELECT alert, what FROM outbox_alert", [], |row| Ok((row.get(0)?, row.get(1)?)));
        assert_eq!(told.unwrap(), (7, "firing".to_owned()));
    }
}
