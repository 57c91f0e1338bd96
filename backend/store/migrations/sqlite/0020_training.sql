-- +goose Up
-- Training work: one row per job. A predict job shares the run of the train job it follows.
CREATE TABLE training_job (
  id             TEXT PRIMARY KEY,
  project        TEXT NOT NULL,
  kind           TEXT NOT NULL,
  run            TEXT NOT NULL,
  recipe         TEXT NOT NULL,
  recipe_version TEXT NOT NULL,
  params         TEXT NOT NULL,
  seed           INTEGER NOT NULL,
  model_name     TEXT NOT NULL,
  snapshot       TEXT NOT NULL,
  model          TEXT NOT NULL,
  dataset        TEXT NOT NULL,
  unlabeled      INTEGER NOT NULL,
  spec_hash      TEXT NOT NULL,
  key            TEXT NOT NULL,
  engine         TEXT NOT NULL,
  state          TEXT NOT NULL,
  reason         TEXT NOT NULL,
  message        TEXT NOT NULL,
  fence          INTEGER NOT NULL,
  attempts       INTEGER NOT NULL,
  max_attempts   INTEGER NOT NULL,
  not_before     INTEGER NOT NULL,
  stop_at        INTEGER NOT NULL,
  created_by     TEXT NOT NULL,
  created_at     INTEGER NOT NULL,
  ended_at       INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX training_job_key ON training_job (project, key) WHERE key <> '';
CREATE INDEX training_job_queue ON training_job (engine, not_before, id) WHERE state = 'queued';
CREATE INDEX training_job_project ON training_job (project, id);
CREATE INDEX training_job_run ON training_job (run, id);
CREATE INDEX training_job_spec ON training_job (spec_hash);

-- One try at a job. The fence only grows.
CREATE TABLE training_attempt (
  fence         INTEGER PRIMARY KEY AUTOINCREMENT,
  job           TEXT NOT NULL REFERENCES training_job (id),
  number        INTEGER NOT NULL,
  engine        TEXT NOT NULL,
  ext_id        TEXT NOT NULL,
  token_hash    TEXT NOT NULL,
  state         TEXT NOT NULL,
  phase         TEXT NOT NULL,
  reason        TEXT NOT NULL,
  message       TEXT NOT NULL,
  lease_until   INTEGER NOT NULL,
  placed_at     INTEGER NOT NULL,
  started_at    INTEGER NOT NULL,
  collecting_at INTEGER NOT NULL,
  ended_at      INTEGER NOT NULL,
  beat_at       INTEGER NOT NULL,
  exit_code     INTEGER NOT NULL,
  signal        TEXT NOT NULL,
  log_bytes     INTEGER NOT NULL,
  log_crc32     INTEGER NOT NULL,
  log_whole     INTEGER NOT NULL,
  metrics_bytes INTEGER NOT NULL,
  progress      REAL NOT NULL,
  host          TEXT NOT NULL,
  environment   TEXT NOT NULL,
  submitted     TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX training_attempt_number ON training_attempt (job, number);
CREATE UNIQUE INDEX training_attempt_token ON training_attempt (token_hash);
CREATE INDEX training_attempt_active ON training_attempt (engine, fence) WHERE ended_at = 0;

-- What a trainer printed, as the runner shipped it.
CREATE TABLE training_log (
  fence INTEGER NOT NULL REFERENCES training_attempt (fence),
  start INTEGER NOT NULL,
  stop  INTEGER NOT NULL,
  body  BLOB NOT NULL,
  PRIMARY KEY (fence, start)
) STRICT;
CREATE INDEX training_log_stop ON training_log (fence, stop);

-- Files that an attempt brought in; the bytes are blobs.
CREATE TABLE training_output (
  fence  INTEGER NOT NULL REFERENCES training_attempt (fence),
  path   TEXT NOT NULL,
  size   INTEGER NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (fence, path)
) STRICT;

-- +goose Down
DROP TABLE training_output;
DROP TABLE training_log;
DROP TABLE training_attempt;
DROP TABLE training_job;
