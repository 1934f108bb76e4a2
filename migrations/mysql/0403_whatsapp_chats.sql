-- +goose Up
CREATE TABLE whatsapp_chats (
  tenant_id       VARCHAR(64)  NOT NULL,
  id              VARCHAR(64)  NOT NULL,
  session_id      VARCHAR(64)  NOT NULL,
  address         VARCHAR(191) NOT NULL,
  kind            VARCHAR(32)  NOT NULL,
  contact_id      VARCHAR(64)  NOT NULL,
  mode            VARCHAR(32)  NOT NULL,
  person_until    BIGINT       NOT NULL,
  unread          BIGINT       NOT NULL,
  last_pos        BIGINT       NOT NULL,
  last_message_id VARCHAR(64)  NOT NULL,
  merged_into     VARCHAR(64)  NOT NULL,
  created_at      BIGINT       NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE KEY whatsapp_chats_address (tenant_id, session_id, address),
  KEY whatsapp_chats_newest (tenant_id, last_pos, id),
  KEY whatsapp_chats_contact (tenant_id, contact_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE whatsapp_chats;
