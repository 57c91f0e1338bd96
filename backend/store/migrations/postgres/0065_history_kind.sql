-- +goose Up
-- The history is asked by kind across a million events.
CREATE INDEX event_kind ON event (kind, seq);

-- +goose Down
DROP INDEX event_kind;
