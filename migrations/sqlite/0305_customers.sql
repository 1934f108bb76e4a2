-- +goose Up
CREATE TABLE customers (
  tenant_id  TEXT   NOT NULL,
  id         TEXT   NOT NULL,
  name       TEXT   NOT NULL,
  phone      TEXT   NOT NULL,
  phone_fold TEXT,
  whatsapp   TEXT,
  chat_id    TEXT,
  search     TEXT   NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX customers_phone ON customers (tenant_id, phone_fold);
CREATE UNIQUE INDEX customers_whatsapp ON customers (tenant_id, whatsapp);

-- +goose Down
DROP TABLE customers;
