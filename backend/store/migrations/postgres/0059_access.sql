-- +goose Up
-- When a role in a project was given and by whom, and when somebody last looked
-- whether its holder still needs it. The holder is a person or a group; a role
-- without a row was given before this was written down. 0 and '' are never.
CREATE TABLE access_grant (
  project      TEXT COLLATE "C" NOT NULL,
  holder       TEXT COLLATE "C" NOT NULL,
  role         TEXT COLLATE "C" NOT NULL,
  granted_by   TEXT COLLATE "C" NOT NULL,
  granted_at   BIGINT NOT NULL,
  confirmed_by TEXT COLLATE "C" NOT NULL,
  confirmed_at BIGINT NOT NULL,
  PRIMARY KEY (project, holder, role)
);

-- When a person last did anything in a project, to the hour.
CREATE TABLE project_use (
  project TEXT COLLATE "C" NOT NULL,
  person  TEXT COLLATE "C" NOT NULL REFERENCES person (id),
  used_at BIGINT NOT NULL,
  PRIMARY KEY (project, person)
);
CREATE INDEX project_use_person ON project_use (person);

-- +goose Down
DROP TABLE project_use;
DROP TABLE access_grant;
