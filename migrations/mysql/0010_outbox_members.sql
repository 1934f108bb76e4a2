-- +goose Up
CREATE TABLE outbox_members (
  holder     VARCHAR(191) NOT NULL PRIMARY KEY,
  duties     TEXT   NOT NULL,
  held_until BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE outbox_members;
