-- +goose Up
CREATE TABLE whatsapp_app_state_macs (
  tenant_id  TEXT COLLATE "C" NOT NULL,
  session_id TEXT COLLATE "C" NOT NULL,
  name       TEXT COLLATE "C" NOT NULL,
  index_mac  BYTEA            NOT NULL,
  version    BIGINT           NOT NULL,
  data       BYTEA            NOT NULL,
  PRIMARY KEY (tenant_id, session_id, name, index_mac, version)
);

-- +goose Down
DROP TABLE whatsapp_app_state_macs;
