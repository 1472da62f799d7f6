-- The daily sample: arriving traces that were drawn to be judged, and what became of each. A row is there before
-- anything is asked, so that after a kill nobody is asked twice and what may have been paid counts.
CREATE TABLE judge_pick (
    trace_hash  INTEGER NOT NULL,
    trace_id    TEXT NOT NULL,
    ts          INTEGER NOT NULL,           -- of the trace, milliseconds since the epoch
    day         INTEGER NOT NULL,           -- of the trace, days since the epoch (UTC)
    feature     TEXT NOT NULL,              -- '': none
    place       INTEGER NOT NULL,           -- its place in the draw, the highest 63 bits: the lowest are judged first
    probability REAL NOT NULL,              -- with which it was drawn
    state       TEXT NOT NULL DEFAULT 'waiting'
                CHECK (state IN ('waiting', 'asking', 'told', 'untold', 'lost')),
    holder      TEXT,                       -- who asks
    attempts    INTEGER NOT NULL DEFAULT 0,
    asked_day   INTEGER,                    -- when it was asked last, days since the epoch (UTC)
    aside       REAL NOT NULL DEFAULT 0,    -- US dollars that the questions under way cost at most
    paid        REAL NOT NULL DEFAULT 0,    -- US dollars, before asked_day's aside
    PRIMARY KEY (trace_hash, trace_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX judge_pick_time ON judge_pick (ts, probability);
CREATE INDEX judge_pick_day ON judge_pick (day, feature);
CREATE INDEX judge_pick_asked ON judge_pick (asked_day, paid, aside) WHERE asked_day IS NOT NULL;
CREATE INDEX judge_pick_open ON judge_pick (day, place) WHERE state = 'waiting';

-- How far arriving traces were looked at: one row.
CREATE TABLE judge_cursor (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL                    -- trace.seq of the traces file
) STRICT;
