-- +goose Up
CREATE TABLE whatsapp_chat_permissions (
  tenant_id  TEXT COLLATE "C" NOT NULL,
  chat_id    TEXT COLLATE "C" NOT NULL,
  user_id    TEXT COLLATE "C" NOT NULL,
  granted_by TEXT COLLATE "C" NOT NULL,
  granted_at BIGINT           NOT NULL,
  PRIMARY KEY (tenant_id, chat_id, user_id)
);
CREATE INDEX whatsapp_chat_permissions_user ON whatsapp_chat_permissions (tenant_id, user_id, chat_id);

-- +goose Down
DROP TABLE whatsapp_chat_permissions;
