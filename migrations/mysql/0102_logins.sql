-- +goose Up
CREATE TABLE logins (
  tenant_id   VARCHAR(64) NOT NULL,
  id          VARCHAR(64) NOT NULL,
  user_id     VARCHAR(64) NOT NULL,
  address     VARCHAR(64) NOT NULL,
  created_at  BIGINT      NOT NULL,
  expires_at  BIGINT      NOT NULL,
  revoked_at  BIGINT      NOT NULL,
  revoked_for VARCHAR(32) NOT NULL,
  PRIMARY KEY (tenant_id, id),
  KEY logins_user (tenant_id, user_id),
  KEY logins_age (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE logins;
