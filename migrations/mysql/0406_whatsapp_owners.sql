-- +goose Up
CREATE TABLE whatsapp_owners (
  id         VARCHAR(64) NOT NULL PRIMARY KEY,
  held_until BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE whatsapp_owners;
