-- +goose Up
CREATE TABLE whatsapp_signal_sessions (
  tenant_id  VARCHAR(64)  NOT NULL,
  session_id VARCHAR(64)  NOT NULL,
  address    VARCHAR(191) NOT NULL,
  data       MEDIUMBLOB   NOT NULL,
  PRIMARY KEY (tenant_id, session_id, address)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE whatsapp_signal_sessions;
