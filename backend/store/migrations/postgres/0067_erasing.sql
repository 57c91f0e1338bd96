-- +goose Up
-- How far each erasure has come. It names nobody but by opaque ids.
CREATE TABLE erasing (
  cause       BIGINT PRIMARY KEY, -- seq of the event that says what was asked for
  kind        TEXT COLLATE "C" NOT NULL, -- person, item
  subject     TEXT COLLATE "C" NOT NULL,
  person      TEXT COLLATE "C" NOT NULL, -- who asked
  at          BIGINT NOT NULL,
  last        BIGINT NOT NULL, -- up to which event the history is looked through
  own         BIGINT NOT NULL, -- events by and about them are done up to this one
  seen        BIGINT NOT NULL, -- events that may name them are done up to this one
  words       BIGINT NOT NULL,
  payloads    BIGINT NOT NULL,
  finished_at BIGINT NOT NULL  -- 0: not yet
);
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
