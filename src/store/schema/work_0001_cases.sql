-- Eval cases. `case_events` is the truth and only grows; its row number within a set is the set's
-- version. `cases` is the present state, kept in the same transaction.
CREATE TABLE case_events (
    seq      INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,      -- UUID v7, so that histories of two machines can be merged
    set_name TEXT NOT NULL,
    case_id  TEXT NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('add', 'edit', 'retire')),
    body     TEXT,                      -- the whole case after the event, as JSON; NULL for retire
    at       INTEGER NOT NULL,          -- milliseconds since the epoch
    by       TEXT NOT NULL,
    program  TEXT NOT NULL              -- the version that wrote it
) STRICT;
CREATE INDEX case_events_set ON case_events (set_name, seq);
CREATE INDEX case_events_case ON case_events (set_name, case_id, seq);

CREATE TABLE cases (
    set_name   TEXT NOT NULL,
    case_id    TEXT NOT NULL,
    live       INTEGER NOT NULL,        -- 0: retired
    first_seq  INTEGER NOT NULL,        -- the event that first added it: the order of the set
    trace_id   TEXT,
    trace_hash INTEGER,
    category   TEXT NOT NULL,
    body       TEXT NOT NULL,
    created    INTEGER NOT NULL,
    updated    INTEGER NOT NULL,
    by         TEXT NOT NULL,
    PRIMARY KEY (set_name, case_id)
) STRICT;
CREATE INDEX cases_order ON cases (set_name, first_seq);
CREATE INDEX cases_trace ON cases (trace_hash) WHERE trace_hash IS NOT NULL;

-- What was last written where: the base of the three-way merge when an edited file is read back.
-- The empty path stands for an export to standard output.
CREATE TABLE eval_files (
    set_name TEXT NOT NULL,
    path     TEXT NOT NULL,
    version  INTEGER NOT NULL,
    digest   TEXT NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (set_name, path)
) STRICT;
