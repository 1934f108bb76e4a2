-- +goose Up
CREATE TABLE whatsapp_contacts (
  tenant_id   VARCHAR(64)  NOT NULL,
  id          VARCHAR(64)  NOT NULL,
  number      VARCHAR(191),
  lid         VARCHAR(191),
  number_fold VARCHAR(64)  NOT NULL,
  name        VARCHAR(255) NOT NULL,
  created_at  BIGINT       NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE KEY whatsapp_contacts_number (tenant_id, number),
  UNIQUE KEY whatsapp_contacts_lid (tenant_id, lid),
  KEY whatsapp_contacts_fold (tenant_id, number_fold)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE whatsapp_contacts;
