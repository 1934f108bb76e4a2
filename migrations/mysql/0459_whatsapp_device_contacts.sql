-- +goose Up
CREATE TABLE whatsapp_device_contacts (
  tenant_id      VARCHAR(64)  NOT NULL,
  session_id     VARCHAR(64)  NOT NULL,
  jid            VARCHAR(191) NOT NULL,
  first_name     TEXT         NOT NULL,
  full_name      TEXT         NOT NULL,
  push_name      TEXT         NOT NULL,
  business_name  TEXT         NOT NULL,
  redacted_phone TEXT         NOT NULL,
  PRIMARY KEY (tenant_id, session_id, jid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE whatsapp_device_contacts;
