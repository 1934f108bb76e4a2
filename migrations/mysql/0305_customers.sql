-- +goose Up
CREATE TABLE customers (
  tenant_id  VARCHAR(64)  NOT NULL,
  id         VARCHAR(64)  NOT NULL,
  name       VARCHAR(255) NOT NULL,
  phone      VARCHAR(191) NOT NULL,
  phone_fold VARCHAR(191),
  whatsapp   VARCHAR(191),
  chat_id    VARCHAR(64),
  search     VARCHAR(255) NOT NULL,
  created_at BIGINT       NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE KEY customers_phone (tenant_id, phone_fold),
  UNIQUE KEY customers_whatsapp (tenant_id, whatsapp)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE customers;
