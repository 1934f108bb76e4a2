-- +goose Up
CREATE TABLE whatsapp_nct_salts (
  tenant_id  TEXT COLLATE "C" NOT NULL,
  session_id TEXT COLLATE "C" NOT NULL,
  data       BYTEA            NOT NULL,
  PRIMARY KEY (tenant_id, session_id)
);

-- +goose Down
DROP TABLE whatsapp_nct_salts;
