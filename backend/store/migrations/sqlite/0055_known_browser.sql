-- +goose Up
-- Browsers in which somebody signed in before, by the hash of a secret that the
-- browser keeps and of the person: neither stands here.
CREATE TABLE known_browser (
  key        TEXT PRIMARY KEY,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX known_browser_expires ON known_browser (expires_at);

-- +goose Down
DROP TABLE known_browser;
