-- +goose Up
CREATE TABLE outbox (
  pos        BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  seq        BIGINT,
  event_id   VARCHAR(64)  NOT NULL,
  tenant_id  VARCHAR(64)  NOT NULL,
  name       VARCHAR(64)  NOT NULL,
  order_key  VARCHAR(191) NOT NULL,
  payload    MEDIUMTEXT   NOT NULL,
  created_at BIGINT       NOT NULL,
  UNIQUE KEY outbox_event (event_id),
  UNIQUE KEY outbox_seq (seq),
  KEY outbox_tenant (tenant_id, seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE outbox;
