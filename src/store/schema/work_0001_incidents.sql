-- Incidents. `incident_event` is the truth and only grows; each event's hash covers the one before.
CREATE TABLE incident (
    id        TEXT PRIMARY KEY,         -- UUID v7
    number    INTEGER NOT NULL UNIQUE,  -- people say INC-7; of this store only
    -- What the record comes to, kept in the same transaction, so that a list need not fold.
    opened_at INTEGER NOT NULL,         -- milliseconds since the epoch
    closed_at INTEGER,
    title     TEXT NOT NULL,
    severity  TEXT,
    feature   TEXT,
    phase     TEXT NOT NULL,
    commander TEXT NOT NULL,
    outcome   TEXT,
    settled   INTEGER NOT NULL,         -- steps done or skipped
    steps     INTEGER NOT NULL,
    updated   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE incident_event (
    incident    TEXT NOT NULL REFERENCES incident (id),
    seq         INTEGER NOT NULL,       -- from 1, without gaps
    happened_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    actor       TEXT NOT NULL,
    kind        TEXT NOT NULL,
    step        TEXT NOT NULL,          -- the step's id; empty when it is about none
    payload     TEXT NOT NULL,          -- JSON
    prev_hash   BLOB NOT NULL,
    hash        BLOB NOT NULL,
    PRIMARY KEY (incident, seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER incident_event_stays BEFORE UPDATE ON incident_event
BEGIN SELECT RAISE(ABORT, 'the record of an incident is append-only'); END;
CREATE TRIGGER incident_event_is_kept BEFORE DELETE ON incident_event
BEGIN SELECT RAISE(ABORT, 'the record of an incident is append-only'); END;

-- Which incidents a trace is evidence in.
CREATE TABLE incident_trace (
    trace_hash INTEGER NOT NULL,
    trace_id   TEXT NOT NULL,
    incident   TEXT NOT NULL REFERENCES incident (id),
    PRIMARY KEY (trace_hash, trace_id, incident)
) STRICT, WITHOUT ROWID;
