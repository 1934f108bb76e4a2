-- +goose Up
CREATE TABLE whatsapp_chats (
  tenant_id       TEXT COLLATE "C" NOT NULL,
  id              TEXT COLLATE "C" NOT NULL,
  session_id      TEXT COLLATE "C" NOT NULL,
  address         TEXT COLLATE "C" NOT NULL,
  kind            TEXT COLLATE "C" NOT NULL,
  contact_id      TEXT COLLATE "C" NOT NULL,
  mode            TEXT COLLATE "C" NOT NULL,
  person_until    BIGINT           NOT NULL,
  unread          BIGINT           NOT NULL,
  last_pos        BIGINT           NOT NULL,
  last_message_id TEXT COLLATE "C" NOT NULL,
  merged_into     TEXT COLLATE "C" NOT NULL,
  created_at      BIGINT           NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX whatsapp_chats_address ON whatsapp_chats (tenant_id, session_id, address);
CREATE INDEX whatsapp_chats_newest ON whatsapp_chats (tenant_id, last_pos, id);
CREATE INDEX whatsapp_chats_contact ON whatsapp_chats (tenant_id, contact_id);

-- +goose Down
DROP TABLE whatsapp_chats;
