-- +goose Up
CREATE TABLE refresh_tokens (
  tenant_id      TEXT   NOT NULL,
  id             TEXT   NOT NULL,
  login_id       TEXT   NOT NULL,
  token_hash     TEXT   NOT NULL,
  successor_salt TEXT   NOT NULL,
  created_at     BIGINT NOT NULL,
  expires_at     BIGINT NOT NULL,
  rotated_at     BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX refresh_tokens_hash ON refresh_tokens (token_hash);
CREATE INDEX refresh_tokens_age ON refresh_tokens (expires_at);

-- +goose Down
DROP TABLE refresh_tokens;
