-- Quality in production stands on judged traces: what judges said is found by trace without reading its text.
ALTER TABLE trace_score ADD COLUMN kind TEXT GENERATED ALWAYS AS (json_extract(body, '$.kind')) VIRTUAL;
ALTER TABLE trace_score ADD COLUMN model TEXT GENERATED ALWAYS AS (json_extract(body, '$.by')) VIRTUAL;
CREATE INDEX trace_score_judge ON trace_score
    (trace_hash, trace_id, evaluator, version, decider, model, outcome, at) WHERE kind = 'judge';

-- Rules that were paused since their judge changed, taken up again. Only grows: the newest of a rule on a group
-- counts, and monitor_life.body says which one it has taken.
CREATE TABLE monitor_resume (
    seq      INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,          -- milliseconds since the epoch
    "by"     TEXT NOT NULL,
    rule     TEXT NOT NULL,
    grp      TEXT NOT NULL,             -- JSON of domain::monitor::Group, keys sorted
    judges   TEXT NOT NULL,             -- JSON of the domain::Judge list that is now trusted
    baseline REAL,                      -- the share of failures that is well with them; NULL: the rule's target
    judged   INTEGER NOT NULL           -- traces that they had judged by then
) STRICT;
CREATE INDEX monitor_resume_of ON monitor_resume (rule, grp, seq);

CREATE TRIGGER monitor_resume_stays BEFORE UPDATE ON monitor_resume
BEGIN SELECT RAISE(ABORT, 'the record of resumed monitors is append-only'); END;
CREATE TRIGGER monitor_resume_is_kept BEFORE DELETE ON monitor_resume
BEGIN SELECT RAISE(ABORT, 'the record of resumed monitors is append-only'); END;
