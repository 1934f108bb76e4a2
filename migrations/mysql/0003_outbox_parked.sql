-- +goose Up
CREATE TABLE outbox_parked (
  consumer   VARCHAR(64) NOT NULL,
  event_id   VARCHAR(64) NOT NULL,
  seq        BIGINT NOT NULL,
  tenant_id  VARCHAR(64) NOT NULL,
  attempts   BIGINT NOT NULL,
  last_error TEXT   NOT NULL,
  parked_at  BIGINT NOT NULL,
  run_again  BIGINT NOT NULL,
  PRIMARY KEY (consumer, event_id),
  KEY outbox_parked_again (consumer, run_again),
  KEY outbox_parked_event (event_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE outbox_parked;
