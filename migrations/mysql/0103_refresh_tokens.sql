-- +goose Up
CREATE TABLE refresh_tokens (
  tenant_id      VARCHAR(64) NOT NULL,
  id             VARCHAR(64) NOT NULL,
  login_id       VARCHAR(64) NOT NULL,
  token_hash     VARCHAR(64) NOT NULL,
  successor_salt VARCHAR(64) NOT NULL,
  created_at     BIGINT      NOT NULL,
  expires_at     BIGINT      NOT NULL,
  rotated_at     BIGINT      NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE KEY refresh_tokens_hash (token_hash),
  KEY refresh_tokens_age (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE refresh_tokens;
