-- +goose Up
-- Runs: trainings and evaluations with their parameters and results.
CREATE TABLE run (
  id            TEXT PRIMARY KEY,
  project       TEXT NOT NULL,
  number        INTEGER NOT NULL,
  kind          TEXT NOT NULL,
  name          TEXT NOT NULL,
  recipe        TEXT NOT NULL,
  snapshot      TEXT NOT NULL,
  params        TEXT NOT NULL,
  state         TEXT NOT NULL,
  reason        TEXT NOT NULL,
  primary_name  TEXT NOT NULL,
  primary_value REAL NOT NULL,
  created_at    INTEGER NOT NULL,
  started_at    INTEGER NOT NULL,
  ended_at      INTEGER NOT NULL,
  person        TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX run_number ON run (project, number);

-- Points of the metrics of a run.
CREATE TABLE run_point (
  run   TEXT NOT NULL REFERENCES run (id),
  name  TEXT NOT NULL,
  split TEXT NOT NULL,
  step  INTEGER NOT NULL,
  value REAL NOT NULL,
  at    INTEGER NOT NULL,
  PRIMARY KEY (run, name, split, step)
) STRICT, WITHOUT ROWID;

-- Versions of models; files, params, metrics and environment are JSON.
CREATE TABLE model (
  id          TEXT PRIMARY KEY,
  project     TEXT NOT NULL,
  name        TEXT NOT NULL,
  version     INTEGER NOT NULL,
  digest      TEXT NOT NULL,
  files       TEXT NOT NULL,
  run         TEXT NOT NULL,
  snapshot    TEXT NOT NULL,
  params      TEXT NOT NULL,
  metrics     TEXT NOT NULL,
  environment TEXT NOT NULL,
  trained_by  TEXT NOT NULL,
  created_by  TEXT NOT NULL,
  created_at  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX model_version ON model (project, name, version);
CREATE INDEX model_project ON model (project, id);
CREATE INDEX model_digest ON model (digest);
CREATE INDEX model_run ON model (run);

-- What a model answered on a snapshot or a dataset; the rows are a blob.
CREATE TABLE prediction_set (
  id          TEXT PRIMARY KEY,
  project     TEXT NOT NULL,
  model       TEXT NOT NULL REFERENCES model (id),
  snapshot    TEXT NOT NULL,
  dataset     TEXT NOT NULL,
  state       TEXT NOT NULL,
  keys_digest TEXT NOT NULL,
  digest      TEXT NOT NULL,
  rows        INTEGER NOT NULL,
  report      TEXT NOT NULL,
  created_by  TEXT NOT NULL,
  created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX prediction_set_model ON prediction_set (model, id);

-- Evaluations and comparisons; digest names the document, a blob.
CREATE TABLE evaluation (
  digest     TEXT NOT NULL,
  inputs     TEXT NOT NULL,
  project    TEXT NOT NULL,
  model      TEXT NOT NULL REFERENCES model (id),
  snapshot   TEXT NOT NULL,
  items      INTEGER NOT NULL,
  accuracy   TEXT NOT NULL,
  macro_f1   TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (project, model, snapshot, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE comparison (
  digest     TEXT NOT NULL,
  inputs     TEXT NOT NULL,
  project    TEXT NOT NULL,
  baseline   TEXT NOT NULL REFERENCES model (id),
  candidate  TEXT NOT NULL REFERENCES model (id),
  snapshot   TEXT NOT NULL,
  items      INTEGER NOT NULL,
  verdict    TEXT NOT NULL,
  difference TEXT NOT NULL,
  p          REAL NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (project, baseline, candidate, snapshot, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX comparison_made ON comparison (project, created_at);
CREATE INDEX comparison_digest ON comparison (project, digest);

-- +goose Down
DROP TABLE comparison;
DROP TABLE evaluation;
DROP TABLE prediction_set;
DROP TABLE model;
DROP TABLE run_point;
DROP TABLE run;
