-- +goose Up
CREATE TABLE whatsapp_app_state_macs (
  tenant_id  VARCHAR(64)    NOT NULL,
  session_id VARCHAR(64)    NOT NULL,
  name       VARCHAR(191)   NOT NULL,
  index_mac  VARBINARY(255) NOT NULL,
  version    BIGINT         NOT NULL,
  data       MEDIUMBLOB     NOT NULL,
  PRIMARY KEY (tenant_id, session_id, name, index_mac, version)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE whatsapp_app_state_macs;
