-- The blocks of a time are found by their times: looking through all of them grows with the history.
CREATE INDEX block_time ON block(max_ts, min_ts);
