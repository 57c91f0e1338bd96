-- +goose Up
CREATE TABLE import (
  id          TEXT COLLATE "C" PRIMARY KEY,
  project     TEXT COLLATE "C" NOT NULL REFERENCES project (id),
  file        TEXT COLLATE "C" NOT NULL,
  blob        TEXT COLLATE "C" NOT NULL, -- digest of the bytes
  size        BIGINT NOT NULL,
  state       TEXT COLLATE "C" NOT NULL,
  failure     TEXT COLLATE "C" NOT NULL,
  dataset     TEXT COLLATE "C" NOT NULL, -- empty until it is started
  format      TEXT COLLATE "C" NOT NULL,
  header      TEXT COLLATE "C" NOT NULL,
  map_text    TEXT COLLATE "C" NOT NULL,
  map_label   TEXT COLLATE "C" NOT NULL,
  map_key     TEXT COLLATE "C" NOT NULL,
  add_classes BOOLEAN NOT NULL,
  classes_in  BOOLEAN NOT NULL,
  passed      BIGINT NOT NULL, -- records dealt with: committed together with their rows
  bytes_read  BIGINT NOT NULL,
  added       BIGINT NOT NULL,
  unchanged   BIGINT NOT NULL,
  labeled     BIGINT NOT NULL,
  bad         BIGINT NOT NULL,
  created_by  TEXT COLLATE "C" NOT NULL,
  created_at  BIGINT NOT NULL,
  finished_at BIGINT NOT NULL
);
CREATE INDEX import_project ON import (project, created_at);

CREATE TABLE import_problem (
  import TEXT COLLATE "C" NOT NULL REFERENCES import (id),
  place  BIGINT NOT NULL,
  line   BIGINT NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (import, place)
);

-- +goose Down
DROP TABLE import_problem;
DROP TABLE import;
