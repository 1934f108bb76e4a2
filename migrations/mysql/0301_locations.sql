-- +goose Up
CREATE TABLE locations (
  tenant_id     VARCHAR(64)  NOT NULL,
  id            VARCHAR(64)  NOT NULL,
  name          VARCHAR(255) NOT NULL,
  zone          VARCHAR(191) NOT NULL,
  address       TEXT         NOT NULL,
  notice        BIGINT       NOT NULL,
  horizon_days  BIGINT       NOT NULL,
  closure_dates VARCHAR(191) NOT NULL,
  created_at    BIGINT       NOT NULL,
  PRIMARY KEY (tenant_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE locations;
