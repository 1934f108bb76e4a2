-- +goose Up
CREATE TABLE whatsapp_nct_salts (
  tenant_id  VARCHAR(64) NOT NULL,
  session_id VARCHAR(64) NOT NULL,
  data       MEDIUMBLOB  NOT NULL,
  PRIMARY KEY (tenant_id, session_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE whatsapp_nct_salts;
