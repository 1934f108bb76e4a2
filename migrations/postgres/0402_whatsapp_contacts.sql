-- +goose Up
CREATE TABLE whatsapp_contacts (
  tenant_id   TEXT COLLATE "C" NOT NULL,
  id          TEXT COLLATE "C" NOT NULL,
  number      TEXT COLLATE "C",
  lid         TEXT COLLATE "C",
  number_fold TEXT COLLATE "C" NOT NULL,
  name        TEXT             NOT NULL,
  created_at  BIGINT           NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX whatsapp_contacts_number ON whatsapp_contacts (tenant_id, number);
CREATE UNIQUE INDEX whatsapp_contacts_lid ON whatsapp_contacts (tenant_id, lid);
CREATE INDEX whatsapp_contacts_fold ON whatsapp_contacts (tenant_id, number_fold);

-- +goose Down
DROP TABLE whatsapp_contacts;
