-- +goose Up
CREATE TABLE whatsapp_network (
  name    TEXT NOT NULL,
  network TEXT NOT NULL,
  PRIMARY KEY (name)
);

-- +goose Down
DROP TABLE whatsapp_network;
