-- +goose Up
CREATE TABLE tenant_keys (
  tenant_id  VARCHAR(64) NOT NULL PRIMARY KEY,
  wrapped    TEXT   NOT NULL,
  created_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE tenant_keys;
