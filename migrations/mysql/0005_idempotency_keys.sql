-- +goose Up
CREATE TABLE idempotency_keys (
  tenant_id  VARCHAR(64)  NOT NULL,
  operation  VARCHAR(64)  NOT NULL,
  `key`      VARCHAR(255) NOT NULL,
  body_hash  VARCHAR(64)  NOT NULL,
  entity_id  VARCHAR(64)  NOT NULL,
  created_at BIGINT       NOT NULL,
  PRIMARY KEY (tenant_id, operation, `key`),
  KEY idempotency_keys_age (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE idempotency_keys;
