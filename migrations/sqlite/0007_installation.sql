-- +goose Up
CREATE TABLE installation (
  name       TEXT NOT NULL PRIMARY KEY,
  id         TEXT NOT NULL,
  cluster    TEXT NOT NULL,
  held_until BIGINT NOT NULL
);

-- +goose Down
DROP TABLE installation;
