-- +goose Up
CREATE TABLE whatsapp_privacy_tokens (
  tenant_id  VARCHAR(64)  NOT NULL,
  session_id VARCHAR(64)  NOT NULL,
  jid        VARCHAR(191) NOT NULL,
  made_at    BIGINT       NOT NULL,
  sent_at    BIGINT       NOT NULL,
  data       MEDIUMBLOB   NOT NULL,
  PRIMARY KEY (tenant_id, session_id, jid),
  INDEX whatsapp_privacy_tokens_made (tenant_id, session_id, made_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE whatsapp_privacy_tokens;
