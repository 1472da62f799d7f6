-- Health cut by language and by model: the language of a trace, in its row and in the columns (name.kind 9).
-- Filled by the migration from what the bodies of the newest traces state.
ALTER TABLE trace ADD COLUMN language INTEGER;
ALTER TABLE block ADD COLUMN language BLOB;

-- The finest figures are told apart by language too; the migration makes all of them anew.
DROP TABLE rollup;

-- Figures by hour. 0 stands for "none" in the key.
CREATE TABLE rollup(
  hour INTEGER NOT NULL,
  feature INTEGER NOT NULL,
  model INTEGER NOT NULL,
  prompt INTEGER NOT NULL,
  version INTEGER NOT NULL,
  language INTEGER NOT NULL,
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
  PRIMARY KEY(hour, feature, model, prompt, version, language)
) STRICT, WITHOUT ROWID;

-- The sums of `rollup` over prompts, versions and languages.
CREATE TABLE rollup_model(
  hour INTEGER NOT NULL,
  feature INTEGER NOT NULL,
  model INTEGER NOT NULL,
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
  PRIMARY KEY(hour, feature, model)
) STRICT, WITHOUT ROWID;

-- The sums of `rollup` over models, prompts and versions.
CREATE TABLE rollup_language(
  hour INTEGER NOT NULL,
  feature INTEGER NOT NULL,
  language INTEGER NOT NULL,
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
  PRIMARY KEY(hour, feature, language)
) STRICT, WITHOUT ROWID;

-- The first hour in which a feature had a model or a prompt version: what is marked on the axis of time.
CREATE TABLE debut(
  feature INTEGER NOT NULL,       -- 0: none
  kind INTEGER NOT NULL,          -- 1 model, 2 prompt version
  a INTEGER NOT NULL,             -- the model, or the prompt; 0: none
  b INTEGER NOT NULL,             -- the version; 0: none
  hour INTEGER NOT NULL,
  PRIMARY KEY(feature, kind, a, b)
) STRICT, WITHOUT ROWID;
CREATE INDEX debut_hour ON debut(hour);
