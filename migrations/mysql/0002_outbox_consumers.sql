-- +goose Up
CREATE TABLE outbox_consumers (
  name       VARCHAR(64) NOT NULL PRIMARY KEY,
  seq        BIGINT NOT NULL,
  holder     VARCHAR(191) NOT NULL,
  held_until BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE outbox_consumers;
