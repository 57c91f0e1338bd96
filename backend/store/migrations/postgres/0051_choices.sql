-- +goose Up
-- What people chose not to have sent, and the keys of their own.
ALTER TABLE person ADD COLUMN untimed BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE person ADD COLUMN unnotified BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE person ADD COLUMN keys TEXT NOT NULL DEFAULT '';

-- Minutes after which whoever may open a project is locked out of an idle
-- browser; 0: as the installation and the person say.
ALTER TABLE project ADD COLUMN lock_after BIGINT NOT NULL DEFAULT 0;
CREATE INDEX project_lock ON project (id, lock_after) WHERE lock_after > 0;

-- +goose Down
DROP INDEX project_lock;
ALTER TABLE project DROP COLUMN lock_after;
ALTER TABLE person DROP COLUMN keys;
ALTER TABLE person DROP COLUMN unnotified;
ALTER TABLE person DROP COLUMN untimed;
