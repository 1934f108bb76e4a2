-- +goose Up
CREATE TABLE whatsapp_chat_settings (
  tenant_id   TEXT   NOT NULL,
  session_id  TEXT   NOT NULL,
  jid         TEXT   NOT NULL,
  muted_until BIGINT NOT NULL,
  is_pinned   BIGINT NOT NULL,
  is_archived BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, session_id, jid)
);

-- +goose Down
DROP TABLE whatsapp_chat_settings;
