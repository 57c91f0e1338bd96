-- +goose Up
-- Who had the answers of others to a waiting item shown: they are not asked for
-- it any more.
CREATE TABLE item_shown (
  item   TEXT NOT NULL,
  person TEXT NOT NULL,
  at     INTEGER NOT NULL,
  PRIMARY KEY (item, person)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE item_shown;
