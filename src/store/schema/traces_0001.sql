-- The traces file. Rows are keyed by arrival (`seq`), so that loading appends; hot figures are apart
-- from the text; names that repeat are interned; ids are looked up by a 64-bit hash.

CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;

-- Interned names. kind: 1 feature, 2 model, 3 prompt, 4 prompt version, 5 experiment, 6 arm, 7 tag, 8 score.
CREATE TABLE name(
  id INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,
  text TEXT NOT NULL,
  UNIQUE(kind, text)
) STRICT;

CREATE TABLE trace(
  seq INTEGER PRIMARY KEY,        -- order of arrival
  ts INTEGER NOT NULL,            -- ms since the epoch
  id_hash INTEGER NOT NULL,       -- xxh3 of the id
  session_hash INTEGER,           -- xxh3 of the session; its text is in the body
  user_hash INTEGER,              -- xxh3 of the user; its text is in the body
  feature INTEGER,                -- name.id, as the next five
  model INTEGER,
  prompt INTEGER,
  version INTEGER,
  experiment INTEGER,
  arm INTEGER,
  latency_us INTEGER,
  ttft_us INTEGER,
  tokens_in INTEGER,
  tokens_out INTEGER,
  cost_nusd INTEGER,              -- 1e-9 US dollars
  flags INTEGER NOT NULL,         -- bits: see store::flags
  content_hash INTEGER NOT NULL,  -- xxh3 of everything but feedback: tells a re-import from a conflict
  id ANY NOT NULL                 -- text, or 16 bytes for a canonical UUID
) STRICT;
CREATE INDEX trace_ts ON trace(ts);
-- A large first import drops the next two and builds them sorted at its end; until then a lookup scans.
CREATE INDEX trace_id ON trace(id_hash);
CREATE INDEX trace_session ON trace(session_hash) WHERE session_hash IS NOT NULL;

-- The trace as JSON without id, feedback and scores, compressed. First byte: which dictionary (0: none).
-- Never changed after it was written.
CREATE TABLE body(seq INTEGER PRIMARY KEY, z BLOB NOT NULL) STRICT;
CREATE TABLE dictionary(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;

-- What end users said, in the order of arrival. kind: 1 thumbs up, 2 thumbs down, 3 report, 4 follow-up.
CREATE TABLE feedback(
  seq INTEGER NOT NULL,
  n INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  ts INTEGER NOT NULL,
  comment TEXT,
  PRIMARY KEY(seq, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE score(
  seq INTEGER NOT NULL,
  name INTEGER NOT NULL,
  value REAL NOT NULL,
  PRIMARY KEY(seq, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE tag(name INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(name, seq)) STRICT, WITHOUT ROWID;

-- Columns of 4,096 traces each, little-endian: what scans and draws read instead of rows.
CREATE TABLE block(
  n INTEGER PRIMARY KEY,          -- (seq - 1) / 4096
  min_ts INTEGER NOT NULL,
  max_ts INTEGER NOT NULL,
  ts BLOB NOT NULL,               -- i64 a trace
  id_hash BLOB NOT NULL           -- i64 a trace
) STRICT;

-- Figures by hour, kept in the transaction of the rows. 0 stands for "none" in the key.
CREATE TABLE rollup(
  hour INTEGER NOT NULL,          -- ts / 3,600,000
  feature INTEGER NOT NULL,
  model INTEGER NOT NULL,
  prompt INTEGER NOT NULL,
  version INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  timeouts INTEGER NOT NULL,
  rate_limits INTEGER NOT NULL,
  content_policy INTEGER NOT NULL,
  other_errors INTEGER NOT NULL,
  fallbacks INTEGER NOT NULL,
  ups INTEGER NOT NULL,           -- traces with a thumb up
  downs INTEGER NOT NULL,
  reports INTEGER NOT NULL,
  follow_ups INTEGER NOT NULL,
  priced INTEGER NOT NULL,        -- traces whose cost is known
  cost_nusd INTEGER NOT NULL,
  tokens_in INTEGER NOT NULL,
  tokens_out INTEGER NOT NULL,
  timed INTEGER NOT NULL,         -- traces whose latency is known
  latency BLOB NOT NULL,          -- mergeable quantile sketch, milliseconds
  PRIMARY KEY(hour, feature, model, prompt, version)
) STRICT, WITHOUT ROWID;

-- The words of input and output, for search. It follows the rows: it knows those up to meta.text_indexed.
-- The words come ready from store::normalise; the ascii tokenizer only finds the spaces between them.
CREATE VIRTUAL TABLE text_index USING fts5(
  input, output, content='', columnsize=0, detail=full, tokenize='ascii'
);
-- One segment a transaction, whatever its size; sixteen of a level are merged, in steps.
INSERT INTO text_index(text_index, rank) VALUES ('hashsize', 33554432), ('automerge', 16), ('crisismerge', 32);
