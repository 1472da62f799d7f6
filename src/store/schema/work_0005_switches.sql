-- Switches of features and of prompts' current versions: what was begun, and what came of it. Only grows.
CREATE TABLE switch_event (
    seq   INTEGER PRIMARY KEY,          -- the order in which they happened
    act   TEXT NOT NULL,                -- UUID v7: the lines of one switch share it
    at    INTEGER NOT NULL,             -- milliseconds since the epoch
    actor TEXT NOT NULL,
    what  TEXT NOT NULL CHECK (what IN ('feature', 'prompt')),
    name  TEXT NOT NULL,                -- of the feature, of the prompt
    stage TEXT NOT NULL CHECK (stage IN ('begun', 'done', 'unproven', 'failed')),
    was   TEXT,                         -- 'on', 'v4'; NULL: not known
    became TEXT NOT NULL,               -- what it was to become
    note  TEXT NOT NULL,                -- domain::switch::SwitchNote as JSON
    program TEXT NOT NULL               -- the version that wrote it
) STRICT;
CREATE INDEX switch_event_of ON switch_event (what, name, seq);

CREATE TRIGGER switch_event_stays BEFORE UPDATE ON switch_event
BEGIN SELECT RAISE(ABORT, 'the record of switches is append-only'); END;
CREATE TRIGGER switch_event_is_kept BEFORE DELETE ON switch_event
BEGIN SELECT RAISE(ABORT, 'the record of switches is append-only'); END;
