-- +goose Up
CREATE TABLE whatsapp_message_secrets (
  tenant_id  VARCHAR(64)  NOT NULL,
  session_id VARCHAR(64)  NOT NULL,
  chat       VARCHAR(191) NOT NULL,
  sender     VARCHAR(191) NOT NULL,
  wa_id      VARCHAR(191) NOT NULL,
  data       MEDIUMBLOB   NOT NULL,
  PRIMARY KEY (tenant_id, session_id, chat, sender, wa_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE whatsapp_message_secrets;
