-- +goose Up
CREATE TABLE idempotency_keys (
  tenant_id  TEXT   NOT NULL,
  operation  TEXT   NOT NULL,
  key        TEXT   NOT NULL,
  body_hash  TEXT   NOT NULL,
  entity_id  TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, operation, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- +goose Down
DROP TABLE idempotency_keys;
