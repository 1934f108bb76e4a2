-- +goose Up
CREATE TABLE whatsapp_retry_buffer (
  tenant_id   TEXT   NOT NULL,
  session_id  TEXT   NOT NULL,
  chat        TEXT   NOT NULL,
  wa_id       TEXT   NOT NULL,
  format      TEXT   NOT NULL,
  inserted_at BIGINT NOT NULL,
  data        BLOB   NOT NULL,
  PRIMARY KEY (tenant_id, session_id, chat, wa_id)
);
CREATE INDEX whatsapp_retry_buffer_inserted ON whatsapp_retry_buffer (tenant_id, session_id, inserted_at);

-- +goose Down
DROP TABLE whatsapp_retry_buffer;
