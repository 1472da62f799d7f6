-- What people noted on the axis of time: a deployment. Only grows.
CREATE TABLE mark (
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,           -- when it happened, milliseconds since the epoch
    kind    TEXT NOT NULL,              -- deploy
    text    TEXT NOT NULL,
    feature TEXT,                       -- NULL: not of one feature alone
    "by"    TEXT NOT NULL,
    noted   INTEGER NOT NULL            -- when it was written down
) STRICT;
CREATE INDEX mark_at ON mark (at);
