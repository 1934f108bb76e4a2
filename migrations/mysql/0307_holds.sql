-- +goose Up
CREATE TABLE holds (
  tenant_id     VARCHAR(64)  NOT NULL,
  id            VARCHAR(64)  NOT NULL,
  location_id   VARCHAR(64)  NOT NULL,
  service_id    VARCHAR(64)  NOT NULL,
  staff_id      VARCHAR(64)  NOT NULL,
  starts_at     BIGINT       NOT NULL,
  ends_at       BIGINT       NOT NULL,
  occupied_from BIGINT       NOT NULL,
  occupied_to   BIGINT       NOT NULL,
  origin        VARCHAR(191) NOT NULL,
  held_by       VARCHAR(191) NOT NULL,
  created_at    BIGINT       NOT NULL,
  expires_at    BIGINT       NOT NULL,
  PRIMARY KEY (tenant_id, id),
  KEY holds_busy (tenant_id, staff_id, occupied_from)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE holds;
