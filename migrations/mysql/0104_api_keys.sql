-- +goose Up
CREATE TABLE api_keys (
  tenant_id    VARCHAR(64)  NOT NULL,
  id           VARCHAR(64)  NOT NULL,
  name         VARCHAR(255) NOT NULL,
  hint         VARCHAR(16)  NOT NULL,
  key_hash     VARCHAR(64)  NOT NULL,
  scopes       TEXT         NOT NULL,
  created_by   VARCHAR(64)  NOT NULL,
  created_at   BIGINT       NOT NULL,
  expires_at   BIGINT       NOT NULL,
  last_used_at BIGINT       NOT NULL,
  revoked_at   BIGINT       NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE KEY api_keys_hash (key_hash)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE api_keys;
