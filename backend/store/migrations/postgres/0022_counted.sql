-- +goose Up
DROP INDEX annotation_counting;

-- +goose Down
CREATE INDEX annotation_counting ON annotation (project, person, dataset, class, kind, state);
