-- +goose Up
CREATE TABLE whatsapp_network (
  name    VARCHAR(191) NOT NULL,
  network VARCHAR(191) NOT NULL,
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE whatsapp_network;
