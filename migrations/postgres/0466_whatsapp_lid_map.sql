-- +goose Up
CREATE TABLE whatsapp_lid_map (
  tenant_id  TEXT COLLATE "C" NOT NULL,
  lid        TEXT COLLATE "C" NOT NULL,
  pn         TEXT COLLATE "C" NOT NULL,
  updated_at BIGINT           NOT NULL,
  PRIMARY KEY (tenant_id, lid)
);
CREATE INDEX whatsapp_lid_map_pn ON whatsapp_lid_map (tenant_id, pn);

-- +goose Down
DROP TABLE whatsapp_lid_map;
