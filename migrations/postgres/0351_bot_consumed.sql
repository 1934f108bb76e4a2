-- +goose Up
CREATE TABLE bot_consumed (
  tenant_id   TEXT COLLATE "C" NOT NULL,
  event_id    TEXT COLLATE "C" NOT NULL,
  consumed_at BIGINT           NOT NULL,
  PRIMARY KEY (tenant_id, event_id)
);
CREATE INDEX bot_consumed_age ON bot_consumed (consumed_at);

-- +goose Down
DROP TABLE bot_consumed;
