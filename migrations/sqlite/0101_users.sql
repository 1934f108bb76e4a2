-- +goose Up
CREATE TABLE users (
  tenant_id          TEXT   NOT NULL,
  id                 TEXT   NOT NULL,
  email              TEXT   NOT NULL,
  name               TEXT   NOT NULL,
  role               TEXT   NOT NULL,
  password_hash      TEXT   NOT NULL,
  password_temporary BIGINT NOT NULL,
  active             BIGINT NOT NULL,
  created_at         BIGINT NOT NULL,
  updated_at         BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX users_email ON users (email);

-- +goose Down
DROP TABLE users;
