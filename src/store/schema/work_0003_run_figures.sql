-- The figures of results beside their texts, so that a list of runs reads no text.
CREATE TABLE run_figure (
    run        INTEGER NOT NULL,        -- run.seq
    case_id    TEXT NOT NULL,
    outcome    TEXT NOT NULL,           -- pass, fail, error
    category   TEXT NOT NULL,
    cached     INTEGER NOT NULL,        -- 1: the answer came from the cache
    latency_ms REAL,
    cost       REAL,                    -- of the answer, US dollars
    tokens_in  INTEGER,
    tokens_out INTEGER,
    PRIMARY KEY (run, case_id)
) STRICT, WITHOUT ROWID;

-- What each evaluator said of a result, by its place.
CREATE TABLE run_word (
    run       INTEGER NOT NULL,
    case_id   TEXT NOT NULL,
    place     INTEGER NOT NULL,
    evaluator TEXT NOT NULL,
    kind      TEXT NOT NULL,
    outcome   TEXT NOT NULL,
    score     REAL,
    criteria  TEXT,                     -- JSON: ratings by name; null where there are none
    PRIMARY KEY (run, case_id, place)
) STRICT, WITHOUT ROWID;

INSERT INTO run_figure
SELECT run, case_id, outcome, coalesce(json_extract(body, '$.category'), ''),
       coalesce(json_extract(body, '$.cached'), 0), json_extract(body, '$.answer.latency_ms'),
       json_extract(body, '$.answer.cost_usd'), json_extract(body, '$.answer.tokens_in'),
       json_extract(body, '$.answer.tokens_out')
FROM run_result;

INSERT INTO run_word
SELECT r.run, r.case_id, a.key, json_extract(a.value, '$.evaluator'), json_extract(a.value, '$.kind'),
       json_extract(a.value, '$.outcome'), json_extract(a.value, '$.score.value'),
       json_extract(a.value, '$.criteria')
FROM run_result r, json_each(r.body, '$.assessments') a;
