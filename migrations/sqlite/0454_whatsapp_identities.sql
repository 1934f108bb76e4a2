-- +goose Up
CREATE TABLE whatsapp_identities (
  tenant_id  TEXT NOT NULL,
  session_id TEXT NOT NULL,
  address    TEXT NOT NULL,
  data       BLOB NOT NULL,
  PRIMARY KEY (tenant_id, session_id, address)
);

-- +goose Down
DROP TABLE whatsapp_identities;
