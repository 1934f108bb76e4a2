-- +goose Up
CREATE TABLE whatsapp_pre_keys (
  tenant_id   VARCHAR(64) NOT NULL,
  session_id  VARCHAR(64) NOT NULL,
  key_id      BIGINT      NOT NULL,
  is_uploaded BIGINT      NOT NULL,
  data        MEDIUMBLOB  NOT NULL,
  PRIMARY KEY (tenant_id, session_id, key_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE whatsapp_pre_keys;
