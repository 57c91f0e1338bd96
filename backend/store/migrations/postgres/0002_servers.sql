-- +goose Up
-- The last group that each server committed, so that a server whose connection
-- broke during COMMIT can find out whether it went through.
CREATE TABLE server (
  id            TEXT COLLATE "C" PRIMARY KEY,
  commit_number BIGINT NOT NULL,
  at            BIGINT NOT NULL
);

-- +goose Down
DROP TABLE server;
