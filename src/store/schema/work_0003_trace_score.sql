-- What evaluators said of recorded traces. An evaluator speaks once of a trace as it is; where its model or
-- template is another, or the trace changed, it speaks anew and the row is replaced. Another version of it (other
-- settings) has rows of its own.
CREATE TABLE trace_score (
    trace_hash INTEGER NOT NULL,
    trace_id   TEXT NOT NULL,
    evaluator  TEXT NOT NULL,           -- its name
    version    TEXT NOT NULL,           -- domain::Evaluator::version
    decider    TEXT NOT NULL,           -- hash of what decides besides the settings: model, template
    subject    BLOB NOT NULL,           -- hash of what it looked at
    outcome    TEXT NOT NULL,           -- pass, fail, error
    score      REAL,                    -- on the evaluator's own scale
    cost       REAL,                    -- US dollars, where known
    at         INTEGER NOT NULL,        -- milliseconds since the epoch
    body       TEXT NOT NULL,           -- domain::Assessment as JSON
    PRIMARY KEY (trace_hash, trace_id, evaluator, version)
) STRICT;
-- For a figure over time: the words of one evaluator, the newest last.
CREATE INDEX trace_score_evaluator ON trace_score (evaluator, at);
