-- +goose Up
CREATE TABLE whatsapp_sender_keys (
  tenant_id  TEXT NOT NULL,
  session_id TEXT NOT NULL,
  chat       TEXT NOT NULL,
  sender     TEXT NOT NULL,
  data       BLOB NOT NULL,
  PRIMARY KEY (tenant_id, session_id, chat, sender)
);

-- +goose Down
DROP TABLE whatsapp_sender_keys;
