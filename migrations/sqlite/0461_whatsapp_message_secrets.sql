-- +goose Up
CREATE TABLE whatsapp_message_secrets (
  tenant_id  TEXT NOT NULL,
  session_id TEXT NOT NULL,
  chat       TEXT NOT NULL,
  sender     TEXT NOT NULL,
  wa_id      TEXT NOT NULL,
  data       BLOB NOT NULL,
  PRIMARY KEY (tenant_id, session_id, chat, sender, wa_id)
);

-- +goose Down
DROP TABLE whatsapp_message_secrets;
