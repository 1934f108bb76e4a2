-- +goose Up
CREATE TABLE outbox_members (
  holder     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  duties     TEXT COLLATE "C" NOT NULL,
  held_until BIGINT NOT NULL
);

-- +goose Down
DROP TABLE outbox_members;
