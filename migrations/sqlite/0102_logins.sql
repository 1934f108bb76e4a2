-- +goose Up
CREATE TABLE logins (
  tenant_id   TEXT   NOT NULL,
  id          TEXT   NOT NULL,
  user_id     TEXT   NOT NULL,
  address     TEXT   NOT NULL,
  created_at  BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL,
  revoked_at  BIGINT NOT NULL,
  revoked_for TEXT   NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX logins_user ON logins (tenant_id, user_id);
CREATE INDEX logins_age ON logins (expires_at);

-- +goose Down
DROP TABLE logins;
