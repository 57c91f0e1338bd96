-- +goose Up
-- Whose data directory this is: the command line on the server's own machine
-- acts in the name of this person. Where there is an admin already, it is the
-- first; what acted as "local" before is nobody any more.
ALTER TABLE person ADD COLUMN owner BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE person SET owner = TRUE WHERE id = (
  SELECT id FROM person WHERE admin ORDER BY CASE WHEN id = 'local' THEN 1 ELSE 0 END, created_at, id LIMIT 1
);
UPDATE person SET name = 'Owner of this machine' WHERE id = 'local' AND owner;
UPDATE person SET admin = FALSE, disabled = TRUE WHERE id = 'local' AND NOT owner;
CREATE UNIQUE INDEX person_owner ON person (owner) WHERE owner;

-- +goose Down
DROP INDEX person_owner;
ALTER TABLE person DROP COLUMN owner;
