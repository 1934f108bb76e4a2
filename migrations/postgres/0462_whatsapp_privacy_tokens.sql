-- +goose Up
CREATE TABLE whatsapp_privacy_tokens (
  tenant_id  TEXT COLLATE "C" NOT NULL,
  session_id TEXT COLLATE "C" NOT NULL,
  jid        TEXT COLLATE "C" NOT NULL,
  made_at    BIGINT           NOT NULL,
  sent_at    BIGINT           NOT NULL,
  data       BYTEA            NOT NULL,
  PRIMARY KEY (tenant_id, session_id, jid)
);
CREATE INDEX whatsapp_privacy_tokens_made ON whatsapp_privacy_tokens (tenant_id, session_id, made_at);

-- +goose Down
DROP TABLE whatsapp_privacy_tokens;
