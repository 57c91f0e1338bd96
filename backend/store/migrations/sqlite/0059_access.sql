-- +goose Up
-- When a role in a project was given and by whom, and when somebody last looked
-- whether its holder still needs it. The holder is a person or a group; a role
-- without a row was given before this was written down. 0 and '' are never.
CREATE TABLE access_grant (
  project      TEXT NOT NULL,
  holder       TEXT NOT NULL,
  role         TEXT NOT NULL,
  granted_by   TEXT NOT NULL,
  granted_at   INTEGER NOT NULL,
  confirmed_by TEXT NOT NULL,
  confirmed_at INTEGER NOT NULL,
  PRIMARY KEY (project, holder, role)
) STRICT, WITHOUT ROWID;

-- When a person last did anything in a project, to the hour.
CREATE TABLE project_use (
  project TEXT NOT NULL,
  person  TEXT NOT NULL REFERENCES person (id),
  used_at INTEGER NOT NULL,
  PRIMARY KEY (project, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX project_use_person ON project_use (person);

-- +goose Down
DROP TABLE project_use;
DROP TABLE access_grant;
