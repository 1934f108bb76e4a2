-- +goose Up
CREATE TABLE outbox (
  pos        INTEGER PRIMARY KEY AUTOINCREMENT,
  seq        BIGINT,
  event_id   TEXT   NOT NULL UNIQUE,
  tenant_id  TEXT   NOT NULL,
  name       TEXT   NOT NULL,
  order_key  TEXT   NOT NULL,
  payload    TEXT   NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX outbox_seq ON outbox (seq);
CREATE INDEX outbox_tenant ON outbox (tenant_id, seq);

-- +goose Down
DROP TABLE outbox;
