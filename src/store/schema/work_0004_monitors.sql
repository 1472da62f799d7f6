-- What monitors remember between two looks, and the alerts that they raised.

-- One rule on one group of traffic.
CREATE TABLE monitor_life (
    rule TEXT NOT NULL,
    grp  TEXT NOT NULL,                 -- JSON of domain::monitor::Group, keys sorted
    body TEXT NOT NULL,                 -- JSON of domain::monitor::Life
    PRIMARY KEY (rule, grp)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert (
    number      INTEGER PRIMARY KEY,    -- people say A-7; of this store only
    id          TEXT NOT NULL UNIQUE,   -- UUID v7
    rule        TEXT NOT NULL,
    grp         TEXT NOT NULL,
    severity    TEXT NOT NULL CHECK (severity IN ('ticket', 'page')),
    fired_at    INTEGER NOT NULL,       -- milliseconds since the epoch
    resolved_at INTEGER,
    evidence    TEXT NOT NULL,          -- JSON of domain::monitor::Evidence: figures, names, ids
    incident    TEXT                    -- incident.id, once one was opened for it
) STRICT;
-- One alert of a rule on a group is out at a time.
CREATE UNIQUE INDEX alert_out ON alert (rule, grp) WHERE resolved_at IS NULL;

CREATE TABLE alert_silence (
    number  INTEGER PRIMARY KEY,
    rule    TEXT,                       -- none: every rule
    grp     TEXT NOT NULL,              -- the values that an alert's group must have
    reason  TEXT NOT NULL,
    "by"    TEXT NOT NULL,
    since   INTEGER NOT NULL,
    until   INTEGER NOT NULL
) STRICT;

-- What is to be told to whom. Written with the alert, in one transaction, and sent after it.
CREATE TABLE outbox (
    seq      INTEGER PRIMARY KEY,
    alert    INTEGER,                   -- alert.number; none: a test of the receiver
    rule     TEXT NOT NULL,
    receiver TEXT NOT NULL,             -- the name of [[notify]]
    kind     TEXT NOT NULL,             -- receiver's kind
    what     TEXT NOT NULL CHECK (what IN ('firing', 'repeat', 'resolved', 'test')),
    message  TEXT NOT NULL,             -- JSON of domain::monitor::Message
    state    TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed', 'unknown')),
    attempts INTEGER NOT NULL,
    due_at   INTEGER NOT NULL,
    at       INTEGER NOT NULL,          -- when it was written
    ended_at INTEGER,
    status   INTEGER,                   -- the HTTP status or exit code of the last answer
    answer   TEXT                       -- the first words of it, or why there was none
) STRICT;
CREATE INDEX outbox_open ON outbox (due_at) WHERE state IN ('waiting', 'sending');
CREATE INDEX outbox_alert ON outbox (alert, seq);
CREATE INDEX outbox_rule ON outbox (rule, what, seq);

-- Who watches: one at a time.
CREATE TABLE lease (
    name   TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
