-- Samples, frozen once drawn.

CREATE TABLE sample(
  name TEXT PRIMARY KEY,
  drawn_at INTEGER NOT NULL,      -- ms since the epoch
  "by" TEXT NOT NULL,
  population INTEGER NOT NULL,    -- how many traces could have been drawn
  size INTEGER NOT NULL,
  rule TEXT NOT NULL              -- JSON of domain::SampleRule
) STRICT, WITHOUT ROWID;

-- Keyed by the trace's hash so that labels join by it; `ord` is the place in the queue.
CREATE TABLE sample_member(
  sample TEXT NOT NULL REFERENCES sample(name),
  ord INTEGER NOT NULL,
  trace_id TEXT NOT NULL,
  trace_hash INTEGER NOT NULL,
  probability REAL NOT NULL,
  stratum TEXT,
  PRIMARY KEY(sample, trace_hash, trace_id)
) STRICT, WITHOUT ROWID;
