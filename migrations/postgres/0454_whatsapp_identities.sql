-- +goose Up
CREATE TABLE whatsapp_identities (
  tenant_id  TEXT COLLATE "C" NOT NULL,
  session_id TEXT COLLATE "C" NOT NULL,
  address    TEXT COLLATE "C" NOT NULL,
  data       BYTEA            NOT NULL,
  PRIMARY KEY (tenant_id, session_id, address)
);

-- +goose Down
DROP TABLE whatsapp_identities;
