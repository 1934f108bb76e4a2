-- +goose Up
CREATE TABLE whatsapp_messages (
  tenant_id   VARCHAR(64)  NOT NULL,
  id          VARCHAR(64)  NOT NULL,
  session_id  VARCHAR(64)  NOT NULL,
  chat_id     VARCHAR(64)  NOT NULL,
  wa_id       VARCHAR(191) NOT NULL,
  pos         BIGINT       NOT NULL,
  direction   VARCHAR(32)  NOT NULL,
  sender_id   VARCHAR(64)  NOT NULL,
  type        VARCHAR(32)  NOT NULL,
  body        MEDIUMTEXT   NOT NULL,
  status      VARCHAR(32)  NOT NULL,
  reason      VARCHAR(191) NOT NULL,
  status_at   BIGINT       NOT NULL,
  sent_at     BIGINT       NOT NULL,
  origin      VARCHAR(64)  NOT NULL,
  actor       VARCHAR(64)  NOT NULL,
  is_queued   BIGINT       NOT NULL,
  only_if_bot BIGINT       NOT NULL,
  not_after   BIGINT       NOT NULL,
  reply_to    VARCHAR(64)  NOT NULL,
  created_at  BIGINT       NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE KEY whatsapp_messages_once (tenant_id, session_id, wa_id, chat_id, sender_id),
  KEY whatsapp_messages_chat (tenant_id, chat_id, pos, id),
  KEY whatsapp_messages_queue (is_queued, tenant_id, session_id, pos)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE whatsapp_messages;
