//! Incidents and their records. An act is read, fold and append in one transaction on the work file,
//! so that of two programs that act at once the second sees what the first did.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::ids::{id_hash, new_id};
use super::open::Store;
use crate::domain::incident::{
    Evidence, Hash, Incident, IncidentEvent, Link, Outcome, Recorded, incident_name, link,
};
use crate::domain::runbook::{Phase, Severity};
use crate::domain::{Error, Result, Untrusted};

/// Who acts when.
#[derive(Debug, Clone)]
pub struct Stamp {
    /// When it happened.
    pub happened_at: Timestamp,
    /// When it is written down.
    pub recorded_at: Timestamp,
    /// By whom.
    pub actor: Untrusted,
}

/// How people name an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IncidentRef {
    /// Its number in this store.
    Number(i64),
    /// Its name on every machine.
    Uuid(String),
}

impl IncidentRef {
    /// Reads `INC-7`, `7`, or a UUID. An error of kind `NotSo` for anything else.
    pub fn parse(name: &str) -> Result<Self> {
        let word = name.trim();
        let digits = match word.get(..4) {
            Some(prefix) if prefix.eq_ignore_ascii_case("inc-") => &word[4..],
            _ => word,
        };
        if let Some(number) = digits.parse::<i64>().ok().filter(|number| *number > 0) {
            return Ok(Self::Number(number));
        }
        uuid::Uuid::try_parse(word).map(|uuid| Self::Uuid(uuid.hyphenated().to_string())).map_err(|_| {
            Error::not_so(format!("“{name}” is not the name of an incident."))
                .hint("Name one as INC-7 or 7; `tuesday incident list` shows them.")
        })
    }
}

/// An incident in the list.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentRow {
    /// Its name on every machine.
    pub uuid: String,
    /// Its number.
    pub number: i64,
    /// One line.
    pub title: Untrusted,
    /// How bad.
    pub severity: Option<Severity>,
    /// What it is about.
    pub feature: Option<Untrusted>,
    /// Where it is.
    pub phase: Phase,
    /// Who leads it.
    pub commander: Untrusted,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was closed, and as what.
    pub closed: Option<(Timestamp, Outcome)>,
    /// Steps done or skipped, and steps in all.
    pub progress: (u32, u32),
    /// The last event.
    pub updated: Timestamp,
}

/// An incident with its whole record.
#[derive(Debug, Clone)]
pub struct IncidentFile {
    /// What the record comes to.
    pub incident: Incident,
    /// The record, oldest first.
    pub record: Vec<Recorded>,
    /// The first event whose hash does not fit, if any: the record was changed by something else.
    pub broken_at: Option<u64>,
}

impl Store {
    /// Opens an incident: number and UUID are given here.
    pub fn open_incident(&self, opening: IncidentEvent, stamp: &Stamp) -> Result<Incident> {
        self.write_work(|tx| {
            let sql = |e| self.explain_work(e);
            let last: Option<String> =
                tx.query_row("SELECT max(id) FROM incident", [], |row| row.get(0)).map_err(sql)?;
            let number: i64 = tx
                .query_row("SELECT coalesce(max(number), 0) + 1 FROM incident", [], |row| row.get(0))
                .map_err(sql)?;
            let uuid = new_id(stamp.recorded_at, last.as_deref());
            tx.execute(
                "INSERT INTO incident(id, number, opened_at, title, phase, commander, settled, steps, updated) \
                 VALUES (?, ?, 0, '', 'detect', '', 0, 0, 0)",
                params![uuid, number],
            )
            .map_err(sql)?;
            let first = append(tx, &uuid, stamp, opening, 1, &[0; 32]).map_err(sql)?;
            let incident = Incident::opened(&uuid, number, &first)
                .ok_or_else(|| Error::failed("An incident can only begin by being opened."))?;
            summarise(tx, &incident, stamp).map_err(sql)?;
            Ok(incident)
        })
    }

    /// Does one act: `act` sees the incident as it is and says what happens; then that is kept, and
    /// the incident as it is afterwards comes back. When it returns, the act has reached the disk.
    pub fn act_on_incident(
        &self,
        which: &IncidentRef,
        stamp: &Stamp,
        act: impl FnOnce(&Incident) -> Result<Vec<IncidentEvent>>,
    ) -> Result<Incident> {
        self.write_work(|tx| {
            let sql = |e| self.explain_work(e);
            let (uuid, number) = find(tx, "main", which).map_err(sql)?.ok_or_else(|| unknown(which))?;
            let (record, broken_at) = record(tx, "main", &uuid).map_err(sql)?;
            let mut incident = folded(&uuid, number, &record)?;
            let mut last = record.last().map_or([0; 32], |last| last.hash);
            if let Some(seq) = broken_at {
                return Err(broken(&incident, seq));
            }
            for event in act(&incident)? {
                let next = append(tx, &uuid, stamp, event, incident.seq + 1, &last).map_err(sql)?;
                incident.apply(&next);
                last = next.hash;
            }
            summarise(tx, &incident, stamp).map_err(sql)?;
            Ok(incident)
        })
    }

    /// An incident with its whole record. `Err` of kind `NotSo` when there is none of this name.
    pub fn incident(&self, which: &IncidentRef) -> Result<IncidentFile> {
        let found = self.read(|db| {
            let Some((uuid, number)) = find(db, "work", which)? else { return Ok(None) };
            let (record, broken_at) = record(db, "work", &uuid)?;
            Ok(Some((uuid, number, record, broken_at)))
        })?;
        let (uuid, number, record, broken_at) = found.ok_or_else(|| unknown(which))?;
        Ok(IncidentFile { incident: folded(&uuid, number, &record)?, record, broken_at })
    }

    /// All incidents: open ones first, then newest first.
    pub fn incidents(&self) -> Result<Vec<IncidentRow>> {
        self.read(|db| {
            db.prepare(
                "SELECT id, number, title, severity, feature, phase, commander, opened_at, closed_at, outcome, \
                 settled, steps, updated FROM work.incident ORDER BY closed_at IS NOT NULL, number DESC",
            )?
            .query_map([], incident_row)?
            .collect()
        })
    }

    /// Numbers of the incidents that have this trace as evidence, newest first.
    pub fn incidents_with_trace(&self, trace: &Untrusted) -> Result<Vec<i64>> {
        self.read(|db| {
            db.prepare(
                "SELECT number FROM work.incident_trace JOIN work.incident ON id = incident \
                 WHERE trace_hash = ? AND trace_id = ? ORDER BY number DESC",
            )?
            .query_map(params![id_hash(trace.raw()), trace.raw()], |row| row.get(0))?
            .collect()
        })
    }
}

fn unknown(which: &IncidentRef) -> Error {
    let name = match which {
        IncidentRef::Number(number) => incident_name(*number),
        IncidentRef::Uuid(uuid) => uuid.clone(),
    };
    Error::not_so(format!("There is no incident {name} in this store."))
        .hint("`tuesday incident list` shows them; `tuesday incident open TITLE` opens one.")
}

fn broken(incident: &Incident, seq: u64) -> Error {
    let name = incident.name();
    Error::not_so(format!("The record of {name} was changed from outside at event {seq}."))
        .hint(format!("Keep a copy of the store, read what is there with `tuesday incident show {name}`,"))
        .hint("and open a new incident to go on: a record that was tampered with is not written to.")
}

fn folded(uuid: &str, number: i64, record: &[Recorded]) -> Result<Incident> {
    Incident::fold(uuid, number, record).ok_or_else(|| {
        Error::failed(format!("The record of {} does not begin with its opening.", incident_name(number)))
            .hint("Run `tuesday doctor`; restore the work file from a backup.")
    })
}

/// `schema` is `main` on the writing connection of the work file and `work` on a reader.
fn find(db: &Connection, schema: &str, which: &IncidentRef) -> rusqlite::Result<Option<(String, i64)>> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    match which {
        IncidentRef::Number(number) => db.query_row(
            &format!("SELECT id, number FROM {schema}.incident WHERE number = ?"),
            [number],
            read,
        ),
        IncidentRef::Uuid(uuid) => {
            db.query_row(&format!("SELECT id, number FROM {schema}.incident WHERE id = ?"), [uuid], read)
        }
    }
    .optional()
}

/// The record of an incident, and the first event whose hash does not fit.
fn record(db: &Connection, schema: &str, uuid: &str) -> rusqlite::Result<(Vec<Recorded>, Option<u64>)> {
    let mut statement = db.prepare(&format!(
        "SELECT seq, happened_at, recorded_at, actor, kind, step, payload, hash FROM {schema}.incident_event \
         WHERE incident = ? ORDER BY seq"
    ))?;
    let mut rows = statement.query([uuid])?;
    let (mut record, mut broken_at, mut prev) = (Vec::new(), None, [0; 32]);
    while let Some(row) = rows.next()? {
        let (seq, kept): (u32, Hash) = (row.get(0)?, row.get(7)?);
        let seq = u64::from(seq);
        let (happened_ms, recorded_ms): (i64, i64) = (row.get(1)?, row.get(2)?);
        let (actor, kind, step, payload): (String, String, String, String) =
            (row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?);
        let hash = link(&Link {
            incident: uuid,
            seq,
            happened_ms,
            recorded_ms,
            actor: &actor,
            kind: &kind,
            step: &step,
            payload: &payload,
            prev: &prev,
        });
        if (hash != kept || seq != record.len() as u64 + 1) && broken_at.is_none() {
            broken_at = Some(seq);
        }
        prev = kept;
        // The kind comes from our own column, so it is quoted like any other text.
        let event = format!("{{\"kind\":{},\"payload\":{payload}}}", serde_json::Value::from(kind));
        let event = serde_json::from_str(&event).map_err(|e| {
            rusqlite::Error::FromSqlConversionFailure(6, rusqlite::types::Type::Text, e.into())
        })?;
        record.push(Recorded {
            seq,
            happened_at: time(happened_ms),
            recorded_at: time(recorded_ms),
            actor: actor.into(),
            event,
            hash: kept,
        });
    }
    Ok((record, broken_at))
}

fn append(
    tx: &Transaction<'_>,
    uuid: &str,
    stamp: &Stamp,
    event: IncidentEvent,
    seq: u64,
    prev: &Hash,
) -> rusqlite::Result<Recorded> {
    let bad = |e: serde_json::Error| rusqlite::Error::ToSqlConversionFailure(e.into());
    let mut parts = serde_json::to_value(&event).map_err(bad)?;
    let payload = serde_json::to_string(&parts["payload"]).map_err(bad)?;
    let kind = parts["kind"].take();
    let kind = kind.as_str().unwrap_or_default();
    let step = event.step().unwrap_or_default();
    let place = seq.cast_signed();
    let (happened_ms, recorded_ms) = (stamp.happened_at.as_millisecond(), stamp.recorded_at.as_millisecond());
    let hash = link(&Link {
        incident: uuid,
        seq,
        happened_ms,
        recorded_ms,
        actor: stamp.actor.raw(),
        kind,
        step,
        payload: &payload,
        prev,
    });
    tx.execute(
        "INSERT INTO incident_event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![uuid, place, happened_ms, recorded_ms, stamp.actor.raw(), kind, step, payload, prev, hash],
    )?;
    if let IncidentEvent::Attached { evidence: Evidence::Traces { traces } } = &event {
        let mut insert = tx.prepare("INSERT OR IGNORE INTO incident_trace VALUES (?, ?, ?)")?;
        for trace in traces {
            insert.execute(params![id_hash(trace.id.raw()), trace.id.raw(), uuid])?;
        }
    }
    Ok(Recorded {
        seq,
        // As they will be read back: the record keeps milliseconds.
        happened_at: time(happened_ms),
        recorded_at: time(recorded_ms),
        actor: stamp.actor.clone(),
        event,
        hash,
    })
}

fn summarise(tx: &Transaction<'_>, incident: &Incident, stamp: &Stamp) -> rusqlite::Result<()> {
    let (settled, steps) = incident.progress();
    let closed = incident.closed.as_ref();
    tx.execute(
        "UPDATE incident SET opened_at = ?, closed_at = ?, title = ?, severity = ?, feature = ?, phase = ?, \
         commander = ?, outcome = ?, settled = ?, steps = ?, updated = ? WHERE id = ?",
        params![
            incident.opened_at.as_millisecond(),
            closed.map(|closing| closing.at.as_millisecond()),
            incident.title.raw(),
            incident.severity.map(Severity::name),
            incident.feature.as_ref().map(Untrusted::raw),
            incident.phase.name(),
            incident.commander.raw(),
            closed.map(|closing| closing.outcome.name()),
            small(settled),
            small(steps),
            stamp.recorded_at.as_millisecond(),
            incident.uuid,
        ],
    )?;
    Ok(())
}

fn incident_row(row: &Row<'_>) -> rusqlite::Result<IncidentRow> {
    let text = |index| row.get::<_, Option<String>>(index);
    let outcome = text(9)?.and_then(|name| Outcome::from_name(&name)).unwrap_or_default();
    Ok(IncidentRow {
        uuid: row.get(0)?,
        number: row.get(1)?,
        title: row.get::<_, String>(2)?.into(),
        severity: text(3)?.and_then(|name| Severity::from_name(&name)),
        feature: text(4)?.map(Untrusted::new),
        phase: text(5)?.and_then(|name| Phase::from_name(&name)).unwrap_or(Phase::Detect),
        commander: row.get::<_, String>(6)?.into(),
        opened_at: time(row.get(7)?),
        closed: row.get::<_, Option<i64>>(8)?.map(|at| (time(at), outcome)),
        progress: (row.get(10)?, row.get(11)?),
        updated: time(row.get(12)?),
    })
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests;
