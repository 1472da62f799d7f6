-- Labels: append-only events, and the present label of each trace and reviewer, which is derived from
-- them in the same transaction and can be made anew at any time. Taxonomy: events, folded on reading.

CREATE TABLE label_event(
  n INTEGER PRIMARY KEY,          -- order of arrival in this file: where a reader of the feed goes on
  id TEXT NOT NULL UNIQUE,        -- UUID v7; ids sort in the order of the acts
  at INTEGER NOT NULL,            -- ms since the epoch
  reviewer TEXT NOT NULL,
  program TEXT NOT NULL,          -- version of the program that recorded it
  trace_id TEXT NOT NULL,
  trace_hash INTEGER NOT NULL,
  sample TEXT,                    -- the queue it was done in
  kind TEXT NOT NULL CHECK(kind IN ('set', 'skip', 'undo')),
  undoes TEXT,                    -- with undo: the event taken back
  verdict TEXT,                   -- with set, as the next four; no verdict is a draft
  mode TEXT,
  severity TEXT,
  note TEXT,
  corrected TEXT
) STRICT;
CREATE INDEX label_event_reviewer ON label_event(reviewer, id);
CREATE INDEX label_event_trace ON label_event(trace_hash);
CREATE INDEX label_event_undoes ON label_event(undoes) WHERE undoes IS NOT NULL;

CREATE TRIGGER label_event_kept BEFORE DELETE ON label_event
BEGIN SELECT RAISE(ABORT, 'label events are never deleted'); END;
CREATE TRIGGER label_event_unchanged BEFORE UPDATE ON label_event
BEGIN SELECT RAISE(ABORT, 'label events are never changed'); END;

CREATE TABLE label_now(
  trace_hash INTEGER NOT NULL,
  trace_id TEXT NOT NULL,
  reviewer TEXT NOT NULL,
  verdict TEXT,                   -- pass, fail, unsure; null for a draft
  mode TEXT,                      -- id of a failure mode
  severity TEXT,                  -- low, medium, high, critical
  note TEXT,
  corrected TEXT,
  at INTEGER NOT NULL,
  event TEXT NOT NULL,            -- the event that gave it
  PRIMARY KEY(trace_hash, trace_id, reviewer)
) STRICT, WITHOUT ROWID;

CREATE TABLE taxonomy_event(
  id TEXT PRIMARY KEY,            -- UUID v7
  at INTEGER NOT NULL,
  "by" TEXT NOT NULL,
  mode TEXT NOT NULL,             -- id of the failure mode
  change TEXT NOT NULL            -- JSON of domain::TaxonomyChange
) STRICT, WITHOUT ROWID;
