-- +goose Up
CREATE TABLE whatsapp_devices (
  tenant_id  TEXT NOT NULL,
  session_id TEXT NOT NULL,
  jid        TEXT NOT NULL,
  lid        TEXT NOT NULL,
  data       BLOB NOT NULL,
  PRIMARY KEY (tenant_id, session_id)
);

-- +goose Down
DROP TABLE whatsapp_devices;
