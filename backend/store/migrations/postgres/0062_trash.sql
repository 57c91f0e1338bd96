-- +goose Up
-- What was deleted and can be restored. A row hides what it names; once it is
-- purged the row stays as its stone.
CREATE TABLE trash (
  kind      TEXT COLLATE "C" NOT NULL, -- project, dataset, snapshot, model, comparison
  project   TEXT COLLATE "C" NOT NULL,
  id        TEXT COLLATE "C" NOT NULL,
  name      TEXT COLLATE "C" NOT NULL,
  reason    TEXT COLLATE "C" NOT NULL,
  person    TEXT COLLATE "C" NOT NULL,
  at        BIGINT NOT NULL,
  purged_at BIGINT NOT NULL,
  PRIMARY KEY (kind, project, id)
);

-- For how many days each kind of record is kept, where it is not the default; 0
-- is for good.
CREATE TABLE retention (
  kind   TEXT COLLATE "C" PRIMARY KEY,
  days   BIGINT NOT NULL,
  person TEXT COLLATE "C" NOT NULL,
  at     BIGINT NOT NULL
);

-- +goose Down
DROP TABLE retention;
DROP TABLE trash;
