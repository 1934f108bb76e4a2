-- +goose Up
CREATE TABLE whatsapp_messages (
  tenant_id   TEXT   NOT NULL,
  id          TEXT   NOT NULL,
  session_id  TEXT   NOT NULL,
  chat_id     TEXT   NOT NULL,
  wa_id       TEXT   NOT NULL,
  pos         BIGINT NOT NULL,
  direction   TEXT   NOT NULL,
  sender_id   TEXT   NOT NULL,
  type        TEXT   NOT NULL,
  body        TEXT   NOT NULL,
  status      TEXT   NOT NULL,
  reason      TEXT   NOT NULL,
  status_at   BIGINT NOT NULL,
  sent_at     BIGINT NOT NULL,
  origin      TEXT   NOT NULL,
  actor       TEXT   NOT NULL,
  is_queued   BIGINT NOT NULL,
  only_if_bot BIGINT NOT NULL,
  not_after   BIGINT NOT NULL,
  reply_to    TEXT   NOT NULL,
  created_at  BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX whatsapp_messages_once ON whatsapp_messages (tenant_id, session_id, wa_id, chat_id, sender_id);
CREATE INDEX whatsapp_messages_chat ON whatsapp_messages (tenant_id, chat_id, pos, id);
CREATE INDEX whatsapp_messages_queue ON whatsapp_messages (tenant_id, session_id, pos) WHERE is_queued = 1;

-- +goose Down
DROP TABLE whatsapp_messages;
