-- +goose Up
CREATE TABLE whatsapp_app_state_macs (
  tenant_id  TEXT   NOT NULL,
  session_id TEXT   NOT NULL,
  name       TEXT   NOT NULL,
  index_mac  BLOB   NOT NULL,
  version    BIGINT NOT NULL,
  data       BLOB   NOT NULL,
  PRIMARY KEY (tenant_id, session_id, name, index_mac, version)
);

-- +goose Down
DROP TABLE whatsapp_app_state_macs;
