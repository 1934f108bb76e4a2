-- +goose Up
CREATE TABLE users (
  tenant_id          TEXT COLLATE "C" NOT NULL,
  id                 TEXT COLLATE "C" NOT NULL,
  email              TEXT COLLATE "C" NOT NULL,
  name               TEXT             NOT NULL,
  role               TEXT COLLATE "C" NOT NULL,
  password_hash      TEXT COLLATE "C" NOT NULL,
  password_temporary BIGINT           NOT NULL,
  active             BIGINT           NOT NULL,
  created_at         BIGINT           NOT NULL,
  updated_at         BIGINT           NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX users_email ON users (email);

-- +goose Down
DROP TABLE users;
