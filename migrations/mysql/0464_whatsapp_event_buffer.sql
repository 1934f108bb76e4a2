-- +goose Up
CREATE TABLE whatsapp_event_buffer (
  tenant_id   VARCHAR(64)    NOT NULL,
  session_id  VARCHAR(64)    NOT NULL,
  hash        VARBINARY(255) NOT NULL,
  server_at   BIGINT         NOT NULL,
  inserted_at BIGINT         NOT NULL,
  data        MEDIUMBLOB     NOT NULL,
  PRIMARY KEY (tenant_id, session_id, hash),
  INDEX whatsapp_event_buffer_inserted (tenant_id, session_id, inserted_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE whatsapp_event_buffer;
