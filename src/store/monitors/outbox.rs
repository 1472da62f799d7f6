//! The outbox: what is to be told to whom, kept before it is sent; and the lease of the one who watches.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{instant, json};
use crate::domain::monitor::{Delivery, MINUTE_MS, Message, RETRY_MINUTES, What};
use crate::domain::{Result, Untrusted};
use crate::store::open::Store;

/// A message to one receiver.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// `alert.number`; `None` of a test.
    pub alert: Option<i64>,
    /// The receiver's name.
    pub receiver: String,
    /// The receiver's kind.
    pub kind: &'static str,
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
    pub message: Message,
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

const SENT: &str = "seq, receiver, kind, what, state, attempts, at, ended_at, status, answer";

/// Puts a message into the outbox.
pub(super) fn post(tx: &Transaction<'_>, out: &Outgoing, now: Timestamp) -> rusqlite::Result<i64> {
    let message = serde_json::to_string(&out.message)
        .map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
    tx.execute(
        "INSERT INTO outbox(alert, rule, receiver, kind, what, message, state, attempts, due_at, at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'waiting', 0, ?7, ?7)",
        params![
            out.alert,
            out.message.rule,
            out.receiver,
            out.kind,
            out.message.what.name(),
            message,
            now.as_millisecond()
        ],
    )?;
    Ok(tx.last_insert_rowid())
}

impl Store {
    /// Puts messages into the outbox.
    pub fn post(&self, messages: &[Outgoing], now: Timestamp) -> Result<()> {
        self.write_work(|tx| {
            for one in messages {
                post(tx, one, now).map_err(|e| self.explain_work(e))?;
            }
            Ok(())
        })
    }

    /// Puts messages into the outbox that the caller sends itself, at once.
    pub fn post_taken(&self, messages: &[Outgoing], now: Timestamp) -> Result<Vec<Toll>> {
        self.write_work(|tx| {
            let take = |one: &Outgoing| -> rusqlite::Result<Toll> {
                let seq = post(tx, one, now)?;
                tx.execute("UPDATE outbox SET state = 'sending', attempts = 1 WHERE seq = ?", [seq])?;
                Ok(Toll { seq, receiver: one.receiver.clone(), message: one.message.clone() })
            };
            messages.iter().map(|one| take(one).map_err(|e| self.explain_work(e))).collect()
        })
    }

    /// Takes what is due, oldest first, to send it: what is taken is marked as being sent before this returns,
    /// so that a program that ends in the middle does not send it twice.
    pub fn take_due(&self, now: Timestamp) -> Result<Vec<Toll>> {
        let due = self.read(|db| {
            db.prepare_cached("SELECT 1 FROM work.outbox WHERE state = 'waiting' AND due_at <= ? LIMIT 1")?
                .query_row([now.as_millisecond()], |_| Ok(()))
                .optional()
        })?;
        if due.is_none() {
            return Ok(Vec::new());
        }
        self.write_work(|tx| {
            let take = || -> rusqlite::Result<Vec<Toll>> {
                let due: Vec<Toll> = tx
                    .prepare_cached(
                        "SELECT seq, receiver, message FROM outbox WHERE state = 'waiting' AND due_at <= ? \
                         ORDER BY seq",
                    )?
                    .query_map([now.as_millisecond()], |row| {
                        Ok(Toll { seq: row.get(0)?, receiver: row.get(1)?, message: json(row, 2)? })
                    })?
                    .collect::<rusqlite::Result<_>>()?;
                for toll in &due {
                    tx.execute(
                        "UPDATE outbox SET state = 'sending', attempts = attempts + 1, due_at = ? WHERE seq = ?",
                        params![now.as_millisecond(), toll.seq],
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
        self.read(|db| {
            db.prepare_cached(&format!("SELECT {SENT} FROM work.outbox WHERE alert = ? ORDER BY seq"))?
                .query_map([number], sent_row)?
                .collect()
        })
    }

    /// When an alert was told last as being out.
    pub fn last_told(&self, number: i64) -> Result<Option<Timestamp>> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT max(at) FROM work.outbox WHERE alert = ? AND what IN ('firing', 'repeat')",
            )?
            .query_row([number], |row| Ok(row.get::<_, Option<i64>>(0)?.map(instant)))
        })
    }

    /// The newest test of each receiver of a rule.
    pub fn tests_of_rule(&self, rule: &str) -> Result<Vec<Sent>> {
        self.read(|db| {
            db.prepare_cached(&format!(
                "SELECT {SENT} FROM work.outbox WHERE seq IN (SELECT max(seq) FROM work.outbox \
                 WHERE rule = ? AND what = 'test' GROUP BY receiver) ORDER BY seq"
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
