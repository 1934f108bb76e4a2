-- +goose Up
CREATE TABLE whatsapp_chat_permissions (
  tenant_id  VARCHAR(64) NOT NULL,
  chat_id    VARCHAR(64) NOT NULL,
  user_id    VARCHAR(64) NOT NULL,
  granted_by VARCHAR(64) NOT NULL,
  granted_at BIGINT      NOT NULL,
  PRIMARY KEY (tenant_id, chat_id, user_id),
  KEY whatsapp_chat_permissions_user (tenant_id, user_id, chat_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE whatsapp_chat_permissions;
