-- +goose Up
CREATE TABLE whatsapp_sender_keys (
  tenant_id  VARCHAR(64)  NOT NULL,
  session_id VARCHAR(64)  NOT NULL,
  chat       VARCHAR(191) NOT NULL,
  sender     VARCHAR(191) NOT NULL,
  data       MEDIUMBLOB   NOT NULL,
  PRIMARY KEY (tenant_id, session_id, chat, sender)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE whatsapp_sender_keys;
