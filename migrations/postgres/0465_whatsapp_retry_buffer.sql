-- +goose Up
CREATE TABLE whatsapp_retry_buffer (
  tenant_id   TEXT COLLATE "C" NOT NULL,
  session_id  TEXT COLLATE "C" NOT NULL,
  chat        TEXT COLLATE "C" NOT NULL,
  wa_id       TEXT COLLATE "C" NOT NULL,
  format      TEXT             NOT NULL,
  inserted_at BIGINT           NOT NULL,
  data        BYTEA            NOT NULL,
  PRIMARY KEY (tenant_id, session_id, chat, wa_id)
);
CREATE INDEX whatsapp_retry_buffer_inserted ON whatsapp_retry_buffer (tenant_id, session_id, inserted_at);

-- +goose Down
DROP TABLE whatsapp_retry_buffer;
