-- +goose Up
-- What people who vote opened, and for how long they had it in view: one row for
-- each report of a page, so that what stood at a moment can be told later. thing
-- is the id, digest what it was made of then.
CREATE TABLE look (
  person  TEXT COLLATE "C" NOT NULL,
  project TEXT COLLATE "C" NOT NULL,
  kind    TEXT COLLATE "C" NOT NULL,
  thing   TEXT COLLATE "C" NOT NULL,
  digest  TEXT COLLATE "C" NOT NULL,
  at      BIGINT NOT NULL,
  millis  BIGINT NOT NULL,
  PRIMARY KEY (person, project, kind, thing, digest, at)
);
CREATE INDEX look_clock ON look (person, at);
CREATE INDEX look_at ON look (at);

-- Which items of a comparison they had in view, by their place among its sorted
-- keys, and when first.
CREATE TABLE look_item (
  person     TEXT COLLATE "C" NOT NULL,
  project    TEXT COLLATE "C" NOT NULL,
  comparison TEXT COLLATE "C" NOT NULL,
  item       BIGINT NOT NULL,
  at         BIGINT NOT NULL,
  PRIMARY KEY (person, project, comparison, item)
);
CREATE INDEX look_item_at ON look_item (at);

-- +goose Down
DROP TABLE look_item;
DROP TABLE look;
