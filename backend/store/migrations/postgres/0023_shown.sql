-- +goose Up
-- Who had the answers of others to a waiting item shown: they are not asked for
-- it any more.
CREATE TABLE item_shown (
  item   TEXT COLLATE "C" NOT NULL,
  person TEXT COLLATE "C" NOT NULL,
  at     BIGINT NOT NULL,
  PRIMARY KEY (item, person)
);

-- +goose Down
DROP TABLE item_shown;
