-- +goose Up
CREATE TABLE outbox (
  pos        BIGINT GENERATED ALWAYS AS IDENTITY,
  seq        BIGINT,
  event_id   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  tenant_id  TEXT COLLATE "C" NOT NULL,
  name       TEXT COLLATE "C" NOT NULL,
  order_key  TEXT COLLATE "C" NOT NULL,
  payload    TEXT   NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX outbox_seq ON outbox (seq);
CREATE INDEX outbox_unnumbered ON outbox (pos) WHERE seq IS NULL;
CREATE INDEX outbox_tenant ON outbox (tenant_id, seq);

-- +goose Down
DROP TABLE outbox;
