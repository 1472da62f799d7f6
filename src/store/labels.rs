//! Label events and the present labels derived from them. An event and what follows from it are one
//! durable transaction; when a method returns, the act has reached the disk.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::ids::{id_hash, new_id};
use super::open::{Store, explain};
use crate::domain::{LabelAct, LabelBody, LabelEvent, ModeId, Result, Severity, Untrusted, Verdict};

/// Whose act it is, when, on what, and in which queue.
#[derive(Debug, Clone, Copy)]
pub struct Act<'a> {
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub reviewer: &'a str,
    /// On which trace.
    pub trace: &'a Untrusted,
    /// In the queue of this sample.
    pub sample: Option<&'a str>,
}

/// A present label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelRow {
    /// The trace.
    pub trace: Untrusted,
    /// The reviewer.
    pub reviewer: Untrusted,
    /// What it says.
    pub body: LabelBody,
    /// When it was given.
    pub at: Timestamp,
    /// The event that gave it.
    pub event: String,
}

/// What an act on labels left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The event recorded.
    pub event: LabelEvent,
    /// The reviewer's label of the trace before.
    pub before: Option<LabelRow>,
    /// The reviewer's label of the trace now.
    pub now: Option<LabelRow>,
}

/// What an undo left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// The event that was taken back.
    pub undone: LabelEvent,
    /// What that left.
    pub written: Written,
}

/// Which acts an undo may take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within<'a> {
    /// All of the reviewer's.
    Everything,
    /// Those on traces of this sample.
    Sample(&'a str),
    /// Those on these traces.
    Traces(&'a [Untrusted]),
}

const EVENT: &str = "id, at, reviewer, program, trace_id, sample, kind, undoes, verdict, mode, severity, \
                     note, corrected";
const NOW: &str = "trace_id, reviewer, verdict, mode, severity, note, corrected, at, event";

impl Store {
    /// Gives a trace a label: `change` makes it of the reviewer's present one. Whether the trace exists is
    /// the caller's to know.
    pub fn set_label(
        &self,
        act: Act<'_>,
        change: impl FnOnce(Option<&LabelBody>) -> Result<LabelBody>,
    ) -> Result<Written> {
        self.write_work(|tx| {
            let sql = |e| self.explain_work(e);
            let before = present(tx, act.trace, act.reviewer).map_err(sql)?;
            let body = change(before.as_ref().map(|row| &row.body))?.checked()?;
            record(tx, act, LabelAct::Set(body), before).map_err(sql)
        })
    }

    /// Records that the reviewer passed over a trace.
    pub fn skip_label(&self, act: Act<'_>) -> Result<Written> {
        self.write_work(|tx| {
            let sql = |e| self.explain_work(e);
            let before = present(tx, act.trace, act.reviewer).map_err(sql)?;
            record(tx, act, LabelAct::Skip, before).map_err(sql)
        })
    }

    /// Takes back the reviewer's last act that is not taken back yet; `None` when there is none.
    pub fn undo_label(&self, reviewer: &str, at: Timestamp, within: Within<'_>) -> Result<Option<Undone>> {
        self.write_work(|tx| {
            let sql = |e| self.explain_work(e);
            let Some(undone) = last_act(tx, reviewer, within).map_err(sql)? else { return Ok(None) };
            let sample = match within {
                Within::Sample(name) => Some(name),
                Within::Everything | Within::Traces(_) => undone.sample.as_deref(),
            };
            let act = Act { at, reviewer, trace: &undone.trace, sample };
            let before = present(tx, act.trace, reviewer).map_err(sql)?;
            let written = record(tx, act, LabelAct::Undo { of: undone.id.clone() }, before).map_err(sql)?;
            Ok(Some(Undone { undone, written }))
        })
    }

    /// The present labels of one trace, by reviewer.
    pub fn labels_of(&self, trace: &Untrusted) -> Result<Vec<LabelRow>> {
        self.read(|db| {
            db.prepare_cached(&format!(
                "SELECT {NOW} FROM work.label_now WHERE trace_hash = ? AND trace_id = ? ORDER BY reviewer"
            ))?
            .query_map(params![id_hash(trace.raw()), trace.raw()], label_row)?
            .collect()
        })
    }

    /// All events on one trace, oldest first.
    pub fn label_history(&self, trace: &Untrusted) -> Result<Vec<LabelEvent>> {
        self.read(|db| {
            db.prepare_cached(&format!(
                "SELECT {EVENT} FROM work.label_event WHERE trace_hash = ? AND trace_id = ? ORDER BY id"
            ))?
            .query_map(params![id_hash(trace.raw()), trace.raw()], event_row)?
            .collect()
        })
    }

    /// The present labels, drafts too, of all traces with these hashes (see [`id_hash`]). Another trace of
    /// the same hash may be among them: compare the ids.
    pub fn labels_on(&self, hashes: &[i64]) -> Result<Vec<LabelRow>> {
        self.read(|db| {
            db.prepare_cached(&format!(
                "SELECT {NOW} FROM (SELECT value FROM json_each(?)) wanted CROSS JOIN work.label_now \
                 ON label_now.trace_hash = wanted.value"
            ))?
            .query_map([json(hashes)], label_row)?
            .collect()
        })
    }

    /// The reviewer's events on all traces with these hashes, oldest first.
    pub fn acts_on(&self, hashes: &[i64], reviewer: &str) -> Result<Vec<LabelEvent>> {
        let mut events: Vec<LabelEvent> = self.read(|db| {
            db.prepare_cached(&format!(
                "SELECT {EVENT} FROM (SELECT value FROM json_each(?)) wanted CROSS JOIN work.label_event \
                 ON label_event.trace_hash = wanted.value WHERE reviewer = ?"
            ))?
            .query_map(params![json(hashes), reviewer], event_row)?
            .collect()
        })?;
        events.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(events)
    }

    /// Hands the present labels that have a verdict to `each`, oldest first; of one sample's traces or one
    /// reviewer only, when asked.
    pub fn each_label(
        &self,
        sample: Option<&str>,
        reviewer: Option<&str>,
        mut each: impl FnMut(LabelRow),
    ) -> Result<()> {
        self.read(|db| {
            let mut query = db.prepare_cached(&format!(
                "SELECT {NOW} FROM work.label_now WHERE verdict IS NOT NULL \
                 AND (?1 IS NULL OR reviewer = ?1) \
                 AND (?2 IS NULL OR EXISTS (SELECT 1 FROM work.sample_member m WHERE m.sample = ?2 \
                      AND m.trace_hash = label_now.trace_hash AND m.trace_id = label_now.trace_id)) \
                 ORDER BY at, event"
            ))?;
            let mut rows = query.query(params![reviewer, sample])?;
            while let Some(row) = rows.next()? {
                each(label_row(row)?);
            }
            Ok(())
        })
    }

    /// Where the feed of label events stands now.
    pub fn label_cursor(&self) -> Result<i64> {
        self.read(|db| db.query_row("SELECT coalesce(max(n), 0) FROM work.label_event", [], |r| r.get(0)))
    }

    /// The events that arrived after a cursor, in order of arrival, and the cursor after them.
    pub fn labels_since(&self, cursor: i64) -> Result<(Vec<LabelEvent>, i64)> {
        self.read(|db| {
            let mut query = db
                .prepare_cached(&format!("SELECT {EVENT}, n FROM work.label_event WHERE n > ? ORDER BY n"))?;
            let mut rows = query.query([cursor])?;
            let (mut events, mut cursor) = (Vec::new(), cursor);
            while let Some(row) = rows.next()? {
                events.push(event_row(row)?);
                cursor = row.get(13)?;
            }
            Ok((events, cursor))
        })
    }

    /// How many present labels differ from what the events say: 0 in a sound store. When it is not,
    /// [`rebuild_labels`](Self::rebuild_labels) puts it right.
    pub fn label_drift(&self) -> Result<u64> {
        const SAYS: &str = "trace_hash, trace_id, reviewer, verdict, mode, severity, note, corrected, at";
        self.read(|db| {
            db.query_row(
                &format!(
                    "WITH kept AS (SELECT {SAYS}, event FROM work.label_now), \
                     standing AS (SELECT *, row_number() OVER (PARTITION BY trace_id, reviewer ORDER BY id DESC) AS k \
                       FROM work.label_event e WHERE kind = 'set' \
                       AND NOT EXISTS (SELECT 1 FROM work.label_event u WHERE u.undoes = e.id)), \
                     expected AS (SELECT {SAYS}, id FROM standing WHERE k = 1 \
                       AND coalesce(verdict, mode, severity, note, corrected) IS NOT NULL) \
                     SELECT (SELECT count(*) FROM (SELECT * FROM kept EXCEPT SELECT * FROM expected)) \
                       + (SELECT count(*) FROM (SELECT * FROM expected EXCEPT SELECT * FROM kept))"
                ),
                [],
                |row| Ok(row.get::<_, i64>(0)?.cast_unsigned()),
            )
        })
    }

    /// Makes the present labels anew from the events. Gives how many there are.
    pub fn rebuild_labels(&self) -> Result<usize> {
        self.write_work(|tx| {
            let rebuild = || {
                tx.execute("DELETE FROM label_now", [])?;
                let mut query = tx.prepare_cached("SELECT DISTINCT trace_id, reviewer FROM label_event")?;
                let mut rows = query.query([])?;
                let mut made = 0;
                while let Some(row) = rows.next()? {
                    let (trace, reviewer): (String, String) = (row.get(0)?, row.get(1)?);
                    made += usize::from(derive(tx, &trace.into(), &reviewer)?.is_some());
                }
                Ok(made)
            };
            rebuild().map_err(|e| self.explain_work(e))
        })
    }

    pub(super) fn explain_work(&self, error: rusqlite::Error) -> crate::domain::Error {
        explain(error, &self.work_path().display().to_string())
    }
}

fn json(hashes: &[i64]) -> String {
    serde_json::Value::from(hashes).to_string()
}

fn record(
    tx: &Transaction<'_>,
    act: Act<'_>,
    what: LabelAct,
    before: Option<LabelRow>,
) -> rusqlite::Result<Written> {
    let newest: Option<String> =
        tx.prepare_cached("SELECT max(id) FROM label_event")?.query_row([], |r| r.get(0))?;
    let event = LabelEvent {
        id: new_id(act.at, newest.as_deref()),
        at: act.at,
        reviewer: act.reviewer.into(),
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        trace: act.trace.clone(),
        sample: act.sample.map(str::to_owned),
        act: what,
    };
    let nothing = LabelBody::default();
    let (kind, undoes, body) = match &event.act {
        LabelAct::Set(body) => ("set", None, body),
        LabelAct::Skip => ("skip", None, &nothing),
        LabelAct::Undo { of } => ("undo", Some(of), &nothing),
    };
    tx.prepare_cached(
        "INSERT INTO label_event(id, at, reviewer, program, trace_id, trace_hash, sample, kind, undoes, \
         verdict, mode, severity, note, corrected) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        event.id,
        event.at.as_millisecond(),
        act.reviewer,
        event.program_version,
        act.trace.raw(),
        id_hash(act.trace.raw()),
        act.sample,
        kind,
        undoes,
        body.verdict.map(Verdict::word),
        body.mode.as_ref().map(ModeId::as_str),
        body.severity.map(Severity::word),
        body.note.as_ref().map(Untrusted::raw),
        body.corrected.as_ref().map(Untrusted::raw),
    ])?;
    let now = match event.act {
        LabelAct::Skip => before.clone(),
        LabelAct::Set(_) | LabelAct::Undo { .. } => derive(tx, act.trace, act.reviewer)?,
    };
    Ok(Written { event, before, now })
}

/// Brings the present label of a trace and reviewer in line with the events: the last label that is not
/// taken back, and none when that says nothing. The `+` keeps the planner from walking all of the
/// reviewer's acts instead of the trace's few.
fn derive(tx: &Transaction<'_>, trace: &Untrusted, reviewer: &str) -> rusqlite::Result<Option<LabelRow>> {
    let key = params![id_hash(trace.raw()), trace.raw(), reviewer];
    tx.prepare_cached("DELETE FROM label_now WHERE trace_hash = ? AND trace_id = ? AND reviewer = ?")?
        .execute(key)?;
    let made = tx
        .prepare_cached(
            "INSERT INTO label_now(trace_hash, trace_id, reviewer, verdict, mode, severity, note, corrected, \
             at, event) \
             SELECT * FROM (SELECT trace_hash, trace_id, reviewer, verdict, mode, severity, note, corrected, \
               at, id FROM label_event e \
               WHERE trace_hash = ? AND trace_id = ? AND +reviewer = ? AND kind = 'set' \
               AND NOT EXISTS (SELECT 1 FROM label_event u WHERE u.undoes = e.id) \
               ORDER BY id DESC LIMIT 1) \
             WHERE coalesce(verdict, mode, severity, note, corrected) IS NOT NULL",
        )?
        .execute(key)?;
    if made == 0 { Ok(None) } else { present(tx, trace, reviewer) }
}

fn present(db: &Connection, trace: &Untrusted, reviewer: &str) -> rusqlite::Result<Option<LabelRow>> {
    db.prepare_cached(&format!(
        "SELECT {NOW} FROM label_now WHERE trace_hash = ? AND trace_id = ? AND reviewer = ?"
    ))?
    .query_row(params![id_hash(trace.raw()), trace.raw(), reviewer], label_row)
    .optional()
}

fn last_act(
    tx: &Transaction<'_>,
    reviewer: &str,
    within: Within<'_>,
) -> rusqlite::Result<Option<LabelEvent>> {
    let (sample, hashes) = match within {
        Within::Everything => (None, None),
        Within::Sample(name) => (Some(name), None),
        Within::Traces(traces) => {
            let hashes: Vec<i64> = traces.iter().map(|t| id_hash(t.raw())).collect();
            (None, Some(json(&hashes)))
        }
    };
    tx.prepare_cached(&format!(
        "SELECT {EVENT} FROM label_event e WHERE reviewer = ?1 AND kind <> 'undo' \
         AND NOT EXISTS (SELECT 1 FROM label_event u WHERE u.undoes = e.id) \
         AND (?2 IS NULL OR EXISTS (SELECT 1 FROM sample_member m WHERE m.sample = ?2 \
              AND m.trace_hash = e.trace_hash AND m.trace_id = e.trace_id)) \
         AND (?3 IS NULL OR e.trace_hash IN (SELECT value FROM json_each(?3))) \
         ORDER BY id DESC LIMIT 1"
    ))?
    .query_row(params![reviewer, sample, hashes], event_row)
    .optional()
}

fn label_row(row: &Row<'_>) -> rusqlite::Result<LabelRow> {
    Ok(LabelRow {
        trace: text(row, 0)?,
        reviewer: text(row, 1)?,
        body: body(row, 2)?,
        at: time(row, 7)?,
        event: row.get(8)?,
    })
}

fn event_row(row: &Row<'_>) -> rusqlite::Result<LabelEvent> {
    let act = match row.get_ref(6)?.as_str()? {
        "skip" => LabelAct::Skip,
        "undo" => LabelAct::Undo { of: row.get(7)? },
        _ => LabelAct::Set(body(row, 8)?),
    };
    Ok(LabelEvent {
        id: row.get(0)?,
        at: time(row, 1)?,
        reviewer: text(row, 2)?,
        program_version: row.get(3)?,
        trace: text(row, 4)?,
        sample: row.get(5)?,
        act,
    })
}

fn body(row: &Row<'_>, at: usize) -> rusqlite::Result<LabelBody> {
    let word = |at: usize| row.get::<_, Option<String>>(at);
    let unknown = |word: String| {
        rusqlite::types::FromSqlError::Other(format!("no verdict or severity is called {word:?}").into())
    };
    let verdict = word(at)?.map(|w| Verdict::from_word(&w).ok_or_else(|| unknown(w))).transpose()?;
    let severity = word(at + 2)?.map(|w| Severity::from_word(&w).ok_or_else(|| unknown(w))).transpose()?;
    Ok(LabelBody {
        verdict,
        mode: word(at + 1)?.map(ModeId::new),
        severity,
        note: word(at + 3)?.map(Untrusted::from),
        corrected: word(at + 4)?.map(Untrusted::from),
    })
}

fn text(row: &Row<'_>, at: usize) -> rusqlite::Result<Untrusted> {
    Ok(row.get::<_, String>(at)?.into())
}

fn time(row: &Row<'_>, at: usize) -> rusqlite::Result<Timestamp> {
    Ok(Timestamp::from_millisecond(row.get(at)?).unwrap_or(Timestamp::UNIX_EPOCH))
}

#[cfg(test)]
mod tests;
