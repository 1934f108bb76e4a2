-- +goose Up
CREATE TABLE services (
  tenant_id      VARCHAR(64)  NOT NULL,
  id             VARCHAR(64)  NOT NULL,
  name           VARCHAR(255) NOT NULL,
  description    TEXT         NOT NULL,
  duration       BIGINT       NOT NULL,
  buffer_before  BIGINT       NOT NULL,
  buffer_after   BIGINT       NOT NULL,
  step           BIGINT       NOT NULL,
  price_amount   BIGINT       NOT NULL,
  price_currency VARCHAR(191) NOT NULL,
  active         BIGINT       NOT NULL,
  created_at     BIGINT       NOT NULL,
  PRIMARY KEY (tenant_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE services;
