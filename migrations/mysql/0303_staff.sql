-- +goose Up
CREATE TABLE staff (
  tenant_id   VARCHAR(64)  NOT NULL,
  id          VARCHAR(64)  NOT NULL,
  name        VARCHAR(255) NOT NULL,
  location_id VARCHAR(64)  NOT NULL,
  active      BIGINT       NOT NULL,
  services    MEDIUMTEXT   NOT NULL,
  hours       MEDIUMTEXT   NOT NULL,
  breaks      MEDIUMTEXT   NOT NULL,
  created_at  BIGINT       NOT NULL,
  PRIMARY KEY (tenant_id, id),
  KEY staff_location (tenant_id, location_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE staff;
