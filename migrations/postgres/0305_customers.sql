-- +goose Up
CREATE TABLE customers (
  tenant_id  TEXT COLLATE "C" NOT NULL,
  id         TEXT COLLATE "C" NOT NULL,
  name       TEXT             NOT NULL,
  phone      TEXT COLLATE "C" NOT NULL,
  phone_fold TEXT COLLATE "C",
  whatsapp   TEXT COLLATE "C",
  chat_id    TEXT COLLATE "C",
  search     TEXT             NOT NULL,
  created_at BIGINT           NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX customers_phone ON customers (tenant_id, phone_fold);
CREATE UNIQUE INDEX customers_whatsapp ON customers (tenant_id, whatsapp);

-- +goose Down
DROP TABLE customers;
