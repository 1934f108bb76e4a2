-- +goose Up
CREATE TABLE booking_locks (
  tenant_id VARCHAR(64) NOT NULL,
  id        VARCHAR(64) NOT NULL,
  PRIMARY KEY (tenant_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE booking_locks;
