-- +goose Up
-- How far each erasure has come. It names nobody but by opaque ids.
CREATE TABLE erasing (
  cause       INTEGER PRIMARY KEY, -- seq of the event that says what was asked for
  kind        TEXT NOT NULL, -- person, item
  subject     TEXT NOT NULL,
  person      TEXT NOT NULL, -- who asked
  at          INTEGER NOT NULL,
  last        INTEGER NOT NULL, -- up to which event the history is looked through
  own         INTEGER NOT NULL, -- events by and about them are done up to this one
  seen        INTEGER NOT NULL, -- events that may name them are done up to this one
  words       INTEGER NOT NULL,
  payloads    INTEGER NOT NULL,
  finished_at INTEGER NOT NULL  -- 0: not yet
) STRICT;
CREATE INDEX erasing_subject ON erasing (kind, subject);

-- What a person wrote is found without reading what everybody answered.
CREATE INDEX annotation_words ON annotation (person, id) WHERE reason <> '';
CREATE INDEX item_bulk_words ON item_bulk (person, id) WHERE reason <> '';
CREATE INDEX candidate_comment_person ON candidate_comment (person, seq);

-- +goose Down
DROP INDEX candidate_comment_person;
DROP INDEX item_bulk_words;
DROP INDEX annotation_words;
DROP TABLE erasing;
