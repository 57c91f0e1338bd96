-- +goose Up
-- What was deleted and can be restored. A row hides what it names; once it is
-- purged the row stays as its stone.
CREATE TABLE trash (
  kind      TEXT NOT NULL, -- project, dataset, snapshot, model, comparison
  project   TEXT NOT NULL,
  id        TEXT NOT NULL,
  name      TEXT NOT NULL,
  reason    TEXT NOT NULL,
  person    TEXT NOT NULL,
  at        INTEGER NOT NULL,
  purged_at INTEGER NOT NULL,
  PRIMARY KEY (kind, project, id)
) STRICT, WITHOUT ROWID;

-- For how many days each kind of record is kept, where it is not the default; 0
-- is for good.
CREATE TABLE retention (
  kind   TEXT PRIMARY KEY,
  days   INTEGER NOT NULL,
  person TEXT NOT NULL,
  at     INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE retention;
DROP TABLE trash;
