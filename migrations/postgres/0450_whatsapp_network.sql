-- +goose Up
CREATE TABLE whatsapp_network (
  name    TEXT COLLATE "C" NOT NULL,
  network TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (name)
);

-- +goose Down
DROP TABLE whatsapp_network;
