-- Columns of the figures beside the times and hashes, so that a part of an hour is added up, and a draw
-- in strata is made, without reading rows. Each is packed as store::column says; filled by the migration.
ALTER TABLE block ADD COLUMN flags BLOB;
ALTER TABLE block ADD COLUMN feature BLOB;
ALTER TABLE block ADD COLUMN model BLOB;
ALTER TABLE block ADD COLUMN prompt BLOB;
ALTER TABLE block ADD COLUMN version BLOB;
ALTER TABLE block ADD COLUMN latency_us BLOB;
ALTER TABLE block ADD COLUMN cost_nusd BLOB;
ALTER TABLE block ADD COLUMN tokens_in BLOB;
ALTER TABLE block ADD COLUMN tokens_out BLOB;

-- `latency` of all three tables of sums has the form that stats::sketch says; the migration makes them anew.
-- The sums of `rollup` over models: what a window reads. Same columns.
CREATE TABLE rollup_version(
  hour INTEGER NOT NULL,
  feature INTEGER NOT NULL,
  prompt INTEGER NOT NULL,
  version INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  timeouts INTEGER NOT NULL,
  rate_limits INTEGER NOT NULL,
  content_policy INTEGER NOT NULL,
  other_errors INTEGER NOT NULL,
  fallbacks INTEGER NOT NULL,
  ups INTEGER NOT NULL,
  downs INTEGER NOT NULL,
  reports INTEGER NOT NULL,
  follow_ups INTEGER NOT NULL,
  priced INTEGER NOT NULL,
  cost_nusd INTEGER NOT NULL,
  tokens_in INTEGER NOT NULL,
  tokens_out INTEGER NOT NULL,
  timed INTEGER NOT NULL,
  latency BLOB NOT NULL,
  PRIMARY KEY(hour, feature, prompt, version)
) STRICT, WITHOUT ROWID;

-- The sums over versions too: what a series of hours reads.
CREATE TABLE rollup_feature(
  hour INTEGER NOT NULL,
  feature INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  timeouts INTEGER NOT NULL,
  rate_limits INTEGER NOT NULL,
  content_policy INTEGER NOT NULL,
  other_errors INTEGER NOT NULL,
  fallbacks INTEGER NOT NULL,
  ups INTEGER NOT NULL,
  downs INTEGER NOT NULL,
  reports INTEGER NOT NULL,
  follow_ups INTEGER NOT NULL,
  priced INTEGER NOT NULL,
  cost_nusd INTEGER NOT NULL,
  tokens_in INTEGER NOT NULL,
  tokens_out INTEGER NOT NULL,
  timed INTEGER NOT NULL,
  latency BLOB NOT NULL,
  PRIMARY KEY(hour, feature)
) STRICT, WITHOUT ROWID;
