-- A message can be about several alerts: those of one group that came together.

DROP INDEX outbox_alert;
ALTER TABLE outbox ADD COLUMN grp TEXT NOT NULL DEFAULT '';  -- messages of one group and receiver are one

-- What each alert of a message is in it.
CREATE TABLE outbox_alert (
    alert INTEGER NOT NULL,             -- alert.number
    seq   INTEGER NOT NULL,             -- outbox.seq
    what  TEXT NOT NULL CHECK (what IN ('firing', 'repeat', 'resolved')),
    at    INTEGER NOT NULL,             -- when it was put there
    PRIMARY KEY (alert, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO outbox_alert(alert, seq, what, at)
SELECT alert, seq, what, at FROM outbox WHERE alert IS NOT NULL;

-- outbox.message was JSON of domain::monitor::Message, and is of domain::monitor::Notice.
UPDATE outbox SET message =
    json_object('group', json_extract(message, '$.group'), 'alerts', json_array(json(message)));

ALTER TABLE outbox DROP COLUMN alert;
CREATE INDEX outbox_group ON outbox (receiver, grp, due_at);
