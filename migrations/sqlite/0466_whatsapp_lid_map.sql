-- +goose Up
CREATE TABLE whatsapp_lid_map (
  tenant_id  TEXT   NOT NULL,
  lid        TEXT   NOT NULL,
  pn         TEXT   NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, lid)
);
CREATE INDEX whatsapp_lid_map_pn ON whatsapp_lid_map (tenant_id, pn);

-- +goose Down
DROP TABLE whatsapp_lid_map;
