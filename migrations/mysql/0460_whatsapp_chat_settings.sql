-- +goose Up
CREATE TABLE whatsapp_chat_settings (
  tenant_id   VARCHAR(64)  NOT NULL,
  session_id  VARCHAR(64)  NOT NULL,
  jid         VARCHAR(191) NOT NULL,
  muted_until BIGINT       NOT NULL,
  is_pinned   BIGINT       NOT NULL,
  is_archived BIGINT       NOT NULL,
  PRIMARY KEY (tenant_id, session_id, jid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE whatsapp_chat_settings;
