-- +goose Up
CREATE TABLE closures (
  tenant_id   VARCHAR(64)  NOT NULL,
  id          VARCHAR(64)  NOT NULL,
  location_id VARCHAR(64)  NOT NULL,
  staff_id    VARCHAR(64),
  first_date  VARCHAR(191) NOT NULL,
  last_date   VARCHAR(191) NOT NULL,
  from_at     BIGINT       NOT NULL,
  to_at       BIGINT       NOT NULL,
  reason      VARCHAR(255) NOT NULL,
  created_at  BIGINT       NOT NULL,
  PRIMARY KEY (tenant_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE closures;
