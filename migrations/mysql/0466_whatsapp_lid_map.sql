-- +goose Up
CREATE TABLE whatsapp_lid_map (
  tenant_id  VARCHAR(64)  NOT NULL,
  lid        VARCHAR(191) NOT NULL,
  pn         VARCHAR(191) NOT NULL,
  updated_at BIGINT       NOT NULL,
  PRIMARY KEY (tenant_id, lid),
  INDEX whatsapp_lid_map_pn (tenant_id, pn)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE whatsapp_lid_map;
