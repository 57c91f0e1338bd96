-- +goose Up
-- What people who vote opened, and for how long they had it in view: one row for
-- each report of a page, so that what stood at a moment can be told later. thing
-- is the id, digest what it was made of then.
CREATE TABLE look (
  person  TEXT NOT NULL,
  project TEXT NOT NULL,
  kind    TEXT NOT NULL,
  thing   TEXT NOT NULL,
  digest  TEXT NOT NULL,
  at      INTEGER NOT NULL,
  millis  INTEGER NOT NULL,
  PRIMARY KEY (person, project, kind, thing, digest, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX look_clock ON look (person, at);
CREATE INDEX look_at ON look (at);

-- Which items of a comparison they had in view, by their place among its sorted
-- keys, and when first.
CREATE TABLE look_item (
  person     TEXT NOT NULL,
  project    TEXT NOT NULL,
  comparison TEXT NOT NULL,
  item       INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  PRIMARY KEY (person, project, comparison, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX look_item_at ON look_item (at);

-- +goose Down
DROP TABLE look_item;
DROP TABLE look;
