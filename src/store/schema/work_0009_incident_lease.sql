-- Who carries out a step of an incident now: one at a time. Kept up to date while it lasts, so that one that
-- ended without a word is known by its silence.
CREATE TABLE incident_lease (
    incident TEXT PRIMARY KEY REFERENCES incident (id),
    holder   TEXT NOT NULL,             -- the person
    program  TEXT NOT NULL,             -- UUID of this taking
    step     TEXT NOT NULL,             -- the step's id
    taken_at INTEGER NOT NULL,          -- milliseconds since the epoch
    beat_at  INTEGER NOT NULL           -- the last sign of life
) STRICT, WITHOUT ROWID;
