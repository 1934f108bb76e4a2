-- +goose Up
CREATE TABLE whatsapp_devices (
  tenant_id  TEXT COLLATE "C" NOT NULL,
  session_id TEXT COLLATE "C" NOT NULL,
  jid        TEXT COLLATE "C" NOT NULL,
  lid        TEXT COLLATE "C" NOT NULL,
  data       BYTEA            NOT NULL,
  PRIMARY KEY (tenant_id, session_id)
);

-- +goose Down
DROP TABLE whatsapp_devices;
