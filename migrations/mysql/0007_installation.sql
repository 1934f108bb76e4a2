-- +goose Up
CREATE TABLE installation (
  name       VARCHAR(64) NOT NULL PRIMARY KEY,
  id         VARCHAR(64) NOT NULL,
  cluster    VARCHAR(64) NOT NULL,
  held_until BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE installation;
