-- +goose Up
CREATE TABLE whatsapp_owners (
  id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  held_until BIGINT NOT NULL
);

-- +goose Down
DROP TABLE whatsapp_owners;
