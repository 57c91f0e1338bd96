-- +goose Up
-- Training work: one row per job. A predict job shares the run of the train job it follows.
CREATE TABLE training_job (
  id             TEXT COLLATE "C" PRIMARY KEY,
  project        TEXT COLLATE "C" NOT NULL,
  kind           TEXT COLLATE "C" NOT NULL,
  run            TEXT COLLATE "C" NOT NULL,
  recipe         TEXT COLLATE "C" NOT NULL,
  recipe_version TEXT COLLATE "C" NOT NULL,
  params         TEXT COLLATE "C" NOT NULL,
  seed           BIGINT NOT NULL,
  model_name     TEXT COLLATE "C" NOT NULL,
  snapshot       TEXT COLLATE "C" NOT NULL,
  model          TEXT COLLATE "C" NOT NULL,
  dataset        TEXT COLLATE "C" NOT NULL,
  unlabeled      BOOLEAN NOT NULL,
  spec_hash      TEXT COLLATE "C" NOT NULL,
  key            TEXT COLLATE "C" NOT NULL,
  engine         TEXT COLLATE "C" NOT NULL,
  state          TEXT COLLATE "C" NOT NULL,
  reason         TEXT COLLATE "C" NOT NULL,
  message        TEXT COLLATE "C" NOT NULL,
  fence          BIGINT NOT NULL,
  attempts       BIGINT NOT NULL,
  max_attempts   BIGINT NOT NULL,
  not_before     BIGINT NOT NULL,
  stop_at        BIGINT NOT NULL,
  created_by     TEXT COLLATE "C" NOT NULL,
  created_at     BIGINT NOT NULL,
  ended_at       BIGINT NOT NULL
);
CREATE UNIQUE INDEX training_job_key ON training_job (project, key) WHERE key <> '';
CREATE INDEX training_job_queue ON training_job (engine, not_before, id) WHERE state = 'queued';
CREATE INDEX training_job_project ON training_job (project, id);
CREATE INDEX training_job_run ON training_job (run, id);
CREATE INDEX training_job_spec ON training_job (spec_hash);

-- One try at a job. The fence only grows.
CREATE TABLE training_attempt (
  fence         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job           TEXT COLLATE "C" NOT NULL REFERENCES training_job (id),
  number        BIGINT NOT NULL,
  engine        TEXT COLLATE "C" NOT NULL,
  ext_id        TEXT COLLATE "C" NOT NULL,
  token_hash    TEXT COLLATE "C" NOT NULL,
  state         TEXT COLLATE "C" NOT NULL,
  phase         TEXT COLLATE "C" NOT NULL,
  reason        TEXT COLLATE "C" NOT NULL,
  message       TEXT COLLATE "C" NOT NULL,
  lease_until   BIGINT NOT NULL,
  placed_at     BIGINT NOT NULL,
  started_at    BIGINT NOT NULL,
  collecting_at BIGINT NOT NULL,
  ended_at      BIGINT NOT NULL,
  beat_at       BIGINT NOT NULL,
  exit_code     BIGINT NOT NULL,
  signal        TEXT COLLATE "C" NOT NULL,
  log_bytes     BIGINT NOT NULL,
  log_crc32     BIGINT NOT NULL,
  log_whole     BOOLEAN NOT NULL,
  metrics_bytes BIGINT NOT NULL,
  progress      DOUBLE PRECISION NOT NULL,
  host          TEXT COLLATE "C" NOT NULL,
  environment   TEXT COLLATE "C" NOT NULL,
  submitted     TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX training_attempt_number ON training_attempt (job, number);
CREATE UNIQUE INDEX training_attempt_token ON training_attempt (token_hash);
CREATE INDEX training_attempt_active ON training_attempt (engine, fence) WHERE ended_at = 0;

-- What a trainer printed, as the runner shipped it.
CREATE TABLE training_log (
  fence BIGINT NOT NULL REFERENCES training_attempt (fence),
  start BIGINT NOT NULL,
  stop  BIGINT NOT NULL,
  body  BYTEA NOT NULL,
  PRIMARY KEY (fence, start)
);
CREATE INDEX training_log_stop ON training_log (fence, stop);

-- Files that an attempt brought in; the bytes are blobs.
CREATE TABLE training_output (
  fence  BIGINT NOT NULL REFERENCES training_attempt (fence),
  path   TEXT COLLATE "C" NOT NULL,
  size   BIGINT NOT NULL,
  digest TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (fence, path)
);

-- +goose Down
DROP TABLE training_output;
DROP TABLE training_log;
DROP TABLE training_attempt;
DROP TABLE training_job;
