-- +goose Up
CREATE TABLE installation (
  name       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  id         TEXT COLLATE "C" NOT NULL,
  cluster    TEXT COLLATE "C" NOT NULL,
  held_until BIGINT NOT NULL
);

-- +goose Down
DROP TABLE installation;
