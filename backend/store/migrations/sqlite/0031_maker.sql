-- +goose Up
-- Who made what has a digest, in whichever project: trained, registered or
-- uploaded answers of a model, took a snapshot. Nothing takes a row away.
CREATE TABLE maker (
  digest  TEXT NOT NULL,
  person  TEXT NOT NULL,
  how     TEXT NOT NULL,
  project TEXT NOT NULL,
  thing   TEXT NOT NULL,
  at      INTEGER NOT NULL,
  PRIMARY KEY (digest, person, how, project, thing)
) STRICT, WITHOUT ROWID;

INSERT INTO maker (digest, person, how, project, thing, at)
  SELECT digest, trained_by, 'trained', project, id, created_at FROM model WHERE digest <> '' AND trained_by <> '' AND trained_by <> 'system';
INSERT INTO maker (digest, person, how, project, thing, at)
  SELECT digest, created_by, 'registered', project, id, created_at FROM model WHERE digest <> '' AND created_by <> '' AND created_by <> 'system' AND created_by <> trained_by;
INSERT INTO maker (digest, person, how, project, thing, at)
  SELECT m.digest, s.created_by, 'uploaded', s.project, m.id, MIN(s.created_at) FROM prediction_set s JOIN model m ON m.id = s.model
  WHERE m.digest <> '' AND s.created_by <> '' AND s.created_by <> 'system' GROUP BY m.digest, s.created_by, s.project, m.id;
INSERT INTO maker (digest, person, how, project, thing, at)
  SELECT digest, created_by, 'took', project, id, created_at FROM snapshot WHERE digest <> '' AND created_by <> '' AND created_by <> 'system';

-- Who had made it when an approval was given, as JSON; no row for approvals of
-- before that was noted.
CREATE TABLE sign_off_maker (
  sign_off TEXT PRIMARY KEY,
  makers   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE sign_off_maker;
DROP TABLE maker;
