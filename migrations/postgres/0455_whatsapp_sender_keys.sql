-- +goose Up
CREATE TABLE whatsapp_sender_keys (
  tenant_id  TEXT COLLATE "C" NOT NULL,
  session_id TEXT COLLATE "C" NOT NULL,
  chat       TEXT COLLATE "C" NOT NULL,
  sender     TEXT COLLATE "C" NOT NULL,
  data       BYTEA            NOT NULL,
  PRIMARY KEY (tenant_id, session_id, chat, sender)
);

-- +goose Down
DROP TABLE whatsapp_sender_keys;
