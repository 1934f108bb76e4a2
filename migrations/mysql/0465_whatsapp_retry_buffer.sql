-- +goose Up
CREATE TABLE whatsapp_retry_buffer (
  tenant_id   VARCHAR(64)  NOT NULL,
  session_id  VARCHAR(64)  NOT NULL,
  chat        VARCHAR(191) NOT NULL,
  wa_id       VARCHAR(191) NOT NULL,
  format      TEXT         NOT NULL,
  inserted_at BIGINT       NOT NULL,
  data        MEDIUMBLOB   NOT NULL,
  PRIMARY KEY (tenant_id, session_id, chat, wa_id),
  INDEX whatsapp_retry_buffer_inserted (tenant_id, session_id, inserted_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE whatsapp_retry_buffer;
