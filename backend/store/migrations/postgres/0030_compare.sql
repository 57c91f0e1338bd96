-- +goose Up
-- Runs: trainings and evaluations with their parameters and results.
CREATE TABLE run (
  id            TEXT COLLATE "C" PRIMARY KEY,
  project       TEXT COLLATE "C" NOT NULL,
  number        BIGINT NOT NULL,
  kind          TEXT COLLATE "C" NOT NULL,
  name          TEXT COLLATE "C" NOT NULL,
  recipe        TEXT COLLATE "C" NOT NULL,
  snapshot      TEXT COLLATE "C" NOT NULL,
  params        TEXT COLLATE "C" NOT NULL,
  state         TEXT COLLATE "C" NOT NULL,
  reason        TEXT COLLATE "C" NOT NULL,
  primary_name  TEXT COLLATE "C" NOT NULL,
  primary_value DOUBLE PRECISION NOT NULL,
  created_at    BIGINT NOT NULL,
  started_at    BIGINT NOT NULL,
  ended_at      BIGINT NOT NULL,
  person        TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX run_number ON run (project, number);

-- Points of the metrics of a run.
CREATE TABLE run_point (
  run   TEXT COLLATE "C" NOT NULL REFERENCES run (id),
  name  TEXT COLLATE "C" NOT NULL,
  split TEXT COLLATE "C" NOT NULL,
  step  BIGINT NOT NULL,
  value DOUBLE PRECISION NOT NULL,
  at    BIGINT NOT NULL,
  PRIMARY KEY (run, name, split, step)
);

-- Versions of models; files, params, metrics and environment are JSON.
CREATE TABLE model (
  id          TEXT COLLATE "C" PRIMARY KEY,
  project     TEXT COLLATE "C" NOT NULL,
  name        TEXT COLLATE "C" NOT NULL,
  version     BIGINT NOT NULL,
  digest      TEXT COLLATE "C" NOT NULL,
  files       TEXT COLLATE "C" NOT NULL,
  run         TEXT COLLATE "C" NOT NULL,
  snapshot    TEXT COLLATE "C" NOT NULL,
  params      TEXT COLLATE "C" NOT NULL,
  metrics     TEXT COLLATE "C" NOT NULL,
  environment TEXT COLLATE "C" NOT NULL,
  trained_by  TEXT COLLATE "C" NOT NULL,
  created_by  TEXT COLLATE "C" NOT NULL,
  created_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX model_version ON model (project, name, version);
CREATE INDEX model_project ON model (project, id);
CREATE INDEX model_digest ON model (digest);
CREATE INDEX model_run ON model (run);

-- What a model answered on a snapshot or a dataset; the rows are a blob.
CREATE TABLE prediction_set (
  id          TEXT COLLATE "C" PRIMARY KEY,
  project     TEXT COLLATE "C" NOT NULL,
  model       TEXT COLLATE "C" NOT NULL REFERENCES model (id),
  snapshot    TEXT COLLATE "C" NOT NULL,
  dataset     TEXT COLLATE "C" NOT NULL,
  state       TEXT COLLATE "C" NOT NULL,
  keys_digest TEXT COLLATE "C" NOT NULL,
  digest      TEXT COLLATE "C" NOT NULL,
  rows        BIGINT NOT NULL,
  report      TEXT COLLATE "C" NOT NULL,
  created_by  TEXT COLLATE "C" NOT NULL,
  created_at  BIGINT NOT NULL
);
CREATE INDEX prediction_set_model ON prediction_set (model, id);

-- Evaluations and comparisons; digest names the document, a blob.
CREATE TABLE evaluation (
  digest     TEXT COLLATE "C" NOT NULL,
  inputs     TEXT COLLATE "C" NOT NULL,
  project    TEXT COLLATE "C" NOT NULL,
  model      TEXT COLLATE "C" NOT NULL REFERENCES model (id),
  snapshot   TEXT COLLATE "C" NOT NULL,
  items      BIGINT NOT NULL,
  accuracy   TEXT COLLATE "C" NOT NULL,
  macro_f1   TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (project, model, snapshot, digest)
);

CREATE TABLE comparison (
  digest     TEXT COLLATE "C" NOT NULL,
  inputs     TEXT COLLATE "C" NOT NULL,
  project    TEXT COLLATE "C" NOT NULL,
  baseline   TEXT COLLATE "C" NOT NULL REFERENCES model (id),
  candidate  TEXT COLLATE "C" NOT NULL REFERENCES model (id),
  snapshot   TEXT COLLATE "C" NOT NULL,
  items      BIGINT NOT NULL,
  verdict    TEXT COLLATE "C" NOT NULL,
  difference TEXT COLLATE "C" NOT NULL,
  p          DOUBLE PRECISION NOT NULL,
  created_by TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (project, baseline, candidate, snapshot, digest)
);
CREATE INDEX comparison_made ON comparison (project, created_at);
CREATE INDEX comparison_digest ON comparison (project, digest);

-- +goose Down
DROP TABLE comparison;
DROP TABLE evaluation;
DROP TABLE prediction_set;
DROP TABLE model;
DROP TABLE run_point;
DROP TABLE run;
