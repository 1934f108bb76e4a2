-- +goose Up
CREATE TABLE outbox_consumers (
  name       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  seq        BIGINT NOT NULL,
  holder     TEXT   NOT NULL,
  held_until BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE outbox_consumers;
