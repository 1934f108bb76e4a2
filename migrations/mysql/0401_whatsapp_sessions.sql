-- +goose Up
CREATE TABLE whatsapp_sessions (
  tenant_id  VARCHAR(64)  NOT NULL,
  id         VARCHAR(64)  NOT NULL,
  name       VARCHAR(191) NOT NULL,
  status     VARCHAR(32)  NOT NULL,
  reason     VARCHAR(191) NOT NULL,
  since      BIGINT       NOT NULL,
  until      BIGINT       NOT NULL,
  locked     BIGINT       NOT NULL,
  number     VARCHAR(191) NOT NULL,
  lid        VARCHAR(191) NOT NULL,
  push_name  VARCHAR(255) NOT NULL,
  is_linked  BIGINT       NOT NULL,
  is_paused  BIGINT       NOT NULL,
  down_since BIGINT       NOT NULL,
  is_alerted BIGINT       NOT NULL,
  fence      BIGINT       NOT NULL,
  owner      VARCHAR(64)  NOT NULL,
  created_at BIGINT       NOT NULL,
  PRIMARY KEY (tenant_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE whatsapp_sessions;
