-- What drills came to. The drills themselves were held on stores of their own, which are gone.
CREATE TABLE drill (
    id       TEXT PRIMARY KEY,          -- UUID v7
    scenario TEXT NOT NULL,             -- domain::drill::Scenario
    held_at  INTEGER NOT NULL,          -- milliseconds since the epoch
    auto     INTEGER NOT NULL,          -- 1: the default steps were taken without a person
    body     TEXT NOT NULL              -- domain::drill::Score as JSON
) STRICT, WITHOUT ROWID;
