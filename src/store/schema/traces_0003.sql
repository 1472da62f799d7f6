-- What a trace was made of, where it came as spans: OTLP's TracesData in protobuf, in the stored form of a
-- body. When more of its spans arrive, the trace is made anew of all of them.
CREATE TABLE spans(seq INTEGER PRIMARY KEY, z BLOB NOT NULL) STRICT;

-- Traces that later spans rewrote before the search index came to them: who keeps their words in memory, or
-- made them ready for the index, must read them again. `n` only grows; rows go when the index has passed.
CREATE TABLE rewritten(n INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER NOT NULL) STRICT;

-- Feedback that came before its trace, which takes it when it arrives. Columns as in `feedback`.
CREATE TABLE early_feedback(
  id_hash INTEGER NOT NULL,       -- xxh3 of the id of the trace
  id TEXT NOT NULL,
  kind INTEGER NOT NULL,
  ts INTEGER NOT NULL,
  comment TEXT,
  arrived INTEGER NOT NULL        -- ms since the epoch
) STRICT;
CREATE INDEX early_feedback_id ON early_feedback(id_hash);
CREATE INDEX early_feedback_arrived ON early_feedback(arrived);
