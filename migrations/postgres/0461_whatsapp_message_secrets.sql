-- +goose Up
CREATE TABLE whatsapp_message_secrets (
  tenant_id  TEXT COLLATE "C" NOT NULL,
  session_id TEXT COLLATE "C" NOT NULL,
  chat       TEXT COLLATE "C" NOT NULL,
  sender     TEXT COLLATE "C" NOT NULL,
  wa_id      TEXT COLLATE "C" NOT NULL,
  data       BYTEA            NOT NULL,
  PRIMARY KEY (tenant_id, session_id, chat, sender, wa_id)
);

-- +goose Down
DROP TABLE whatsapp_message_secrets;
