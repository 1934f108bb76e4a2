-- +goose Up
CREATE TABLE whatsapp_nct_salts (
  tenant_id  TEXT NOT NULL,
  session_id TEXT NOT NULL,
  data       BLOB NOT NULL,
  PRIMARY KEY (tenant_id, session_id)
);

-- +goose Down
DROP TABLE whatsapp_nct_salts;
