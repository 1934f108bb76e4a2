-- +goose Up
CREATE TABLE whatsapp_event_buffer (
  tenant_id   TEXT   NOT NULL,
  session_id  TEXT   NOT NULL,
  hash        BLOB   NOT NULL,
  server_at   BIGINT NOT NULL,
  inserted_at BIGINT NOT NULL,
  data        BLOB   NOT NULL,
  PRIMARY KEY (tenant_id, session_id, hash)
);
CREATE INDEX whatsapp_event_buffer_inserted ON whatsapp_event_buffer (tenant_id, session_id, inserted_at);

-- +goose Down
DROP TABLE whatsapp_event_buffer;
