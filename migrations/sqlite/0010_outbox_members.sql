-- +goose Up
CREATE TABLE outbox_members (
  holder     TEXT   NOT NULL PRIMARY KEY,
  duties     TEXT   NOT NULL,
  held_until BIGINT NOT NULL
);

-- +goose Down
DROP TABLE outbox_members;
