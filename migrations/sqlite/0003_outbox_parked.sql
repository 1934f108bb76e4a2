-- +goose Up
CREATE TABLE outbox_parked (
  consumer   TEXT   NOT NULL,
  event_id   TEXT   NOT NULL,
  seq        BIGINT NOT NULL,
  tenant_id  TEXT   NOT NULL,
  attempts   BIGINT NOT NULL,
  last_error TEXT   NOT NULL,
  parked_at  BIGINT NOT NULL,
  run_again  BIGINT NOT NULL,
  PRIMARY KEY (consumer, event_id)
);
CREATE INDEX outbox_parked_again ON outbox_parked (consumer, run_again);
CREATE INDEX outbox_parked_event ON outbox_parked (event_id);

-- +goose Down
DROP TABLE outbox_parked;
