-- +goose Up
CREATE TABLE whatsapp_messages (
  tenant_id   TEXT COLLATE "C" NOT NULL,
  id          TEXT COLLATE "C" NOT NULL,
  session_id  TEXT COLLATE "C" NOT NULL,
  chat_id     TEXT COLLATE "C" NOT NULL,
  wa_id       TEXT COLLATE "C" NOT NULL,
  pos         BIGINT           NOT NULL,
  direction   TEXT COLLATE "C" NOT NULL,
  sender_id   TEXT COLLATE "C" NOT NULL,
  type        TEXT COLLATE "C" NOT NULL,
  body        TEXT             NOT NULL,
  status      TEXT COLLATE "C" NOT NULL,
  reason      TEXT COLLATE "C" NOT NULL,
  status_at   BIGINT           NOT NULL,
  sent_at     BIGINT           NOT NULL,
  origin      TEXT COLLATE "C" NOT NULL,
  actor       TEXT COLLATE "C" NOT NULL,
  is_queued   BIGINT           NOT NULL,
  only_if_bot BIGINT           NOT NULL,
  not_after   BIGINT           NOT NULL,
  reply_to    TEXT COLLATE "C" NOT NULL,
  created_at  BIGINT           NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX whatsapp_messages_once ON whatsapp_messages (tenant_id, session_id, wa_id, chat_id, sender_id);
CREATE INDEX whatsapp_messages_chat ON whatsapp_messages (tenant_id, chat_id, pos, id);
CREATE INDEX whatsapp_messages_queue ON whatsapp_messages (tenant_id, session_id, pos) WHERE is_queued = 1;

-- +goose Down
DROP TABLE whatsapp_messages;
