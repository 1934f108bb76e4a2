-- +goose Up
CREATE TABLE refresh_tokens (
  tenant_id      TEXT COLLATE "C" NOT NULL,
  id             TEXT COLLATE "C" NOT NULL,
  login_id       TEXT COLLATE "C" NOT NULL,
  token_hash     TEXT COLLATE "C" NOT NULL,
  successor_salt TEXT COLLATE "C" NOT NULL,
  created_at     BIGINT           NOT NULL,
  expires_at     BIGINT           NOT NULL,
  rotated_at     BIGINT           NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX refresh_tokens_hash ON refresh_tokens (token_hash);
CREATE INDEX refresh_tokens_age ON refresh_tokens (expires_at);

-- +goose Down
DROP TABLE refresh_tokens;
