-- +goose Up
CREATE TABLE whatsapp_app_state_versions (
  tenant_id  VARCHAR(64)  NOT NULL,
  session_id VARCHAR(64)  NOT NULL,
  name       VARCHAR(191) NOT NULL,
  version    BIGINT       NOT NULL,
  data       MEDIUMBLOB   NOT NULL,
  PRIMARY KEY (tenant_id, session_id, name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE whatsapp_app_state_versions;
