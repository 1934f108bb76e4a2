-- +goose Up
CREATE TABLE logins (
  tenant_id   TEXT COLLATE "C" NOT NULL,
  id          TEXT COLLATE "C" NOT NULL,
  user_id     TEXT COLLATE "C" NOT NULL,
  address     TEXT             NOT NULL,
  created_at  BIGINT           NOT NULL,
  expires_at  BIGINT           NOT NULL,
  revoked_at  BIGINT           NOT NULL,
  revoked_for TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX logins_user ON logins (tenant_id, user_id);
CREATE INDEX logins_age ON logins (expires_at);

-- +goose Down
DROP TABLE logins;
