-- +goose Up
CREATE TABLE whatsapp_device_contacts (
  tenant_id      TEXT COLLATE "C" NOT NULL,
  session_id     TEXT COLLATE "C" NOT NULL,
  jid            TEXT COLLATE "C" NOT NULL,
  first_name     TEXT             NOT NULL,
  full_name      TEXT             NOT NULL,
  push_name      TEXT             NOT NULL,
  business_name  TEXT             NOT NULL,
  redacted_phone TEXT             NOT NULL,
  PRIMARY KEY (tenant_id, session_id, jid)
);

-- +goose Down
DROP TABLE whatsapp_device_contacts;
