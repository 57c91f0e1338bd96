-- +goose Up
-- For 0019 alone, which counts answers per person and class: without this it
-- reads all answers of a person once for each class. 0022 takes it away again.
CREATE INDEX annotation_counting ON annotation (project, person, dataset, class, kind, state);

-- +goose Down
DROP INDEX IF EXISTS annotation_counting;
