-- +goose Up
CREATE TABLE bot_consumed (
  tenant_id   VARCHAR(64) NOT NULL,
  event_id    VARCHAR(64) NOT NULL,
  consumed_at BIGINT      NOT NULL,
  PRIMARY KEY (tenant_id, event_id),
  KEY bot_consumed_age (consumed_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE bot_consumed;
