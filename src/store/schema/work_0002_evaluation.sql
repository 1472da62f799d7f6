-- Runs of eval sets. A run's head never changes; results land one by one.
CREATE TABLE run (
    seq     INTEGER PRIMARY KEY,        -- the order in which they began
    name    TEXT NOT NULL UNIQUE,
    head    TEXT NOT NULL,              -- domain::RunHead as JSON
    stopped TEXT                        -- why it ended before its end
) STRICT;

-- What was asked of a target, written before it is asked: after a kill it tells what may have been paid.
CREATE TABLE run_asked (
    run     INTEGER NOT NULL,           -- run.seq
    case_id TEXT NOT NULL,
    at      INTEGER NOT NULL,           -- milliseconds since the epoch
    PRIMARY KEY (run, case_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_result (
    run     INTEGER NOT NULL,           -- run.seq
    case_id TEXT NOT NULL,
    outcome TEXT NOT NULL,              -- pass, fail, error
    paid    REAL NOT NULL,              -- US dollars
    body    TEXT NOT NULL,              -- domain::CaseResult as JSON
    PRIMARY KEY (run, case_id)
) STRICT;

-- Answers by what was asked: target, model, prompt, input and settings, hashed.
CREATE TABLE answer_cache (
    key    BLOB PRIMARY KEY,
    answer TEXT NOT NULL,               -- domain::Answer as JSON
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Embeddings by embedder (its name and model) and a hash of the text: little-endian f32.
CREATE TABLE embedding (
    embedder TEXT NOT NULL,
    text     BLOB NOT NULL,
    vector   BLOB NOT NULL,
    PRIMARY KEY (embedder, text)
) STRICT, WITHOUT ROWID;

-- What proves an item of a gate, kept for good; the newest of an item counts.
CREATE TABLE gate_evidence (
    seq     INTEGER PRIMARY KEY,
    feature TEXT NOT NULL,
    version TEXT NOT NULL,
    item    TEXT NOT NULL,
    body    TEXT NOT NULL,              -- JSON: prompt hash, set version, run, figures, who
    at      INTEGER NOT NULL
) STRICT;
CREATE INDEX gate_evidence_item ON gate_evidence (feature, version, item, seq);
